"""Enrolling, renewing and removing the own second factor (动态口令); each stands in the user's history."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import User, UserSession
from accounts.operations import is_own_password
from accounts.sign_in import second_factor, sessions, throttle
from accounts.workflows import USER
from core import clock
from core.actor import Actor
from core.db import Database
from core.errors import Problem, invalid
from core.workflows import history

FRESH = timedelta(minutes=15)
"""How long after a sign-in no password is asked for."""


def begin(database: Database, actor: Actor, password: str | None) -> tuple[str, str]:
    """A new secret, to be confirmed by its first code: base32, and the address that a QR code shows.

    Without a fresh sign-in the password is asked for (422): whoever finds a phone unlocked would keep its owner out.
    """
    with database.read() as session:
        user = session.get_one(User, actor.user_id)
        signed_in_at = session.scalar(select(UserSession.created_at).where(UserSession.id == actor.session_id))
    if signed_in_at is None or signed_in_at + FRESH <= clock.now():
        if not password:
            raise invalid("/password", "required", "距上次登录已久，请输入密码后继续")
        if not is_own_password(database, actor, user.password_hash, password):
            raise invalid("/password", "wrong_password", "密码不正确，请重新输入")
    with database.write() as session:
        return second_factor.begin(session, actor.user_id, actor.username)


def enrol(database: Database, actor: Actor, otp: str) -> list[str]:
    """Confirm what was begun by its first code; the recovery codes, shown once. Ends all other sessions.

    Sent again it is 409 `otp_enrolled`: whoever lost the answer has new recovery codes made.
    """
    key = _key(actor)
    with database.write() as session:
        reserved = throttle.reserve(session, [key])
    if reserved.refused is not None:
        raise throttle.throttled(reserved.refused)
    with database.write() as session:
        marked = history.marked(second_factor.unlike(session, actor.user_id))
        if not second_factor.confirm(session, actor.user_id, otp):
            wrong = "动态口令不正确；请核对手机时间是否准确，等程序显示下一个口令后再输入"
            raise invalid("/otp", "wrong_otp", wrong)
        throttle.take_back(session, [key])
        codes = second_factor.new_recovery_codes(session, actor.user_id)
        noted = {**second_factor.witnessed(session, actor.user_id), **marked}
        _note(session, actor, second_factor.ENROL, noted)
        # What was begun by the password alone ends; WeChat bindings stay, for a sign-in by them asks for a code too.
        sessions.end_sessions_of(session, actor.user_id, but=actor.session_id, bindings=False)
    return codes


def renew_recovery_codes(database: Database, actor: Actor, otp: str) -> list[str]:
    """New recovery codes, shown once, for a right code."""
    _prove(database, actor, otp)
    with database.write() as session:
        codes = second_factor.new_recovery_codes(session, actor.user_id)
        _note(session, actor, "renew_recovery_codes", second_factor.witnessed(session, actor.user_id))
    return codes


def remove(database: Database, actor: Actor, otp: str) -> None:
    """Remove the own second factor for a right code; where a role demands one, it has to be enrolled anew at once."""
    _prove(database, actor, otp)
    with database.write() as session:
        marked = history.marked(second_factor.unlike(session, actor.user_id))
        second_factor.remove(session, actor.user_id)
        _note(session, actor, "remove_second_factor", marked)


def _prove(database: Database, actor: Actor, otp: str) -> None:
    with database.read() as session:
        if second_factor.enrolled_at(session, actor.user_id) is None:
            raise Problem("otp_not_enrolled")
    second_factor.check(database, actor.user_id, otp, _key(actor))


def _key(actor: Actor) -> str:
    """Under which wrong codes of somebody signed in count, whatever the session: several may be one thief's."""
    return f"otp-own:{actor.user_id}"


def _note(session: Session, actor: Actor, action: str, noted: Mapping[str, Any] | None = None) -> None:
    USER.move(session, actor, session.get_one(User, actor.user_id, populate_existing=True), action, payload=noted)
