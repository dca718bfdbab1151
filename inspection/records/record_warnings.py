"""The warnings of a record: each a code and a sentence, most with the path of their field."""

from collections.abc import Mapping
from typing import Any

from core import clock, forms
from core.identifiers import uscc_warnings
from inspection.models import Inspection
from inspection.records.plausibility import Answers, plausibility_warnings

MOST_NAMED = 3
"""How many items a warning names."""


def warnings_of(record: Inspection) -> list[dict[str, str]]:
    """Those that follow from the record: its form, entries, codes, days, quantities; then those kept with it."""
    data, submitted = record.data, record.submitted_at
    warnings = forms.warnings_of(data, record.problems_found) if submitted else []
    warnings += _retired_entries(data)
    for name in ("uscc", "nominal_producer_uscc") if submitted else ():
        uscc = data.get(name)
        if isinstance(uscc, str):
            texts = uscc_warnings(uscc)
            warnings.extend({"code": "organisation_code", "path": f"/{name}", "message": text} for text in texts)
    day = submitted.astimezone(clock.LOCAL).date() if submitted else clock.today()
    return [*warnings, *plausibility_warnings(Answers(record.kind, data, day)), *record.kept_warnings]


def _retired_entries(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """Dictionary entries that were retired when the record was saved; of a draft too, so that others can be chosen."""
    names = "、".join(data.get("retired_names") or ())
    if not names:
        return []
    message = f"“{names}”已由省级停用：停用日及以前的检查仍可使用，之后的检查请改选列表中的其他名称"
    return [{"code": "retired_item", "message": message}]


def of_dropped(dropped: Mapping[str, str]) -> list[dict[str, str]]:
    """A warning that names what a submission left out because the form hides it (`core/forms/validation/check.py`)."""
    if not dropped:
        return []
    named = "、".join(list(dropped.values())[:MOST_NAMED]) + ("等" if len(dropped) > MOST_NAMED else "")
    message = f"因所选答案，表单中不再适用的 {len(dropped)} 项内容（{named}）未随记录保存"
    return [{"code": "hidden_dropped", "path": next(iter(dropped)), "message": message}]
