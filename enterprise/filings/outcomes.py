"""What a step gives besides a status: a number (编号)."""

from collections.abc import Mapping
from typing import Any

from core.forms.sealing import opened
from enterprise.certificates import numbers
from enterprise.filings.content import data_place
from enterprise.filings.declarations import Move
from enterprise.filings.kinds import FilingKind
from enterprise.filings.moves import lock


def number(move: Move, kind: FilingKind, values: Mapping[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """The column of the number that a filing gets by this step, if it gets one; the history is told of it.

    `values` are the columns that change with the step.
    """
    if kind.number is None or move.filing.number is not None:
        return {}
    gives = move.step.action in kind.numbered_by if kind.numbered_by else move.step.sends
    if not gives:
        return {}
    # In this order everywhere: a filing, then a series.
    lock(move.session, move.filing.id)
    data = move.data if move.step.sends else opened(move.filing.data, data_place(move.filing.id))
    office_id = values.get("office_id", move.filing.office_id)
    given = numbers.give(move.session, kind.number, kind.code, office_id, data)
    payload["number"] = given
    return {"number": given}
