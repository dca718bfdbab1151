"""The cases in `tests/vectors/forms` that the server and the phone both run.

A file may have `words`, the dictionaries that are known. A case: `form` (a file of `inspection/forms`, or a key of the
file's own `forms`), `mode` (draft or submit), `today`, `body`, and what to `expect`: `faults` as [pointer, code] or
[pointer, code, sentence] in their order, `problems_found`, and where given `values` (all of them), `values_at`
(pointer: value), `absent` (pointers that lead
nowhere), `dropped` (pointers of what was given and is hidden), `owed` (pointers of uploads that are owed), `tabs` (of
each fault the title of its tab), `warnings` (codes). Where no fault is expected,
validating the values again must change nothing.
"""

import json
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.forms import Form, warnings_of
from core.forms.items.base import STANDARD_SENTENCES
from core.forms.items.types import TYPES
from core.forms.words import Entry

ROOT = Path(__file__).resolve().parents[3]
VECTORS = sorted((ROOT / "tests" / "vectors" / "forms").glob("*.json"))


class KeptWords:
    """The `words` of a file: by dictionary the entries, each with `code`, `name`, and `parent` and `detail` if any."""

    def __init__(self, words: dict[str, list[dict[str, Any]]]) -> None:
        self.words = words

    def entries(self, dictionary: str, codes: Collection[str]) -> dict[str, Entry] | None:
        listed = self.words.get(dictionary)
        return None if listed is None else {one["code"]: _entry(one) for one in listed if one["code"] in codes}

    def rows(self, dictionary: str, parents: Collection[str]) -> dict[str, list[Entry]] | None:
        listed = self.words.get(dictionary)
        if listed is None:
            return None
        return {parent: [_entry(one) for one in listed if one.get("parent", "") == parent] for parent in parents}


def _entry(one: dict[str, Any]) -> Entry:
    return Entry(one["code"], one["name"], one.get("detail", {}))


def _cases() -> list[Any]:
    found = []
    for path in VECTORS:
        content = json.loads(path.read_text(encoding="utf-8"))
        forms = {name: Form.compile(definition) for name, definition in content.get("forms", {}).items()}
        for case in content["cases"]:
            name = case["form"]
            if name not in forms:
                file = ROOT / "inspection" / "forms" / f"{name}.json"
                forms[name] = Form.compile(json.loads(file.read_text(encoding="utf-8")))
            case["words"] = content.get("words")
            found.append(pytest.param(forms[name], case, id=f"{path.stem}: {case['name']}"))
    return found


def _at(values: Any, path: str) -> Any:
    for token in path.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(values, list):
            values = values[int(token)]
        elif token in values:
            values = values[token]
        else:
            raise KeyError(path)
    return values


@pytest.mark.parametrize(("form", "case"), _cases())
def test_a_vector_has_the_expected_outcome(form: Form, case: dict[str, Any]) -> None:
    today = date.fromisoformat(case["today"])
    expected = case["expect"]
    words = None if case["words"] is None else KeptWords(case["words"])
    checked = form.check(case["body"], submit=case["mode"] == "submit", today=today, words=words)
    assert [[fault.path, fault.code] for fault in checked.faults] == [fault[:2] for fault in expected["faults"]]
    for fault, (_, _, *sentences) in zip(checked.faults, expected["faults"], strict=True):
        assert not sentences or fault.message == sentences[0]
    assert checked.problems_found == expected["problems_found"]
    if "values" in expected:
        assert checked.values == expected["values"]
    for path, value in expected.get("values_at", {}).items():
        assert _at(checked.values, path) == value
    for path in expected.get("absent", ()):
        with pytest.raises(KeyError):
            _at(checked.values, path)
    if "dropped" in expected:
        assert list(checked.dropped) == expected["dropped"]
    if "owed" in expected:
        assert list(checked.owed) == expected["owed"]
    if "tabs" in expected:
        assert [fault.tab for fault in checked.faults] == expected["tabs"]
    if "warnings" in expected:
        warnings = warnings_of(checked.values, checked.problems_found)
        assert [warning["code"] for warning in warnings] == expected["warnings"]
    if not checked.faults:
        again = form.check(checked.values, submit=case["mode"] == "submit", today=today, words=words)
        assert again == checked


def test_every_type_of_item_has_cases_that_the_phone_runs_too() -> None:
    forms = [form.definition for form in (case.values[0] for case in _cases())]
    items = [item for form in forms for section in form["sections"] for item in section["items"]]
    inner = [one for item in items for one in item.get("items", ())]
    assert {item["type"] for item in [*items, *inner]} == TYPES.keys()


def test_the_sentence_of_every_fault_of_an_item_stands_in_a_case() -> None:
    said = {code for case in _cases() for _, code, *sentences in case.values[1]["expect"]["faults"] if sentences}
    of_types = {code for one in TYPES.values() for code in one.sentences}
    assert {*STANDARD_SENTENCES, *of_types, "bad_uscc"} - said == set()
