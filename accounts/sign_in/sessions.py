"""Sessions (会话): opaque tokens, several at once under one user name; begun, found at each request, ended."""

import hashlib
import secrets
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from accounts.models import (
    Office,
    Region,
    SecondFactor,
    User,
    UserSession,
    UserStatus,
    WeChatBinding,
)
from accounts.sign_in import binding_witness
from accounts.verbs import verbs_at
from core import clock
from core.actor import Actor, Scope
from core.database.prepared import Prepared
from core.db import Database, writing
from core.errors import Problem
from core.origin import Origin
from core.workflows.witnesses import Witness

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


_PROOF = Witness("session", ("id", "token_hash", "user_id", "operator_name", "created_at", "filing_id"))
"""Whose a session is: nobody makes one, or turns one into another person's, by writing into the table."""


def hash_token(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Begun:
    """A session as it was stored; the token is known only here."""

    token: str
    expires_at: datetime


def begin(
    session: Session, policy: SessionPolicy, user_id: UUID, operator_name: str | None, origin: Origin, user_agent: str,
    binding_id: UUID | None = None, filing_id: UUID | None = None,
) -> Begun:  # fmt: skip
    """Store a new session of a user who has proved who they are; with `filing_id` it reaches that filing alone."""
    token, now = secrets.token_urlsafe(32), clock.now()
    expires_at = now + min(policy.idle, policy.longest)
    whose = {
        "id": uuid4(), "token_hash": hash_token(token), "user_id": user_id, "operator_name": operator_name,
        "created_at": now, "filing_id": filing_id,
    }  # fmt: skip
    session.execute(
        insert(UserSession).values(
            **whose, proof=_PROOF.digest(whose), last_seen_at=now, expires_at=expires_at, ended_at=None,
            address=origin.line, user_agent=user_agent[:200], binding_id=binding_id,
        )
    )  # fmt: skip
    return Begun(token, expires_at)


# Tables, not classes: every request asks this, and the mapper would double its cost.
_sessions, _users = cast(Table, UserSession.__table__), cast(Table, User.__table__)
_offices, _regions = cast(Table, Office.__table__), cast(Table, Region.__table__)
_factors = cast(Table, SecondFactor.__table__)
_ACTOR = Prepared(
    select(
        _sessions.c.id.label("session_id"), _sessions.c.operator_name, _sessions.c.last_seen_at,
        _sessions.c.expires_at, _sessions.c.filing_id, _sessions.c.created_at, _sessions.c.proof,
        _users.c.id.label("user_id"), _users.c.username, _users.c.unit_name, _users.c.roles,
        _users.c.must_change_password, _users.c.system,
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
    token_hash = hash_token(token)
    row = _ACTOR.first(session, {"token_hash": token_hash})
    if row is None or row.expires_at <= clock.now():
        return None
    whose = {
        "id": row.session_id, "token_hash": token_hash, "user_id": row.user_id, "operator_name": row.operator_name,
        "created_at": row.created_at, "filing_id": row.filing_id,
    }  # fmt: skip
    if not _PROOF.fits(row.proof, whose):
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
        filing_id=row.filing_id, system=row.system,
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
        with binding_witness.changing(session, user_id, binding_witness.END):
            session.execute(delete(WeChatBinding).where(bound).execution_options(synchronize_session=False))
