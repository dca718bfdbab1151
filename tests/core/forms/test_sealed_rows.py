"""Personal data in rows: sealed for its row and field, masked for others, found by who sends it back masked."""

from typing import Any

import pytest

from core import privacy
from core.forms.form import Form
from core.forms.sealing import moved, opened, readable, sealed, unmasked
from core.privacy import Unopened, is_sealed
from tests.conftest import DATA_KEY

PLACE, OTHER = "filings.data:1", "filing_versions.data:2"
FORM: dict[str, Any] = {
    "code": "staff", "version": 1, "title": "人员", "kind": "test",
    "sections": [{"code": "one", "title": "一", "items": [
        {"field": "staff", "text": "人员", "type": "group", "items": [
            {"field": "name", "text": "姓名", "type": "text", "sensitive": True},
            {"field": "id_no", "text": "身份证号", "type": "resident_id"},
            {"field": "grade", "text": "等级", "type": "text"},
            {"field": "jobs", "text": "经历", "type": "group", "items": [
                {"field": "unit", "text": "单位", "type": "text"},
                {"field": "witness", "text": "证明人电话", "type": "mobile"}]}]}]}],
}  # fmt: skip
FIRST, SECOND = "11010519491231002X", "440524188001010014"
VALUES: dict[str, Any] = {
    "staff": [
        {"name": "张伟民", "id_no": FIRST, "grade": "高级", "jobs": [{"unit": "甲厂", "witness": "13800000001"}, {}]},
        {"name": "李四", "id_no": SECOND, "jobs": [{"witness": "13911110001"}]},
    ],
    "answers": {},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _keys() -> None:
    privacy.install(DATA_KEY)


@pytest.fixture
def form() -> Form:
    return Form.compile(FORM)


def test_the_texts_of_rows_are_sealed_and_nothing_else(form: Form) -> None:
    stored = sealed(form, VALUES, PLACE)
    row = stored["staff"][0]
    assert is_sealed(row["name"]) and is_sealed(row["id_no"]) and is_sealed(row["jobs"][0]["witness"])
    assert row["grade"] == "高级" and row["jobs"][0]["unit"] == "甲厂" and row["jobs"][1] == {}
    assert FIRST not in str(stored) and "13800000001" not in str(stored)
    assert VALUES["staff"][0]["id_no"] == FIRST, "what was given is not changed"


def test_they_read_clear_for_who_may_and_masked_for_others(form: Form) -> None:
    stored = sealed(form, VALUES, PLACE)
    assert readable(form, stored, PLACE, clear=True) == opened(stored, PLACE) == VALUES
    masked = readable(form, stored, PLACE, clear=False)["staff"]
    assert masked[0]["id_no"] == "110105********002X" and masked[1]["jobs"][0]["witness"] == "139****0001"
    assert masked[0]["grade"] == "高级"


def test_a_sealed_text_opens_in_its_own_row_only(form: Form) -> None:
    stored = sealed(form, VALUES, PLACE)
    stored["staff"][0]["id_no"], stored["staff"][1]["id_no"] = stored["staff"][1]["id_no"], stored["staff"][0]["id_no"]
    with pytest.raises(Unopened):
        readable(form, stored, PLACE, clear=True)


def test_what_is_copied_to_another_record_opens_there(form: Form) -> None:
    stored = sealed(form, VALUES, PLACE)
    copied = moved(stored, PLACE, OTHER)
    assert readable(form, copied, OTHER, clear=True) == VALUES
    with pytest.raises(Unopened):
        readable(form, copied, PLACE, clear=True)


def test_a_mask_that_comes_back_stands_for_what_it_masked(form: Form) -> None:
    stored = sealed(form, VALUES, PLACE)
    sent = readable(form, stored, PLACE, clear=False)
    sent["staff"][0]["grade"] = "中级"
    back = unmasked(form, stored, PLACE, sent)
    assert back["staff"][0] == {**VALUES["staff"][0], "grade": "中级"} and back["staff"][1] == VALUES["staff"][1]


def test_a_mask_is_found_where_rows_came_and_went(form: Form) -> None:
    stored = sealed(form, VALUES, PLACE)
    shown = readable(form, stored, PLACE, clear=False)["staff"]
    back = unmasked(form, stored, PLACE, {"staff": [shown[1]]})
    assert back["staff"][0]["id_no"] == SECOND and back["staff"][0]["jobs"][0]["witness"] == "13911110001"


def test_a_mask_that_may_stand_for_two_people_stays_and_is_refused(form: Form) -> None:
    alike = {"staff": [{"id_no": FIRST}, {"id_no": "11010520000101002X"}], "answers": {}}
    stored = sealed(form, alike, PLACE)
    shown = readable(form, stored, PLACE, clear=False)["staff"]
    assert shown[0] == shown[1]
    assert unmasked(form, stored, PLACE, {"staff": shown})["staff"] == alike["staff"], (
        "by its row where none came or went"
    )
    assert unmasked(form, stored, PLACE, {"staff": shown[:1]})["staff"] == shown[:1]
