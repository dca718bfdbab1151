"""A rectification (整改) ordered from a check by one call."""

from dataclasses import replace
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import Fault, Problem, invalid, not_found
from core.text import demanded
from enterprise.filings import operations as filings
from enterprise.filings.engine import Filings, visible
from enterprise.filings.models import Filing
from enterprise.production import publications
from inspection.entry import subject_of
from inspection.judging import find
from inspection.kinds import CHECK
from inspection.workflows import SUBMITTED


def order(
    session: Session, engine: Filings, actor: Actor, record_id: UUID, problem: str, due_on: str
) -> tuple[Filing, bool]:
    """Open a rectification for the enterprise of a submitted check; returns it and whether it is new.

    The filing's id follows from the check, its enterprise and the order, so that the same order sent again,
    by whoever, is answered with the first one; after a correction (更正) to another enterprise it is another order.
    """
    record = find(session, actor, CHECK, record_id)
    if record is None or record.status != SUBMITTED:
        raise not_found()
    if record.uscc is None:
        raise invalid("/uscc", "no_uscc", "该检查没有统一社会信用代码，不能下达整改；请先更正检查记录，补上代码")
    filing_id = uuid5(record.id, f"rectification:{record.uscc}:{due_on}:{problem}")
    if session.get(Filing, filing_id) is not None:
        return visible(session, actor, filing_id), False
    problem = demanded(problem, "/problem", "请填写需要整改的问题")
    data = {"problem": problem, "due_on": due_on}
    if record.check_date is not None:
        data["check_date"] = record.check_date.isoformat()
    body = {"kind": "rectification", "uscc": record.uscc, "data": data, "documents": []}
    try:
        ordered, new = filings.save(session, engine, actor, filing_id, body, about=subject_of(CHECK, record.id))
    except Problem as refused:
        if refused.code == "invalid":
            raise Problem("invalid", errors=[_as_sent(fault) for fault in refused.errors]) from refused
        if refused.code != "id_taken":
            raise
        # Someone else ordered just that at this very moment.
        return visible(session, actor, filing_id), False
    publications.tell_of_rectification(session, record.id, filing_id)
    return ordered, new


def _as_sent(fault: Fault) -> Fault:
    """A fault of the filing, at its place in the order, which has no `data` around its fields."""
    return replace(fault, path=fault.path.removeprefix("/data"))
