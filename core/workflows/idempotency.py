"""Idempotency keys: how a write that is sent again is recognised.

A repetition is the same call by the same user with the same body. `version` is part of the body;
`confirm_duplicate`, `confirm_name` and `first_tried_at` are left out of the comparison.

Claiming a key is the first statement of a write that changes something, so that of identical writes at the same moment
one goes on and the others wait for it and then learn that they are repetitions. A failed write rolls its claim back.
"""

import hmac
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, Table, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from core import clock
from core.database.prepared import Prepared
from core.db import canonical_json, insert_into
from core.keys import keyring
from core.models import IdempotencyKey

IGNORED = frozenset({"confirm_duplicate", "confirm_name", "first_tried_at"})
_PURPOSE = "receipt"
"""The purpose of the hash; stored keys were made with it, so it never changes."""


def key(user_id: UUID, call: str, subject: UUID | str, body: Mapping[str, Any]) -> bytes:
    """The key of a write; `call` names the operation, for example `inspections.submit`."""
    kept = {name: value for name, value in body.items() if name not in IGNORED}
    parts = (_PURPOSE, str(user_id), call, str(subject), canonical_json(kept).decode())
    return hmac.digest(keyring.current("receipts").bytes, "\x1f".join(parts).encode(), "sha256")


class _Qualified(ColumnElement[Any]):
    """A sub-select within RETURNING that keeps the names of its tables: SQLAlchemy leaves them out there on SQLite."""

    inherit_cache = False

    def __init__(self, select: ColumnElement[Any]) -> None:
        self.select, self.type = select, select.type


@compiles(_Qualified)
def _with_tables(element: _Qualified, compiler: Any, **options: Any) -> str:
    options.pop("include_table", None)
    return str(compiler.process(element.select, **options))


def claiming(**questions: ColumnElement[Any]) -> Prepared:
    """The statement that claims a key (parameters `key`, `at`) and answers `questions`, which are scalar sub-selects.

    No row: the write is a repetition.
    """
    also = [_Qualified(question).label(name) for name, question in questions.items()]
    table = cast(Table, IdempotencyKey.__table__)

    def statement(dialect: str, _names: tuple[str, ...]) -> Executable:
        return insert_into(dialect, table).on_conflict_do_nothing().returning(table.c.key, *also)

    return Prepared(statement)


_CLAIM = claiming()


def claim(session: Session, key: bytes) -> bool:
    """Store the key; False when it is there already: the write is a repetition."""
    return bool(_CLAIM.rows(session, {"key": key, "at": clock.now()}))


def is_claimed(session: Session, key: bytes) -> bool:
    """Whether the key is there, without claiming it."""
    return session.scalar(select(IdempotencyKey.at).where(IdempotencyKey.key == key)) is not None
