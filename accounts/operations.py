"""What changes users: disabling, the own password. Resets stand in `resets.py`, applications in `applications.py`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accounts import offices, queries
from accounts.models import Office, Region, User, UserSession, UserStatus
from accounts.sign_in import passwords, sessions, throttle
from accounts.verbs import Role, Verb
from accounts.workflows import USER
from core import clock
from core.actor import Actor
from core.db import Database
from core.errors import Fault, Problem, not_found
from core.identifiers import normalise_mobile
from core.text import clean, demanded
from core.workflows import idempotency


def get_readable(session: Session, actor: Actor, user_id: UUID) -> User:
    """The user, if the actor may read it; 404 otherwise."""
    if not queries.may_read_user(session, actor, user_id):
        raise not_found()
    return session.get_one(User, user_id, populate_existing=True)


def get_manageable(session: Session, actor: Actor, user_id: UUID) -> User:
    """A user of an office below the actor's, or of an enterprise in its regions.

    Raises 403 for the other users of the own office, whom the list shows, and 404 for all others: for whoever only
    hands enterprises their accounts (企业账号) these are all officers.
    """
    row = session.execute(
        select(User, Region, Office.enterprise_id)
        .join(Office, Office.id == User.office_id)
        .join(Region, Region.code == Office.region_code)
        .where(User.id == user_id, queries.has_account())
        .execution_options(populate_existing=True)
    ).first()
    if row is None or not actor.scope.contains(row.Region.area1, row.Region.area2, row.Region.area3):
        raise not_found()
    user: User = row.User
    if row.enterprise_id is None and Verb.ACCOUNTS_MANAGE not in actor.verbs:
        raise not_found()
    above = (
        row.enterprise_id is not None
        or actor.scope.strictly_above(row.Region.area1, row.Region.area2, row.Region.area3)
        or offices.is_below(session, user.office_id, actor.office_id)
    )
    if not above:
        raise Problem("forbidden", "只能管理下级单位的账号")
    return user


def step_of(actor: Actor, action: str) -> str:
    """The step for this actor: a licence reviewer manages accounts of enterprises alone."""
    return action if Verb.ACCOUNTS_MANAGE in actor.verbs else f"enterprise_{action}"


def set_enabled(session: Session, actor: Actor, user_id: UUID, action: str, body: Mapping[str, Any]) -> User:
    """Disable (停用, with a reason; ends all sessions) or enable a user."""
    user = get_manageable(session, actor, user_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"users.{action}", user_id, body)):
        # These calls carry no version: where the user has been turned back since, it is done again on purpose.
        user = get_manageable(session, actor, user_id)
        if user.status == (UserStatus.DISABLED if action == "disable" else UserStatus.ACTIVE):
            return user
    reason = clean(body.get("reason") or "") or None
    if action == "disable":
        demanded(reason, "/reason", "停用账号须填写原因")
    USER.move(session, actor, user, step_of(actor, action), {"status_reason": reason}, {"reason": reason})
    if action == "disable":
        sessions.end_sessions_of(session, user_id)
    return get_manageable(session, actor, user_id)


def end_sessions(session: Session, actor: Actor, user_id: UUID) -> int:
    """End all sessions of a user (退出全部登录), as where a phone was lost; how many. The password stays.

    Without living sessions nothing is done, so that it can be repeated.
    """
    user = get_manageable(session, actor, user_id)
    living = session.scalars(
        select(UserSession.id).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    ).all()
    if living:
        USER.move(session, actor, user, step_of(actor, "end_sessions"), {}, {"sessions": len(living)})
        sessions.end_sessions_of(session, user_id)
    return len(living)


def change_password(database: Database, actor: Actor, old: str, new: str) -> None:
    """Set the own password; ends all other sessions. Wrong old passwords count as wrong sign-ins."""
    idempotency_key = idempotency.key(actor.user_id, "me.password", actor.user_id, {"old": old, "new": new})
    with database.read() as session:
        user = session.get_one(User, actor.user_id)
        names = [user.full_name, actor.operator_name, *queries.names_around(session, actor)]
        accepted = idempotency.is_claimed(session, idempotency_key)
    # Where the old password holds again, the same change is made on purpose and no repetition.
    if accepted and not passwords.verify_password(user.password_hash, old):
        return
    faults = []
    if not is_own_password(database, actor, user.password_hash, old):
        faults.append(Fault("/old_password", "wrong_password", "原密码不正确，请重新输入"))
    weak = passwords.password_fault(new, actor.username, filter(None, names))
    if weak is None and new == old:
        weak = "新密码不能与原密码相同"
    if weak:
        faults.append(Fault("/new_password", "weak_password", weak))
    if faults:
        raise Problem("invalid", errors=faults)
    password_hash = passwords.hash_password(new)
    with database.write() as session:
        fresh = idempotency.claim(session, idempotency_key)
        if not fresh and session.get_one(User, actor.user_id).version != user.version:
            return  # the same change was made at this very moment
        USER.move(
            session, actor, user, "change_password", {"password_hash": password_hash, "must_change_password": False}
        )
        sessions.end_sessions_of(session, actor.user_id, but=actor.session_id)


def is_own_password(database: Database, actor: Actor, password_hash: str, password: str) -> bool:
    """Whether somebody signed in knows the password; wrong ones count as wrong sign-ins. Raises `login_throttled`."""
    keys = [f"known:{actor.username.casefold()[:64]}:password"]
    with database.write() as session:
        reserved = throttle.reserve(session, keys)
    if reserved.refused is not None:
        raise throttle.throttled(reserved.refused)
    if not passwords.verify_password(password_hash, password):
        return False
    with database.write() as session:
        throttle.give_back(session, keys)
    return True


def create_user(
    session: Session,
    office_id: UUID,
    username: str,
    password_hash: str,
    roles: list[Role],
    *,
    must_change_password: bool = True,
    full_name: str | None = None,
    mobile: str | None = None,
    system: str | None = None,
    actor: Actor | None = None,
    payload: Mapping[str, Any] | None = None,
) -> UUID:
    """Create an active user directly (for an enterprise; system administrator, demo).

    Raises 409 `username_taken` when there is that name, in whatever case; the transaction is then over.
    The history names `actor`; where nobody is signed in, `payload` says who did it.
    """
    if session.scalar(select(User.id).where(queries.named(username))) is not None:
        raise Problem("username_taken")
    user_id = uuid4()
    values = {
        "id": user_id, "username": username, "password_hash": password_hash, "office_id": office_id,
        "must_change_password": must_change_password, "full_name": full_name,
        "mobile": normalise_mobile(mobile) if mobile else None,
        "roles": [role.value for role in roles], "status_reason": None, "created_at": clock.now(),
        "system": system,
    }  # fmt: skip
    try:
        USER.enter(session, actor, "create", values, payload)
    except IntegrityError as error:
        # Somebody else made it at this very moment.
        raise Problem("username_taken") from error
    return user_id
