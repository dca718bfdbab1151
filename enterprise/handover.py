"""Handing an enterprise its account (企业账号): the user name is the USCC, further ones `USCC@suffix`."""

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import offices, operations
from accounts.mail import links, password_resets
from accounts.mail.letters import Site
from accounts.models import User, UserStatus
from accounts.sign_in import passwords, sessions, throttle
from accounts.verbs import Role
from accounts.workflows import USER
from core.actor import Actor
from core.db import Database
from core.errors import Problem, invalid, not_found
from core.identifiers import is_email
from enterprise.models import Enterprise
from enterprise.queries import by_uscc

_SUFFIX = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]{1,20}")


_TAKEN = {
    False: "该企业账号已启用，不能再次发放；企业忘记密码的，请在用户列表中找到该账号并重置密码",
    True: "该企业账号已停用，不能再次发放；如需恢复使用，请在用户列表中找到该账号并启用",
}
"""The refusal for an account that has been used, by whether it is disabled."""


_JUST_NOW = "该企业的账号刚刚由他人发放，本次没有生成密码；请与其核对，确需重新发放的再试一次"


@dataclass(frozen=True, slots=True)
class Invitation:
    """The account is handed over by a link to this address, good for a week, instead of a one-time password."""

    address: str
    site: Site


def hand_over(
    database: Database, actor: Actor, uscc: str, suffix: str | None, invitation: Invitation | None = None
) -> tuple[str, str | None]:
    """Create the account and return user name and one-time password, shown once; it must be changed.

    With an invitation (邀请) nobody knows the password that is made, and a mail brings the link by which the enterprise
    sets its own. Not idempotent on purpose: until the account is used, calling again makes a new password, because a
    lost one cannot be shown again; what was begun with the former one ends. Of calls at one moment one is answered
    with a password, the others are 409 `stale_version`. 404 for an enterprise outside the actor's scope, 409
    `username_taken` once the account has been used.
    """
    if suffix is not None and not _SUFFIX.fullmatch(suffix):
        raise invalid("/suffix", "bad_format", "账号后缀只能是1到20个数字、字母或汉字，请重新填写")
    if invitation is not None:
        _refuse_unsendable(invitation)
    with database.read() as session:
        before = _account(session, actor, uscc, suffix)[2]
        seen = None if before is None else before.version
    password = passwords.one_time_password()
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        enterprise, username, existing = _account(session, actor, uscc, suffix)
        # Somebody else handed it over while the password was hashed: their answer is the one that works.
        if existing is not None and existing.version != seen:
            raise Problem("stale_version", _JUST_NOW, current_version=existing.version)
        office_id = office_of(session, enterprise)
        if existing is None:
            try:
                made = [Role.ENTERPRISE]
                user_id = operations.create_user(session, office_id, username, password_hash, made, actor=actor)
            except Problem as error:
                raise Problem("stale_version", _JUST_NOW) from error
        elif existing.office_id == office_id and existing.must_change_password and existing.status == UserStatus.ACTIVE:
            USER.move(session, actor, existing, "hand_over_again", {"password_hash": password_hash})
            sessions.end_sessions_of(session, existing.id)
            throttle.forget(session, username)
            user_id = existing.id
        else:
            raise Problem("username_taken", _TAKEN[existing.status == UserStatus.DISABLED])
        # Of an earlier hand-over: the newest one alone works.
        links.end_all_of(session, user_id, *links.SETS_PASSWORD)
        if invitation is not None:
            password_resets.invite(session, invitation.site, user_id, actor.office_name, invitation.address)
    return username, None if invitation else password


def _refuse_unsendable(invitation: Invitation) -> None:
    if not invitation.site.sends_mail:
        raise Problem("mail_not_set_up", "本系统没有配置邮件服务，请不填邮箱，改为当面交付一次性密码")
    if not is_email(invitation.address):
        raise invalid("/email", "bad_email", "邮箱格式不正确，请核对后重新填写")


def _account(
    session: Session, actor: Actor, uscc: str, suffix: str | None
) -> tuple[Enterprise, str, User | None]:  # fmt: skip
    """The enterprise, the user name of the account and, if there is one, its user."""
    enterprise = by_uscc(session, uscc)
    if enterprise is None or not actor.scope.contains(enterprise.area1, enterprise.area2, enterprise.area3):
        raise not_found()
    username = f"{enterprise.uscc}@{suffix}" if suffix else enterprise.uscc
    return enterprise, username, session.scalar(select(User).where(User.username == username))


def office_of(session: Session, enterprise: Enterprise) -> UUID:
    """The office that stands for the enterprise's own users."""
    return offices.put_enterprise_office(
        session, enterprise.id, enterprise.uscc, enterprise.name, enterprise.region_code
    )
