"""Mails that the outbox holds, read as their recipient reads them, without a mail server between."""

import re

import orjson
from sqlalchemy import select

from core.db import Database
from core.deliveries.models import WAITING, Delivery


def letters_to(database: Database, address: str) -> list[str]:
    """The texts of the mails that wait for an address, the oldest first."""
    with database.read() as session:
        rows = session.scalars(select(Delivery).where(Delivery.status == WAITING).order_by(Delivery.created_at)).all()
        return [str(orjson.loads(row.content or "{}")["text"]) for row in rows if row.recipient == address]


def token_in(letter: str) -> str:
    """The token of the link in a mail."""
    found = re.search(r"/app/#/pages/mail/\w+\?token=([\w-]+)", letter)
    assert found is not None, letter
    return found[1]


def newest_token(database: Database, address: str) -> str:
    """The token of the newest mail to an address."""
    return token_in(letters_to(database, address)[-1])
