"""Who may change a submitted record: the user name that entered it for a day, a superior at any time.

The superior of a record is the office above the one that entered it, by region or by `offices.parent_id` (a station and
its bureau cover the same region). No office above a province works with the product: there a colleague of the same
office decides. Nobody decides on what they entered themselves, wherever they were moved since.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import User, UserStatus
from core import clock
from core.actor import Actor
from core.errors import Problem
from inspection.models import Inspection
from inspection.records.access import OWN_TIME

TOPMOST = ("province", "national")


def is_superior(session: Session, record: Inspection, actor: Actor) -> bool:
    """Whether the actor's office stands above the one that entered the record."""
    if actor.scope.strictly_above(record.area1, record.area2, record.area3):
        return True
    return offices.is_below(session, record.office_id, actor.office_id)


def may_decide(session: Session, record: Inspection, actor: Actor) -> bool:
    """Whether the actor decides on what becomes of the record."""
    if actor.user_id == record.created_by:
        return False
    if is_superior(session, record, actor):
        return True
    return record.level in TOPMOST and record.office_id in actor.offices


def in_own_time(record: Inspection, actor: Actor) -> bool:
    """Whether the actor entered the record, no longer than a day ago: the last second counts."""
    assert record.submitted_at is not None
    return actor.user_id == record.created_by and clock.now() - record.submitted_at <= OWN_TIME


def is_owner(session: Session, record: Inspection, actor: Actor) -> bool:
    """Whether the actor is to correct the record: as its user name, or at its office once that user has left."""
    if actor.user_id == record.created_by:
        return True
    return record.office_id in actor.offices and not is_still_there(session, record)


def is_still_there(session: Session, record: Inspection) -> bool:
    """Whether the user name that entered the record is still in use at its office, or at the one that took it over."""
    return works_at(session, record.created_by, record.office_id)


def works_at(session: Session, user_id: UUID, office_id: UUID) -> bool:
    """Whether a user name is in use at an office, or at the one that took it over."""
    there = session.scalar(select(User.office_id).where(User.id == user_id, User.status == UserStatus.ACTIVE.value))
    return there is not None and offices.acts_for(session, there, office_id)


def may_correct(session: Session, record: Inspection, actor: Actor) -> bool:
    """Whether the actor may correct an own record directly: within a day, or because it was returned (退回更正)."""
    return in_own_time(record, actor) or (record.returned is not None and is_owner(session, record, actor))


def refuse_to_void(session: Session, record: Inspection, actor: Actor) -> None:
    """403 for those who may not void (作废) the record."""
    if in_own_time(record, actor) or may_decide(session, record, actor):
        return
    if actor.user_id == record.created_by:
        raise Problem("forbidden", "提交已超过 24 小时，请联系上级单位作废")
    raise Problem("forbidden", "只有填报用户（提交后 24 小时内）和上级单位可以作废")


def refuse_to_correct(session: Session, record: Inspection, actor: Actor) -> None:
    """403 for those who may not correct (更正) the record themselves."""
    if may_correct(session, record, actor) or is_superior(session, record, actor):
        return
    if is_owner(session, record, actor):
        raise Problem("forbidden", "提交已超过 24 小时，不能直接更正；请提交更正申请，经上级单位审核后生效")
    raise Problem("forbidden", "只有填报用户和上级单位可以更正")


def refuse_to_ask(session: Session, record: Inspection, actor: Actor) -> None:
    """403 for those whose record it is not, 409 for those who need not ask."""
    if not is_owner(session, record, actor):
        raise Problem("forbidden", "只有填报用户可以申请更正；上级单位请退回更正，由填报用户修改")
    if may_correct(session, record, actor):
        raise Problem("correct_directly")


def refuse_to_decide(session: Session, record: Inspection, actor: Actor, asked_by: UUID | None = None) -> None:
    """403 for those who are no superior of the record, or would decide on their own application."""
    if asked_by == actor.user_id:
        raise Problem("forbidden", "不能审核本人提交的申请，请由上级单位的其他人员审核")
    if not may_decide(session, record, actor):
        raise Problem("forbidden", "只有上级单位可以审核、退回该记录")
