"""What is read of production licences: licences, self-check topics, published checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.database.name_search import typed_pattern
from core.database.paging import Page, PageRequest, ascending, fetch, newest_first
from core.forms.sealing import readable
from core.identifiers import normalise_certificate_no, normalise_licence_no, normalise_uscc
from enterprise.filings.content import data_place
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.models import Filing
from enterprise.models import Enterprise
from enterprise.production.kinds import declaration, rectification
from enterprise.production.models import Licence, SelfCheckTopic, SupervisionCheck
from enterprise.products import product_code

MOST_HELD = 100
_BY_NUMBER = ascending("licences", Licence.licence_no, Licence.id)
_NEWEST_TOPICS = newest_first("topics", SelfCheckTopic.open_from, SelfCheckTopic.id)
_NEWEST_CHECKS = newest_first("supervision checks", SupervisionCheck.checked_on, SupervisionCheck.id)


@dataclass(frozen=True, slots=True)
class CheckFilters:
    """Filters of the published checks: days of the check, and a word in problems, office or inspectors."""

    day_from: date | None = None
    day_to: date | None = None
    q: str | None = None


def profile(session: Session, engine: Filings, actor: Actor) -> tuple[Enterprise, dict[str, Any] | None]:
    """The own enterprise (企业概况): its row of the register, and the declaration that was approved last, masked."""
    enterprise = session.get_one(Enterprise, actor.enterprise_id)
    approved = session.scalars(
        select(Filing)
        .where(
            Filing.enterprise_id == enterprise.id, Filing.kind == declaration.KIND.code,
            Filing.status.in_(declaration.KIND.final),
        )
        .order_by(Filing.finished_at.desc(), Filing.id.desc())
        .limit(1)
    ).first()  # fmt: skip
    if approved is None:
        return enterprise, None
    form = engine.forms.get(approved.form_code, approved.form_version).form
    return enterprise, {
        "filing_id": str(approved.id),
        "approved_at": clock.rfc3339(approved.finished_at) if approved.finished_at else None,
        "data": readable(form, approved.data, data_place(approved.id), clear=False),
    }


def licences(session: Session, actor: Actor, uscc: str | None, licence_no: str | None, request: PageRequest) -> Page:
    """The own licences of an enterprise, or those of the enterprises within the actor's scope.

    A number is one number however its brackets and dashes were typed.
    """
    conditions: list[ColumnElement[bool]] = [Enterprise.id == Licence.enterprise_id]
    if actor.enterprise_id is not None:
        conditions.append(Licence.enterprise_id == actor.enterprise_id)
    else:
        conditions.append(actor.scope.condition(Enterprise))
    if uscc:
        conditions.append(Licence.uscc == normalise_uscc(uscc))
    if licence_no:
        number = normalise_licence_no(licence_no) or normalise_certificate_no(licence_no)
        conditions.append(Licence.licence_no == number)
    return fetch(session, select(Licence), _BY_NUMBER, request, *conditions)


def licences_of(session: Session, enterprise: Enterprise) -> list[Licence]:
    """Those of one enterprise, to pre-fill a check: valid ones first, of these the one that ends last."""
    held = session.scalars(select(Licence).where(Licence.enterprise_id == enterprise.id).limit(MOST_HELD)).all()
    return sorted(held, key=_usefulness)


def licences_of_many(session: Session, enterprise_ids: Sequence[UUID]) -> dict[UUID, list[Licence]]:
    """The same for several enterprises, by their ids."""
    held: dict[UUID, list[Licence]] = {}
    for licence in session.scalars(select(Licence).where(Licence.enterprise_id.in_(enterprise_ids))):
        held.setdefault(licence.enterprise_id, []).append(licence)
    return {key: sorted(licences, key=_usefulness)[:MOST_HELD] for key, licences in held.items()}


def _usefulness(licence: Licence) -> tuple[bool, int, str]:
    return _status(licence) != "valid", -(licence.valid_to or date.max).toordinal(), licence.licence_no


def for_product(held: list[Licence], code: str) -> Licence | None:
    """The licence that a check of that product is about, if the enterprise holds one."""
    return next((one for one in held if product_code(one.product_class) == code), None)


def licence_as_json(row: Any) -> dict[str, Any]:
    """A licence of a list."""
    return licence_answer(row.Licence)


def licence_answer(licence: Licence) -> dict[str, Any]:
    """A licence as the HTTP contract shows it."""
    return {
        "id": str(licence.id),
        "licence_no": licence.licence_no,
        "uscc": licence.uscc,
        "product_class": licence.product_class,
        "product_code": product_code(licence.product_class),
        "product_detail": licence.product_detail,
        "issued_on": licence.issued_on.isoformat() if licence.issued_on else None,
        "valid_to": licence.valid_to.isoformat() if licence.valid_to else None,
        "issuer": licence.issuer,
        "status": _status(licence),
    }


def _status(licence: Licence) -> str:
    """The register says 有效 until it is imported again; the last day is known before."""
    over = licence.valid_to is not None and licence.valid_to < clock.today()
    return "expired" if over and licence.status == "valid" else licence.status


def may_read_licence(session: Session, actor: Actor, licence_id: UUID) -> bool:
    """For the subject registry."""
    row = session.execute(
        select(Licence.enterprise_id, Enterprise.area1, Enterprise.area2, Enterprise.area3)
        .join(Enterprise, Enterprise.id == Licence.enterprise_id)
        .where(Licence.id == licence_id)
    ).first()
    if row is None:
        return False
    if actor.enterprise_id is not None:
        return bool(row.enterprise_id == actor.enterprise_id)
    return actor.scope.contains(row.area1, row.area2, row.area3)


def _topics_for(session: Session, actor: Actor) -> ColumnElement[bool]:
    """Topics of offices that cover the enterprise; for an office those within its scope and above it."""
    area1, area2, area3 = actor.chain
    if actor.enterprise_id is not None:
        enterprise = session.get_one(Enterprise, actor.enterprise_id)
        area1, area2, area3 = enterprise.area1, enterprise.area2, enterprise.area3
    above: list[ColumnElement[bool]] = [(SelfCheckTopic.area1 == area1) & SelfCheckTopic.area2.is_(None)]
    if area2 is not None:
        above.append((SelfCheckTopic.area2 == area2) & SelfCheckTopic.area3.is_(None))
    if area3 is not None:
        above.append(SelfCheckTopic.area3 == area3)
    return or_(*above, actor.scope.condition(SelfCheckTopic))


def topics(session: Session, actor: Actor, request: PageRequest) -> Page:
    """Self-check topics, the newest first."""
    return fetch(session, select(SelfCheckTopic), _NEWEST_TOPICS, request, _topics_for(session, actor))


def topic_answer(topic: SelfCheckTopic) -> dict[str, Any]:
    """A topic as the HTTP contract shows it."""
    return {
        "id": str(topic.id),
        "version": topic.version,
        "title": topic.title,
        "year": topic.year,
        "template_file_id": str(topic.template_id),
        "open_from": topic.open_from.isoformat(),
        "open_to": topic.open_to.isoformat() if topic.open_to else None,
        "active": topic.active,
    }


def may_read_topic(session: Session, actor: Actor, topic_id: UUID) -> bool:
    """For the subject registry."""
    found = select(SelfCheckTopic.id).where(SelfCheckTopic.id == topic_id, _topics_for(session, actor))
    return session.scalar(found) is not None


def supervision_checks(session: Session, actor: Actor, filters: CheckFilters, request: PageRequest) -> Page:
    """The checks that concern the own enterprise (监督检查), newest first."""
    enterprise = session.get_one(Enterprise, actor.enterprise_id)
    conditions: list[ColumnElement[bool]] = [SupervisionCheck.uscc == enterprise.uscc]
    if filters.day_from is not None:
        conditions.append(SupervisionCheck.checked_on >= filters.day_from)
    if filters.day_to is not None:
        conditions.append(SupervisionCheck.checked_on <= filters.day_to)
    if filters.q:
        searched = (SupervisionCheck.problems, SupervisionCheck.office_name, SupervisionCheck.inspectors)
        pattern = typed_pattern(filters.q)
        conditions.append(or_(*(func.lower(column).like(pattern, escape="\\") for column in searched)))
    statement = select(SupervisionCheck, Filing.status.label("rectification_status")).outerjoin(
        Filing, Filing.id == SupervisionCheck.rectification_id
    )
    return fetch(session, statement, _NEWEST_CHECKS, request, *conditions)


def supervision_check_as_json(row: Any) -> dict[str, Any]:
    """A published check, and how the rectification (整改) that was ordered from it stands."""
    check: SupervisionCheck = row.SupervisionCheck
    status = rectification.KIND.shown_as.get(row.rectification_status, row.rectification_status)
    return {
        "id": str(check.id),
        "kind": check.kind,
        "product_code": check.product_code or None,
        "checked_on": check.checked_on.isoformat(),
        "office_name": check.office_name,
        "inspectors": check.inspectors,
        "result": check.result,
        "problems": check.problems,
        "rectification_id": str(check.rectification_id) if check.rectification_id else None,
        "rectification_status": status,
        "rectification_status_label": rectification.KIND.labels.get(status) if status else None,
    }
