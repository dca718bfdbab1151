"""Resets (重置) of passwords and second factors by superiors: alone over whose verbs one holds, else by two people.

Whoever makes a one-time password for somebody can act as that person. So it is made only by who may do all that the
person may, for an enterprise's account by who issues these, or by two user names: one proposes, another confirms. The
person is notified (`sign_in/reset_notices.py`).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from accounts import offices, queries
from accounts.models import Office, OfficeKind, Region, ResetProposal, User, UserStatus
from accounts.operations import get_manageable, step_of
from accounts.sign_in import passwords, second_factor, sessions, throttle
from accounts.sign_in.reset_notices import KINDS, SHOWN_FOR
from accounts.verbs import Verb, verbs_at
from accounts.workflows import USER
from core import clock
from core.actor import Actor
from core.db import Database, dialect_of, insert_into
from core.errors import Problem, invalid, not_found
from core.models import HistoryEntry, HistoryPayload
from core.text import clean, demanded
from core.workflows import history, todos

PROPOSED = "reset_proposed"
"""Kind of the to-do of those who may confirm."""

PROPOSAL_LIFE = timedelta(days=3)
PROPOSE = "propose_reset"
_ENDING = ("cancel_reset", "confirm_reset", *KINDS)
"""Steps after which a proposal is over."""
_KNOWING = ("approve", *(action for action, kind in KINDS.items() if kind == "password"))
"""Steps after which their actor may know the password of the user."""


def may_alone(actor: Actor, office: Office, user: User) -> bool:
    """Whether the actor may do all that the user may, or issues accounts to enterprises where it is one's."""
    if office.kind == OfficeKind.ENTERPRISE:
        return Verb.ENTERPRISES_MANAGE in actor.verbs
    return verbs_at(offices.level_of(office), user.roles) <= actor.verbs


def reset_password(database: Database, actor: Actor, user_id: UUID) -> str:
    """Give a user whose verbs the actor holds a one-time password, which must be changed; ends all sessions.

    Not idempotent on purpose: a lost answer cannot be shown again, so each call makes a new one. Of calls at one moment
    one is answered with a password, the others are 409 `stale_version`. Raises 403 `two_people_needed`.
    """
    with database.read() as session:
        user = get_manageable(session, actor, user_id)
        if not may_alone(actor, session.get_one(Office, user.office_id), user):
            raise Problem("two_people_needed")
        seen = user.version
    password = passwords.one_time_password()
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        user = _unchanged(get_manageable(session, actor, user_id), seen)
        # Again: the roles of the one or the other may have changed.
        if not may_alone(actor, session.get_one(Office, user.office_id), user):
            raise Problem("two_people_needed")
        _give_password(session, actor, user, step_of(actor, "reset_password"), password_hash)
        _close(session, user.id)
    return password


def reset_second_factor(session: Session, actor: Actor, user_id: UUID) -> None:
    """Take the second factor (动态口令) of somebody who lost phone and recovery codes; ends all sessions.

    Raises 403 `two_people_needed` as for passwords, and 409 `otp_not_enrolled`. Repeated it is that 409.
    """
    user = get_manageable(session, actor, user_id)
    if not may_alone(actor, session.get_one(Office, user.office_id), user):
        raise Problem("two_people_needed")
    _take_second_factor(session, actor, user, step_of(actor, "reset_second_factor"))
    _close(session, user_id)


def _take_second_factor(
    session: Session, actor: Actor, user: User, action: str, payload: Mapping[str, Any] | None = None
) -> None:  # fmt: skip
    if second_factor.enrolled_at(session, user.id) is None:
        raise Problem("otp_not_enrolled")
    marked = history.marked(second_factor.unlike(session, user.id))
    second_factor.remove(session, user.id)
    USER.move(session, actor, session.get_one(User, user.id), action, {}, {**(payload or {}), **marked})
    sessions.end_sessions_of(session, user.id)
    throttle.forget(session, user.username)


def _unchanged(user: User, seen: int) -> User:
    if user.version != seen:
        why = "该账号刚刚由他人办理过，本次没有生成密码；请刷新后核对，确需重置的再试一次"
        raise Problem("stale_version", why, current_version=user.version)
    return user


def _give_password(
    session: Session, actor: Actor, user: User, action: str, password_hash: str,
    payload: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    values = {"password_hash": password_hash, "must_change_password": True}
    USER.move(session, actor, user, action, values, payload)
    sessions.end_sessions_of(session, user.id)
    throttle.forget(session, user.username)


def propose(session: Session, actor: Actor, user_id: UUID, kind: str, reason: str) -> None:
    """The first of two people proposes a reset; proposing it again changes nothing.

    Raises 409 `wrong_status` unless the user is active, and 422 where the actor may reset alone.
    """
    user = get_manageable(session, actor, user_id)
    if may_alone(actor, session.get_one(Office, user.office_id), user):
        raise invalid("/kind", "not_needed", "您可以直接重置该账号，无需他人确认")
    if user.status != UserStatus.ACTIVE:
        raise Problem("wrong_status", "账号不在使用中，不能重置；请先启用", current_status=user.status)
    if kind == "second_factor" and second_factor.enrolled_at(session, user_id) is None:
        raise Problem("otp_not_enrolled")
    session.execute(delete(ResetProposal).where(ResetProposal.user_id == user_id, ResetProposal.until <= clock.now()))
    values = {
        "id": uuid4(), "user_id": user_id, "kind": kind, "reason": demanded(clean(reason), "/reason", "请填写原因"),
        "proposed_by": actor.user_id, "proposed_as": actor.as_payload(), "at": clock.now(),
        "until": clock.now() + PROPOSAL_LIFE,
    }  # fmt: skip
    fresh = insert_into(dialect_of(session), ResetProposal).values(values)
    stored = fresh.on_conflict_do_nothing(index_elements=["user_id"]).returning(ResetProposal.id)
    if session.scalar(stored) is None:
        open_one = session.scalars(select(ResetProposal).where(ResetProposal.user_id == user_id)).one()
        if (open_one.proposed_by, open_one.kind) == (actor.user_id, kind):
            return
        raise Problem("wrong_status", "已有待确认的重置，请先确认或撤回", current_status=user.status)
    USER.move(session, actor, user, PROPOSE, {}, {"kind": kind, "reason": values["reason"]})
    region = session.get_one(Region, session.get_one(Office, user.office_id).region_code)
    title = f"重置确认：{user.username}（由 {actor.username} 提出）"
    todos.open_for_region(
        session, PROPOSED, title, ("user", user_id), verb=Verb.ACCOUNTS_MANAGE, area1=region.area1, area2=region.area2,
        area3=region.area3,
    )  # fmt: skip


def confirm(database: Database, actor: Actor, user_id: UUID, proposal_id: UUID) -> tuple[str, str | None]:
    """The second person confirms; the kind, and for a password the one-time password.

    Raises 404 where the proposal is not open (any more) or who made it could not make it now, and 403
    `another_person_needed` for that person, also under a user name that the same person reset or approved of late.
    """
    with database.read() as session:
        _confirmable(session, actor, user_id, proposal_id)
    password = passwords.one_time_password()
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        user, proposal = _confirmable(session, actor, user_id, proposal_id)
        taken = session.execute(
            delete(ResetProposal).where(ResetProposal.id == proposal_id).returning(ResetProposal.id)
        )
        if taken.first() is None:
            raise not_found()
        payload = {"proposed_by": proposal.proposed_as, "reason": proposal.reason}
        kind = proposal.kind
        if kind == "password":
            _give_password(session, actor, user, "confirm_reset", password_hash, payload)
        else:
            _take_second_factor(session, actor, user, "confirm_reset_second_factor", payload)
        _close(session, user_id)
        return kind, password if kind == "password" else None


def cancel(session: Session, actor: Actor, user_id: UUID, proposal_id: UUID) -> None:
    """The first takes the proposal back, or another one who manages the user refuses it."""
    user = get_manageable(session, actor, user_id)
    found = delete(ResetProposal).where(ResetProposal.id == proposal_id, ResetProposal.user_id == user_id)
    if session.execute(found.returning(ResetProposal.id)).first() is None:
        raise not_found()
    USER.move(session, actor, user, "cancel_reset")
    todos.close(session, user_id, PROPOSED)


def _close(session: Session, user_id: UUID) -> None:
    session.execute(delete(ResetProposal).where(ResetProposal.user_id == user_id))
    todos.close(session, user_id, PROPOSED)


def _confirmable(session: Session, actor: Actor, user_id: UUID, proposal_id: UUID) -> tuple[User, ResetProposal]:
    user = get_manageable(session, actor, user_id)
    proposal = session.scalar(
        select(ResetProposal)
        .where(
            ResetProposal.id == proposal_id, ResetProposal.user_id == user_id, ResetProposal.until > clock.now()
        )
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if proposal is None or not _was_made(session, proposal) or not _still_may(session, proposal):
        raise not_found()
    if not _behind(session, proposal.proposed_by).isdisjoint(_behind(session, actor.user_id)):
        raise Problem("another_person_needed")
    return user, proposal


def _was_made(session: Session, proposal: ResetProposal) -> bool:
    """Whether the history of the user says so: nobody puts the first of two people into the table."""
    last = session.execute(
        select(HistoryEntry.action, HistoryEntry.actor_id, HistoryPayload.payload)
        .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id == proposal.user_id, HistoryEntry.action.in_((PROPOSE, *_ENDING)))
        .order_by(HistoryEntry.seq.desc())
        .limit(1)
    ).first()
    made = None if last is None else (last.action, last.actor_id, last.payload.get("kind"))
    return made == (PROPOSE, proposal.proposed_by, proposal.kind)


def _behind(session: Session, user_id: UUID) -> set[UUID]:
    """The user, and whoever may know the password because they reset it of late or approved the account, and so on."""
    found, asked = {user_id}, {user_id}
    since = clock.now() - SHOWN_FOR
    while asked:
        knowing = select(HistoryEntry.actor_id).where(
            HistoryEntry.subject_id.in_(asked), HistoryEntry.action.in_(_KNOWING), HistoryEntry.at > since,
            HistoryEntry.actor_id.is_not(None),
        )  # fmt: skip
        asked = {one for one in session.scalars(knowing) if one is not None} - found
        found |= asked
    return found


def _still_may(session: Session, proposal: ResetProposal) -> bool:
    first = queries.actor_of(session, proposal.proposed_by, None, proposal.id)
    status = session.scalar(select(User.status).where(User.id == proposal.proposed_by))
    if first is None or status != UserStatus.ACTIVE or Verb.ACCOUNTS_MANAGE not in first.verbs:
        return False
    try:
        get_manageable(session, first, proposal.user_id)
    except Problem:
        return False
    return True


def open_proposals(session: Session, user_ids: list[UUID]) -> dict[UUID, ResetProposal]:
    """The proposals that may be confirmed, by user."""
    open_now = select(ResetProposal).where(ResetProposal.user_id.in_(user_ids), ResetProposal.until > clock.now())
    return {one.user_id: one for one in session.scalars(open_now)}
