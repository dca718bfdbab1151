"""The 执法证号 of an office's officers: kept once, filled in wherever a paper names one of them without it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, ascending, fetch
from core.db import dialect_of, insert_into
from core.errors import Fault, not_found
from core.text import clean_line, demanded
from inspection.enforcement.models import EnforcementOfficer

_BY_NAME = ascending("enforcement_officers", EnforcementOfficer.name)


def officers(session: Session, actor: Actor, request: PageRequest) -> Page:
    """The officers of the actor's office, by name."""
    return fetch(session, select(EnforcementOfficer), _BY_NAME, request, *_own(actor))


def keep(session: Session, actor: Actor, name: str, certificate_no: str) -> None:
    """Keep the number of an officer of the own office; the later one holds."""
    who = demanded(clean_line(name), "/name", "请填写执法人员姓名")
    number = demanded(clean_line(certificate_no), "/certificate_no", "请填写执法证号")
    values = {"office_id": actor.office_id, "name": who, "certificate_no": number, "updated_at": clock.now()}
    fresh = insert_into(dialect_of(session), EnforcementOfficer).values(values)
    changed = {"certificate_no": number, "updated_at": values["updated_at"]}
    session.execute(fresh.on_conflict_do_update(index_elements=["office_id", "name"], set_=changed))


def forget(session: Session, actor: Actor, name: str) -> None:
    """Take an officer from the list; papers that name them stay as they are. 404 for who does not stand there."""
    taken: Any = session.execute(delete(EnforcementOfficer).where(*_own(actor), EnforcementOfficer.name == name))
    if taken.rowcount == 0:
        raise not_found()


def certificates(session: Session, actor: Actor, names: Collection[str]) -> Mapping[str, str]:
    """The 执法证号 of those of the own office who have one, by name."""
    chosen = select(EnforcementOfficer).where(*_own(actor), EnforcementOfficer.name.in_(names))
    return {one.name: one.certificate_no for one in session.scalars(chosen)}


def filled_in(session: Session, actor: Actor, data: dict[str, Any], groups: Sequence[str]) -> list[Fault]:
    """Fill in the numbers that the rows of these groups leave out; a fault for each officer without one."""
    rows = [(group, place, row) for group in groups for place, row in enumerate(data.get(group) or [])]
    known = certificates(session, actor, {row["name"] for _, _, row in rows if row.get("name")})
    faults = []
    for group, place, row in rows:
        if not row.get("certificate_no") and row.get("name") in known:
            row["certificate_no"] = known[row["name"]]
        if not row.get("certificate_no"):
            message = f"请填写{row.get('name') or '执法人员'}的执法证号，或先在“执法人员”中登记"
            faults.append(Fault(f"/data/{group}/{place}/certificate_no", "required", message))
    return faults


def _own(actor: Actor) -> list[Any]:
    return [EnforcementOfficer.office_id == actor.office_id]
