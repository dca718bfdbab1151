"""What the paper (纸质记录) of a record says, made from its form and its answers alone: the data of a template.

title, labels of `head`: as the form says them
head      [[label, value]]                         the fields around the items
sections  [{title, items: [ITEM]}]                 the numbered items, in the order of the form
ITEM      {no, text, boxes, value, details, problem, basis, penalty}
boxes     [{label, chosen}]                        of a choice; □ or ☑
details   [{text, boxes, value}]                   of what belongs to an item, `12.failed` to `12`
samples   [{head: [[label, value]], items: [ITEM]}]    the rows of each group of the section
"""

from collections.abc import Iterator, Mapping
from typing import Any

from core.forms.form import Form

_PROBLEM = "problem"
_NAMES = {"products": "product_names", "item_id": "item_name"}
"""Where the names of what was chosen from a dictionary are kept."""
_LEFT_OUT = frozenset({"photos", "signature", "file"})
_YES_NO = {True: "是", False: "否"}
_DISPOSALS = {"done": "是", "in_progress": "办理中", "na": "不适用"}


def sheet(form: Form, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a paper; items that are not shown to who fills them in stand on the paper with empty boxes."""
    head: list[list[str]] = []
    sections: list[dict[str, Any]] = []
    answers = data.get("answers") or {}
    for section in form.definition["sections"]:
        numbered = [item for item in section["items"] if "no" in item]
        for item in section["items"]:
            if "field" in item and item["type"] not in (*_LEFT_OUT, "group"):
                head.append([item["text"], value_of(item, data)])
        groups = [item for item in section["items"] if item["type"] == "group"]
        if numbered or groups:
            sections.append({
                "title": section["title"],
                "items": list(_items(numbered, answers, data.get("disposals") or {})),
                "samples": [_row(item, row) for item in groups for row in data.get(item["field"]) or []],
            })  # fmt: skip
    return {"head": head, "sections": sections}


def fields_of(form: Form, data: Mapping[str, Any]) -> dict[str, str]:
    """The value of each field of the form, in words, by its name; "" where it was not given."""
    return {
        item["field"]: value_of(item, data)
        for section in form.definition["sections"] for item in section["items"]
        if "field" in item and item["type"] not in (*_LEFT_OUT, "group")
    }  # fmt: skip


def tables_of(form: Form, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A table for each group that has rows, under the group's own text: `{title, labels, rows}` in words."""
    groups = [item for section in form.definition["sections"] for item in section["items"] if item["type"] == "group"]
    tables = []
    for group in groups:
        rows = [_row(group, row)["head"] for row in data.get(group["field"]) or []]
        if rows:
            labels = [label for label, _ in rows[0]]
            tables.append(
                {"title": group["text"], "labels": labels, "rows": [[value for _, value in row] for row in rows]}
            )
    return tables


def _row(group: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    fields = [item for item in group["items"] if "field" in item and item["type"] not in _LEFT_OUT]
    numbered = [item for item in group["items"] if "no" in item]
    return {
        "head": [[item["text"], value_of(item, row)] for item in fields],
        "items": list(_items(numbered, row, {})),
    }


def _items(
    items: list[Mapping[str, Any]], answers: Mapping[str, Any], disposals: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The items with what belongs to each: its parts and what was written beside it (存在问题)."""
    names = {item["no"] for item in items}
    parts = {no for no in names if no.rpartition(".")[0] in names}
    for item in items:
        no = item["no"]
        if no in parts:
            continue
        of_item = [one for one in items if one["no"] in parts and one["no"].rpartition(".")[0] == no]
        said = answers if item["type"] != "disposal" else disposals
        yield {
            "no": no, "text": item["text"], "basis": item.get("basis", ""), "penalty": item.get("penalty", ""),
            "problem": str(answers.get(f"{no}.{_PROBLEM}") or ""),
            "details": [
                {"text": one["text"], **_answer(one, answers)}
                for one in of_item if one["no"].rpartition(".")[2] != _PROBLEM
            ],
            **_answer(item, said),
        }  # fmt: skip


def _answer(item: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The boxes of a choice, or the value of anything else. 不适用 has no box: on paper both stay empty."""
    value = answers.get(item["no"])
    if "options" not in item:
        return {"boxes": [], "value": value_of(item, answers)}
    chosen = value if isinstance(value, list) else [value]
    boxes = [
        {"label": option["label"], "chosen": option["value"] in chosen}
        for option in item["options"] if option["value"] != "na"
    ]  # fmt: skip
    return {"boxes": boxes, "value": "不适用" if "na" in chosen else ""}


def value_of(item: Mapping[str, Any], answers: Mapping[str, Any]) -> str:
    """The answer to an item in words; empty where there is none."""
    name = item.get("no") or item["field"]
    value = answers.get(_NAMES.get(name, name), answers.get(name))
    if value is None:
        return ""
    labels: Mapping[Any, str] = {option["value"]: option["label"] for option in item.get("options", ())}
    if item["type"] == "boolean":
        labels = _YES_NO
    if item["type"] == "disposal":
        labels = _DISPOSALS
    return "、".join(str(labels.get(one, one)) for one in (value if isinstance(value, list) else [value]))


def groups_of(form: Form, data: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """The rows of each group of the form by its name: values in words, by field."""
    return {
        group["field"]: [
            {item["field"]: value_of(item, row) for item in group["items"] if "field" in item}
            for row in data.get(group["field"]) or []
        ]
        for section in form.definition["sections"] for group in section["items"] if group["type"] == "group"
    }  # fmt: skip
