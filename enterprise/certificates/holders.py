"""Who holds certificates (持证单位), where that changes without a step of a filing."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.workflows import history
from enterprise.certificates import noted
from enterprise.certificates.models import Certificate
from enterprise.certificates.register import SUBJECT
from enterprise.models import Enterprise


def join(session: Session, actor: Actor, applicant_id: UUID, known: Enterprise) -> None:
    """What was issued to an applicant who registered itself is held by the organisation that takes it over (并入)."""
    held = select(Certificate).where(Certificate.enterprise_id == applicant_id).order_by(Certificate.id)
    for one in session.scalars(held.with_for_update().execution_options(populate_existing=True)).all():
        one.enterprise_id = known.id
        payload = {**actor.as_payload(), "joined": known.uscc, **noted.standing(one)}
        stays = (one.status, one.status, one.version)
        history.append(session, history.Move(SUBJECT, one.id, "join_applicant", *stays, actor.user_id, payload))
