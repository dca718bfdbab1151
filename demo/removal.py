"""Taking the demo's accounts out of an installation that is to be used in earnest.

Removed: all demo accounts are disabled and their sessions and WeChat bindings ended, and the file of their passwords is
deleted. Kept: records, filings, ratings and enterprises of the demo, because their histories prove the history of
everything else; an installation that is to hold none of them begins with another database.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from accounts.administration import operations
from accounts.demo_accounts import living
from accounts.models import Office, User
from core.config import Settings
from core.db import Database
from core.errors import Problem
from core.workflows.events import Events
from demo import accounts, register
from enterprise.models import Enterprise
from feedback.models import Rating, RatingCode, RatingFollowUp
from inspection.models import Inspection

REASON = "演示账号，正式使用前移除"


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` did and what stays: user names, whether there was a file of passwords, records and ratings."""

    disabled: list[str]
    file: bool
    kept: int


def remove(database: Database, settings: Settings, events: Events) -> Removed:
    """Disable the demo's accounts; doing it again changes nothing.

    Raises Problem where work of others waits for one of them: it is handed over first.
    """
    with database.read() as session:
        waiting = _waiting(session)
        of_demo = Inspection.created_by.in_(select(User.id).where(_of_demo(User)))
        kept = session.scalar(select(func.count()).select_from(Inspection).where(of_demo))
    if waiting:
        said = "演示账号手中有正式业务，请先用 ./manage users hand-over 移交，未作任何改动："
        raise Problem("bad_request", said + "；".join(waiting))
    found = living(database.engine)
    for username in found:
        operations.set_enabled(
            database, username, enabled=False, reason=REASON, by=operations.login(), events=events, heir=None
        )
    file = accounts.accounts_file(settings.data_dir)
    there = file.exists()
    file.unlink(missing_ok=True)
    return Removed(found, there, kept or 0)


def _of_demo(user: type[User]) -> ColumnElement[bool]:
    enterprise = (
        exists()
        .where(Office.id == user.office_id, Enterprise.id == Office.enterprise_id, Enterprise.source == register.SOURCE)
        .correlate(user)
    )
    return or_(user.username.startswith(accounts.PREFIX, autoescape=True), enterprise)


def _waiting(session: Session) -> list[str]:
    """Work of others that waits for a demo account, a sentence each."""
    handler, maker, author, beginner = (aliased(User) for _ in range(4))
    ratings = session.execute(
        select(handler.username, func.count())
        .select_from(Rating)
        .join(RatingFollowUp, RatingFollowUp.rating_id == Rating.id)
        .join(handler, handler.id == RatingFollowUp.handler_id)
        .join(RatingCode, RatingCode.id == Rating.code_id)
        .join(maker, maker.id == RatingCode.created_by)
        .where(Rating.closed_at.is_(None), _of_demo(handler), ~_of_demo(maker))
        .group_by(handler.username)
    ).all()
    drafts = session.execute(
        select(author.username, func.count())
        .select_from(Inspection)
        .join(author, author.id == Inspection.created_by)
        .join(beginner, beginner.id == Inspection.begun_by)
        .where(Inspection.status == "draft", _of_demo(author), ~_of_demo(beginner))
        .group_by(author.username)
    ).all()
    return [
        *(f"{name} 承办的未办结差评 {count} 件" for name, count in ratings),
        *(f"{name} 接手的暂存记录 {count} 条" for name, count in drafts),
    ]
