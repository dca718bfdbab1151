"""Judging any body whatever: it never fails, and what was accepted stays accepted unchanged."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forms import Form
from tests.rounds import rounds

ROOT = Path(__file__).resolve().parents[3]
TODAY = date(2026, 11, 20)


def _json(path: str) -> Any:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


NAMES = ("gpc-production.v1", "gpc-production.v3", "gpc-sales.v1", "gpc-sales.v3", "gpc-spot-check.v1")
FORMS = {name: Form.compile(_json(f"inspection/forms/{name}.json")) for name in NAMES}
for _file in ("every-type", "rows"):
    for _name, _definition in _json(f"tests/vectors/forms/{_file}.json")["forms"].items():
        FORMS[_name] = Form.compile(_definition)

any_text = st.text(st.characters(), max_size=8)  # lone surrogates too, as JSON can write them
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)


def _items(form: Form) -> list[dict[str, Any]]:
    return [item for section in form.definition["sections"] for item in section["items"]]


_IDS = ["0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10", "0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a11"]
_LIKELY: dict[str, list[Any]] = {
    "uscc": ["91320400ma1tex0012", "N2341203MF2TEX0520"],
    "date": ["2026-11-20", "2024-02-29"],
    "boolean": [True, False],
    "number": ["1", 2.5, "007.50", 3],
    "disposal": ["done", "in_progress", "na"],
    "tel": ["13800000001", "0519-88880000"],
    "mobile": ["+86 138 0000 0001"],
    "resident_id": ["11010519491231002x"],
    "email": ["a@example.com"],
    "region": ["320400"],
    "signature": _IDS,
    "file": _IDS,
}


def _likely(item: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly what the item wants, sometimes nothing."""
    kind = item["type"]
    values = ["甲 ", "一\r\n二", "e\u0301"]
    if "options" in item:
        values = [option["value"] for option in item["options"]]
    one: st.SearchStrategy[Any] = st.sampled_from(_LIKELY.get(kind, values))
    if "pattern" in item:
        one = st.just("(苏)XK06-001-00001")
    if kind == "group":
        return st.lists(st.fixed_dictionaries({i["field"]: _likely(i) for i in item["items"]}), max_size=3)
    if kind == "photos":
        return st.just(_IDS)
    if kind == "multi" or item.get("repeat"):
        return st.lists(one, min_size=item.get("min_items", 1), max_size=4, unique_by=str.strip)
    return one if item.get("required") else one | st.sampled_from([None, "", " "])


@st.composite
def likely_bodies(draw: st.DrawFn, form: Form) -> dict[str, Any]:
    body: dict[str, Any] = {"answers": {}, "disposals": {}}
    for item in _items(form):
        place = "disposals" if item["type"] == "disposal" else "answers"
        (body[place] if "no" in item else body)[item.get("no") or item["field"]] = draw(_likely(item))
    return body


@pytest.mark.rounds
@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=rounds(60, few=15), deadline=None)
@given(data=st.data())
def test_any_json_value_is_validated_without_an_exception(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    body: Any = data.draw(json_values)
    for submit in (True, False):
        form.check(body, submit=submit, today=TODAY)


@pytest.mark.rounds
@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=rounds(60, few=15), deadline=None)
@given(data=st.data())
def test_any_json_value_in_any_place_is_validated_without_an_exception(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    body = data.draw(likely_bodies(form))
    for _ in range(data.draw(st.integers(1, 4))):
        places = [body, body["answers"], body["disposals"]]
        place = data.draw(st.sampled_from([place for place in places if isinstance(place, dict)]))
        present = st.sampled_from(list(place) or ["x"])
        place[data.draw(present | any_text)] = data.draw(json_values)
    for submit in (True, False):
        checked = form.check(body, submit=submit, today=TODAY)
        json.dumps([checked.values, [fault.path for fault in checked.faults]], allow_nan=False).encode()
        "".join(fault.path + fault.message for fault in checked.faults).encode()


@pytest.mark.rounds
@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=rounds(80, few=20), deadline=None)
@given(data=st.data())
def test_what_was_accepted_is_accepted_again_unchanged(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    body = data.draw(likely_bodies(form))
    if not form.check(body, submit=True, today=TODAY).problems_found:
        body["disposals"] = {}
    for submit in (True, False):
        checked = form.check(body, submit=submit, today=TODAY)
        if not checked.faults:
            assert form.check(checked.values, submit=submit, today=TODAY) == checked


def test_a_body_is_not_changed_by_being_validated() -> None:
    body = {
        "org_name": " 某 ",
        "inspectors": ["甲", ""],
        "answers": {"1.1": " yes "},
        "items": [{"verdict": ""}],
    }
    before = json.dumps(body)
    for form in FORMS.values():
        form.check(body, submit=True, today=TODAY)
    assert json.dumps(body) == before


def test_deep_and_huge_values_are_refused_like_any_other() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    form = FORMS["gpc-spot-check.v1"]
    body = {"org_name": deep, "items": [deep, {"verdict": deep}], "samplers": deep, "sample_qty": 10**400}
    faults = {fault.path: fault.code for fault in form.check(body, submit=True, today=TODAY).faults}
    assert faults["/org_name"] == faults["/items/0"] == faults["/items/1/verdict"] == "wrong_type"
    assert faults["/sample_qty"] == "out_of_range"


def test_unknown_keys_are_reported_up_to_a_limit_and_cut() -> None:
    form = FORMS["gpc-sales.v1"]
    body: dict[str, Any] = {f"{number}-" + "长" * 500: 1 for number in range(1000)}
    faults = [f for f in form.check(body, submit=False, today=TODAY).faults if f.code == "unknown_item"]
    assert len(faults) == 50
    assert all(len(fault.path) <= 101 for fault in faults)


@pytest.mark.parametrize(("quantity", "faults"), [("0.5", []), ("0.49", ["too_small"]), ("0.51", [])])
def test_a_minimum_includes_its_bound(quantity: str, faults: list[str]) -> None:
    item = {"field": "quantity", "text": "数量", "type": "number", "scale": 2, "minimum": "0.5"}
    section = {"code": "a", "title": "一", "items": [item]}
    form = Form.compile({"code": "tiny", "version": 1, "title": "小表", "kind": "test", "sections": [section]})
    assert [fault.code for fault in form.check({"quantity": quantity}, submit=True, today=TODAY).faults] == faults
