"""Text is cleaned once when it comes in, and folded where it is compared."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Problem
from core.text import clean, clean_line, clean_person, demanded, fold, has_words

EVERY = [chr(code) for code in range(0x110000)]
ANY = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize("category", ["Cc", "Cf", "Cs"])
def test_no_control_or_format_character_is_left_within_a_name(category: str) -> None:
    for character in (one for one in EVERY if unicodedata.category(one) == category):
        assert clean_line(f"红星{character}五金店") in ("红星五金店", "红星 五金店"), hex(ord(character))
        assert fold(f"红星{character}五金店") == "红星五金店", hex(ord(character))


def test_every_dash_is_compared_as_a_hyphen_and_several_as_one() -> None:
    for character in (one for one in EVERY if unicodedata.category(one) == "Pd"):
        assert fold(f"CQ{character}1") == "cq-1", hex(ord(character))
    assert fold("CQ- -1") == fold("CQ——1") == fold("CQ－1") == fold("CQ−1") == fold("CQ─1") == fold("CQ - 1") == "cq-1"


@pytest.mark.parametrize(
    "blank", ["", " \t", "\u3164", "\u2800\u3000", "\u115f\u1160", "\uffa0", "\u200b\u00ad\ufeff", "\ufe0f", "\u034f"]
)
def test_what_is_drawn_as_nothing_is_nothing(blank: str) -> None:
    assert clean(blank) == clean_line(blank) == clean_person(blank) == fold(blank) == ""


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("一\r\n二\t三\r四\u2028五 \n", "一\n二\t三\n四\n五"),
        (" Cafe\u0301 ", "Café"),
        ("一  \n  二", "一\n  二"),
        ("红星\u3164五金店", "红星 五金店"),
        ("👍\ufe0f 好", "👍\ufe0f 好"),
        ("好\ufe0f", "好\ufe0f"),
        ("a\ufe0fb", "ab"),
    ],
)
def test_long_text_keeps_its_lines(typed: str, stored: str) -> None:
    assert clean(typed) == stored


def test_a_line_has_no_breaks() -> None:
    assert clean_line("红星 \r\n 五金\t店\u2029") == "红星 五金 店"


@pytest.mark.parametrize("name", ["䶮", "𬭊", "葛\U000e0100", "辻\ufe00", "王 䶮", "Müller", "买买提·阿里"])
def test_rare_characters_of_peoples_names_stay(name: str) -> None:
    assert clean_person(name) == name


@pytest.mark.parametrize("dot", "•‧・．･∙⋅·")
def test_the_dot_of_a_name_is_one_dot(dot: str) -> None:
    assert clean_person(f"阿卜杜拉{dot}买买提") == "阿卜杜拉\xb7买买提"
    assert fold(f"阿卜杜拉{dot}买买提") == fold("阿卜杜拉·买买提")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("红星五金店", "红星 五\u200b金店"), ("ＡＢＣ电缆（常州）", "abc电缆(常州)"), ("葛\U000e0100某", "葛某"),
        ("ﬁne", "FINE"), ("㈱红星", "(株)红星"), ("Straße 1", "STRASSE1"), ("0.6/1kV", "0.6／1KV"), ("ｶﾞ", "ガ"),
    ],
)  # fmt: skip
def test_spellings_of_one_name_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("红星一店", "红星二店"), ("CQ-12", "CQ-1-2"), ("甲乙", "乙甲"), ("葛", "辻")]
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(ANY)
@settings(derandomize=True)
def test_cleaning_and_folding_again_change_nothing(text: str) -> None:
    for once in (clean(text), clean_line(text), clean_person(text)):
        assert clean(once) == once and clean_line(clean_line(once)) == clean_line(once)
        assert unicodedata.is_normalized("NFC", once) and once == once.strip()
    assert fold(fold(text)) == fold(text) == fold(clean(text)) == fold(clean_line(text))


BLANK = st.text(st.sampled_from("\u3000 \t\n\r甲"), max_size=12)


@given(BLANK)
@settings(derandomize=True)
def test_blanks_go_before_line_ends_and_a_break_with_its_blanks_is_one_blank(text: str) -> None:
    lines = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip()
    assert clean(text) == lines
    assert clean_line(text) == re.sub(r"\s*[\n\t]\s*", " ", lines)


@pytest.mark.parametrize("blank", ["\u3000", " \t", "\u3000\n", "\r"])
def test_many_blanks_take_no_longer_than_as_many_letters(blank: str) -> None:
    """A body of blanks held a worker for hours: time grew with the square of their number."""
    assert clean(f"甲{blank * 150_000}乙")[0] == "甲"
    assert clean_line(f"甲{blank * 150_000}乙")[-1] == "乙"


@pytest.mark.parametrize("marks", [".....", "——", "！！！", "/", "\u0301", "👍", "……。"])
def test_marks_alone_say_nothing(marks: str) -> None:
    assert not has_words(clean(marks))
    with pytest.raises(Problem) as refused:
        demanded(marks, "/reason", "请填写原因")
    assert [(fault.path, fault.code) for fault in refused.value.errors] == [("/reason", "meaningless")]


def test_text_that_is_demanded_is_given_cleaned_or_missed() -> None:
    assert demanded(" 与营业\u200b执照不符。", "/reason", "请填写原因") == "与营业执照不符。"
    for sent in (None, "", "\u3164\u2800"):
        with pytest.raises(Problem) as refused:
            demanded(sent, "/reason", "请填写原因")
        assert [(fault.code, fault.message) for fault in refused.value.errors] == [("required", "请填写原因")]
