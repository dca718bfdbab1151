"""QR codes can be read by a phone, whatever their size, and when they are worn."""

import re
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageDraw

from assets.paper import qr_codes
from tests.assets.qr_pictures import ADDRESS, decoded, halved, opened, smudged


def drawn(svg: bytes, unit: int = 6) -> Image.Image:
    """The SVG as pixels: its view box, and its paths of rectangles."""
    root = ElementTree.fromstring(svg)
    width, height = (int(part) for part in root.attrib["viewBox"].split()[2:])
    picture = Image.new("RGB", (width * unit, height * unit), "white")
    draw = ImageDraw.Draw(picture)
    path = root.findall("{http://www.w3.org/2000/svg}path")[1].attrib["d"]
    rectangles = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path)
    assert "".join(f"M{x} {y}h{length}v1h-{back}z" for x, y, length, back in rectangles) == path
    for x, y, length in (map(int, part[:3]) for part in rectangles):
        draw.rectangle((x * unit, y * unit, (x + length) * unit - 1, (y + 1) * unit - 1), fill="black")
    return picture


def test_a_code_is_read_from_its_png_and_at_half_size() -> None:
    picture = opened(qr_codes.png(ADDRESS))
    assert decoded(picture) == ADDRESS
    assert decoded(halved(picture)) == ADDRESS


def test_a_code_is_read_from_its_svg_and_at_half_size() -> None:
    picture = drawn(qr_codes.svg(ADDRESS))
    assert decoded(picture) == ADDRESS
    assert decoded(halved(picture)) == ADDRESS


@pytest.mark.parametrize("colour", ["white", "black", "#8a6f4d"])
def test_a_code_is_read_with_a_smudged_corner(colour: str) -> None:
    for picture in (opened(qr_codes.png(ADDRESS)), drawn(qr_codes.svg(ADDRESS))):
        spoiled = smudged(picture, colour)
        assert decoded(spoiled) == ADDRESS
        assert decoded(halved(spoiled)) == ADDRESS


@pytest.mark.parametrize(("asked", "given"), [(1, 120), (120, 120), (333, 333), (600, 600), (2000, 2000), (9999, 2000)])
def test_the_width_is_what_was_asked_for_within_its_bounds(asked: int, given: int) -> None:
    picture = opened(qr_codes.png(ADDRESS, size=asked))
    assert picture.size == (given, given)
    assert decoded(picture) == ADDRESS


def test_a_code_that_needs_more_pixels_than_asked_for_gets_them() -> None:
    text = "https://haoping.example.gov.cn/" + "x" * 1200
    picture = opened(qr_codes.png(text, size=120))
    assert picture.width == len(qr_codes.modules(text)) + 8 > 120


@pytest.mark.parametrize("size", [None, 120, 333, 1001])
def test_modules_are_sharp_and_the_quiet_zone_is_four_of_them(size: int | None) -> None:
    picture = opened(qr_codes.png(ADDRESS, size=size)).convert("L")
    assert set(picture.tobytes()) == {0, 255}
    dark = picture.point(lambda value: 255 - value).getbbox()
    modules = len(qr_codes.modules(ADDRESS))
    module, left = divmod(dark[2] - dark[0], modules)
    assert left == 0
    assert min(dark[0], dark[1], picture.width - dark[2], picture.height - dark[3]) >= 4 * module
    assert size is not None or module == qr_codes.BOX


def test_the_same_code_has_the_same_bytes() -> None:
    assert qr_codes.png(ADDRESS, size=300) == qr_codes.png(ADDRESS, size=300)
    assert qr_codes.svg(ADDRESS) == qr_codes.svg(ADDRESS)


def test_markup_in_the_text_stays_text_in_the_svg() -> None:
    text = 'https://example.cn/?a=1&b="><script>'
    assert ElementTree.fromstring(qr_codes.svg(text)).findtext("{http://www.w3.org/2000/svg}title") == text


def test_modules_are_rows_of_text_that_begin_with_a_finder_pattern() -> None:
    rows = qr_codes.modules(ADDRESS)
    assert [row[:8] for row in rows[:7]] == [
        "11111110", "10000010", "10111010", "10111010", "10111010", "10000010", "11111110",
    ]  # fmt: skip
    assert {len(row) for row in rows} == {len(rows)}
