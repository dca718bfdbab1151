"""A sheet of paper that is drawn on once and comes out as PDF and as PNG.

Lengths are points; x runs to the right and y down from the upper left corner. Text is embedded as
small TrueType fonts, so that it can be searched and copied.
"""

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from assets.paper import qr_codes
from assets.paper.font_subsets import truetype
from assets.paper.fonts import Face, Fonts, Weight
from assets.paper.line_breaking import ELLIPSIS, shorten, wrap_evenly

DOTS = 200
"""Dots to an inch of the PNG."""
GRID = 72 / DOTS
"""Points of a dot: what lies on this grid is sharp in the PNG."""
LEADING = 1.32

_HALF_EMPTY_LEFT = frozenset("（【《「『〔“‘")
_HALF_EMPTY_RIGHT = frozenset("，。；：、）】》」』〕”’")

# reportlab keeps fonts by name for the whole process, and pdfium must not be called by two threads.
_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class Setting:
    """Lines that were fitted into a width."""

    lines: Sequence[str]
    weight: Weight
    size: float

    @property
    def height(self) -> float:
        """From the top of the first line to the foot of the last."""
        return len(self.lines) * self.size * LEADING


class Sheet:
    """What layouts draw on; made by `sheet`."""

    def __init__(
        self, canvas: Canvas, width: float, height: float, fonts: Fonts, names: dict[tuple[Face, Weight], str]
    ):
        self.width, self.height = width, height
        self._canvas, self._fonts, self._names = canvas, fonts, names
        self._widths: dict[tuple[str, Weight], float] = {}

    def measure(self, text: str, weight: Weight, size: float) -> float:
        """Width of a line."""
        return sum(self._width(character, weight) for character in text) * size

    def _width(self, character: str, weight: Weight) -> float:
        key = character, weight
        if key not in self._widths:
            ((name, _),) = self._pieces(character, weight)
            if ord(character) not in pdfmetrics.getFont(name).face.charToGlyph:
                raise ValueError(f"U+{ord(character):04X} was not among the texts of the sheet")
            self._widths[key] = pdfmetrics.stringWidth(character, name, 1)
        return self._widths[key]

    def fit(self, text: str, weight: Weight, width: float, sizes: Sequence[float], most_lines: int) -> Setting:
        """The text in the largest of the sizes that needs no more lines; in the last one it may be shortened."""
        for size in sizes:

            def measure(line: str, size: float = size) -> float:
                return self.measure(line, weight, size)

            lines = wrap_evenly(text, width, measure)
            if len(lines) <= most_lines:
                break
        return Setting(shorten(lines, most_lines, width, measure), weight, size)

    def text(self, x: float, y: float, line: str, weight: Weight, size: float, colour: str, align: float = 0) -> None:
        """A line whose baseline is at `y`; `align` 0 begins at `x`, 0.5 has its middle there, 1 ends there."""
        x -= self.measure(line, weight, size) * align
        if align == 0.5:
            # Full-width marks fill half of their square: what the eye takes for the middle is beside it.
            x += size / 4 * ((line[-1:] in _HALF_EMPTY_RIGHT) - (line[:1] in _HALF_EMPTY_LEFT))
        elif align == 0 and line[:1] in _HALF_EMPTY_LEFT:
            x -= size / 2
        written = self._canvas.beginText(x, self.height - y)
        written.setFillColor(HexColor(colour))
        for name, piece in self._pieces(line, weight):
            written.setFont(name, size)
            written.textOut(piece)
        self._canvas.drawText(written)

    def set(self, x: float, y: float, setting: Setting, colour: str, align: float = 0) -> float:
        """The lines of a setting from `y` downwards; gives the y below them."""
        for line in setting.lines:
            self.text(x, y + setting.size * (LEADING + 0.76) / 2, line, setting.weight, setting.size, colour, align)
            y += setting.size * LEADING
        return y

    def box(
        self, x: float, y: float, width: float, height: float, *,
        fill: str | None = None, line: str | None = None, thick: float = 1, radius: float = 0,
    ) -> None:  # fmt: skip
        """A rectangle, with round corners if so wished."""
        self._paint(fill, line, thick)
        self._canvas.roundRect(x, self.height - y - height, width, height, radius, stroke=bool(line), fill=bool(fill))

    def circle(
        self, x: float, y: float, radius: float, *, fill: str | None = None, line: str | None = None, thick: float = 1
    ) -> None:
        """A circle around a point."""
        self._paint(fill, line, thick)
        self._canvas.circle(x, self.height - y, radius, stroke=bool(line), fill=bool(fill))

    def arc(self, x: float, y: float, half: float, sag: float, *, line: str, thick: float) -> None:
        """A curve through a point, `half` to each side, whose ends lie `sag` above its middle."""
        self._paint(None, line, thick)
        self._canvas.setLineCap(1)
        path = self._canvas.beginPath()
        middle, ends = self.height - y - sag / 2, self.height - y + sag / 2
        pull = middle - (ends - middle) / 3
        path.moveTo(x - half, ends)
        path.curveTo(x - half * 0.62, pull, x + half * 0.62, pull, x + half, ends)
        self._canvas.drawPath(path, stroke=1, fill=0)

    def code_width(self, side: float, text: str) -> float:
        """The width that `code` takes of `side`: a module is a whole number of dots."""
        across = len(qr_codes.matrix(text)) + 2 * qr_codes.BORDER
        return max(1, int(side / across / GRID + 1e-6)) * GRID * across

    def code(self, x: float, y: float, side: float, text: str) -> None:
        """A QR code with its quiet zone, `code_width` wide, to the right of and below the dot next to a point."""
        modules = qr_codes.matrix(text)
        taken = self.code_width(side, text)
        module = taken / (len(modules) + 2 * qr_codes.BORDER)
        left, top = round(x / GRID) * GRID, round(y / GRID) * GRID
        self.box(left, top, taken, taken, fill="#ffffff")
        path = self._canvas.beginPath()
        for row, column, length in qr_codes.runs(modules):
            place = left + (column + qr_codes.BORDER) * module
            foot = self.height - top - (row + qr_codes.BORDER + 1) * module
            path.rect(place, foot, length * module, module)
        self._paint("#000000", None, 0)
        self._canvas.drawPath(path, stroke=0, fill=1)

    def _paint(self, fill: str | None, line: str | None, thick: float) -> None:
        if fill:
            self._canvas.setFillColor(HexColor(fill))
        if line:
            self._canvas.setStrokeColor(HexColor(line))
            self._canvas.setLineWidth(thick)

    def _pieces(self, text: str, weight: Weight) -> list[tuple[str, str]]:
        return [(self._names[face, weight], piece) for face, piece in self._fonts.runs(text, weight)]


def _registered(font: bytes) -> str:
    """The name under which reportlab has the font; one that it knows by the same name would be taken instead."""
    loaded = TTFont("new", io.BytesIO(font))
    loaded.fontName = loaded.face.name.decode() if isinstance(loaded.face.name, bytes) else str(loaded.face.name)
    pdfmetrics.registerFont(loaded)
    return str(loaded.fontName)


@contextmanager
def sheet(target: io.BytesIO, dots: tuple[int, int], texts: Sequence[str], fonts: Fonts, title: str) -> Iterator[Sheet]:
    """A sheet of so many dots whose PDF is written to `target`; only characters of `texts` can be drawn.

    Raises `FontMissing`, `CharactersMissing`.
    """
    needed: dict[tuple[Face, Weight], set[str]] = {}
    for weight in Weight:
        for face, piece in fonts.runs("".join([*texts, ELLIPSIS]), weight):
            needed.setdefault((face, weight), set()).update(piece)
    subsets = {key: truetype(key[0], "".join(sorted(characters))) for key, characters in needed.items()}
    with _turn:
        names = {key: _registered(font) for key, font in subsets.items()}
        width, height = dots[0] * GRID, dots[1] * GRID
        canvas = Canvas(target, pagesize=(width, height), invariant=1, pageCompression=1, lang="zh-CN")
        canvas.setTitle(title)
        canvas.setCreator("")
        yield Sheet(canvas, width, height, fonts, names)
        canvas.showPage()
        canvas.save()


def rasterised(pdf: bytes) -> bytes:
    """The first page of a PDF as a PNG of 200 dots to an inch."""
    with _turn:
        document = pypdfium2.PdfDocument(pdf)
        try:
            page = document[0]
            # pdfium rounds the size up: a hair less, or a page of 1654 dots gets 1655.
            bitmap = page.render(scale=(DOTS / 72) * (1 - 1e-6))
            picture = bitmap.to_pil().convert("RGB")
        finally:
            document.close()
    target = io.BytesIO()
    picture.save(target, "PNG", dpi=(DOTS, DOTS), compress_level=6)
    return target.getvalue()
