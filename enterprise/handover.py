"""Handing an enterprise its account (企业账号): the user name is the USCC, further ones `USCC@suffix`."""

import re
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import offices, operations
from accounts.models import User, UserStatus
from accounts.sign_in import passwords
from accounts.verbs import Role
from accounts.workflows import USER
from core.actor import Actor
from core.db import Database
from core.errors import Problem, invalid, not_found
from enterprise.models import Enterprise
from enterprise.queries import by_uscc

_SUFFIX = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]{1,20}")


_TAKEN = {
    False: "该企业账号已启用，不能再次发放；企业忘记密码的，请在用户列表中找到该账号并重置密码",
    True: "该企业账号已停用，不能再次发放；如需恢复使用，请在用户列表中找到该账号并启用",
}
"""The refusal for an account that has been used, by whether it is disabled."""


def hand_over(database: Database, actor: Actor, uscc: str, suffix: str | None) -> tuple[str, str]:
    """Create the account and return user name and one-time password, shown once; it must be changed.

    Not idempotent on purpose: until the account is used, calling again makes a new password, because a lost one cannot
    be shown again. 404 for an enterprise outside the actor's scope, 409
    `username_taken` once the account has been used.
    """
    if suffix is not None and not _SUFFIX.fullmatch(suffix):
        raise invalid("/suffix", "bad_format", "账号后缀只能是1到20个数字、字母或汉字，请重新填写")
    password = passwords.one_time_password()
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        enterprise = by_uscc(session, uscc)
        if enterprise is None or not actor.scope.contains(enterprise.area1, enterprise.area2, enterprise.area3):
            raise not_found()
        username = f"{enterprise.uscc}@{suffix}" if suffix else enterprise.uscc
        office_id = office_of(session, enterprise)
        existing = session.scalar(select(User).where(User.username == username))
        if existing is None:
            operations.create_user(session, office_id, username, password_hash, [Role.ENTERPRISE], actor=actor)
        elif existing.office_id == office_id and existing.must_change_password and existing.status == UserStatus.ACTIVE:
            USER.move(session, actor, existing, "hand_over_again", {"password_hash": password_hash})
        else:
            raise Problem("username_taken", _TAKEN[existing.status == UserStatus.DISABLED])
    return username, password


def office_of(session: Session, enterprise: Enterprise) -> UUID:
    """The office that stands for the enterprise's own users."""
    return offices.put_enterprise_office(
        session, enterprise.id, enterprise.uscc, enterprise.name, enterprise.region_code
    )
