"""What the administrator of an installation does to accounts on the command line, without being signed in.

Every change is a step of the same workflows as on the phone and is written into the history; there `by` is the
login name of whoever ran the command.
"""

import getpass
import re
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import handing_over, offices, operations
from accounts.handing_over import Handed
from accounts.models import USERNAME, Office, OfficeKind, Region, User
from accounts.regions.abolished import unknown_message
from accounts.regions.loading import current_region
from accounts.sign_in import passwords, second_factor, sessions, signing_in, throttle
from accounts.verbs import DEFAULT_ROLES, Role, roles_after_move
from accounts.workflows import USER
from core.db import Database
from core.errors import Fault, Problem, invalid
from core.text import clean_line, clean_person, demanded
from core.workflows import history
from core.workflows.events import Events

COMMAND_LINE = "命令行"

_HANDED_OVER = (
    "企业账号及其机关不在命令行创建：由有 licence_reviewer 角色的用户发放，接口为 POST /api/v1/enterprises/{uscc}/users"
)

_LEVELS = {"national": "国家级", "province": "省级", "city": "市级", "county": "县级"}


def login() -> str:
    """The login name of whoever runs the command, for the history."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "?"


def _payload(by: str, reason: str | None = None) -> dict[str, str]:
    who = {"actor": COMMAND_LINE, "operator_name": clean_person(by)}
    return who if reason is None else {**who, "reason": reason}


def region_of(session: Session, code: str, level: str | None = None) -> Region:
    """The region of a code that is valid or was replaced, of that level if one is given; 422 otherwise."""
    region = current_region(session, code)
    if region is None or region.valid_to is not None:
        raise invalid("/region", "unknown_region", f"{code}：{unknown_message(session, region)}")
    if level is not None and region.level != level:
        message = f"“{region.name}”（{code}）是{_LEVELS[region.level]}区划，与 --level {level} 不符，请核对"
        raise invalid("/level", "wrong_level", message)
    return region


def office_of(session: Session, office_id: UUID) -> Office:
    """The office of an id; 404 when there is none, 422 for one that stands for an enterprise."""
    office = session.get(Office, office_id)
    if office is None:
        raise Problem("not_found", f"没有编号为 {office_id} 的机关，请用 offices list 查看")
    refuse_enterprise("/office", office.kind == OfficeKind.ENTERPRISE)
    if office.closed_on is not None:
        what = f"{office.name}已于 {office.closed_on} 随区划调整撤并，请选择其他机关"
        raise invalid("/office", "closed_office", what)
    return office


def refuse_enterprise(path: str, is_one: bool) -> None:
    """422 that names how an enterprise is given its account (`enterprise/handover.py`)."""
    if is_one:
        raise invalid(path, "enterprise_account", _HANDED_OVER)


def create_user(
    database: Database, username: str, *, region_code: str | None, level: str | None, office_id: UUID | None,
    roles: list[Role], by: str,
) -> tuple[str, str]:  # fmt: skip
    """Create a user at an office, or at the bureau of a region; returns the one-time password and the office's name.

    Without roles the user gets those of the office's level; a station acts as a county does, wherever it sits
    (spec common.md, §2). Raises 422 with what is wrong, 409 `username_taken`.
    """
    username = clean_line(username)
    if not re.fullmatch(USERNAME, username):
        raise invalid("/username", "bad_username", "用户名应为3至64位字母、数字、汉字或 - _ . @，请更换")
    refuse_enterprise("/username", signing_in.is_enterprise_name(username))
    refuse_enterprise("/role", Role.ENTERPRISE in roles)
    password = passwords.one_time_password()
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        if office_id is None:
            if region_code is None:
                raise invalid("/region", "required", "请用 --region 指明行政区划，或用 --office 指明机关")
            office_id = offices.bureau_of(session, region_of(session, region_code, level))
        office = office_of(session, office_id)
        chosen = roles or list(DEFAULT_ROLES.get(offices.level_of(office), ()))
        if not chosen:
            raise invalid("/role", "required", "请用 --role 指明角色")
        operations.create_user(session, office.id, username, password_hash, chosen, payload=_payload(by))
        return password, office.name


def _user(session: Session, username: str) -> User:
    user = session.scalar(select(User).where(User.username == clean_line(username)))
    if user is None:
        raise Problem("invalid", errors=[Fault("/username", "unknown_user", f"没有用户“{username}”，请核对")])
    return user


def reset_password(database: Database, username: str, *, by: str) -> str:
    """Give a user a one-time password that must be changed; ends all sessions and lifts the throttle."""
    password = passwords.one_time_password()
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        user = _user(session, username)
        values = {"password_hash": password_hash, "must_change_password": True}
        USER.move(session, None, user, "administrator_reset_password", values, _payload(by))
        sessions.end_sessions_of(session, user.id)
        throttle.forget(session, user.username)
    return password


def reset_second_factor(database: Database, username: str, *, by: str) -> None:
    """Take the second factor (动态口令) of somebody who lost phone and recovery codes; ends all sessions."""
    with database.write() as session:
        user = _user(session, username)
        if second_factor.enrolled_at(session, user.id) is None:
            raise Problem("otp_not_enrolled")
        payload = {**_payload(by), **history.marked(second_factor.unlike(session, user.id))}
        second_factor.remove(session, user.id)
        USER.move(session, None, _user(session, username), "administrator_reset_second_factor", {}, payload)
        sessions.end_sessions_of(session, user.id)
        throttle.forget(session, user.username)


def set_enabled(
    database: Database, username: str, *, enabled: bool, reason: str | None, by: str, events: Events | None = None,
    heir: str | None = None,
) -> Handed:  # fmt: skip
    """Disable (停用, with a reason; ends all sessions) or enable a user; `heir` takes over what is left behind."""
    reason = None if enabled else demanded(reason, "/reason", "停用账号须填写原因")
    with database.write() as session:
        user = _user(session, username)
        action = "administrator_enable" if enabled else "administrator_disable"
        USER.move(session, None, user, action, {"status_reason": reason}, _payload(by, reason))
        if not enabled:
            sessions.end_sessions_of(session, user.id)
        if events is None or enabled:
            return Handed()
        if heir is None:
            return handing_over.give_back(session, events, user, actor=None)
        return _pass_on(session, events, username, heir, by=by)


def move(
    database: Database, events: Events, username: str, *, region_code: str | None, office_id: UUID | None,
    roles: list[Role], heir: str | None, by: str,
) -> tuple[Handed, str]:  # fmt: skip
    """Move a user to an office, or to the bureau of a region; returns what was handed over and the office's name.

    Without roles the user keeps those that `roles_after_move` says.
    """
    refuse_enterprise("/role", Role.ENTERPRISE in roles)
    with database.write() as session:
        user = _user(session, username)
        refuse_enterprise("/username", session.get_one(Office, user.office_id).kind == OfficeKind.ENTERPRISE)
        taker = None if heir is None else _heir(session, user, heir)
        if office_id is None:
            office_id = offices.bureau_of(session, region_of(session, region_code or ""))
        office = office_of(session, office_id)
        former = offices.level_of(session.get_one(Office, user.office_id))
        kept = [role.value for role in roles] or roles_after_move(user.roles, former, offices.level_of(office))[0]
        dropped = [role for role in user.roles if role not in kept]
        handed = handing_over.relocate(
            session, events, user, office, kept, dropped, taker, actor=None, action="administrator_move",
            payload=_payload(by),
        )  # fmt: skip
        return handed, office.name


def hand_over(database: Database, events: Events, username: str, heir: str, *, by: str) -> Handed:
    """Give drafts and assigned work of a user, disabled or not, to a colleague."""
    with database.write() as session:
        return _pass_on(session, events, username, heir, by=by)


def _pass_on(session: Session, events: Events, username: str, heir: str, *, by: str) -> Handed:
    user = _user(session, username)
    taker = _heir(session, user, heir)
    return handing_over.pass_on(
        session, events, session.get_one(User, user.id, populate_existing=True), taker, actor=None,
        action="administrator_hand_over", payload=_payload(by),
    )  # fmt: skip


def _heir(session: Session, user: User, username: str) -> User:
    return handing_over.fitting(session, user, handing_over.lock(session, user.id, _user(session, username).id))
