"""What is read of production licences: licences, self-check topics, published checks."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.paging import Page, PageRequest, fetch
from enterprise.models import Enterprise
from enterprise.production.models import Licence, SelfCheckTopic, SupervisionCheck


def licences(session: Session, actor: Actor, uscc: str | None, request: PageRequest) -> Page:
    """The own licences of an enterprise, or those of the enterprises within the actor's reach."""
    conditions: list[ColumnElement[bool]] = [Enterprise.id == Licence.enterprise_id]
    if actor.enterprise_id is not None:
        conditions.append(Licence.enterprise_id == actor.enterprise_id)
    else:
        conditions.append(actor.reach.condition(Enterprise))
    if uscc:
        conditions.append(Licence.uscc == uscc)
    ordered = select(Licence).order_by(Licence.licence_no)
    return fetch(session, ordered, Licence.id, request, *conditions)


def show_licence(row: Any) -> dict[str, Any]:
    """A licence as the HTTP contract shows it."""
    licence: Licence = row.Licence
    return {
        "id": str(licence.id),
        "licence_no": licence.licence_no,
        "uscc": licence.uscc,
        "product_class": licence.product_class,
        "product_detail": licence.product_detail,
        "issued_on": licence.issued_on.isoformat() if licence.issued_on else None,
        "valid_to": licence.valid_to.isoformat() if licence.valid_to else None,
        "issuer": licence.issuer,
        "status": licence.status,
    }


def may_see_licence(session: Session, actor: Actor, licence_id: UUID) -> bool:
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
    return actor.reach.covers(row.area1, row.area2, row.area3)


def _topics_for(session: Session, actor: Actor) -> ColumnElement[bool]:
    """Topics of offices that cover the enterprise; for an office those within its reach and above it."""
    area1, area2, area3 = actor.chain
    if actor.enterprise_id is not None:
        enterprise = session.get_one(Enterprise, actor.enterprise_id)
        area1, area2, area3 = enterprise.area1, enterprise.area2, enterprise.area3
    above: list[ColumnElement[bool]] = [(SelfCheckTopic.area1 == area1) & SelfCheckTopic.area2.is_(None)]
    if area2 is not None:
        above.append((SelfCheckTopic.area2 == area2) & SelfCheckTopic.area3.is_(None))
    if area3 is not None:
        above.append(SelfCheckTopic.area3 == area3)
    return or_(*above, actor.reach.condition(SelfCheckTopic))


def topics(session: Session, actor: Actor, request: PageRequest) -> Page:
    """Self-check topics, the newest first."""
    ordered = select(SelfCheckTopic).order_by(SelfCheckTopic.open_from.desc(), SelfCheckTopic.id.desc())
    return fetch(session, ordered, SelfCheckTopic.id, request, _topics_for(session, actor))


def show_topic(topic: SelfCheckTopic) -> dict[str, Any]:
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


def may_see_topic(session: Session, actor: Actor, topic_id: UUID) -> bool:
    """For the subject registry."""
    found = select(SelfCheckTopic.id).where(SelfCheckTopic.id == topic_id, _topics_for(session, actor))
    return session.scalar(found) is not None


def supervision_checks(session: Session, actor: Actor, request: PageRequest) -> Page:
    """The checks that concern the own enterprise (监督检查), newest first."""
    enterprise = session.get_one(Enterprise, actor.enterprise_id)
    ordered = select(SupervisionCheck).order_by(SupervisionCheck.checked_on.desc(), SupervisionCheck.id.desc())
    return fetch(session, ordered, SupervisionCheck.id, request, SupervisionCheck.uscc == enterprise.uscc)


def show_supervision_check(row: Any) -> dict[str, Any]:
    """A published check."""
    check: SupervisionCheck = row.SupervisionCheck
    return {
        "id": str(check.id),
        "kind": check.kind,
        "product_code": check.product_code,
        "checked_on": check.checked_on.isoformat(),
        "office_name": check.office_name,
        "inspectors": check.inspectors,
        "result": check.result,
        "problems": check.problems,
        "rectification_id": str(check.rectification_id) if check.rectification_id else None,
    }
