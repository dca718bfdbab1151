"""The five levels of a rating as faces: told apart by the mouth and the word, not by the colour alone."""

from assets.paper.fonts import Weight
from assets.paper.typesetting import Sheet

LEVELS = ("非常满意", "满意", "基本满意", "不满意", "非常不满意")
"""GB/T 39734-2020 and the seed: five levels, the best first."""
_COLOURS = ("#1f9d57", "#6aa82f", "#d99a00", "#e2711d", "#cc3a2b")
_PALE = ("#e6f5ec", "#f0f7e6", "#fdf4dc", "#fdeee2", "#fbe8e6")
_SAGS = (0.36, 0.2, 0.0, -0.2, -0.36)


def draw_faces(sheet: Sheet, x: float, y: float, width: float, radius: float, size: float) -> float:
    """A row of faces with their words, evenly over `width`; gives the y below it."""
    step = width / len(LEVELS)
    for number, word in enumerate(LEVELS):
        middle = x + step * (number + 0.5)
        _face(sheet, middle, y + radius, radius, number)
        sheet.text(middle, y + 2 * radius + size * 1.45, word, Weight.REGULAR, size, "#333333", 0.5)
    return y + 2 * radius + size * 1.75


def _face(sheet: Sheet, x: float, y: float, radius: float, level: int) -> None:
    thick = radius * 0.1
    colour = _COLOURS[level]
    sheet.circle(x, y, radius - thick / 2, fill=_PALE[level], line=colour, thick=thick)
    for side in (-1, 1):
        sheet.circle(x + side * radius * 0.34, y - radius * 0.22, radius * 0.11, fill=colour)
    sheet.arc(x, y + radius * 0.36, radius * 0.44, radius * _SAGS[level], line=colour, thick=thick)
