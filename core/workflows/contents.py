"""Keyed digests of what a record says, which its history keeps.

They are of clear values, so that sealing anew changes none. Releases up to 0.3 made unkeyed digests of contents as they
were stored: before such a content is sealed anew, its old digest is attested by a keyed hash together with the new one.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Connection, Table, select
from sqlalchemy.orm import Session

from core import privacy
from core.db import canonical_json, insert_into
from core.models import ResealedContent

KEYED = "k1:"
"""What keyed digests begin with."""

_TABLE = cast(Table, ResealedContent.__table__)


def keyed_digest(purpose: str, content: Mapping[str, Any]) -> str:
    """Keyed digest of a content in clear."""
    return KEYED + privacy.keyed_hash(purpose, canonical_json(content).decode())


def is_keyed(digest: object) -> bool:
    """Whether a digest is a keyed one."""
    return isinstance(digest, str) and digest.startswith(KEYED)


def of_earlier_releases(answers: Mapping[str, Any]) -> bool:
    """Whether some of the answers were sealed by a release up to 0.3."""
    return any(isinstance(value, str) and value.startswith(privacy.SEALED) for value in answers.values())


def attest(connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Keep that contents with these unkeyed digests have these keyed ones."""
    rows = [{"digest": before, "attested": _attested(before, keyed)} for before, keyed in pairs]
    if rows:
        connection.execute(insert_into(connection.dialect.name, _TABLE).on_conflict_do_nothing(), rows)


class Attested:
    """What was attested of unkeyed digests."""

    def __init__(self, session: Session, digests: Iterable[object]) -> None:
        asked = [digest for digest in digests if isinstance(digest, str) and not is_keyed(digest)]
        rows = session.execute(select(_TABLE.c.digest, _TABLE.c.attested).where(_TABLE.c.digest.in_(asked))).all()
        self._found = {row.digest: row.attested for row in rows} if asked else {}

    def holds(self, before: object, keyed: str) -> bool:
        """Whether a content with that unkeyed digest had this keyed one when it was sealed anew."""
        return isinstance(before, str) and self._found.get(before) == _attested(before, keyed)


def _attested(before: str, keyed: str) -> str:
    return privacy.keyed_hash("resealed content", before, keyed)
