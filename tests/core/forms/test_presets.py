"""What a form is filled with beforehand: the cases of `tests/vectors/presets`, which the phone runs too.

A case: `form` (a file of `inspection/forms`, or a key of the file's own `forms`), `body` as it stands, `sources` by
name, and what to `expect`: the `body` then, and the pointers that were `filled`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from core.forms import BrokenForm, Form

ROOT = Path(__file__).resolve().parents[3]
FORMS = ROOT / "inspection" / "forms"


def _cases() -> list[Any]:
    found = []
    for path in sorted((ROOT / "tests" / "vectors" / "presets").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for case in content["cases"]:
            own = content["forms"].get(case["form"])
            definition = own or json.loads((FORMS / f"{case['form']}.json").read_text(encoding="utf-8"))
            found.append(pytest.param(Form.compile(definition), case, id=case["name"]))
    return found


@pytest.mark.parametrize(("form", "case"), _cases())
def test_a_form_is_filled_as_on_the_phone(form: Form, case: dict[str, Any]) -> None:
    filled = form.presets(case["body"], case["sources"])
    assert (filled.body, filled.filled) == (case["expect"]["body"], case["expect"]["filled"])


def carrying(source: str, **item: Any) -> dict[str, Any]:
    """A form whose second item takes `source`; the first is a name, the last a finding."""
    items = [
        {"field": "name", "text": "名称", "type": "text"},
        {"field": "other", "text": "另一项", "type": "text", "default_from": source} | item,
        {"field": "found", "text": "有无问题", "type": "boolean", "problem_when": [True]},
    ]
    if "no" in item:
        del items[1]["field"]
    section = {"code": "a", "title": "一", "items": items}
    return {"code": "tiny", "version": 1, "title": "小表", "kind": "test", "sections": [section]}


CARRIED_ROW = {
    "type": "group",
    "items": [{"field": "x", "text": "行", "type": "text", "default_from": "last_visit.name"}],
}


@pytest.mark.parametrize(
    ("definition", "at", "code"),
    [
        (carrying("last_visit.nobody"), "", "unknown_item"),
        (carrying("last_visit.found"), "", "not_carried"),
        (carrying("last_visit.name", type="boolean", problem_when=[True]), "", "not_carried"),
        (carrying("last_visit.name", type="photos"), "", "not_carried"),
        (carrying("last_visit.name", type="signature"), "", "not_carried"),
        (carrying("last_visit.name", no="1"), "", "not_carried"),
        (carrying("last_visit.name", no="1", type="disposal"), "", "not_carried"),
        (carrying("enterprise.name", **CARRIED_ROW), "/items/0", "not_carried"),
    ],
)
def test_a_form_that_carries_a_finding_or_names_nothing_is_refused_with_the_place(
    definition: dict[str, Any], at: str, code: str
) -> None:
    with pytest.raises(BrokenForm) as broken:
        Form.compile(definition)
    assert [(fault.path, fault.code) for fault in broken.value.faults] == [
        (f"/sections/0/items/1{at}/default_from", code)
    ]


def test_facts_may_be_carried() -> None:
    Form.compile(carrying("last_visit.name"))
    Form.compile(carrying("last_visit.other"))
