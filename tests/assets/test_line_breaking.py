"""Lines of Chinese text break where a reader expects it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assets.paper.line_breaking import printable, shorten, wrap, wrap_evenly

NEVER_FIRST = "、，。．；：？！）】》」』〕〉”’…—·～％"
NEVER_LAST = "（【《「『〔〈“‘"


def measure(text: str) -> float:
    return sum(1.0 if ord(character) > 255 else 0.5 for character in text)


def test_closing_punctuation_stays_with_the_word_before_it() -> None:
    assert wrap("工业产品，新办。", 4, measure) == ["工业产", "品，新", "办。"]


def test_an_opening_bracket_goes_with_the_word_after_it() -> None:
    assert wrap("生产许可（食品）", 5, measure) == ["生产许可", "（食品）"]


def test_numbers_and_latin_words_stay_whole_as_long_as_they_fit() -> None:
    assert wrap("依据 GB4806.7-2016 办理", 7, measure) == ["依据", "GB4806.7-2016", "办理"]
    assert wrap("abcdefgh", 2, measure) == ["abcd", "efgh"]


def test_no_single_character_is_left_for_the_last_line() -> None:
    assert wrap("特种设备使用登记证", 8, measure)[-1] == "证"
    assert wrap_evenly("特种设备使用登记证", 8, measure) == ["特种设备使", "用登记证"]


def test_a_break_at_punctuation_is_preferred() -> None:
    assert wrap_evenly("请使用手机扫一扫，对本次服务作出评价", 13, measure) == [
        "请使用手机扫一扫，",
        "对本次服务作出评价",
    ]
    assert wrap_evenly("食品相关产品生产许可证（新办）", 12, measure) == ["食品相关产品生产许可证", "（新办）"]


def test_what_is_left_out_is_shown_by_an_ellipsis() -> None:
    assert shorten(["一二三四", "五六七八", "九"], 2, 4, measure) == ["一二三四", "五六七…"]
    assert shorten(["一二三四"], 2, 4, measure) == ["一二三四"]


@pytest.mark.parametrize(
    ("written", "shaped"),
    [
        (" 窗口\t12\n号 ", "窗口 12 号"),
        ("窗\u200b口\ufeff", "窗口"),
        ("\u202e口窗", "口窗"),
        ("龚\ufe00葛\U000e0100", "龚葛"),
        ("\x00\x1b[1m", "[1m"),
        ("　", ""),
    ],
)
def test_what_has_no_shape_is_left_out(written: str, shaped: str) -> None:
    assert printable(written) == shaped


@example("局服！：市", 4)
@example("《《《《b", 4)
@given(
    st.text(alphabet="市监局服务" + NEVER_FIRST[:9] + NEVER_LAST[:4] + "ab1 .", max_size=60),
    st.integers(min_value=4, max_value=30),
)
def test_nothing_is_lost_and_no_line_begins_with_closing_punctuation(text: str, width: int) -> None:
    for lines in (wrap(text, width, measure), wrap_evenly(text, width, measure)):
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(line[0] not in NEVER_FIRST for line in lines[1:] if line)
        runs_of_marks = any(len(line) > 1 for line in lines)
        assert not runs_of_marks or all(
            measure(line) <= width + sum(c in NEVER_FIRST + NEVER_LAST for c in line) for line in lines
        )


def test_a_clause_that_begins_with_a_mark_stays_with_the_one_before() -> None:
    assert wrap_evenly("局服！：市", 4, measure)[-1][0] not in NEVER_FIRST
