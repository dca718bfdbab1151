"""What follows a problem that a check found: disposals (处置) and rectifications (整改)."""

from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import ConfigDict, Field, WithJsonSchema
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from enterprise.filings.reading import answers as filing_answers
from inspection.corrections import disposals, rectifications
from inspection.kinds import CHECK
from inspection.records import access
from inspection.submissions import read_only
from miniapp_api.enterprise.filing_answers import Filing
from miniapp_api.http.answers import JSON_VALUE, answers
from miniapp_api.http.bodies import AsSent
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.record_answers import Record, record_answer
from miniapp_api.inspection.record_bodies import DISPOSAL_FIELD

bp = APIBlueprint("disposals", __name__, tag="Inspection")


class DisposalsBody(AsSent):
    """Disposals to move on (处置); only those that change need to be sent.

    The rest of the record may stand beside them as it was read; nothing of it is changed by this call.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": JSON_VALUE})

    disposals: Annotated[dict[str, Any], WithJsonSchema({"type": "object", "additionalProperties": DISPOSAL_FIELD})]
    version: int
    reason: str | None = None


_WRITTEN = frozenset(DisposalsBody.model_fields)


@bp.put("/inspections/<uuid:record_id>/disposals")
@gate(Verb.INSPECTION_WRITE)
@answers(Record)
@bp.input(DisposalsBody, arg_name="body")
def move_disposals(session: Session, actor: Actor, record_id: UUID, body: DisposalsBody) -> dict[str, Any]:
    """Move disposals on from 办理中; `done` is final."""
    sent, forms = body.model_dump(exclude_none=True), wiring().forms
    before = record_answer(access.get_readable(session, actor, CHECK, record_id), actor)
    answer = record_answer(disposals.move_disposals(session, actor, CHECK, record_id, sent), actor)
    return {**answer, "warnings": answer["warnings"] + read_only.warnings_beside(sent, _WRITTEN, before, forms)}


class RectificationBody(AsSent):
    """What has to be put right, and by when."""

    problem: str = Field(min_length=1, max_length=2000)
    due_on: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


@bp.post("/inspections/<uuid:record_id>/rectification")
@gate(Verb.FILINGS_REVIEW)
@answers(Filing, 200, 201)
@bp.input(RectificationBody, arg_name="body")
def order_rectification(
    session: Session, actor: Actor, record_id: UUID, body: RectificationBody
) -> tuple[dict[str, Any], int]:
    """Open a rectification (整改) for the enterprise that a check is about."""
    engine = wiring().filings
    filing, new = rectifications.order(session, engine, actor, record_id, body.problem, body.due_on)
    warnings = rectifications.warnings_of(filing, new=new)
    return filing_answers.whole_answer(session, engine, actor, filing, warnings), 201 if new else 200
