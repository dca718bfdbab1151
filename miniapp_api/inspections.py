"""Checks (检查): production and sales."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from inspection import operations, queries
from inspection.kinds import CHECK
from miniapp_api.bodies import Body
from miniapp_api.gates import gate
from miniapp_api.records import record_blueprint
from miniapp_api.wiring import wiring

bp = record_blueprint("inspections", "inspections", CHECK)


class DisposalsBody(Body):
    """Disposals to move on (处置); only those that change need to be sent."""

    disposals: dict[str, Any]
    version: int
    reason: str | None = None


@bp.put("/inspections/<uuid:record_id>/disposals")
@gate(Verb.INSPECTION_WRITE)
@bp.input(DisposalsBody, arg_name="body")
def move_disposals(session: Session, actor: Actor, record_id: UUID, body: DisposalsBody) -> dict[str, Any]:
    """Move disposals on from 办理中; `done` is final."""
    record = operations.move_disposals(session, actor, CHECK, record_id, body.model_dump(exclude_none=True))
    return queries.show(record, actor, wiring().forms)
