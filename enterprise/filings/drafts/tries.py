"""Tries (尝试) to send a filing: one that reached the server keeps its time, also where the server could not take it.

What can be known: a request that arrived and was answered 5xx (the database locked or away, the disk full, an error of
ours) is noted in a file beside the database, which needs neither. A server that is down notes nothing; the phone's own
time of its first try is kept beside, as what the phone says, and decides nothing.

A noted try counts for the very sending that it tried: same user, same filing, same version of the working copy, as
repetitions are recognised (`core/workflows/idempotency.py`). Whoever changes the content afterwards sends another one,
so that nobody gains time for it. The session of the try is looked up later, by the digest of its token.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from accounts.models import UserSession
from core import clock, privacy
from core.db import Database, dialect_of, insert_into
from core.jobs.scheduler import Job
from core.workflows import idempotency
from enterprise.filings.models import SendingTry

log = structlog.get_logger()

MOST_NOTED = 20_000
"""Tries that are kept in files at most: whoever sends at random while the database is away fills no disk."""
LARGEST = 4096
"""Bytes of a body that is noted; that of a sending has a version and a comment."""
_TAKEN_AT_ONCE = 500


class TryNotes:
    """The folder of noted tries; `jobs` take them into the database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, token_digest: str, filing_id: UUID, action: str, body: Mapping[str, Any]) -> None:
        """Note a try that could not be taken, now. A disk that cannot either is logged: no refusal follows from it."""
        written = orjson.dumps({
            "session": token_digest, "filing": str(filing_id), "action": action,
            "at": clock.rfc3339(clock.now()), "body": privacy.seal_json(dict(body), _place(filing_id)),
        })  # fmt: skip
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if len(written) > LARGEST or sum(1 for _ in os.scandir(self._folder)) >= MOST_NOTED:
                log.warning("sending_try_not_noted", filing=str(filing_id))
                return
            name = f"{filing_id.hex}-{uuid4().hex}"
            with (self._folder / f"{name}.part").open("xb") as file:
                file.write(written)
                file.flush()
                os.fsync(file.fileno())
            (self._folder / f"{name}.part").rename(self._folder / f"{name}.json")
        except OSError as error:
            log.error("sending_try_not_noted", filing=str(filing_id), error=type(error).__name__)

    def read_in(self, session: Session, filing_id: UUID) -> None:
        """Before a filing is sent: make what was noted of it known in this transaction. `take_in` deletes the files."""
        for path in self._noted(f"{filing_id.hex}-"):
            _keep(session, path)

    def take_in(self, database: Database) -> int:
        """Take noted tries into the database and delete their files; how many, at most a few hundred at once."""
        paths = [path for path, _ in zip(self._noted(""), range(_TAKEN_AT_ONCE), strict=False)]
        if not paths:
            return 0
        with database.write() as session:
            for path in paths:
                _keep(session, path)
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def _noted(self, beginning: str) -> Iterator[Path]:
        if self._folder.is_dir():
            yield from self._folder.glob(f"{beginning}*.json")

    def job(self) -> Job:
        """For the scheduler."""
        return Job("sending tries", self.take_in)


def _place(filing_id: UUID) -> str:
    """The place that the body of a noted try is sealed for."""
    return f"sending-tries/{filing_id}"


def _keep(session: Session, path: Path) -> None:
    """Store a noted try under its key, the earliest of several; of a session that was none then, nothing is kept."""
    try:
        noted = orjson.loads(path.read_bytes())
        at, filing_id = datetime.fromisoformat(noted["at"]), UUID(noted["filing"])
        body = orjson.loads(privacy.unseal_for(noted["body"], _place(filing_id)))
    except (OSError, ValueError, KeyError, TypeError, privacy.Unopened) as error:
        log.error("sending_try_unreadable", file=path.name, error=type(error).__name__)
        return
    table = UserSession
    user_id = session.scalar(
        select(table.user_id).where(
            table.token_hash == noted["session"], table.created_at <= at, table.expires_at > at,
            or_(table.ended_at.is_(None), table.ended_at > at),
        )
    )  # fmt: skip
    if user_id is None:
        return
    key = idempotency.key(user_id, f"filings.{noted['action']}", filing_id, body)
    fresh = insert_into(dialect_of(session), SendingTry).values(key=key, filing_id=filing_id, at=at)
    session.execute(
        fresh.on_conflict_do_update(index_elements=[SendingTry.key], set_={"at": at}, where=SendingTry.at > at)
    )


def first_try(session: Session, key: bytes) -> datetime | None:
    """When the sending of that key first reached the server, if an earlier try failed there."""
    return session.scalar(select(SendingTry.at).where(SendingTry.key == key))
