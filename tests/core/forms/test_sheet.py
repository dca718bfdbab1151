"""Forms as Excel sheets: out and in again unchanged, and every fault at its cell."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forms.items.condition_text import ConditionSyntax, parse_condition, write_condition
from core.forms.sheet import Rows, SheetFaults, definition_from_rows, rows_from_definition

ROOT = Path(__file__).resolve().parents[3]


def _definition(name: str) -> dict[str, Any]:
    file = ROOT / "inspection" / "forms" / f"{name}.json"
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _every_type() -> dict[str, Any]:
    vectors = json.loads((ROOT / "tests/vectors/forms/every-type.json").read_text(encoding="utf-8"))
    return dict(vectors["forms"])


HEADINGS = ["section", "section_title", "no", "field", "text", "type", "options", "required", "visible_when"]
FORM: Rows = [["code", "tiny"], ["version", 1.0], ["title", "小表"], ["kind", "test"]]


def _sheets(*rows: list[object], headings: list[str] | None = None, form: Rows = FORM) -> dict[str, Rows]:
    return {"form": form, "items": [list(headings or HEADINGS), *rows]}


def _faults(sheets: dict[str, Rows]) -> list[tuple[str, str]]:
    with pytest.raises(SheetFaults) as refused:
        definition_from_rows(sheets)
    assert all(message for _, _, message in refused.value.faults)
    return [(sheet, cell) for sheet, cell, _ in refused.value.faults]


@pytest.mark.parametrize(
    "name",
    [
        "gpc-production.v1",
        "gpc-production.v2",
        "gpc-production.v3",
        "gpc-sales.v1",
        "gpc-sales.v2",
        "gpc-sales.v3",
        "gpc-sales.v4",
        "gpc-spot-check.v1",
        "gpc-spot-check.v2",
        "gpc-spot-check.v3",
    ],
)
def test_a_printed_form_goes_out_and_comes_back_unchanged(name: str) -> None:
    definition = _definition(name)
    assert definition_from_rows(rows_from_definition(definition)) == definition


@pytest.mark.parametrize("name", ["every-type", "chain"])
def test_a_form_with_every_type_and_rules_comes_back_unchanged(name: str) -> None:
    definition = _every_type()[name]
    assert definition_from_rows(rows_from_definition(definition)) == definition


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("relations", "rows"),
        ("rows", "leaders"),
        ("tabs-and-owed", "application"),
        ("words", "goods"),
        ("words", "scores"),
    ],
)
def test_relations_between_items_and_rows_in_rows_come_back_unchanged(file: str, name: str) -> None:
    vectors = json.loads((ROOT / f"tests/vectors/forms/{file}.json").read_text(encoding="utf-8"))
    definition = vectors["forms"][name]
    assert definition_from_rows(rows_from_definition(definition)) == definition


def test_separators_in_labels_lists_and_numbers_survive() -> None:
    item = {
        "no": "1",
        "text": "问；答",
        "type": "choice",
        "options": [{"value": "a=b;c", "label": "甲；乙\\n\n丙"}, {"value": "是", "label": "true"}],
        "problem_when": ["a=b;c", "是"],
        "roles": ["x; y", "z"],
        "basis": "第一条\n第二条",
    }
    number = {"field": "n", "text": "数", "type": "number", "minimum": "0.001", "scale": 3, "unit": "米"}
    section = {"code": "a", "title": "一", "items": [item, number]}
    definition = {"code": "tiny", "version": 2, "title": "小表", "kind": "test", "sections": [section]}
    assert definition_from_rows(rows_from_definition(definition)) == definition


def test_a_sheet_as_a_bureau_types_it_is_read() -> None:
    sheets = _sheets(
        ["a", "一", "1.1", None, " 是否合格 ", "choice", "yes=是；no=否", "是"],
        [],
        [None, None, None, "why", "原因", "text", None, True, "1.1 in （no）"],
        form=[*FORM[:1], ["version", "3"], *FORM[2:], ["accept_until", date(2026, 12, 31)]],
    )
    definition = definition_from_rows(sheets)
    assert definition["accept_until"] == "2026-12-31"
    assert definition["version"] == 3
    first, second = definition["sections"][0]["items"]
    assert first["options"] == [{"value": "yes", "label": "是"}, {"value": "no", "label": "否"}]
    assert first["required"] is second["required"] is True
    assert first["text"] == "是否合格"
    assert second["visible_when"] == {"item": "1.1", "in": ["no"]}


def test_a_number_that_excel_made_of_an_item_number_is_refused_at_its_cell() -> None:
    assert _faults(_sheets(["a", "一", 4.1, None, "是否", "boolean"])) == [("items", "C2")]


def test_all_faults_come_at_once_each_with_its_cell() -> None:
    sheets = _sheets(
        ["a", "一", "1", None, "甲", "colour"],
        ["a", "别的", "2", None, "乙", "choice", "yes"],
        ["a", None, "3", None, "丙", "text", None, "也许", "2 in (yes"],
        ["a", None, "3", None, None, "text", None, None, "9 in (x)"],
        headings=[*HEADINGS, "colour"],
        form=[["code", "Tiny!"], ["version", 1], ["titel", "小表"], ["kind", "test"]],
    )
    assert sorted(_faults(sheets)) == sorted(
        [
            ("form", "A3"),  # an unknown key,
            ("form", "A1"),  # so that the title is missing
            ("form", "B1"),
            ("items", "J1"),
            ("items", "F2"),
            ("items", "B3"),
            ("items", "G3"),
            ("items", "H4"),
            ("items", "I4"),
            ("items", "C5"),
            ("items", "E5"),
            ("items", "I5"),
        ]
    )


def test_faults_in_rules_and_groups_have_their_cells() -> None:
    headings = [*HEADINGS, "group"]
    sheets = _sheets(
        ["a", "一", None, "rows", "组", "group"],
        ["a", None, None, "inner", "内", "choice", None, None, None, "rows"],
        ["a", None, None, "name", "名", "text"],
        ["a", None, None, "late", "迟", "text", None, None, None, "rows"],
        headings=headings,
    )
    sheets["rules"] = [["any_of", "message"], ["name; gone", "至少填一项"]]
    assert sorted(_faults(sheets)) == [("items", "G3"), ("items", "J5"), ("rules", "A2")]


def test_missing_sheets_are_named() -> None:
    assert ("form", "A1") in _faults({"items": [list(HEADINGS)]})
    assert ("items", "A1") in _faults({"form": FORM})


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("unable in (false)", {"item": "unable", "in": [False]}),
        ("4.1.methods in (self, 委检)", {"item": "4.1.methods", "in": ["self", "委检"]}),
        ('a in ("true", "x \\"y\\"")', {"item": "a", "in": ["true", 'x "y"']}),
        ("a in （“一、二”，b）", {"item": "a", "in": ["一、二", "b"]}),
        (
            "a in (x) and b in (y) or not(c in (true))",
            {
                "any": [
                    {"all": [{"item": "a", "in": ["x"]}, {"item": "b", "in": ["y"]}]},
                    {"not": {"item": "c", "in": [True]}},
                ]
            },
        ),
        (
            "a in (x) and (b in (y) or c in (z))",
            {
                "all": [
                    {"item": "a", "in": ["x"]},
                    {"any": [{"item": "b", "in": ["y"]}, {"item": "c", "in": ["z"]}]},
                ]
            },
        ),
    ],
)
def test_a_condition_is_read_as_it_is_meant(text: str, condition: dict[str, Any]) -> None:
    assert parse_condition(text) == condition
    assert parse_condition(write_condition(condition)) == condition


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a in",
        "a in ()",
        "a in (x",
        "a in (x))",
        "a in (x) b",
        "and in (x)",
        "a == 1",
        "not a in (x)",
        "(" * 50,
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConditionSyntax):
        parse_condition(text)


leaves = st.builds(
    lambda name, values: {"item": name, "in": values},
    st.from_regex(r"[a-z][a-z0-9._]{3,8}", fullmatch=True),
    st.lists(st.booleans() | st.text(min_size=1, max_size=6), min_size=1, max_size=3),
)
conditions = st.recursive(
    leaves,
    lambda inner: (
        st.builds(lambda part: {"not": part}, inner)
        | st.builds(
            lambda key, parts: {key: parts},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=2, max_size=3),
        )
    ),
    max_leaves=6,
)


@given(conditions)
def test_any_condition_survives_being_written_and_read(condition: dict[str, Any]) -> None:
    assert parse_condition(write_condition(condition)) == condition
