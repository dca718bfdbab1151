"""The registrations that somebody may decide on, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.masking import mask_phone, mask_resident_id
from enterprise.models import REGISTRATION, Enterprise
from enterprise.registrations.joining import may_join
from enterprise.registrations.models import Registered
from enterprise.registrations.workflows import DECISIONS, REGISTERED

_NEWEST = newest_first("registrations", Registered.created_at, Registered.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list, combined with AND."""

    system: str | None = None
    status: str | None = None


def registrations(session: Session, actor: Actor, filters: Filters, request: PageRequest) -> Page:
    """Those of the actor's regions or with the code of an organisation there; for one those with its own code."""
    own = Enterprise.id == actor.enterprise_id if actor.enterprise_id is not None else actor.scope.condition(Enterprise)
    of_code = Registered.code.in_(select(Enterprise.uscc).where(own, Enterprise.source != REGISTRATION))
    conditions: list[ColumnElement[bool]] = [of_code]
    if actor.enterprise_id is None:
        conditions = [or_(actor.scope.condition(Registered), of_code)]
    if filters.system is not None:
        conditions.append(Registered.system == filters.system)
    if filters.status is not None:
        conditions.append(Registered.status == filters.status)
    return fetch(session, select(Registered), _NEWEST, request, *conditions)


def known(session: Session, rows: Sequence[Any]) -> dict[str, Enterprise]:
    """The organisations of the register that have the codes of a page's registrations, by code."""
    codes = [row.Registered.code for row in rows if row.Registered.code is not None]
    chosen = select(Enterprise).where(Enterprise.uscc.in_(codes), Enterprise.source != REGISTRATION)
    return {one.uscc: one for one in session.scalars(chosen)}


def answer(actor: Actor, registered: Registered, there: Enterprise | None) -> dict[str, Any]:
    """A registration as those read it who decide: numbers masked, and what they may do now."""
    possible = {one for one in DECISIONS if (registered.status, one) in REGISTERED.steps}
    if not may_join(actor, there):
        possible.discard("join")
    return {
        "id": str(registered.id), "system": registered.system, "kind": registered.kind,
        "applicant": registered.applicant, "name": registered.name, "status": registered.status,
        "code": registered.code or mask_resident_id(registered.id_number), "mobile": mask_phone(registered.mobile),
        "region_code": registered.region_code, "filing_id": str(registered.filing_id),
        "known_as": None if there is None else there.name, "opinion": registered.opinion,
        "actions": sorted(possible), "version": registered.version,
        "created_at": clock.rfc3339(registered.created_at),
    }  # fmt: skip
