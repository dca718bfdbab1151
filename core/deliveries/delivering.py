"""Handing over what is due, and the thread of the server that does it.

Whoever takes messages moves their `due_at` on by a lease, in a transaction that nobody else's overlaps: so no two
processes try one at the same time, and one that is left by a process that died is taken again when the lease is over.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import select, update

from core import clock
from core.db import Database, dialect_of
from core.deliveries.models import DEAD, DELIVERED, WAITING, Delivery
from core.deliveries.operations import Mail
from core.gateways.mail import MailServer, NotSent

log = structlog.get_logger()

EVERY_SECONDS = 5.0
AT_ONCE = 5
"""Messages taken at a time; a hand-over has 30 seconds at the most, so that the lease covers them all."""
LEASE = timedelta(minutes=5)
RESTS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 720, 1440))
"""Rests after the first failure, the second, and so on; what fails once more is dead, after about three days."""

Channel = Callable[[Delivery], None]
"""Hands one message over; raises `NotSent`."""


def channels(mail: MailServer | None) -> dict[str, Channel]:
    """The channels that are configured, by name."""
    if mail is None:
        return {}

    def send(delivery: Delivery) -> None:
        letter = Mail(**orjson.loads(delivery.content or "{}"))
        mail.send(delivery.recipient or "", letter.subject, letter.text, name=delivery.id.hex)

    return {"mail": send}


def deliver_due(database: Database, ways: Mapping[str, Channel]) -> int:
    """Hand over all that is due by the channels that are configured; how many were delivered."""
    delivered = 0
    while taken := _take(database, sorted(ways)):
        for delivery in taken:
            delivered += _hand_over(database, ways[delivery.channel], delivery)
    return delivered


def _take(database: Database, names: Sequence[str]) -> Sequence[Delivery]:
    now = clock.now()
    due = select(Delivery).where(Delivery.status == WAITING, Delivery.due_at <= now, Delivery.channel.in_(names))
    due = due.order_by(Delivery.due_at, Delivery.id).limit(AT_ONCE)
    # Without a transaction first: a server with nothing to deliver never writes.
    with database.read() as session:
        if session.scalar(due.with_only_columns(Delivery.id)) is None:
            return []
    with database.write() as session:
        if dialect_of(session) == "postgresql":
            due = due.with_for_update(skip_locked=True)
        found = session.scalars(due).all()
        for delivery in found:
            delivery.due_at, delivery.tries = now + LEASE, delivery.tries + 1
        session.flush()
        session.expunge_all()
    return found


def _hand_over(database: Database, send: Channel, delivery: Delivery) -> bool:
    if delivery.expires_at is not None and delivery.expires_at <= clock.now():
        _note(database, delivery, status=DEAD, error="out of date")
        return False
    try:
        send(delivery)
    except NotSent as failure:
        _note_failure(database, delivery, str(failure), final=failure.final)
        return False
    # Whatever a channel raises: it must not keep the messages behind this one from being tried.
    except Exception as error:
        log.error("delivery_failed", id=str(delivery.id), error=type(error).__name__, exc_info=True)
        _note_failure(database, delivery, type(error).__name__, final=False)
        return False
    _note(database, delivery, status=DELIVERED, error=None)
    return True


def _note_failure(database: Database, delivery: Delivery, error: str, *, final: bool) -> None:
    dead = final or delivery.tries > len(RESTS)
    log.warning("not_delivered", id=str(delivery.id), purpose=delivery.purpose, tries=delivery.tries, dead=dead)
    _note(database, delivery, status=DEAD if dead else WAITING, error=error)


def _note(database: Database, delivery: Delivery, *, status: str, error: str | None) -> None:
    now = clock.now()
    values: dict[str, Any] = {"status": status, "error": error and error[:200]}
    if status == WAITING:
        values["due_at"] = now + RESTS[delivery.tries - 1]
    else:
        values["ended_at"] = now
    if status == DELIVERED:
        values |= {"recipient": None, "content": None}
    with database.write() as session:
        # Only the latest try notes its outcome: a slower one may end after its lease.
        session.execute(
            update(Delivery)
            .where(Delivery.id == delivery.id, Delivery.status == WAITING, Delivery.tries == delivery.tries)
            .values(values)
            .execution_options(synchronize_session=False)
        )


class Deliverer:
    """The thread of a server process that hands over what is due."""

    def __init__(self, database: Database, ways: Mapping[str, Channel], every: float = EVERY_SECONDS) -> None:
        self._database, self._ways, self._every = database, ways, every
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start the thread; it ends with the process. Without a channel there is nothing to do."""
        if self._ways:
            threading.Thread(target=self._loop, name="deliverer", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end at its next waking."""
        self._stopped.set()

    def _loop(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                deliver_due(self._database, self._ways)
            # The database may be away for a while, or the disk full; the next round tries again.
            except Exception as error:
                log.warning("deliverer_round_failed", error=type(error).__name__)
