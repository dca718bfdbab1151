"""The colours of the pages: text of every colour can be read on every ground, in light, dark and 关怀版."""

import re
from itertools import product
from pathlib import Path

import pytest

_TOKENS = (Path(__file__).parent.parent / "miniapp_api/templates/page/tokens.css").read_text(encoding="utf-8")
_LIGHT, _LIGHT_LARGE, _DARK, _DARK_LARGE = (
    dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", block))
    for block in re.findall(r"(?::root|\.large)\{([^}]*)\}", _TOKENS)
)
SCHEMES = {
    "light": _LIGHT, "关怀版 light": {**_LIGHT, **_LIGHT_LARGE},
    "dark": {**_LIGHT, **_DARK}, "关怀版 dark": {**_LIGHT, **_DARK, **_DARK_LARGE},
}  # fmt: skip
LEVELS = ("green", "teal", "yellow", "orange", "red")
"""From 非常满意 to 非常不满意, as `rating/form.css` uses them."""


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * one for one in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_reaches_a_contrast_of_four_and_a_half(scheme: str) -> None:
    named = SCHEMES[scheme]
    assert ratio("#fff", "#000") == pytest.approx(21)
    for text, ground in product(("text", "text-2", "primary", *LEVELS), ("bg", "surface")):
        assert ratio(named[text], named[ground]) >= 4.5, (text, ground)
    assert ratio(named["on-primary"], named["primary"]) >= 4.5
    assert ratio(named["text"], named["soft"]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_edge_of_a_field_or_button_reaches_three(scheme: str) -> None:
    named = SCHEMES[scheme]
    for edge, ground in product(("control", "primary", "red"), ("bg", "surface")):
        assert ratio(named[edge], named[ground]) >= 3, (edge, ground)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_two_levels_have_the_same_colour(scheme: str) -> None:
    assert len({SCHEMES[scheme][name] for name in LEVELS}) == len(LEVELS)
    form = (Path(__file__).parent.parent / "miniapp_api/templates/rating/form.css").read_text(encoding="utf-8")
    for level, name in zip((5, 4, 3, 2, 1), LEVELS, strict=True):
        assert f".c{level}{{color:var(--{name})}}" in form
