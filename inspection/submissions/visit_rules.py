"""What papers demand of a visit beyond the form (spec/a_inspection.md §4.5), of any form that has these fields.

The leader (检查组组长) is one of the inspectors; the overall situation (总体情况) lists the problems.
"""

from collections.abc import Mapping
from typing import Any

from core.errors import Fault
from core.forms.form import Form
from inspection.records.findings import findings

_LEADER, _INSPECTORS, _OVERALL = "leader", "inspectors", "overall"
_NOTHING_FOUND = "未发现问题"


def leader_faults(form: Form, data: Mapping[str, Any]) -> list[Fault]:
    """A fault where the leader is none of the inspectors; the others are the members (检查组成员)."""
    if not _has(form, _LEADER) or not data.get(_LEADER) or not data.get(_INSPECTORS):
        return []
    if data[_LEADER] in data[_INSPECTORS]:
        return []
    message = "检查组组长应为检查人中的一人，请从检查人中选择，或把组长加入检查人"
    return [Fault(f"/{_LEADER}", "unknown_option", message)]


def propose_overall(form: Form, data: dict[str, Any]) -> None:
    """Where the overall situation was left empty: the numbered list of the problems, or 未发现问题."""
    if not _has(form, _OVERALL) or data.get(_OVERALL):
        return
    found = [f"{one.no} {one.note or one.statement}" for one in findings(form, data)]
    data[_OVERALL] = "\n".join(f"{number}. {one}" for number, one in enumerate(found, 1))[:4000] or _NOTHING_FOUND


def _has(form: Form, name: str) -> bool:
    return any(item.name == name and item.place == "" for item in form.items)
