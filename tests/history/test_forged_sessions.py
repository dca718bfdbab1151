"""Who can write to the database and has no key makes no session, and turns none into another person's."""

import hashlib
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from accounts.models import User, UserSession
from accounts.sign_in.sessions import hash_token
from core.db import Database
from tests.people import Person
from tests.tampering import attack

SESSIONS = cast(Table, UserSession.__table__)
TOKEN = "a-token-of-my-own-that-nobody-else-knows"


def _own(session: Session, person: Person) -> Any:
    return session.execute(select(SESSIONS).where(SESSIONS.c.token_hash == hash_token(person.token))).mappings().one()


def _put_in(session: Session, mine: Person, other: UUID) -> str:
    """All of a session that goes on, for another person and with a token of one's own."""
    made = {"id": uuid4(), "token_hash": hashlib.sha256(TOKEN.encode()).hexdigest(), "user_id": other}
    session.execute(insert(SESSIONS).values({**_own(session, mine), **made}))
    return TOKEN


def _without_proof(session: Session, mine: Person, other: UUID) -> str:
    made = {"id": uuid4(), "token_hash": hashlib.sha256(TOKEN.encode()).hexdigest(), "user_id": other, "proof": None}
    session.execute(insert(SESSIONS).values({**_own(session, mine), **made}))
    return TOKEN


def _turned(session: Session, mine: Person, other: UUID) -> str:
    session.execute(update(SESSIONS).where(SESSIONS.c.id == _own(session, mine)["id"]).values(user_id=other))
    return mine.token


def _token_exchanged(session: Session, mine: Person, other: UUID) -> str:
    """A session of the other person, with the token of one's own."""
    own = _own(session, mine)["token_hash"]
    session.execute(update(SESSIONS).where(SESSIONS.c.token_hash == own).values(token_hash="0" * 64))
    session.execute(update(SESSIONS).where(SESSIONS.c.user_id == other).values(token_hash=own))
    return mine.token


@pytest.mark.parametrize("forged", [_put_in, _without_proof, _turned, _token_exchanged])
def test_a_session_forged_in_the_table_opens_nothing(
    database: Database,
    county_inspector: Person,
    city_reviewer: Person,
    forged: Callable[[Session, Person, UUID], str],
) -> None:
    with database.read() as session:
        other = session.scalars(select(User.id).where(User.username == city_reviewer.username)).one()
    tokens: list[str] = []
    attack(database, lambda session: tokens.append(forged(session, county_inspector, other)))
    county_inspector.token = tokens[0]
    assert county_inspector.get("/me").status_code == 401


def test_a_session_of_one_filing_is_not_widened_in_the_table(database: Database, county_inspector: Person) -> None:
    attack(database, lambda session: session.execute(update(SESSIONS).values(filing_id=uuid4())))
    assert county_inspector.get("/me").status_code == 401
