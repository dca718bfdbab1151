"""Where everything stands on a poster and on a table sign."""

from assets.paper.fonts import Weight
from assets.paper.poster_text import Poster
from assets.paper.rating_faces import draw_faces
from assets.paper.typesetting import Setting, Sheet

POSTER_DOTS = (1654, 2339)
SIGN_DOTS = (1654, 1166)
WORDS = ("承办单位：", "服务窗口：", "扫不出时，请在浏览器中打开：")
"""What layouts write besides the poster's own text."""

BLUE = "#14549c"
_INK, _GREY, _PALE_BLUE = "#1c1c1c", "#5f6670", "#b9cfe8"
_LARGEST_CODE = 330.0
_FRAME = 2.0
_PLACE_LINES = 2


def draw_poster(sheet: Sheet, poster: Poster) -> None:
    """A4 upright: band, what is rated, the code as large as there is room, how to do it, the levels, small print."""
    edge, inner = 30.0, 50.0
    width = sheet.width - 2 * inner
    middle = sheet.width / 2
    top = _band(sheet, poster, edge, 104, (44, 40, 34, 28, 22), 17)
    matter, places = _named(sheet, poster, width, (32, 29, 26, 23, 20, 18, 16), (17, 15.5, 14), 4)
    instruction = sheet.fit(poster.instruction, Weight.BOLD, width, (20, 18, 16), 2)
    small = sheet.fit(poster.small_print, Weight.REGULAR, width, (12.5, 11), 2)
    address = sheet.fit(WORDS[2] + poster.url, Weight.REGULAR, width, (9, 8, 7), 2)

    faces = 2 * 27 + 13.5 * 1.75
    foot = sheet.height - edge - 8 - address.height - 5 - small.height
    texts = _height(matter, places) + instruction.height + faces
    gaps = 5
    side = min(_LARGEST_CODE, foot - top - texts - gaps * 13)

    y = top + (foot - top - texts - side) / gaps
    gap = y - top
    y = _set_named(sheet, middle, y, matter, places, 0.5) + gap
    framed = _frame_width(sheet, side, poster.url)
    y += _framed_code(sheet, middle - framed / 2, y, side, poster.url)
    # What rounding to whole dots left over is shared out below.
    gap = (foot - y - instruction.height - faces) / 3
    y = sheet.set(middle, y + gap, instruction, BLUE, 0.5)
    draw_faces(sheet, inner, y + gap, width, 27, 13.5)
    y = sheet.set(middle, foot, small, _INK, 0.5)
    sheet.set(middle, y + 5, address, _GREY, 0.5)


def draw_sign(sheet: Sheet, poster: Poster) -> None:
    """A5 lying: the code on the left, what is rated on the right, the levels below."""
    edge, inner = 20.0, 34.0
    top = _band(sheet, poster, edge, 58, (30, 27, 24, 20, 16), 0) + 14
    faces_height = 2 * 19 + 11 * 1.75
    small = sheet.fit(poster.small_print, Weight.REGULAR, sheet.width - 2 * inner, (10.5, 9.5), 1)
    foot = sheet.height - edge - small.height
    side = foot - faces_height - 12 - 14 - top
    taken = _frame_width(sheet, side, poster.url)
    _framed_code(sheet, inner, top + (side - taken) / 2, side, poster.url)

    left = inner + taken + 24
    width = sheet.width - inner - left
    matter, places = _named(sheet, poster, width, (23, 21, 19, 17, 15, 13.5, 12.5), (13, 12, 11), 5)
    instruction = sheet.fit(poster.instruction, Weight.BOLD, width, (15, 14, 13), 3)
    # What is rated stands apart from what to do, as far as their heights leave room.
    gap = (side - _height(matter, places) - instruction.height) / (3 if matter else 2)
    y = top + gap
    if matter:
        y = _set_named(sheet, left, y, matter, places, 0) + gap
    sheet.set(left, y, instruction, BLUE)
    draw_faces(sheet, inner, foot - faces_height - 12, sheet.width - 2 * inner, 19, 11)
    sheet.set(sheet.width / 2, foot, small, _GREY, 0.5)


def _band(
    sheet: Sheet, poster: Poster, edge: float, height: float, sizes: tuple[float, ...], slogan_size: float
) -> float:
    """The title on blue, and the slogan where there is room for it; gives the y below."""
    width = sheet.width - 2 * edge
    sheet.box(edge, edge, width, height, fill=BLUE, radius=12)
    title = sheet.fit(poster.title, Weight.BOLD, width - 40, sizes, 1)
    lines: list[tuple[Setting, str]] = [(title, "#ffffff")]
    if slogan_size and poster.slogan:
        fitted = sheet.fit(poster.slogan, Weight.REGULAR, width - 40, (slogan_size, slogan_size * 0.8), 1)
        lines.append((fitted, "#dce9f7"))
    y = edge + (height - sum(setting.height for setting, _ in lines)) / 2
    for setting, colour in lines:
        y = sheet.set(sheet.width / 2, y, setting, colour, 0.5)
    return edge + height


def _named(
    sheet: Sheet, poster: Poster, width: float, sizes: tuple[float, ...], small: tuple[float, ...], most_lines: int
) -> tuple[Setting | None, list[Setting]]:
    """The matter in large type and the places in smaller type; without a matter the first place is large."""
    large = poster.matter or poster.window or poster.bureau
    labelled = ((WORDS[0], poster.bureau), (WORDS[1], poster.window))
    texts = [label + name for label, name in labelled if name and name is not large]
    fitted = [sheet.fit(text, Weight.REGULAR, width, small, _PLACE_LINES) for text in texts]
    same = [min((place.size for place in fitted), default=small[-1])]
    places = [sheet.fit(text, Weight.REGULAR, width, same, _PLACE_LINES) for text in texts]
    return sheet.fit(large, Weight.BOLD, width, sizes, most_lines) if large else None, places


def _height(matter: Setting | None, places: list[Setting]) -> float:
    between = 8.0 if matter and places else 0.0
    return (matter.height if matter else 0) + between + sum(place.height for place in places)


def _set_named(sheet: Sheet, x: float, y: float, matter: Setting | None, places: list[Setting], align: float) -> float:
    if matter:
        y = sheet.set(x, y, matter, _INK, align) + (8 if places else 0)
    for place in places:
        y = sheet.set(x, y, place, _GREY, align)
    return y


def _frame_width(sheet: Sheet, side: float, url: str) -> float:
    return sheet.code_width(side - 2 * _FRAME, url) + 2 * _FRAME


def _framed_code(sheet: Sheet, x: float, y: float, side: float, url: str) -> float:
    """A frame with the code, at most `side` wide, to the right of and below a point; gives the width that was taken."""
    taken = _frame_width(sheet, side, url)
    sheet.code(x + _FRAME, y + _FRAME, side - 2 * _FRAME, url)
    inset = _FRAME / 2
    sheet.box(x + inset, y + inset, taken - _FRAME, taken - _FRAME, line=_PALE_BLUE, thick=_FRAME, radius=8)
    return taken
