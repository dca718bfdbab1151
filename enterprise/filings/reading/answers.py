"""What endpoints answer of filings: a row of the list, a whole filing, its versions, its kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office
from core import clock
from core.actor import Actor
from core.database.paging import Page
from core.deadlines import clocks
from core.deadlines.notes import moved_note
from core.errors import Warned, not_found
from core.forms.sealing import readable
from core.read_only import names_any
from core.workflows.todos import light
from enterprise.certificates.answers import rows_answer
from enterprise.filings.clocks import time_limits
from enterprise.filings.clocks.time_limits import as_it_stands
from enterprise.filings.content import data_place, version_place
from enterprise.filings.declaring.declarations import APPLICANT, AUTHOR, SYSTEM, Move, Post
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.drafts.locks import locked
from enterprise.filings.drafts.working_copy import COMPARED
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.moves import find
from enterprise.filings.results import certificate_readers
from enterprise.filings.sides import parties
from enterprise.filings.sides.access import Standing, standing
from enterprise.filings.sides.todos import turn_of
from enterprise.filings.steps import conditions, step_data


def page_answer(session: Session, engine: Filings, actor: Actor, page: Page) -> dict[str, Any]:
    """A page of the list; what its enterprise is changing is listed to an office as it was sent."""
    filings = [row.Filing for row in page.items]
    sent = _sent_data(session, engine, actor, filings)
    named = parties.of(session, [one.id for one in filings if engine.kind_of(one).parties])
    offices = offices_of(session, filings)
    periods = clocks.of(session, [one.id for one in filings if engine.kind_of(one).clocks])

    def answer(row: Any) -> dict[str, Any]:
        filing = as_it_stands(engine.kind_of(row.Filing), row.Filing, periods.get(row.Filing.id, {}))
        stands = standing(session, engine, actor, filing, named.get(filing.id, []))
        limits = time_limits.answers(engine.kind_of(filing), periods.get(filing.id, {}))
        actions, turn = _actions(session, engine, stands, actor, filing), _turn(session, engine, filing)
        shown = Shown(stands, actions, turn, offices, limits)
        return _row(engine, shown, filing, sent.get(filing.id))

    return page.as_json(answer)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is read of a filing besides its row, before the answer is made."""

    stands: Standing | None
    actions: list[str]
    turn: str | None
    offices: Mapping[UUID, str]
    clocks: list[dict[str, Any]]


def offices_of(session: Session, filings: Sequence[Filing]) -> dict[UUID, str]:
    """The names of the offices that handle them, by id."""
    ids = {filing.office_id for filing in filings if filing.office_id is not None}
    if not ids:
        return {}
    return {row.id: row.name for row in session.execute(select(Office.id, Office.name).where(Office.id.in_(ids)))}


def _turn(session: Session, engine: Filings, filing: Filing) -> str | None:
    """Whose turn it is: `applicant`, `office` for any of its posts, or a party; None where nobody is awaited."""
    taker = turn_of(session, engine.kind_of(filing), filing)
    if taker is None or taker == SYSTEM:
        return None
    return "office" if isinstance(taker, Post) else APPLICANT.code if taker == AUTHOR else taker.code


def _sent_data(session: Session, engine: Filings, actor: Actor, filings: list[Filing]) -> dict[UUID, dict[str, Any]]:
    """For an office, by filing: the data that was sent last of those that their enterprise is changing now."""
    changing = [
        filing.id
        for filing in filings
        if filing.sent and filing.status in engine.kind_of(filing).editable and actor.enterprise_id is None
    ]
    if not changing:
        return {}
    newest = (FilingVersion.filing_id == Filing.id) & (FilingVersion.number == Filing.sent)
    rows = session.execute(
        select(Filing.id, FilingVersion.data).join(FilingVersion, newest).where(Filing.id.in_(changing))
    )
    return {row.id: row.data for row in rows}


def whole_answer(
    session: Session, engine: Filings, actor: Actor, filing: Filing, warnings: Sequence[Warned] = ()
) -> dict[str, Any]:
    """A whole filing as the actor may read it; `warnings` of the write that is answered with it."""
    return prepare_answer(session, engine, actor, filing)(warnings)


def prepare_answer(
    session: Session, engine: Filings, actor: Actor, filing: Filing
) -> Callable[[Sequence[Warned]], dict[str, Any]]:
    """The same in two parts: what is returned makes the answer after the commit, and asks the database nothing."""
    kind = engine.kind_of(filing)
    periods = clocks.of(session, [filing.id]).get(filing.id, {}) if kind.clocks else {}
    filing = as_it_stands(kind, filing, periods)
    named = parties.of(session, [filing.id]).get(filing.id, []) if kind.parties else []
    stands = standing(session, engine, actor, filing, named)
    own = stands is not None and (stands.own or stands.is_one_of(kind.status(filing.status).editors))
    read = Shown(
        stands, _actions(session, engine, stands, actor, filing), _turn(session, engine, filing),
        offices_of(session, [filing]), time_limits.answers(kind, periods),
    )  # fmt: skip
    content: Filing | FilingVersion = filing if own or filing.sent == 0 else _version(session, filing, filing.sent)
    said = step_data.rows_of(session, kind, filing.id, stands)
    form = engine.forms.get(filing.form_code, filing.form_version).form
    standing_to_it = parties.answers(session, kind, named)
    certificates = _certificates(session, engine, kind, filing)

    def answer(warnings: Sequence[Warned] = ()) -> dict[str, Any]:
        shown = _content(engine, content, filing, clear=own or filing.finished_at is None)
        if not own and filing.sent == 0:
            # An office reads what it ordered; what the enterprise prepares is its own until it is sent.
            data = {name: shown["data"][name] for name in shown["data"] if name in kind.fixed}
            shown |= {"data": data, "documents": []}
        elif not own and filing.status in kind.editable:
            # What was ordered may have been changed on returning it (a later 整改期限): shown as it is now.
            shown["data"] |= {name: filing.data[name] for name in kind.fixed & filing.data.keys()}
        sent = content.data if isinstance(content, FilingVersion) else None
        return {
            **_row(engine, read, filing, sent),
            **shown,
            "locks": sorted(locked(kind, form, filing)) if own else [],
            "parties": standing_to_it,
            "certificates": certificates,
            "confirmations": _confirmations(kind, filing, standing_to_it),
            "steps": step_data.answers(engine, kind, said, filing),
            "warnings": list(warnings),
        }

    return answer


def _certificates(session: Session, engine: Filings, kind: FilingKind, filing: Filing) -> list[dict[str, Any]]:
    """The certificates that a filing has issued, and the one that it is about, as a list has them."""
    if not kind.certificates:
        return []
    return rows_answer(session, engine.kinds.certificates, certificate_readers.of_filing(session, filing))


def _confirmations(kind: FilingKind, filing: Filing, named: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """How many must confirm in the status in which the filing stands, and who has; None where nobody does."""
    confirming = {
        taker.code for step in kind.steps if step.confirms and step.source == filing.status for taker in step.takers
    }
    if not confirming:
        return None
    asked = [one for one in named if one["party"] in confirming]
    return {"needed": len(asked), "given": [one["name"] for one in asked if one["confirmed_at"] is not None]}


def answer_before(
    session: Session, engine: Filings, actor: Actor, filing_id: UUID, body: Mapping[str, Any]
) -> dict[str, Any]:
    """The filing as the actor reads it before a write; empty where the body holds nothing to be compared with it."""
    filing = find(session, filing_id) if names_any(body, COMPARED) else None
    readable_now = filing is not None and standing(session, engine, actor, filing) is not None
    return whole_answer(session, engine, actor, filing) if filing is not None and readable_now else {}


def _row(engine: Filings, read: Shown, filing: Filing, sent: Mapping[str, Any] | None) -> dict[str, Any]:
    """A filing in a list, with what the caller may do now.

    `sent`: the data that was sent last, for an office while the enterprise changes it. `tag` is the label of a status
    that is shown under another one (`FilingKind.shown_as`).
    """
    kind = engine.kind_of(filing)
    shown_as = kind.shown_as.get(filing.status)
    return {
        "id": str(filing.id),
        "kind": filing.kind,
        "number": filing.number,
        "title": filing.title,
        "status": filing.status,
        "status_label": kind.labels[shown_as or filing.status],
        "tag": kind.labels[filing.status] if shown_as else None,
        "version": filing.version,
        "uscc": filing.uscc,
        "org_name": filing.org_name,
        "subject": _subject(filing),
        "summary": _summary(kind, read.stands, filing, sent),
        "opinion": filing.opinion,
        "due_on": filing.due_on.isoformat() if filing.due_on else None,
        "due_on_note": moved_note(filing),
        "colour": _colour(kind, filing),
        "clocks": read.clocks,
        "late": filing.late,
        "sent": filing.sent,
        "created_at": clock.rfc3339(filing.created_at),
        "sent_at": clock.rfc3339(filing.sent_at) if filing.sent_at else None,
        "finished_at": clock.rfc3339(filing.finished_at) if filing.finished_at else None,
        "turn": read.turn,
        "office": _office(filing, read.offices),
        "actions": read.actions,
    }


def _actions(session: Session, engine: Filings, stands: Standing | None, actor: Actor, filing: Filing) -> list[str]:
    """What the caller may do now; `save` where the working copy may be changed."""
    if stands is None:
        return []
    kind = engine.kind_of(filing)
    saving = ["save"] if stands.is_one_of(kind.status(filing.status).editors) else []
    now = clock.now()
    mine = [(step, step.falls_to(stands.codes)) for step in kind.steps if step.source == filing.status]
    moves = [Move(session, engine, filing, actor, by, step, {}, now) for step, by in mine if by is not None]
    return saving + [move.step.action for move in moves if conditions.is_offered(move)]


def _office(filing: Filing, offices: Mapping[UUID, str]) -> dict[str, str] | None:
    if filing.office_id is None:
        return None
    return {"id": str(filing.office_id), "name": offices.get(filing.office_id, "")}


def _summary(
    kind: FilingKind, stands: Standing | None, filing: Filing, sent: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The fields of the data that the kind lists; an office sees nothing that the enterprise is still changing."""
    data = filing.data
    if (stands is None or not stands.own) and filing.status in kind.editable:
        data = {**(sent or {}), **{name: data[name] for name in kind.fixed & data.keys()}}
    return {name: data[name] for name in kind.listed if name in data}


def _subject(filing: Filing) -> dict[str, str] | None:
    if filing.subject_id is None or filing.subject_type is None:
        return None
    return {"type": filing.subject_type, "id": str(filing.subject_id)}


def _colour(kind: FilingKind, filing: Filing) -> str | None:
    """The light of the due day: of a clock's for whose turn it is, of the data's while it is the enterprise's (spec/c
    §2.6)."""
    if filing.status in kind.final:
        return None
    turns = kind.status(filing.status).turns
    if filing.due_clock is None and APPLICANT not in turns:
        return None
    return light(filing.due_on, filing.amber_on)


def _content(engine: Filings, row: Filing | FilingVersion, filing: Filing, *, clear: bool) -> dict[str, Any]:
    """Form, data and documents of a filing or of one of its versions; `form.title` is the title of its paper."""
    form = engine.forms.get(row.form_code, row.form_version).form
    where = data_place(row.id) if isinstance(row, Filing) else version_place(row.id)
    title = form.title if filing.title_region is None else f"{filing.title_region}{engine.kind_of(filing).title}"
    return {
        "form": {"code": row.form_code, "version": row.form_version, "title": title},
        "data": readable(form, row.data, where, clear=clear),
        "documents": row.documents,
    }


def _version(session: Session, filing: Filing, number: int) -> FilingVersion:
    row = session.scalar(
        select(FilingVersion).where(FilingVersion.filing_id == filing.id, FilingVersion.number == number)
    )
    if row is None:
        raise not_found()
    return row


def version_answer(engine: Filings, filing: Filing, row: Any) -> dict[str, Any]:
    """A version in a list."""
    version: FilingVersion = row.FilingVersion
    return {
        "number": version.number,
        "sent_at": clock.rfc3339(version.sent_at),
        "operator_name": version.operator_name,
        **_content(engine, version, filing, clear=False),
    }
