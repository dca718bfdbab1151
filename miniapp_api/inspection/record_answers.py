"""What the endpoints answer of one check or spot check."""

from collections.abc import Mapping
from typing import Any

from core.actor import Actor
from inspection.models import Inspection
from inspection.records import queries
from inspection.submissions import read_only
from miniapp_api.http.wiring import wiring


def record_answer(record: Inspection, actor: Actor) -> dict[str, Any]:
    """The record, whole, as the actor may read it."""
    return queries.record_answer(record, actor, wiring().forms)


def written_answer(
    record: Inspection, actor: Actor, body: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """The record after a write of `body`, with a warning for each read-only field that was sent differently."""
    answer = record_answer(record, actor)
    return {**answer, "warnings": answer["warnings"] + read_only.warnings_of_write(body, before, answer)}
