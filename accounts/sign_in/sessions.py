"""Sign-in and sessions (登录、会话): opaque tokens, several at once under one user name."""

import hashlib
import secrets
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from accounts.models import (
    AccountApplication,
    Office,
    Region,
    SecondFactor,
    User,
    UserSession,
    UserStatus,
    WeChatBinding,
)
from accounts.queries import applied_under, named
from accounts.sign_in import audit as sign_in_audit
from accounts.sign_in import captcha_tries, passwords, second_factor, throttle
from accounts.sign_in.reset_notices import ResetNotice, notices
from accounts.verbs import verbs_at
from accounts.workflows import USER
from core import clock
from core.actor import Actor, Scope
from core.database.prepared import Prepared
from core.db import Database, writing
from core.errors import Problem
from core.identifiers import normalise_uscc, uscc_fault
from core.origin import Origin
from core.text import clean_line, clean_person

log = structlog.get_logger()

TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How long a session lives: `idle` since it was last used, `longest` in all.

    `captcha_always`: enterprises need a captcha at every sign-in (seed 000), else after a wrong password. `otp_roles`:
    whoever holds one of them does nothing before a second factor is enrolled.
    """

    idle: timedelta
    longest: timedelta
    captcha_always: bool = True
    otp_roles: frozenset[str] = frozenset()

    def must_enrol(self, actor: Actor) -> bool:
        """Whether a role of the actor demands a second factor (动态口令) that is not enrolled."""
        return not actor.has_second_factor and not self.otp_roles.isdisjoint(actor.roles)


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


def hash_token(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


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
        begun = begin(session, policy, user.id, operator_name, caller)
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


@dataclass(frozen=True, slots=True)
class Begun:
    """A session as it was stored; the token is known only here."""

    token: str
    expires_at: datetime


def begin(
    session: Session, policy: SessionPolicy, user_id: UUID, operator_name: str | None, caller: Caller,
    binding_id: UUID | None = None,
) -> Begun:  # fmt: skip
    """Store a new session of a user who has proved who they are."""
    token, now = secrets.token_urlsafe(32), clock.now()
    expires_at = now + min(policy.idle, policy.longest)
    session.execute(
        insert(UserSession).values(
            id=uuid4(), token_hash=hash_token(token), user_id=user_id, operator_name=operator_name, created_at=now,
            last_seen_at=now, expires_at=expires_at, ended_at=None, address=caller.origin.line,
            user_agent=caller.user_agent[:200], binding_id=binding_id,
        )
    )  # fmt: skip
    return Begun(token, expires_at)


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


# Tables, not classes: every request asks this, and the mapper would double its cost.
_sessions, _users = cast(Table, UserSession.__table__), cast(Table, User.__table__)
_offices, _regions = cast(Table, Office.__table__), cast(Table, Region.__table__)
_factors = cast(Table, SecondFactor.__table__)
_ACTOR = Prepared(
    select(
        _sessions.c.id.label("session_id"), _sessions.c.operator_name, _sessions.c.last_seen_at,
        _sessions.c.expires_at,
        _users.c.id.label("user_id"), _users.c.username, _users.c.unit_name, _users.c.roles,
        _users.c.must_change_password,
        _offices.c.id.label("office_id"), _offices.c.name.label("office_name"),
        _offices.c.kind.label("office_kind"), _offices.c.level, _offices.c.region_code, _offices.c.areas,
        _offices.c.enterprise_id, _offices.c.arriving, _offices.c.absorbed,
        _factors.c.confirmed_at.label("second_factor"),
        _regions.c.name.label("region_name"), _regions.c.area1, _regions.c.area2, _regions.c.area3,
    )
    .select_from(
        _sessions.join(_users, _users.c.id == _sessions.c.user_id)
        .join(_offices, _offices.c.id == _users.c.office_id)
        .outerjoin(_regions, _regions.c.code == _offices.c.region_code)
        .outerjoin(_factors, _factors.c.user_id == _users.c.id)
    )
    .where(
        _sessions.c.token_hash == bindparam("token_hash"),
        _sessions.c.ended_at.is_(None),
        _users.c.status == UserStatus.ACTIVE.value,
    )
)  # fmt: skip


def find_actor(session: Session | Connection, token: str) -> tuple[Actor, datetime] | None:
    """The signed-in user behind a token and when it was last seen; None when it is not valid (any more)."""
    row = _ACTOR.first(session, {"token_hash": hash_token(token)})
    if row is None or row.expires_at <= clock.now():
        return None
    areas = tuple((int(depth), str(code)) for depth, code in row.areas)
    arriving = tuple((int(depth), str(code)) for depth, code in row.arriving)
    actor = Actor(
        user_id=row.user_id, username=row.username, operator_name=row.operator_name,
        session_id=row.session_id, office_id=row.office_id, office_name=row.office_name,
        office_kind=row.office_kind, level=row.level, region_code=row.region_code,
        region_name=row.region_name, chain=(row.area1 or "", row.area2, row.area3),
        scope=Scope(row.level == "national", areas, arriving), roles=tuple(row.roles),
        verbs=verbs_at(row.level, row.roles), must_change_password=row.must_change_password,
        enterprise_id=row.enterprise_id, absorbed=tuple(UUID(text) for text in row.absorbed),
        unit_name=row.unit_name, has_second_factor=row.second_factor is not None,
    )  # fmt: skip
    return actor, row.last_seen_at


def authenticate(database: Database, policy: SessionPolicy, token: str, connection: Connection | None = None) -> Actor:
    """The actor behind a token; 401 `unauthenticated` otherwise. `connection`: a writing one that is open already.

    "Last seen" is written at most once in five minutes, or every read would become a write.
    """
    with database.look() if connection is None else nullcontext(connection) as looking:
        found = find_actor(looking, token)
    if found is None:
        raise Problem("unauthenticated")
    actor, last_seen = found
    if clock.now() - last_seen >= TOUCH_EVERY:
        try:
            # Not by a second connection beside an open one: the pool could run out while each waits for a second.
            with database.write() if connection is None else writing(connection) as session:
                _touch(session, policy, actor)
        except DBAPIError as error:
            # Reading goes on where nothing can be written (a full disk, a database that is a copy).
            log.warning("last_seen_not_written", error=type(error.orig).__name__)
            if error.connection_invalidated:
                raise
    return actor


def _touch(session: Session, policy: SessionPolicy, actor: Actor) -> None:
    now = clock.now()
    created = session.scalar(select(UserSession.created_at).where(UserSession.id == actor.session_id))
    if created is not None:
        session.execute(
            update(UserSession)
            .where(UserSession.id == actor.session_id)
            .values(last_seen_at=now, expires_at=min(now + policy.idle, created + policy.longest))
        )


def end_session(session: Session, actor: Actor, session_id: UUID) -> None:
    """End one of the actor's own sessions; 404 for another's. Ending it twice changes nothing."""
    own = select(UserSession.id).where(UserSession.id == session_id, UserSession.user_id == actor.user_id)
    if session.scalar(own) is None:
        raise Problem("not_found")
    session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def end_sessions_of(session: Session, user_id: UUID, *, but: UUID | None = None, bindings: bool = True) -> None:
    """End all sessions of a user, except one if named, and the WeChat bindings that would begin new ones.

    The binding of the session that goes on stays: it is the same person's. `bindings=False`: all stay.
    """
    condition = (UserSession.user_id == user_id) & UserSession.ended_at.is_(None)
    bound = WeChatBinding.user_id == user_id
    if but is not None:
        condition &= UserSession.id != but
        kept = select(UserSession.binding_id).where(UserSession.id == but, UserSession.binding_id.is_not(None))
        bound &= WeChatBinding.id.not_in(kept)
    # Sessions first: whoever binds at this moment holds the session's user, and is met by the second statement.
    session.execute(update(UserSession).where(condition).values(ended_at=clock.now()))
    if bindings:
        session.execute(delete(WeChatBinding).where(bound).execution_options(synchronize_session=False))
