"""The to-dos that a filing's status brings with it, as its kind declares them, and the day of each."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.offices import enterprise_office_id
from core.deadlines import outages
from core.deadlines.outages import NO_DUE
from core.workflows import todos
from enterprise.filings.clocks.time_limits import SYSTEM_OF_OUTAGES
from enterprise.filings.declaring.declarations import APPLICANT, AUTHOR, By, Party, Post, System
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing, FilingParty
from enterprise.filings.sides import delegations, parties
from enterprise.models import Enterprise

TODO_KIND = "filing"


def due(session: Session, filing: Filing | Enterprise, day: date | None) -> dict[str, Any]:
    """The columns of a due date of the office in whose region it is: of that day, or as outages (系统故障) move it."""
    if day is None:
        return NO_DUE
    return outages.deadline(session, SYSTEM_OF_OUTAGES, (filing.area1, filing.area2, filing.area3), day).columns()


def _dated(filing: Filing) -> dict[str, Any]:
    return {
        "due_on": filing.due_on, "amber_on": filing.amber_on, "before_outage": filing.due_on_before_outage,
        "outage_reason": filing.outage_reason,
    }  # fmt: skip


def _of_clock(filing: Filing) -> dict[str, Any]:
    """The day that a clock gives whoever has to act; a day that stands in the data is the applicant's alone."""
    return _dated(filing) if filing.due_clock is not None else {}


def replace_todos(session: Session, kind: FilingKind, filing: Filing, before: Filing) -> None:
    """Close the to-dos of the filing as it stood before, and open those of the status in which it stands.

    Those of a status that it did not leave stay open for whom they still concern.
    """
    if not kind.has_many_turns:
        todos.close(session, filing.id, TODO_KIND)
        open_todos(session, kind, filing)
        return
    wanted = dict(_wanted(session, kind, filing))
    stays = (filing.status, filing.office_id) == (before.status, before.office_id)
    for open_kind in todos.kinds_open_of(session, filing.id) - (wanted.keys() if stays else set()):
        todos.close(session, filing.id, open_kind)
    for open_it in wanted.values():
        open_it()
    if stays and filing.due_on != before.due_on:
        redate_todos(session, filing)


def redate_todos(session: Session, filing: Filing) -> None:
    """Let its open to-dos have its day."""
    before, reason = filing.due_on_before_outage, filing.outage_reason
    todos.redate_all(session, filing.id, filing.due_on, filing.amber_on, before, reason)


def open_todos(session: Session, kind: FilingKind, filing: Filing) -> None:
    """Open the to-dos of the status in which the filing stands, if its kind declares one; none may be open."""
    for _, open_it in _wanted(session, kind, filing):
        open_it()


def _wanted(session: Session, kind: FilingKind, filing: Filing) -> Iterator[tuple[str, Callable[[], None]]]:
    """The to-dos of the filing's status: the kind of each, and what opens it.

    The first to-do of a filing has the plain kind; others have an addressee in theirs, because of one kind a record has
    at most one.
    """
    status = kind.status(filing.status)
    if status.todo is None:
        return
    title, subject = f"{status.todo}：{filing.org_name}", ("filing", filing.id)
    dated = _dated(filing) if status.dated else {}
    if not kind.has_many_turns:
        yield TODO_KIND, partial(_open_for, session, status.turns[0], filing, TODO_KIND, title, subject, dated)
        return
    named = parties.of(session, [filing.id]).get(filing.id, []) if kind.parties else []
    for taker in status.turns:
        if not _is_awaited(session, kind, filing, taker):
            continue
        if taker not in kind.parties:
            of_kind = f"{TODO_KIND}:{taker.code}"
            yield of_kind, partial(_open_for, session, taker, filing, of_kind, title, subject, dated)
            continue
        confirms = any(s.confirms and taker in s.takers and s.source == filing.status for s in kind.steps)
        for row in named:
            if row.party == taker.code and not (confirms and row.confirmed_at is not None):
                of_kind = f"{TODO_KIND}:{(row.user_id or row.id).hex}"
                yield of_kind, partial(_open_for_party, session, taker, row, of_kind, title, subject, _of_clock(filing))


def _is_awaited(session: Session, kind: FilingKind, filing: Filing, taker: By) -> bool:
    """Whether it is their turn now: not while what they are to do waits for confirmations of others."""
    waiting = [
        step.needs_confirmed
        for step in kind.steps
        if step.source == filing.status and taker in step.takers and step.needs_confirmed is not None
    ]
    return all(parties.all_confirmed(session, filing.id, party) for party in waiting)


def turn_of(session: Session, kind: FilingKind, filing: Filing) -> By | None:
    """Whose turn it is now, the first of several; of a party that confirms, until all of it have."""
    if filing.finished_at is not None:
        return None
    turns = kind.status(filing.status).turns
    if len(turns) == 1:
        return turns[0]
    return next(
        (one for one in turns if _is_awaited(session, kind, filing, one) and not _done(session, kind, filing, one)),
        None,
    )


def _done(session: Session, kind: FilingKind, filing: Filing, taker: By) -> bool:
    confirming = any(s.confirms and taker in s.takers and s.source == filing.status for s in kind.steps)
    return confirming and isinstance(taker, Party) and parties.all_confirmed(session, filing.id, taker)


def _open_for(
    session: Session, taker: By, filing: Filing, of_kind: str, title: str, subject: tuple[str, UUID],
    dated: Mapping[str, Any],
) -> None:  # fmt: skip
    """Open one for the applicant, or for a post: at the office that handles it, or at all that cover its region."""
    if taker in (APPLICANT, AUTHOR):
        # Not by the filing's code: whoever registered may have typed that of somebody else.
        own = session.scalars(select(Enterprise.uscc).where(Enterprise.id == filing.enterprise_id)).one()
        office_id = enterprise_office_id(own)
        todos.open_for_office(session, of_kind, title, subject, verb=APPLICANT.verb, office_id=office_id, **dated)
    elif filing.office_id is not None and not isinstance(taker, System):
        of_clock = _of_clock(filing)
        delegate = delegations.delegate_of(session, taker, filing) if isinstance(taker, Post) else None
        office_id = delegate or filing.office_id
        todos.open_for_office(session, of_kind, title, subject, verb=taker.verb, office_id=office_id, **of_clock)
    elif not isinstance(taker, System):
        todos.open_for_region(
            session, of_kind, title, subject, verb=taker.verb, area1=filing.area1, area2=filing.area2,
            area3=filing.area3, **_of_clock(filing),
        )  # fmt: skip


def _open_for_party(
    session: Session, taker: By, row: FilingParty, of_kind: str, title: str, subject: tuple[str, UUID],
    dated: Mapping[str, Any],
) -> None:  # fmt: skip
    if row.user_id is not None:
        todos.open_for_user(session, of_kind, title, subject, user_id=row.user_id, **dated)
    elif row.office_id is not None and not isinstance(taker, System):
        todos.open_for_office(session, of_kind, title, subject, verb=taker.verb, office_id=row.office_id, **dated)
