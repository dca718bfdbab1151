"""QR codes as PNG and SVG: error correction Q, a quiet zone of four modules, sharp edges at every size."""

import functools
import io
from html import escape

import qrcode
from PIL import Image
from qrcode.constants import ERROR_CORRECT_Q

BOX = 10
"""Pixels of a module when no size is asked for."""
BORDER = 4
SMALLEST, LARGEST = 120, 2000

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


def rows(text: str) -> list[str]:
    """The modules as templates get them: one text a row, "1" for a dark module."""
    return ["".join("1" if dark else "0" for dark in row) for row in matrix(text)]


def png_width(text: str, size: int | None) -> int:
    """The width in pixels of a picture of which `size` was asked: between 120 and 2000, or a pixel to a module."""
    across = len(matrix(text)) + 2 * BORDER
    return across * BOX if size is None else max(across, min(max(size, SMALLEST), LARGEST))


def png(text: str, *, size: int | None = None) -> bytes:
    """The code as a PNG, `png_width` wide; the same arguments give the same bytes.

    What is left over by modules of whole pixels becomes more quiet zone.
    """
    modules = matrix(text)
    width = png_width(text, size)
    scale = width // (len(modules) + 2 * BORDER)
    code = Image.new("1", (len(modules), len(modules)), 1)
    code.putdata([0 if dark else 255 for row in modules for dark in row])
    code = code.resize((len(modules) * scale, len(modules) * scale), Image.Resampling.NEAREST)
    picture = Image.new("1", (width, width), 1)
    picture.paste(code, ((width - code.width) // 2, (width - code.height) // 2))
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
