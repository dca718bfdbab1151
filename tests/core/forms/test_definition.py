"""The compiler of forms: what it refuses, all at once, and what it makes of the three printed forms."""

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forms import BrokenForm, Form
from tests.rounds import rounds

FORMS = Path(__file__).resolve().parents[3] / "inspection" / "forms"
TODAY = date(2026, 11, 20)


def _form(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    section = {"code": "a", "title": "一", "items": list(items)}
    return {"code": "tiny", "version": 1, "title": "小表", "kind": "test", "sections": [section], **more}


def _text(field: str = "name", **more: Any) -> dict[str, Any]:
    return {"field": field, "text": "名称", "type": "text", **more}


def _yes_no(no: str = "1", **more: Any) -> dict[str, Any]:
    options = [{"value": "yes", "label": "是"}, {"value": "no", "label": "否"}]
    return {"no": no, "text": "是否", "type": "choice", "options": options, **more}


def _faults(definition: Any) -> list[tuple[str, str]]:
    with pytest.raises(BrokenForm) as broken:
        Form.compile(definition)
    return [(fault.path, fault.code) for fault in broken.value.faults]


FIRST = "/sections/0/items/0"
SECOND = "/sections/0/items/1"


def _number(field: str = "total", **more: Any) -> dict[str, Any]:
    return {"field": field, "text": "数", "type": "number", **more}


def _day(field: str = "day", **more: Any) -> dict[str, Any]:
    return {"field": field, "text": "日期", "type": "date", **more}


def _group(field: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"field": field, "text": "组", "type": "group", "items": list(items), **more}


def _upload(kind: str) -> dict[str, Any]:
    return {"field": "proof", "text": "材料", "type": kind}


def _rows(*items: dict[str, Any]) -> dict[str, Any]:
    return {"field": "rows", "text": "明细", "type": "group", "items": list(items)}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([_day(not_before="other")], [(f"{FIRST}/not_before", "unknown_item")]),
        ([_day(not_after="day")], [(f"{FIRST}/not_after", "unknown_item")]),
        ([_text(), _day(not_before="name")], [(f"{SECOND}/not_before", "unknown_item")]),
        ([_rows(_day()), _day("outer", not_before="day")], [(f"{SECOND}/not_before", "unknown_item")]),
        ([_number(minimum="2", maximum="1.5")], [(f"{FIRST}/minimum", "bad_value")]),
        ([_number(maximum="many")], [(f"{FIRST}/maximum", "bad_value")]),
        ([_number(sum_of="rows")], [(f"{FIRST}/sum_of", "bad_value")]),
        ([_number(sum_of="rows.qty")], [(f"{FIRST}/sum_of", "unknown_item")]),
        ([_number(count_of="name"), _text()], [(f"{FIRST}/count_of", "unknown_item")]),
        ([_number(sum_of="rows.name"), _rows(_text())], [(f"{FIRST}/sum_of", "unknown_item")]),
        ([_number(sum_of="rows.qty"), _rows(_number("qty", scale=2))], [(f"{FIRST}/scale", "bad_value")]),
        ([_number(sum_of="rows.qty", count_of="rows"), _rows(_number("qty"))], [(f"{FIRST}/count_of", "bad_value")]),
        ([_number(rows_when={"item": "1", "in": ["yes"]}), _yes_no()], [(f"{FIRST}/rows_when", "bad_value")]),
        (
            [_number(count_of="rows", rows_when={"item": "nobody", "in": ["x"]}), _rows(_text())],
            [(f"{FIRST}/rows_when/item", "unknown_item")],
        ),
        ([_number(count_of="rows", required=True), _rows(_text())], [(f"{FIRST}/required", "bad_value")]),
        ([_rows(_number("inner", count_of="rows"))], [(f"{FIRST}/items/0", "nested")]),
        (
            [_number(count_of="rows"), _rows(_text(visible_when={"item": "total", "in": ["1"]}))],
            [(f"{SECOND}/items/0/visible_when/item", "bad_condition")],
        ),
    ],
)
def test_a_relation_that_cannot_hold_is_refused_at_its_key(
    items: list[dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    assert _faults(_form(*items)) == expected


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (_form({"field": "a", "text": "甲", "type": "colour"}), [(f"{FIRST}/type", "unknown_type")]),
        (_form(_text(), _text()), [("/sections/0/items/1/field", "duplicate")]),
        (_form(_text(size=3)), [(f"{FIRST}/size", "unknown_key")]),
        (_form(_text(scale=3)), [(f"{FIRST}/scale", "unknown_key")]),
        (_form({"field": "a", "text": "甲", "type": "choice"}), [(f"{FIRST}/options", "no_options")]),
        (_form(_yes_no(options_from="dictionary")), [(f"{FIRST}/options", "no_options")]),
        (_form(_yes_no(options=[])), [(f"{FIRST}/options", "bad_value")]),
        (_form(_yes_no(problem_when=["never"])), [(f"{FIRST}/problem_when/0", "unknown_value")]),
        (_form(_text(problem_when=["x"])), [(f"{FIRST}/problem_when", "unknown_key")]),
        (
            _form({"no": "1", "text": "是否", "type": "boolean", "problem_when": [1]}),
            [(f"{FIRST}/problem_when/0", "unknown_value")],
        ),
        (
            _form(_text(visible_when={"item": "other", "in": ["x"]})),
            [(f"{FIRST}/visible_when/item", "unknown_item")],
        ),
        (
            _form(_text(required_when={"all": [{"item": "1", "in": ["yes", "maybe"]}]}), _yes_no()),
            [(f"{FIRST}/required_when/all/0/in/1", "unknown_value")],
        ),
        (
            _form(_text(visible_when={"item": "problems_found", "in": ["true"]})),
            [(f"{FIRST}/visible_when/in/0", "unknown_value")],
        ),
        (_form(_text(visible_when={"if": "1 == 1"})), [(f"{FIRST}/visible_when", "bad_condition")]),
        (_form(_text(visible_when={"item": "name", "in": ["x"]})), [(FIRST, "cycle")]),
        (
            _form(
                _text("a", visible_when={"item": "b", "in": ["x"]}),
                _text("b", visible_when={"not": {"item": "a", "in": ["x"]}}),
            ),
            [(FIRST, "cycle")],
        ),
        (
            _form(
                _yes_no(problem_when=["no"], visible_when={"item": "name", "in": ["x"]}),
                _text(visible_when={"item": "problems_found", "in": [True]}),
            ),
            [(FIRST, "cycle")],
        ),
        (_form({"no": "d", "text": "处置", "type": "disposal"}), [("/sections", "no_problem_items")]),
        (_form({"text": "甲", "type": "text"}), [(FIRST, "bad_name")]),
        (_form({"no": "1", "field": "a", "text": "甲", "type": "text"}), [(FIRST, "bad_name")]),
        (_form(_text("answers")), [(f"{FIRST}/field", "bad_name")]),
        (_form(_text("form_version")), [(f"{FIRST}/field", "bad_name")]),
        (_form(_text("reason")), [(f"{FIRST}/field", "bad_name")]),
        (_form(_text("confirm_name")), [(f"{FIRST}/field", "bad_name")]),
        (
            _form({"no": "1", "text": "组", "type": "group", "items": [_text()]}),
            [(f"{FIRST}/no", "bad_name")],
        ),
        (_form({"field": "rows", "text": "组", "type": "group"}), [(f"{FIRST}/items", "missing")]),
        (
            _form({"field": "rows", "text": "组", "type": "group", "items": [_text()]}, _text()),
            [(f"{FIRST}/items/0/field", "duplicate")],
        ),
        (_form(_text(pattern="^(?=a)b$")), [(f"{FIRST}/pattern", "bad_value")]),
        (_form(_text(pattern="abc")), [(f"{FIRST}/pattern", "bad_value")]),
        (_form(_text(min_items=2)), [(f"{FIRST}/min_items", "bad_value")]),
        (_form(_text(repeat=True, min_items=3, max_items=2)), [(f"{FIRST}/min_items", "bad_value")]),
        (
            _form({"no": "1", "text": "手机", "type": "mobile"}),
            [(f"{FIRST}/type", "unprotected")],
        ),
        (_form(_text(repeat=True, sensitive=True)), [(f"{FIRST}/sensitive", "unprotected")]),
        (_form(_rows(_text(repeat=True, sensitive=True))), [(f"{FIRST}/items/0/sensitive", "unprotected")]),
        (
            _form(_rows(_group("inner", _group("innermost", _text())))),
            [(f"{FIRST}/items/0/items/0/type", "nested")],
        ),
        (
            _form(_rows(_yes_no("9", type="disposal"))),
            [
                (f"{FIRST}/items/0/options", "unknown_key"),
                (f"{FIRST}/items/0/type", "nested"),
            ],
        ),
        (
            _form(_rows({"no": "8", "text": "组", "type": "group", "items": [_text()]})),
            [
                (f"{FIRST}/items/0/no", "bad_name"),
            ],
        ),
        (_form(_rows(_text(), _group("inner", _text()))), [(f"{FIRST}/items/1/items/0/field", "duplicate")]),
        (
            _form(_rows(_group("inner", _text("code"))), _text("code")),
            [
                (f"{FIRST}/items/0/items/0/field", "duplicate"),
            ],
        ),
        (
            _form(_group("rows", _group("inner", _text(), max_items=51), max_items=100)),
            [(f"{FIRST}/items/0/max_items", "bad_value")],
        ),
        (_form(_group("rows", _text(), max_items=2001)), [(f"{FIRST}/max_items", "bad_value")]),
        (
            _form(_group("one", _upload("photos")), _group("two", _upload("file"))),
            [(f"{SECOND}/items/0/type", "duplicate")],
        ),
        (
            _form(_rows(_group("inner", _number("qty", count_of="rows")))),
            [
                (f"{FIRST}/items/0/items/0", "nested"),
            ],
        ),
        (
            _form(_rows(_group("inner", _text(visible_when={"item": "gone", "in": ["x"]})))),
            [
                (f"{FIRST}/items/0/items/0/visible_when/item", "unknown_item"),
            ],
        ),
        (_form(_text(), accept_until="2026-02-30"), [("/accept_until", "bad_value")]),
        (_form(_text(), version="1"), [("/version", "bad_value")]),
        (_form(_text(), version=True), [("/version", "bad_value")]),
        (
            _form(_text(), rules=[{"any_of": ["nobody"], "message": "填"}]),
            [("/rules/0/any_of/0", "unknown_item")],
        ),
        ({}, [(f"/{key}", "missing") for key in ("code", "kind", "sections", "title", "version")]),
        ([], [("", "wrong_type")]),
    ],
)
def test_a_broken_definition_is_refused_at_its_place(definition: Any, expected: list[tuple[str, str]]) -> None:
    assert _faults(definition) == expected


def _searched(**more: Any) -> dict[str, Any]:
    return {"field": "hs", "text": "编码", "type": "choice", "options_from": "hs_codes", "search": True, **more}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([_yes_no(search=True)], [(f"{FIRST}/search", "bad_value")]),
        ([_text(from_entry="hs.name")], [(f"{FIRST}/from_entry", "unknown_item")]),
        ([_text(from_entry="1.name"), _yes_no()], [(f"{FIRST}/from_entry", "bad_value")]),
        ([_text(from_entry="name")], [(f"{FIRST}/from_entry", "bad_value")]),
        ([_searched(), _text(from_entry="hs.name", required=True)], [(f"{SECOND}/required", "bad_value")]),
        ([_rows(_text(from_entry="name"))], [(f"{FIRST}/items/0/from_entry", "bad_value")]),
        ([_rows(_text(required_entry="required"))], [(f"{FIRST}/items/0/required_entry", "bad_value")]),
        ([_group("rows", _text(), rows_from="indicators")], [(f"{FIRST}/items", "bad_value")]),
        (
            [_group("rows", _text(from_entry="code"), _text("again", from_entry="code"), rows_from="indicators")],
            [(f"{FIRST}/items", "bad_value")],
        ),
        ([_group("rows", _text(), rows_of="hs"), _searched()], [(f"{FIRST}/rows_of", "bad_value")]),
        (
            [_group("rows", _text(from_entry="code"), rows_from="indicators", rows_of="name"), _text()],
            [(f"{FIRST}/items/0/field", "duplicate"), (f"{FIRST}/rows_of", "unknown_item")],
        ),
        ([_number(not_above="gone")], [(f"{FIRST}/not_above", "unknown_item")]),
        ([_number(not_above="name"), _text()], [(f"{FIRST}/not_above", "unknown_item")]),
    ],
)
def test_what_no_dictionary_can_say_is_refused_at_its_key(
    items: list[dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    assert _faults(_form(*items)) == expected


def _tabbed(*sections: str | None, tabs: Any) -> dict[str, Any]:
    written = [
        {"code": f"s{index}", "title": "节", "items": [_text(f"f{index}")], **({"tab": tab} if tab else {})}
        for index, tab in enumerate(sections)
    ]
    return {"code": "tiny", "version": 1, "title": "小表", "kind": "test", "tabs": tabs, "sections": written}


ONE, TWO = {"code": "one", "title": "甲"}, {"code": "two", "title": "乙"}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (_tabbed("one", None, tabs=[ONE]), [("/sections/1/tab", "missing")]),
        (_tabbed("one", "three", tabs=[ONE]), [("/sections/1/tab", "unknown_tab")]),
        (_tabbed("one", "two", "one", tabs=[ONE, TWO]), [("/sections/2/tab", "tab_order")]),
        (_tabbed("one", tabs=[ONE, TWO]), [("/tabs/1", "empty_tab")]),
        (_tabbed("one", tabs=[ONE, ONE]), [("/tabs", "bad_value")]),
        (_tabbed("one", tabs=[{"code": "one"}]), [("/tabs", "bad_value")]),
        (_tabbed("one", tabs=[{"code": "one", "title": " "}]), [("/tabs", "bad_value")]),
        (_tabbed("one", tabs=[{"code": "t" + str(n), "title": "页"} for n in range(21)]), [("/tabs", "bad_value")]),
        (
            _form(_upload("file") | {"owed_when": {"item": "1", "in": ["yes"]}}, _yes_no()),
            [(f"{FIRST}/owed_when", "bad_value")],
        ),
        (
            _form(_upload("file") | {"required": True, "owed_until": "day"}, _day()),
            [(f"{FIRST}/owed_until", "bad_value")],
        ),
        (
            _form(
                _upload("file") | {"required": True, "owed_when": {"item": "1", "in": ["yes"]}, "owed_until": "name"},
                _yes_no(), _text(),
            ),
            [(f"{FIRST}/owed_until", "unknown_item")],
        ),
        (
            _form(_upload("file") | {"required": True, "owed_when": {"item": "2", "in": ["yes"]}}),
            [(f"{FIRST}/owed_when/item", "unknown_item")],
        ),
        (_form(_text(owed_when={"item": "1", "in": ["yes"]}), _yes_no()), [(f"{FIRST}/owed_when", "unknown_key")]),
    ],
)  # fmt: skip
def test_tabs_and_owed_papers_that_cannot_work_are_refused_at_their_place(
    definition: Any, expected: list[tuple[str, str]]
) -> None:
    assert _faults(definition) == expected


def test_rows_hold_rows_and_no_deeper_and_most_of_all_2_000_rows() -> None:
    form = Form.compile(_form(_group("rows", _group("inner", _text(), max_items=50), max_items=100)))
    assert [one.name for one in form.items[0].with_rows()] == ["rows", "inner", "name"]
    Form.compile(_form(_group("rows", _text(), max_items=2000)))


def test_a_circle_of_conditions_through_a_row_of_a_row_is_refused() -> None:
    inner = _group("inner", _yes_no("1", visible_when={"item": "2", "in": ["yes"]}))
    rows = _rows(inner, _yes_no("2", visible_when={"item": "3", "in": ["yes"]}))
    definition = _form(rows, _yes_no("3", visible_when={"item": "problems_found", "in": [True]}))
    Form.compile(definition)
    definition["sections"][0]["items"][0]["items"][0]["items"][0]["problem_when"] = ["no"]
    assert [code for _, code in _faults(definition)] == ["cycle"]


def test_all_faults_of_a_definition_come_at_once_in_their_order() -> None:
    definition = _form(
        _text(size=1),
        _yes_no(options=[]),
        _text(visible_when={"all": [{"item": "gone", "in": ["x"]}, {"item": "1", "in": []}]}),
        title="",
    )
    assert _faults(definition) == [
        ("/sections/0/items/0/size", "unknown_key"),
        ("/sections/0/items/1/options", "bad_value"),
        ("/sections/0/items/2/field", "duplicate"),
        ("/sections/0/items/2/visible_when/all/0/item", "unknown_item"),
        ("/sections/0/items/2/visible_when/all/1/in", "bad_condition"),
        ("/title", "bad_value"),
    ]


def test_a_condition_nested_too_deeply_is_refused() -> None:
    condition: dict[str, Any] = {"item": "1", "in": ["yes"]}
    for _ in range(2000):
        condition = {"not": condition}
    assert [code for _, code in _faults(_form(_yes_no(), _text(visible_when=condition)))] == ["too_deep"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.rounds
@settings(max_examples=rounds(300, few=60), deadline=None)
@given(data=st.data())
def test_no_change_to_a_definition_makes_the_compiler_fail_in_another_way(data: st.DataObject) -> None:
    definition = json.loads((FORMS / "gpc-spot-check.v1.json").read_text(encoding="utf-8"))
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = definition
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and data.draw(st.booleans()):
                place = place[key]
                continue
            place[key] = data.draw(json_values)
            break
    refused = None
    try:
        form = Form.compile(definition)
    except BrokenForm as broken:
        refused = broken
    if refused is None:
        form.check({}, submit=True, today=TODAY)
    else:
        assert refused.faults


def test_the_schema_never_fetches_anything() -> None:
    definition = _form(_text(pattern="^a$"))
    form = Form.compile(definition)
    assert "$ref" not in json.dumps(form.schema)
    assert form.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_compiled_form_does_not_follow_later_changes_of_its_definition() -> None:
    definition = _form(_text(required=True), accept_until="2026-12-31")
    form = Form.compile(definition)
    before = copy.deepcopy(form.definition)
    definition["sections"][0]["items"][0]["text"] = "别的"
    assert form.definition == before
    assert form.accept_until == date(2026, 12, 31)
    assert form.check({}, submit=True, today=TODAY).faults[0].message == "请填写“名称”"


def test_messages_name_the_item_and_say_what_to_do() -> None:
    form = Form.compile(
        _form(
            _text(max_length=3, required=True),
            _yes_no(required=True),
            _text("more", repeat=True, min_items=2),
        )
    )
    faults = form.check({"name": "四个字啊", "more": ["一"]}, submit=True, today=TODAY).faults
    assert [fault.message for fault in faults] == [
        "“名称”不能超过3个字，请缩短后重试",
        "请选择“是否”",
        "“名称”至少需要2项，请补充",
    ]


@pytest.mark.parametrize("code", ["gpc-production", "gpc-sales", "gpc-spot-check"])
def test_a_printed_form_compiles_under_the_name_of_its_file(code: str) -> None:
    form = Form.compile(json.loads((FORMS / f"{code}.v1.json").read_text(encoding="utf-8")))
    assert (form.code, form.version, form.accept_until) == (code, 1, None)
    assert form.sensitive == (frozenset() if code == "gpc-spot-check" else frozenset({"contact_tel"}))


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        (
            "gpc-production",
            "1.1 1.2 1.3 1.4 2.1 2.2 2.3 3.1 3.2 3.3 4.1 4.1.methods 4.2 5.1 5.2 6.1 6.2 6.3 7.1 7.2 7.3 7.4 7.5 7.6",
        ),
        ("gpc-sales", "1.1 1.2 1.3 2.1 2.2 2.3 3.1 3.2 3.3 4.1 4.2"),
    ],
)
def test_the_numbers_of_a_check_are_those_of_the_manual(code: str, numbers: str) -> None:
    definition = json.loads((FORMS / f"{code}.v1.json").read_text(encoding="utf-8"))
    items = [item for section in definition["sections"] for item in section["items"] if "no" in item]
    assert [item["no"] for item in items] == numbers.split()
    last = "7." if code == "gpc-production" else "4."
    assert all((item["type"] == "disposal") == item["no"].startswith(last) for item in items)
