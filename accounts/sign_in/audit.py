"""The audit of sign-ins (登录审计): who tried, from where, what came of it; each with a keyed digest.

Rows that failed are deleted after half a year (`accounts/sweeping.py`), those that came in stay.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from accounts.models import SignIn
from core import clock
from core.db import canonical_json
from core.sealing.logs import Break, Log, Missing
from core.workflows import digests

SIGNED_IN = "signed_in"
_KIND = "sign-in"
_TABLE = cast(Table, SignIn.__table__)


def note(session: Session, username: str, operator_name: str | None, address: str, outcome: str) -> None:
    """Note a try to sign in, and what came of it."""
    values: dict[str, Any] = {
        "at": clock.now(), "username": username[:64], "operator_name": operator_name, "address": address[:45],
        "outcome": outcome,
    }  # fmt: skip
    key_id, digest = digests.digest_of(_KIND, _parts(**values))
    session.execute(insert(SignIn).values(**values, key_id=key_id, digest=digest))


def _parts(at: Any, username: str, operator_name: str | None, address: str, outcome: str) -> list[Any]:
    return [at.isoformat(), username, operator_name, address, outcome]


def _parts_of(row: Any) -> list[Any]:
    return _parts(row.at, row.username, row.operator_name, row.address, row.outcome)


def _digest(row: Any) -> bytes:
    """Of a row without a keyed digest, what its words come to: a founding seal covers it."""
    if row.digest is not None:
        return cast(bytes, row.digest)
    return hashlib.sha256(canonical_json(_parts_of(row))).digest()


def _faults(_session: Session, rows: Sequence[Any], _bare: frozenset[int]) -> Iterator[Break]:
    for row in rows:
        if row.key_id is not None and not digests.fits(_KIND, _parts_of(row), row.key_id, row.digest or b""):
            yield Missing(f"sign_ins {row.id}", "row was changed")


SIGN_INS = Log(
    name="sign_ins",
    id=_TABLE.c.id,
    rows=select(*_TABLE.c),
    checked=lambda first, limit: select(*_TABLE.c).where(_TABLE.c.id >= first).order_by(_TABLE.c.id).limit(limit),
    digest=_digest,
    faults=_faults,
    lasts=lambda row: bool(row.outcome == SIGNED_IN),
)
"""For the seals (`core/sealing/`)."""
