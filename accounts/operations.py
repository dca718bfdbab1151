"""What changes accounts: applications and their decision, disabling, resets, the own password."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accounts import offices, passwords, sign_in, throttle
from accounts.models import AccountApplication, Office, Region, RegionLevel, User, UserStatus
from accounts.verbs import DEFAULT_ROLES, Role, Verb
from accounts.workflows import APPLICATION, USER
from core import clock, receipts, todos
from core.actor import Actor
from core.db import Database
from core.errors import Fault, Problem, invalid, not_found
from core.identifiers import is_mobile, normalise_mobile

TODO_DECIDE = "account_application_pending"


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application for an account (账号申请) as typed by the applicant."""

    applicant_name: str
    unit_name: str
    region_code: str
    mobile: str
    username: str
    password: str
    reason: str | None


def apply_for_account(database: Database, form: NewApplication) -> tuple[AccountApplication, bool]:
    """Store an application and its pending user; returns it and whether it is new.

    The same application sent again while it is pending (same user name, region and password)
    is answered with the first one. A user name that was rejected may apply again.
    """
    with database.read() as session:
        region = session.get(Region, form.region_code)
    faults = _application_faults(form, region)
    if faults:
        raise Problem("invalid", errors=faults)
    assert region is not None
    existing, repeated = _earlier(database, form)
    if repeated is not None:
        return repeated, False
    password_hash = passwords.hash_password(form.password)
    try:
        with database.write() as session:
            return _store_application(session, form, region, existing, password_hash), True
    except (IntegrityError, Problem) as error:  # the same user name at the same moment
        _, repeated = _earlier(database, form)
        if repeated is not None:
            return repeated, False
        raise Problem("username_taken") from error


def _earlier(database: Database, form: NewApplication) -> tuple[User | None, AccountApplication | None]:
    """The rejected user of that name, who may apply again, and the pending application that this one repeats.

    Raises 409 `username_taken` when the name is someone else's, 429 after ten wrong passwords for it.
    """
    with database.read() as session:
        existing = session.scalar(select(User).where(User.username == form.username))
        if existing is None:
            return None, None
        pending = session.scalar(
            select(AccountApplication)
            .where(AccountApplication.user_id == existing.id, AccountApplication.status == "pending")
            .limit(1)
        )
    if pending is not None:
        same = pending.region_code == form.region_code and pending.mobile == normalise_mobile(form.mobile)
        if same and _is_own_password(database, existing, form.password):
            return existing, pending
    if existing.status != UserStatus.REJECTED:
        raise Problem("username_taken")
    return existing, None


def _is_own_password(database: Database, user: User, password: str) -> bool:
    """Whether the applicant knows the password; wrong ones count as wrong sign-ins do, or they could be tried here."""
    keys = throttle.buckets(user.username, "", known=False)[:1]
    with database.write() as session:
        reserved = throttle.reserve(session, keys)
    if reserved.refused is not None:
        raise throttle.throttled(reserved.refused)
    if not passwords.verify_password(user.password_hash, password):
        return False
    with database.write() as session:
        throttle.give_back(session, keys)
    return True


def _application_faults(form: NewApplication, region: Region | None) -> list[Fault]:
    faults = []
    if region is None or region.valid_to is not None:
        faults.append(Fault("/region_code", "unknown_region", "行政区划代码不存在，请重新选择"))
    elif region.level == RegionLevel.PROVINCE:
        faults.append(Fault("/region_code", "province_account", "省级账号由系统管理员创建，请选择市或县（区）"))
    if not is_mobile(normalise_mobile(form.mobile)):
        faults.append(Fault("/mobile", "bad_mobile", "请输入正确的手机号码"))
    password_fault = passwords.password_fault(form.password, form.username)
    if password_fault:
        faults.append(Fault("/password", "weak_password", password_fault))
    return faults


def _store_application(
    session: Session, form: NewApplication, region: Region, existing: User | None, password_hash: str
) -> AccountApplication:
    office_id = offices.bureau_of(session, region)
    mobile = normalise_mobile(form.mobile)
    person = {
        "password_hash": password_hash,
        "office_id": office_id,
        "full_name": form.applicant_name,
        "mobile": mobile,
        "roles": [role.value for role in DEFAULT_ROLES[region.level]],
        "status_reason": None,
    }
    if existing is None:
        user_id = uuid4()
        USER.enter(
            session, None, "apply",
            {"id": user_id, "username": form.username, "must_change_password": False,
             "created_at": clock.now(), **person},
        )  # fmt: skip
    else:
        user_id = existing.id
        USER.move(session, None, existing, "apply_again", person)
    application_id = uuid4()
    APPLICATION.enter(
        session,
        None,
        "apply",
        {
            "id": application_id,
            "query_code": secrets.token_urlsafe(12),
            "user_id": user_id,
            "applicant_name": form.applicant_name,
            "unit_name": form.unit_name,
            "region_code": region.code,
            "area1": region.area1,
            "area2": region.area2,
            "area3": region.area3,
            "mobile": mobile,
            "reason": form.reason,
            "opinion": None,
            "created_at": clock.now(),
        },
    )
    todos.open_for_region(
        session,
        TODO_DECIDE,
        f"账号待审核：{form.unit_name} {form.username}",
        ("account_application", application_id),
        verb=Verb.ACCOUNTS_DECIDE,
        area1=region.area1,
        area2=region.area2 if region.depth > 2 else None,
    )
    return session.get_one(AccountApplication, application_id)


def decidable(session: Session, actor: Actor, application_id: UUID) -> AccountApplication:
    """The application, if the actor's office stands above it; 404 otherwise."""
    application = session.get(AccountApplication, application_id, populate_existing=True)
    if application is None or not actor.reach.strictly_above(application.area1, application.area2, application.area3):
        raise not_found()
    return application


def decide(
    session: Session, actor: Actor, application_id: UUID, action: str, body: Mapping[str, Any]
) -> AccountApplication:
    """Approve or reject an application (审核); the first decision wins.

    Raises 409 `wrong_status` when someone else has decided, 403 for an own application (same
    user, or same mobile number), 422 when a rejection has no opinion.
    """
    application = decidable(session, actor, application_id)
    if not receipts.take(session, receipts.key(actor.user_id, f"account-applications.{action}", application_id, body)):
        return decidable(session, actor, application_id)
    opinion = (body.get("opinion") or "").strip() or None
    own_mobile = session.scalar(select(User.mobile).where(User.id == actor.user_id))
    if application.user_id == actor.user_id or (own_mobile and own_mobile == application.mobile):
        raise Problem("forbidden", "不能审核本人提交的申请")
    if action == "reject" and opinion is None:
        raise invalid("/opinion", "required", "审核不通过须填写意见")
    APPLICATION.move(
        session, actor, application, action,
        {"opinion": opinion, "decided_at": clock.now(), "decided_by": actor.user_id},
        {"opinion": opinion},
    )  # fmt: skip
    user = session.get_one(User, application.user_id, populate_existing=True)
    USER.move(session, actor, user, action, {"status_reason": opinion})
    todos.close(session, application_id, TODO_DECIDE)
    return decidable(session, actor, application_id)


def manageable(session: Session, actor: Actor, user_id: UUID) -> User:
    """A user of an office below the actor's; 404 otherwise (the own office and those above included)."""
    row = session.execute(
        select(User, Region, Office.enterprise_id)
        .join(Office, Office.id == User.office_id)
        .join(Region, Region.code == Office.region_code)
        .where(User.id == user_id)
        .execution_options(populate_existing=True)
    ).first()
    if row is None or not actor.reach.covers(row.Region.area1, row.Region.area2, row.Region.area3):
        raise not_found()
    above = actor.reach.strictly_above(row.Region.area1, row.Region.area2, row.Region.area3)
    if not above and row.enterprise_id is None:
        raise Problem("forbidden", "只能管理下级单位的账号")
    user: User = row.User
    return user


def set_enabled(session: Session, actor: Actor, user_id: UUID, action: str, body: Mapping[str, Any]) -> User:
    """Disable (停用, with a reason; ends all sessions) or enable a user."""
    user = manageable(session, actor, user_id)
    if not receipts.take(session, receipts.key(actor.user_id, f"users.{action}", user_id, body)):
        # These calls carry no version: where the user has been turned back since, it is done again on purpose.
        user = manageable(session, actor, user_id)
        if user.status == (UserStatus.DISABLED if action == "disable" else UserStatus.ACTIVE):
            return user
    reason = (body.get("reason") or "").strip() or None
    if action == "disable" and reason is None:
        raise invalid("/reason", "required", "停用账号须填写原因")
    USER.move(session, actor, user, action, {"status_reason": reason}, {"reason": reason})
    if action == "disable":
        sign_in.end_sessions_of(session, user_id)
    return manageable(session, actor, user_id)


def reset_password(database: Database, actor: Actor, user_id: UUID) -> str:
    """Give a subordinate a one-time password, which must be changed; ends all sessions.

    Not idempotent on purpose: a lost answer cannot be shown again, so each call makes a new one.
    """
    password = passwords.one_time_password()
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        user = manageable(session, actor, user_id)
        USER.move(
            session, actor, user, "reset_password", {"password_hash": password_hash, "must_change_password": True}
        )
        sign_in.end_sessions_of(session, user_id)
        throttle.forget(session, user.username)
    return password


def change_password(database: Database, actor: Actor, old: str, new: str) -> None:
    """Set the own password; ends all other sessions. Wrong old passwords count as wrong sign-ins."""
    receipt = receipts.key(actor.user_id, "me.password", actor.user_id, {"old": old, "new": new})
    with database.read() as session:
        user = session.get_one(User, actor.user_id)
        accepted = receipts.known(session, receipt)
    # Where the old password holds again, the same change is made on purpose and no repetition.
    if accepted and not passwords.verify_password(user.password_hash, old):
        return
    keys = [f"known:{actor.username.casefold()[:64]}:password"]
    with database.write() as session:
        reserved = throttle.reserve(session, keys)
    if reserved.refused is not None:
        raise throttle.throttled(reserved.refused)
    faults = []
    if not passwords.verify_password(user.password_hash, old):
        faults.append(Fault("/old_password", "wrong_password", "原密码不正确，请重新输入"))
    else:
        with database.write() as session:
            throttle.give_back(session, keys)
    weak = passwords.password_fault(new, actor.username)
    if weak is None and new == old:
        weak = "新密码不能与原密码相同"
    if weak:
        faults.append(Fault("/new_password", "weak_password", weak))
    if faults:
        raise Problem("invalid", errors=faults)
    password_hash = passwords.hash_password(new)
    with database.write() as session:
        fresh = receipts.take(session, receipt)
        if not fresh and session.get_one(User, actor.user_id).version != user.version:
            return  # the same change was made at this very moment
        USER.move(
            session, actor, user, "change_password", {"password_hash": password_hash, "must_change_password": False}
        )
        sign_in.end_sessions_of(session, actor.user_id, but=actor.session_id)


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
    payload: Mapping[str, Any] | None = None,
) -> UUID:
    """Create an active user directly (system administrator, demo). Raises 409 `username_taken`.

    `payload` goes into the history row: who did it, since there is no signed-in actor.
    """
    if session.scalar(select(User.id).where(User.username == username)) is not None:
        raise Problem("username_taken")
    user_id = uuid4()
    USER.enter(
        session, None, "create",
        {"id": user_id, "username": username, "password_hash": password_hash, "office_id": office_id,
         "must_change_password": must_change_password, "full_name": full_name,
         "mobile": normalise_mobile(mobile) if mobile else None,
         "roles": [role.value for role in roles], "status_reason": None, "created_at": clock.now()},
        payload,
    )  # fmt: skip
    return user_id
