"""Warnings about fields that only the server writes, where a body has them (HTTP contract, §1: `read_only`)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import Fault, Problem, Warned
from core.forms.library import FormLibrary
from core.forms.validation.messages import UNKNOWN_ITEM
from core.pointers import pointer, showable
from core.read_only import names_any, warning, warnings_of
from inspection.records.access import get_readable
from inspection.records.queries import record_answer
from inspection.submissions.sent import SERVER_SET

_LABELS = {
    "id": "编号", "status": "状态", "form_code": "表单", "campaign_id": "专项行动", "level": "层级",
    "office": "填报单位", "region": "行政区划", "username": "填报账号", "operator_name": "操作人",
    "created_at": "建立时间", "updated_at": "更新时间", "submitted_at": "提交时间", "org_prefilled": "与名录一致",
    "name_differs": "名称与名录不符", "problems_found": "是否发现问题", "disposal_state": "处置情况",
    "conclusion": "检验结论", "product_names": "产品名称", "problems": "发现的问题", "retired_names": "已停用的名称",
    "created_by": "填报人",
    "begun_by": "最初填报人", "corrected": "更正情况", "returned": "退回更正情况", "voided": "作废情况",
}  # fmt: skip
_COMPARED = {name: _LABELS.get(name, name) for name in sorted(SERVER_SET - {"warnings"})}
_STEADY = {name: _LABELS[name] for name in ("id", "level", "office", "region", "created_at")}
"""Fields that no write of the record's own office changes."""


def read_before(
    session: Session, actor: Actor, record_type: str, record_id: UUID, forms: FormLibrary, body: Mapping[str, Any]
) -> dict[str, Any]:
    """The record as it is read before a write; empty where the body has no field to compare with it."""
    if not names_any(body, SERVER_SET):
        return {}
    try:
        return record_answer(get_readable(session, actor, record_type, record_id), actor, forms)
    except Problem:  # the write itself refuses it
        return {}


def warnings_of_write(body: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Warned]:
    """Warnings for an accepted body; a repetition read an older version, so only steady fields are compared for it."""
    known = not before or before["version"] == body.get("version")
    found = warnings_of(body, _COMPARED if known else _STEADY, before, after)
    return found + _names_of_items(body.get("items"), after.get("items"))


def _names_of_items(sent: Any, kept: Any) -> list[Warned]:
    """A test item (检验项目) is chosen by its id; the name beside it comes from the dictionary."""
    if not isinstance(sent, list) or not isinstance(kept, list):
        return []
    pairs = enumerate(zip(sent, kept, strict=False))
    return [
        warning(pointer("items", place, "item_name"), "检验项目名称")
        for place, (row, stored) in pairs
        if isinstance(row, dict) and row.get("item_name") not in (None, stored.get("item_name"))
    ]


def warnings_beside(
    body: Mapping[str, Any], sent: frozenset[str], record: Mapping[str, Any], forms: FormLibrary
) -> list[Warned]:
    """Warnings for a call that writes the fields `sent` alone: other fields of the body that differ from the record.

    `record` is as it was read before. 422 for what is no field of a record.
    """
    beside = {name: value for name, value in body.items() if name not in sent}
    form = forms.get(record["form_code"], record["form_version"]).form
    texts = {i["field"]: i["text"] for s in form.definition["sections"] for i in s["items"] if "field" in i}
    labels = {
        "answers": "检查内容",
        "kind": "检查种类",
        "form_version": "表单版本",
        **texts,
        **_COMPARED,
        "warnings": "提示",
    }
    unknown = [name for name in beside if name not in record and name not in labels]
    if unknown:
        raise Problem(
            "invalid", errors=[Fault(pointer(showable(name)), "unknown_field", UNKNOWN_ITEM) for name in unknown]
        )
    if record["version"] != body["version"]:  # a repetition, which was warned the first time
        return []
    compared = {name: labels.get(name, name) for name in beside if name != "warnings"}
    return warnings_of(beside, compared, record, record)
