"""Who may change what was submitted: the user name that entered it for a day, whoever stands above it at any time.

Above a record stands the office above that which entered it, by region or by `offices.parent_id` (a station and its
bureau cover the same region). Above what a province entered itself nobody works with the product: there a colleague of
the same office takes that place. Nobody stands above what they entered themselves, wherever they were moved since.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from accounts import offices
from core import clock
from core.actor import Actor
from core.errors import Problem
from inspection.models import Inspection

OWN_TIME = timedelta(hours=24)
_TOPMOST = ("province", "national")


def is_superior(session: Session, record: Inspection, actor: Actor) -> bool:
    """Whether the actor's office stands above the one that entered the record."""
    if actor.reach.strictly_above(record.area1, record.area2, record.area3):
        return True
    return offices.is_below(session, record.office_id, actor.office_id)


def stands_above(session: Session, record: Inspection, actor: Actor) -> bool:
    """Whether the actor decides on what becomes of the record."""
    if actor.user_id == record.created_by:
        return False
    if is_superior(session, record, actor):
        return True
    return record.level in _TOPMOST and record.office_id in actor.offices


def in_own_time(record: Inspection, actor: Actor) -> bool:
    """Whether the actor entered the record, no longer than a day ago: the last second counts."""
    assert record.submitted_at is not None
    return actor.user_id == record.created_by and clock.now() - record.submitted_at <= OWN_TIME


def refuse_to_void(session: Session, record: Inspection, actor: Actor) -> None:
    """403 for those who may not void (作废) the record."""
    if in_own_time(record, actor) or stands_above(session, record, actor):
        return
    if actor.user_id == record.created_by:
        raise Problem("forbidden", "提交已超过 24 小时，请联系上级单位作废")
    raise Problem("forbidden", "只有填报用户（提交后 24 小时内）和上级单位可以作废")


def refuse_to_correct(session: Session, record: Inspection, actor: Actor) -> None:
    """403 for those who may not correct (更正) the record themselves."""
    if in_own_time(record, actor) or is_superior(session, record, actor):
        return
    if actor.user_id != record.created_by:
        raise Problem("forbidden", "只有填报用户和上级单位可以更正")
    raise Problem("forbidden", "提交已超过 24 小时，请由上级单位更正")
