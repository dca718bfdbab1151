"""Signing in (登录): who may, in which order that is asked, and what each refusal says.

In this order: captcha → limits of wrong passwords → password → status of the account → second factor → session.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import AccountApplication, User, UserSession, UserStatus
from accounts.queries import applied_under, named
from accounts.sign_in import audit as sign_in_audit
from accounts.sign_in import captcha_tries, passwords, second_factor, throttle
from accounts.sign_in.reset_notices import ResetNotice, notices
from accounts.sign_in.sessions import Begun, SessionPolicy, begin, find_actor, hash_token
from accounts.workflows import USER
from core.actor import Actor
from core.db import Database
from core.errors import Problem
from core.identifiers import normalise_uscc, uscc_fault
from core.origin import Origin
from core.text import clean_line, clean_person

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from; `earlier_token` is a token the caller was given before, if any."""

    origin: Origin
    user_agent: str
    earlier_token: str | None = None
    captcha_id: str | None = None
    captcha: str | None = None
    otp: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session; the token is shown only here. `resets`: who reset the account of late (`resets.py`)."""

    token: str
    expires_at: datetime
    actor: Actor
    resets: list[ResetNotice]


def sign_in(
    database: Database,
    policy: SessionPolicy,
    username: str,
    password: str,
    operator_name: str | None,
    caller: Caller,
) -> SignedIn:
    """Check the password and open a session.

    Runs in transactions of its own: the try is counted and committed before the password is
    looked at, and no lock is held while it is hashed. Raises `captcha_required`, `login_throttled`, `login_failed`,
    and, only after the right password, `account_pending`, `account_rejected`, `account_disabled` or `otp_required`.

    The password is that of the account, else of one of the newest applications under the name. One is looked at
    whether or not there is an account, so that nobody learns from their own application whether there is one.
    """
    username = _as_stored(clean_line(username))
    operator_name = clean_person(operator_name or "") or None
    with database.read() as session:
        user = session.execute(
            select(User.id, User.password_hash, User.status, User.version).where(
                named(username), User.status.in_((UserStatus.ACTIVE, UserStatus.DISABLED))
            )
        ).first()
        known = is_known(session, user, username, caller)
    keys = throttle.buckets(username, caller.origin, known=known)
    limits = captcha_tries.of_sign_in(username, caller.origin, known=known)
    proved = is_enterprise_name(username) and _needs_captcha(database, policy, keys)
    if proved:
        captcha_tries.check(database, limits, caller.captcha_id, caller.captcha)
    reserved = _reserve(database, keys, username, operator_name, caller)
    by_factor = False
    if reserved.opens:
        # Strangers have closed the name. Who guesses on from one address is told to wait, as before.
        if reserved.refused_if_wrong is not None and not caller.captcha and not caller.otp:
            raise throttle.throttled(reserved.refused_if_wrong)
        if not proved and not caller.captcha:
            by_factor = user is not None and second_factor.opens(database, user.id, username, caller.otp)
        if not proved and not by_factor:
            captcha_tries.check(database, limits, caller.captcha_id, caller.captcha)
        keys.append(throttle.proved(username))
        behind = _reserve(database, keys[-1:], username, operator_name, caller)
        reserved = replace(behind, refused_if_wrong=reserved.refused_if_wrong)
    if reserved.refused is not None:
        raise throttle.throttled(reserved.refused)

    right = passwords.verify_password(user.password_hash if user else None, password)
    if user is None or not right:
        waiting = _refusal_of_applicant(database, username, password)
        with database.write() as session:
            if waiting is not None:
                # Wrong passwords stay counted: anybody may apply under the name of another, whose they may be.
                throttle.take_back(session, keys)
            audit(session, username, operator_name, caller, waiting.code if waiting else "login_failed")
        if waiting is not None:
            raise waiting
        if reserved.refused_if_wrong is not None:
            raise throttle.throttled(reserved.refused_if_wrong)
        raise Problem("login_failed")

    refusal = refusal_of(user)
    with database.write() as session:
        throttle.give_back(session, keys)
        if refusal is not None:
            audit(session, username, operator_name, caller, refusal.code)
    if refusal is not None:
        raise refusal
    if not by_factor:  # the code that opened the name is used up
        prove_again(database, user.id, username, operator_name, caller, known=known)
    with database.write() as session:
        audit(session, username, operator_name, caller, "signed_in")
        begun = begin(session, policy, user.id, operator_name, caller.origin, caller.user_agent)
    if passwords.needs_rehash(user.password_hash):
        _hash_anew(database, user, password)
    return signed_in(database, begun)


def _hash_anew(database: Database, user: Any, password: str) -> None:
    """Store the password's hash with the parameters of today, as a step of its own."""
    rehashed = passwords.hash_password(password)
    try:
        with database.write() as session:
            USER.move(session, None, user, "renew_hash", {"password_hash": rehashed})
    except Problem as problem:  # the user was changed at this very moment: the next sign-in does it
        log.info("hash_not_renewed", code=problem.code)


def prove_again(
    database: Database, user_id: UUID, username: str, operator_name: str | None, caller: Caller, *, known: bool
) -> None:  # fmt: skip
    """The second factor, where one is enrolled; raises what `second_factor.at_sign_in` does."""
    known_at = caller.origin.line if known else None
    try:
        second_factor.at_sign_in(database, user_id, username, caller.otp, known_at=known_at)
    except Problem as refusal:
        if caller.otp:
            with database.write() as session:
                audit(session, username, operator_name, caller, "otp_refused")
        raise refusal


def _reserve(
    database: Database, keys: list[str], username: str, operator_name: str | None, caller: Caller
) -> throttle.Reserved:  # fmt: skip
    """Count the try, in a transaction of its own."""
    with database.write() as session:
        reserved = throttle.reserve(session, keys)
        if reserved.refused is not None:
            audit(session, username, operator_name, caller, "login_throttled")
    return reserved


def signed_in(database: Database, begun: Begun) -> SignedIn:
    """The session with its user, after its transaction."""
    with database.read() as session:
        found = find_actor(session, begun.token)
        if found is None:  # disabled between the check and now
            raise Problem("account_disabled")
        actor = found[0]
        return SignedIn(begun.token, begun.expires_at, actor, notices(session, actor.user_id))


def _as_stored(username: str) -> str:
    """The name as typed; an enterprise's code normalized as in the register."""
    code, at, suffix = username.partition("@")
    return f"{normalise_uscc(code)}{at}{suffix}" if is_enterprise_name(username) else username


def is_enterprise_name(username: str) -> bool:
    """Whether a user name is an enterprise's (USCC, or `USCC@suffix`), whether or not there is such a user."""
    return uscc_fault(username.partition("@")[0]) is None


def _needs_captcha(database: Database, policy: SessionPolicy, keys: list[str]) -> bool:
    if policy.captcha_always:
        return True
    with database.read() as session:
        return throttle.has_failed(session, keys)


def is_known(session: Session, user: Any, username: str, caller: Caller) -> bool:
    """Whether this caller has been signed in under this name before: from here, or with that token."""
    user_id = user.id if user is not None else _NOBODY  # asked all the same: the time tells nothing of the name
    by_address = (UserSession.user_id == user_id) & (UserSession.address == caller.origin.line)
    if session.execute(select(UserSession.id).where(by_address).limit(1)).first():
        return True
    if not caller.earlier_token:
        return False
    owner = select(UserSession.user_id).where(UserSession.token_hash == hash_token(caller.earlier_token))
    return bool(session.scalar(owner) == user_id)


_NOBODY = UUID(int=0)


def refusal_of(user: Any) -> Problem | None:
    """Why a user may not sign in (with `status`), if so."""
    return Problem("account_disabled") if user.status == UserStatus.DISABLED else None


_MOST_APPLICATIONS = 3
"""Applications under one name whose password is looked at: each takes as long as the account's."""


def _refusal_of_applicant(database: Database, username: str, password: str) -> Problem | None:
    """What an applicant under this name is told, after the right password: that the office decides, or has refused."""
    with database.read() as session:
        newest = session.execute(
            select(AccountApplication.password_hash, AccountApplication.status, AccountApplication.opinion)
            .where(applied_under(username))
            .order_by(AccountApplication.created_at.desc(), AccountApplication.id)
            .limit(_MOST_APPLICATIONS)
        ).all()
    for number, row in enumerate(newest):
        # An application that was refused is over once somebody has applied again.
        if row.status != "pending" and (row.status != "rejected" or number > 0):
            continue
        if passwords.verify_password(row.password_hash, password):
            if row.status == "pending":
                return Problem("account_pending")
            return Problem("account_rejected", f"账号审核未通过：{row.opinion or ''}", opinion=row.opinion)
    return None


def audit(session: Session, username: str, operator_name: str | None, caller: Caller, outcome: str) -> None:
    """Note a try to sign in, and what came of it."""
    sign_in_audit.note(session, username, operator_name, caller.origin.address, outcome)
