"""The registrations that somebody may decide on, newest first."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.masking import mask_phone, mask_resident_id
from enterprise.models import Enterprise
from enterprise.registrations.joining import may_join
from enterprise.registrations.models import Registered
from enterprise.registrations.workflows import REGISTERED

_NEWEST = newest_first("registrations", Registered.created_at, Registered.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list, combined with AND."""

    system: str | None = None
    status: str | None = None


def registrations(session: Session, actor: Actor, filters: Filters, request: PageRequest) -> Page:
    """Those of the actor's regions, or with the code of an organisation there; of an organisation those with its code.

    Items: `Registered` and the name of the organisation that has the code.
    """
    statement = select(Registered, Enterprise).outerjoin(Enterprise, Enterprise.uscc == Registered.code)
    conditions: list[ColumnElement[bool]] = []
    if actor.enterprise_id is not None:
        conditions.append(Enterprise.id == actor.enterprise_id)
    else:
        conditions.append(or_(actor.scope.condition(Registered), actor.scope.condition(Enterprise)))
    if filters.system is not None:
        conditions.append(Registered.system == filters.system)
    if filters.status is not None:
        conditions.append(Registered.status == filters.status)
    return fetch(session, statement, _NEWEST, request, *conditions)


def answer(actor: Actor, registered: Registered, known: Enterprise | None) -> dict[str, Any]:
    """A registration as those read it who decide: numbers masked, and what they may do now."""
    possible = {action for status, action in REGISTERED.steps if status == registered.status}
    if not may_join(actor, known):
        possible.discard("join")
    return {
        "id": str(registered.id), "system": registered.system, "kind": registered.kind,
        "applicant": registered.applicant, "name": registered.name, "status": registered.status,
        "code": registered.code or mask_resident_id(registered.id_number), "mobile": mask_phone(registered.mobile),
        "region_code": registered.region_code, "filing_id": str(registered.filing_id),
        "known_as": None if known is None else known.name, "opinion": registered.opinion,
        "actions": sorted(possible), "version": registered.version,
        "created_at": clock.rfc3339(registered.created_at),
    }  # fmt: skip
