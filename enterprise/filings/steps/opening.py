"""Opening filings: by either side, by the system, and in bulk."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import Problem, invalid
from core.forms.sealing import opened
from core.identifiers import as_uuid
from core.workflows.versions import sent_version
from enterprise.certificates.models import Certificate
from enterprise.filings.clocks import time_limits
from enterprise.filings.content import as_date, data_place
from enterprise.filings.declaring.declarations import APPLICANT, AUTHOR, By, Move, Post, Step
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.drafts.working_copy import claim_files, unknown_keys, validate_data
from enterprise.filings.models import DELETED, Filing
from enterprise.filings.moves import found
from enterprise.filings.results import outcomes
from enterprise.filings.sides.access import posts_of
from enterprise.filings.sides.todos import due, open_todos, replace_todos
from enterprise.filings.steps.actions import act_by_system
from enterprise.filings.steps.applicants import applicant_of
from enterprise.models import AREAS, Enterprise
from enterprise.queries import by_uscc, name_of_place

_NOT_FOR = {"person": "“{}”由单位办理，个人不能发起", "organisation": "“{}”由个人办理，单位不能发起"}


def open_by(
    session: Session,
    engine: Filings,
    actor: Actor,
    filing_id: UUID,
    body: Mapping[str, Any],
    about: tuple[str, UUID] | None = None,
) -> Filing:
    """Open a filing for a user; raises 403 when this side may not, 422 with all faults.

    `about`: the type and id of what it is about, where the kind leaves that to the caller; else the body says it.
    """
    kind = engine.kinds.named(body.get("kind"))
    if kind is None:
        raise invalid("/kind", "unknown_kind", "没有这种办件，请重新选择")
    opening, by = _opening_for(actor, kind)
    enterprise = _enterprise_for(session, actor, body) if kind.about is None else None
    sent_version(body)
    subject = about or _subject(session, engine, actor, kind, body)
    copied: dict[str, Any] = {}
    place: dict[str, Any] = {}
    if kind.about is not None and subject is not None:
        certificate, copied = outcomes.certificate_for(session, engine, kind, kind.about, subject[1])
        enterprise, place = session.get_one(Enterprise, certificate.enterprise_id), _issued_at(certificate)
    assert enterprise is not None
    applicant = applicant_of(session, enterprise)
    if applicant.kind not in kind.applicants:
        raise Problem("forbidden", _NOT_FOR[applicant.kind].format(kind.title))
    title = kind.titled(session, subject[1]) if kind.titled and subject else None
    given = body.get("data") or {}
    if isinstance(given, dict):
        given = {**copied, **given}
    number = outcomes.number_of_opening(session, engine, kind, opening.action, place.get("office_id"), given)
    filing = open_filing(
        session, engine, kind, enterprise, filing_id=filing_id, subject=subject, actor=actor, title=title, saved=True,
        opening=opening, place=place, number=number, uscc=applicant.uscc,
    )  # fmt: skip
    prepares = _prepares(kind, opening, by)
    values, faults = validate_data(session, engine, kind, filing, {"data": given}, submit=not prepares)
    documents, document_faults = claim_files(session, engine, actor, kind, filing, body, values)
    faults = [*unknown_keys(body), *faults, *document_faults]
    move = Move(session, engine, filing, actor, by, opening, values, clock.now())
    if not prepares and kind.check is not None and not faults:
        faults = kind.check(move)
    if faults:
        raise Problem("invalid", errors=faults)
    move = replace(move, data=opened(values, data_place(filing.id)))
    if number is None and opening.action in kind.numbered_by:
        outcomes.number(move, kind, {}, {})
    due_on = as_date(values.get(kind.due_from)) if kind.due_from else None
    filing.data, filing.documents = values, documents
    if kind.due_from is not None:
        for name, value in {**due(session, filing, due_on), **time_limits.due_columns(session, kind, filing)}.items():
            setattr(filing, name, value)
    session.flush()
    outcomes.follow(kind, move)
    if due_on is not None:
        replace_todos(session, kind, filing, filing)
    if kind.opened is not None:
        kind.opened(move)
    if opening.then is not None and (action := opening.then(move)) is not None:
        act_by_system(session, engine, found(session, filing_id), action)
    return session.get_one(Filing, filing_id, populate_existing=True)


def _issued_at(certificate: Certificate) -> dict[str, Any]:
    """The columns of the office that handles what is about a certificate: the one that issued it."""
    return {"office_id": certificate.office_id, **{area: getattr(certificate, area) for area in AREAS}}


def _prepares(kind: FilingKind, opening: Step, by: By) -> bool:
    """Whether the opener goes on with the working copy, so that it need not be whole yet."""
    editors = kind.status(opening.target).editors
    return by == APPLICANT or by in editors or AUTHOR in editors


def _opening_for(actor: Actor, kind: FilingKind) -> tuple[Step, By]:
    """The step by which the actor opens one, and the post or party from which; 403 for who may not."""
    if not actor.works_in(kind.system):
        raise Problem("forbidden", f"您注册的账号不能办理“{kind.title}”，请使用您单位的企业账号")
    codes = posts_of(actor, kind)
    if actor.enterprise_id is not None:
        codes = frozenset({APPLICANT.code} if APPLICANT.verb in actor.verbs else ())
    for step in kind.openings:
        by = step.falls_to(codes)
        if by is not None:
            return step, by
    raise Problem("forbidden", f"“{kind.title}”不能由您发起")


def _enterprise_for(session: Session, actor: Actor, body: Mapping[str, Any]) -> Enterprise:
    if actor.enterprise_id is not None:
        return session.get_one(Enterprise, actor.enterprise_id)
    uscc = body.get("uscc")
    enterprise = by_uscc(session, uscc) if isinstance(uscc, str) else None
    if enterprise is None or not actor.scope.contains(enterprise.area1, enterprise.area2, enterprise.area3):
        raise invalid("/uscc", "unknown_enterprise", "本辖区企业名录中没有该企业，请核对统一社会信用代码")
    return enterprise


def _subject(
    session: Session, engine: Filings, actor: Actor, kind: FilingKind, body: Mapping[str, Any]
) -> tuple[str, UUID] | None:
    sent = body.get("subject")
    if kind.subject_type is None:
        if sent is not None:
            raise invalid("/subject", "no_subject", f"“{kind.title}”不能自行指定所针对的记录，请从该记录中发起")
        return None
    fault = invalid("/subject", "unknown_subject", "请选择所针对的记录")
    if not isinstance(sent, dict) or sent.get("type") != kind.subject_type:
        raise fault
    subject_id = as_uuid(sent.get("id"))
    if subject_id is None or not engine.subjects.may_read(session, actor, kind.subject_type, subject_id):
        raise fault
    return kind.subject_type, subject_id


def open_filing(
    session: Session,
    engine: Filings,
    kind: FilingKind,
    enterprise: Enterprise,
    *,
    filing_id: UUID | None = None,
    subject: tuple[str, UUID] | None = None,
    actor: Actor | None = None,
    parent_id: UUID | None = None,
    title: str | None = None,
    data: dict[str, Any] | None = None,
    due_on: date | None = None,
    saved: bool = False,
    title_region: str | None = None,
    opening: Step | None = None,
    place: Mapping[str, Any] | None = None,
    number: str | None = None,
    uscc: str | None = None,
) -> Filing:
    """Open a filing for an enterprise; 409 `already_open` when there may be only one and it is open, or `id_taken`.

    `title_region` precedes the title of its paper; without one it is the region of the office that handles it. `place`
    are the columns of an office that handles it from the beginning. `uscc`: the code of its applicant, where that is
    not the enterprise's.
    """
    filing_id = filing_id or uuid4()
    opening = opening or kind.opening()
    now = clock.now()
    # With the enterprise's id: many enterprises may have one for the same topic or campaign.
    about = subject[1].hex if subject else "-"
    key = f"{kind.code}:{about}:{enterprise.id.hex}" if kind.one_open else None
    values = {
        "id": filing_id, "kind": kind.code, "title": title or kind.title,
        "title_region": (title_region or name_of_place(session, enterprise)) if kind.titled_by_region else None,
        "enterprise_id": enterprise.id,
        "uscc": enterprise.uscc if uscc is None else uscc, "org_name": enterprise.name,
        "office_id": None, "area1": enterprise.area1, "area2": enterprise.area2, "area3": enterprise.area3,
        "subject_type": subject[0] if subject else None, "subject_id": subject[1] if subject else None,
        "parent_id": parent_id, "open_key": key, "opened_by": actor.user_id if actor else None,
        "opened_by_office": isinstance(opening.takers[0], Post), "form_code": kind.form_code,
        "form_version": engine.forms.get(kind.form_code).form.version, "data": data or {}, "documents": [],
        "saved": saved, "sent": 0, "return_to": None, "opinion": None,
        **due(session, enterprise, due_on), "due_clock": None, "amber_on": None,
        "number": number, "late": False, "created_at": now, "updated_at": now, "sent_at": None, "finished_at": None,
        **(place or {}),
    }  # fmt: skip
    if key and session.scalar(select(Filing.id).where(Filing.open_key == key)) is not None:
        raise Problem("already_open")
    try:
        created = kind.workflow.enter(session, actor, opening.action, values, {"number": number} if number else None)
    except IntegrityError as error:
        raise Problem("already_open") from error
    if not created:
        raise Problem("id_taken")
    filing = session.get_one(Filing, filing_id, populate_existing=True)
    move = Move(session, engine, filing, actor, opening.takers[0], opening, {}, now)
    limits = time_limits.plan(session, kind, [move])
    if limits is not None:
        for name, value in limits.columns.items():
            setattr(filing, name, value)
        session.flush()
        limits.write(session, filing.id)
    if opening.effect is not None:
        opening.effect(move)
    open_todos(session, kind, filing)
    return filing


def open_for_all(
    session: Session,
    engine: Filings,
    kind: FilingKind,
    enterprises: Sequence[Enterprise],
    *,
    subject: tuple[str, UUID] | None = None,
    actor: Actor | None = None,
    title: str | None = None,
    due_on: date | None = None,
    title_region: str | None = None,
) -> int:
    """Open a filing for each enterprise (a campaign) that has none for subject and title; how many were opened.

    `actor` is the officer who opens them (None: the system); enterprises outside the officer's scope are passed over.
    A filing's id follows from enterprise, kind, subject and title, so that two campaigns at once open no duplicates.
    """
    opened = 0
    about = subject[1] if subject else None
    for enterprise in without(session, kind, enterprises, about=about, title=title):
        if actor is not None and not actor.scope.contains(enterprise.area1, enterprise.area2, enterprise.area3):
            continue
        filing_id = uuid5(enterprise.id, f"{kind.code}:{about}:{title or kind.title}")
        try:
            # When another campaign opens the only one at this moment, PostgreSQL rolls back to the savepoint only.
            with session.begin_nested() if kind.one_open else nullcontext():
                open_filing(
                    session, engine, kind, enterprise, filing_id=filing_id, subject=subject, actor=actor, title=title,
                    due_on=due_on, title_region=title_region,
                )  # fmt: skip
        except Problem as error:
            if error.code not in ("id_taken", "already_open"):
                raise
            continue
        opened += 1
    return opened


def without(
    session: Session, kind: FilingKind, enterprises: Sequence[Enterprise], *, about: UUID | None, title: str | None
) -> list[Enterprise]:
    """Those of the enterprises (a few hundred) that have no such filing yet."""
    having = select(Filing.enterprise_id).where(
        Filing.enterprise_id.in_([enterprise.id for enterprise in enterprises]),
        Filing.kind == kind.code,
        Filing.status != DELETED,
        Filing.subject_id == about,
        Filing.title == (title or kind.title),
    )
    present = set(session.scalars(having))
    return [enterprise for enterprise in enterprises if enterprise.id not in present]
