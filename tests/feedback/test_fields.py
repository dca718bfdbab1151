"""What a rater may send, and what is refused, all faults at once."""

from typing import Any

import pytest

from feedback.codes.catalogue import LEVELS, TAGS, tags_of
from feedback.ratings.fields import Sent, validate
from tests.feedback.room import BAD, GOOD, Room, faults, refused


def faults_of(**changes: Any) -> dict[str, str]:
    fields, found = validate(Sent(**{**GOOD, **changes}))
    assert (fields is None) == bool(found)
    return {fault.path: fault.code for fault in found}


def accepted(**changes: Any) -> Any:
    fields, found = validate(Sent(**{**GOOD, **changes}))
    assert fields is not None, found
    return fields


def test_there_are_five_levels_with_eight_tags_each() -> None:
    assert sorted(LEVELS) == [1, 2, 3, 4, 5]
    assert len(TAGS) == 40
    for level in LEVELS:
        assert len(tags_of(level)) == 8
        assert {tag.code // 100 for tag in tags_of(level)} == {level}
    assert TAGS[314].text == "服务态度一般"
    assert TAGS[212].text == "在线预约办理后到实体大厅重复取号排队"
    assert tags_of(6) == ()


def test_an_empty_form_is_told_all_that_is_missing() -> None:
    _, found = validate(Sent())
    assert {fault.path: fault.code for fault in found} == {
        "/rater_name": "required", "/mobile": "required", "/level": "required",
    }  # fmt: skip


@pytest.mark.parametrize("level", [0, 6, -1, 99999, "6", "５", "x", 1.0, True, [], {}])
def test_an_unknown_level_is_refused(level: Any) -> None:
    assert "/level" in faults_of(level=level)


def test_numbers_may_come_as_text_from_the_page() -> None:
    fields = accepted(level="4", tags=["406", "407"])
    assert (fields.level, fields.tags) == (4, (406, 407))


def test_tags_must_be_of_the_very_level_and_stand_once() -> None:
    assert faults_of(level=5, tags=[510, 406, 510, 999, "x", None]) == {
        "/tags/1": "tag_of_another_level", "/tags/2": "repeated_tag", "/tags/3": "unknown_tag",
        "/tags/4": "unknown_tag", "/tags/5": "unknown_tag",
    }  # fmt: skip
    assert faults_of(tags="510") == {"/tags": "wrong_type"}
    assert faults_of(tags=[510] * 9) == {"/tags": "too_many"}
    assert accepted(tags=[]).tags == ()
    assert accepted(tags=None).tags == ()


@pytest.mark.parametrize("level", [1, 2])
def test_a_bad_rating_needs_a_tag_and_a_reason_of_five_characters(level: int) -> None:
    tag = level * 100 + 9
    assert faults_of(level=level, tags=[], comment="") == {"/tags": "required", "/comment": "required"}
    assert faults_of(level=level, tags=[tag], comment=" 四个字呀 \n") == {"/comment": "required"}
    assert faults_of(level=level, tags=[510], comment="说明得很清楚") == {"/tags/0": "tag_of_another_level"}
    assert accepted(level=level, tags=[tag], comment="五个字够了").bad


def test_a_comment_of_500_characters_is_taken_and_of_501_refused() -> None:
    assert len(accepted(comment="好" * 500).comment) == 500
    assert faults_of(comment="好" * 501) == {"/comment": "too_long"}
    assert faults_of(comment="好" * 10_000) == {"/comment": "too_long"}
    assert faults_of(comment=5) == {"/comment": "wrong_type"}


def test_a_name_of_50_characters_is_taken_and_of_51_refused() -> None:
    assert accepted(rater_name="名" * 50).rater_name == "名" * 50
    assert faults_of(rater_name="名" * 51) == {"/rater_name": "too_long"}
    assert faults_of(rater_name=" \u3000\u200b ") == {"/rater_name": "required"}


def test_markup_stays_text_and_control_characters_go() -> None:
    fields = accepted(rater_name="<b>张</b>\x00", comment="<script>alert(1)</script>\r\n=1+1\x07\u202e")
    assert fields.rater_name == "<b>张</b>"
    assert fields.comment == "<script>alert(1)</script>\n=1+1"
    assert accepted(comment="e\u0301").comment == "é"


@pytest.mark.parametrize(
    "typed",
    ["13800000001", "１３８００００００01", "+86 138 0000 0001", "86-138-0000-0001", "0086 13800000001",
     " 138 00000001"],
)  # fmt: skip
def test_a_number_is_the_same_however_it_is_typed(typed: str) -> None:
    assert accepted(mobile=typed).mobile == "13800000001"


@pytest.mark.parametrize(
    "typed",
    ["12800000001", "1380000000", "138000000011", "05191234567", "1380000000a", "+1 3800000001", 13800000001,
     "1" * 10_000],
)  # fmt: skip
def test_what_is_no_mobile_number_is_refused(typed: Any) -> None:
    assert "/mobile" in faults_of(mobile=typed)


def test_a_form_id_that_cannot_be_one_is_refused() -> None:
    assert faults_of(submission_id="x" * 65) == {"/submission_id": "bad_format"}
    assert faults_of(submission_id=7) == {"/submission_id": "bad_format"}
    assert accepted(submission_id="").submission_id is None


def test_a_refused_form_leaves_the_gate_open(room: Room) -> None:
    code = room.code()
    problem = refused(lambda: room.send(code, mobile="13800000001", level=1, tags=[], comment=None))
    assert faults(problem) == {"/tags": "required", "/comment": "required"}
    assert room.send(code, mobile="13800000001", **BAD).new
