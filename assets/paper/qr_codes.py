"""QR codes as PNG and SVG: error correction Q, a quiet zone of four modules, sharp edges at every size."""

import functools
import io
from html import escape

import qrcode
from PIL import Image, ImageDraw, ImageFont
from qrcode.constants import ERROR_CORRECT_Q

from assets.paper.fonts import Face, Fonts, Weight, installed
from assets.paper.line_breaking import printable, shorten, wrap_evenly

BOX = 10
"""Pixels of a module when no size is asked for."""
BORDER = 4
SMALLEST, LARGEST = 120, 2000
_CAPTION_LINES = 3

Matrix = tuple[tuple[bool, ...], ...]


@functools.lru_cache(maxsize=16)
def matrix(text: str) -> Matrix:
    """The modules of the code, dark ones true, without the quiet zone. Raises `ValueError` for what does not fit."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0)
    code.add_data(text)
    code.make(fit=True)
    return tuple(tuple(map(bool, row)) for row in code.get_matrix())


def runs(modules: Matrix) -> list[tuple[int, int, int]]:
    """Row, column and length of each horizontal run of dark modules."""
    found = []
    for y, row in enumerate(modules):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                found.append((y, start, x - start))
            x += 1
    return found


def png(text: str, *, size: int | None = None, caption: str | None = None, fonts: Fonts | None = None) -> bytes:
    """The code as a PNG; the same arguments give the same bytes.

    `size` is the width in pixels, kept between 120 and 2000 (a code too large for it stays larger,
    a pixel to a module); what is left over by modules of whole pixels becomes more quiet zone. A
    caption stands below and adds height; it needs a font (`FontMissing`, `CharactersMissing`).
    """
    modules = matrix(text)
    across = len(modules) + 2 * BORDER
    width = across * BOX if size is None else max(across, min(max(size, SMALLEST), LARGEST))
    scale = width // across
    code = Image.new("1", (len(modules), len(modules)), 1)
    code.putdata([0 if dark else 255 for row in modules for dark in row])
    code = code.resize((len(modules) * scale, len(modules) * scale), Image.Resampling.NEAREST)
    picture = Image.new("1", (width, width), 1)
    picture.paste(code, ((width - code.width) // 2, (width - code.height) // 2))
    if caption and (shaped := printable(caption)):
        picture = _with_caption(picture, shaped, quiet=BORDER * scale, fonts=fonts or installed())
    target = io.BytesIO()
    picture.save(target, "PNG", optimize=True)
    return target.getvalue()


def svg(text: str) -> bytes:
    """The code as an SVG without a size of its own: one unit to a module."""
    modules = matrix(text)
    across = len(modules) + 2 * BORDER
    path = "".join(f"M{x + BORDER} {y + BORDER}h{length}v1h-{length}z" for y, x, length in runs(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {across}" '
        'shape-rendering="crispEdges" role="img">'
        f"<title>{escape(text)}</title>"
        f'<path fill="#fff" d="M0 0h{across}v{across}H0z"/><path d="{path}"/></svg>'
    ).encode()


def _with_caption(code: Image.Image, caption: str, *, quiet: int, fonts: Fonts) -> Image.Image:
    size = max(12, code.width // 18)
    loaded: dict[Face, ImageFont.FreeTypeFont] = {}

    def pieces(line: str) -> list[tuple[ImageFont.FreeTypeFont, str]]:
        drawn = []
        for face, piece in fonts.runs(line, Weight.REGULAR):
            if face not in loaded:
                loaded[face] = ImageFont.truetype(
                    str(face.path), size, index=face.index, layout_engine=ImageFont.Layout.BASIC
                )
            drawn.append((loaded[face], piece))
        return drawn

    def measure(line: str) -> float:
        return sum(font.getlength(piece) for font, piece in pieces(line))

    fonts.runs(caption, Weight.REGULAR)
    width = code.width - 2 * max(quiet // 2, 4)
    lines = shorten(wrap_evenly(caption, width, measure), _CAPTION_LINES, width, measure)
    leading = round(size * 1.4)
    picture = Image.new("L", (code.width, code.height + leading * len(lines) + quiet), 255)
    picture.paste(code, (0, 0))
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        x = (picture.width - measure(line)) / 2
        for font, piece in pieces(line):
            draw.text((x, code.height + leading * number + size), piece, fill=0, font=font, anchor="ls")
            x += font.getlength(piece)
    return picture
