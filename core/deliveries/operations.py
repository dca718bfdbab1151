"""Enqueueing a message, sending a dead one again, and deleting what is long over."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
from sqlalchemy import CursorResult, and_, or_, select, update
from sqlalchemy.orm import Session

from core import clock
from core.db import Database, dialect_of, insert_into
from core.deliveries.models import DEAD, DELIVERED, MAIL, WAITING, Delivery
from core.identifiers import is_email
from core.jobs.scheduler import RareJob
from core.jobs.sweeping import delete_in_batches
from core.privacy import in_row
from core.text import clean_line

LONGEST_TEXT = 20_000
KEPT_DELIVERED = timedelta(days=90)
"""How long it can be seen that and when a message was delivered."""
KEPT_DEAD = timedelta(days=180)
"""How long a dead message can be sent again."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain-text mail; `subject` is one line."""

    subject: str
    text: str


def enqueue_mail(
    session: Session,
    purpose: str,
    to: str,
    mail: Mail,
    *,
    delivery_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> UUID:
    """Write a mail in the caller's transaction; it goes out after the commit, and not at all without one.

    `purpose` is what it is for, a code of at most 40 characters. An id that is given makes it idempotent: a second mail
    of that id is not written. A mail is not sent after `expires_at`. Raises ValueError for what is no mail address.
    """
    if not is_email(to):
        raise ValueError("the recipient is no mail address")
    return _write(session, purpose, mail, delivery_id or uuid4(), expires_at, recipient=to, status=WAITING)


def enqueue_nothing(session: Session, purpose: str, mail: Mail, *, expires_at: datetime | None = None) -> None:
    """Write a row like that of a mail, which goes nowhere: so that whoever causes mails learns nothing by the time.

    It stands as one that was delivered, without content.
    """
    _write(session, purpose, mail, uuid4(), expires_at, recipient=None, status=DELIVERED)


def _write(
    session: Session, purpose: str, mail: Mail, delivery_id: UUID, expires_at: datetime | None, *,
    recipient: str | None, status: str,
) -> UUID:  # fmt: skip
    now, waits = clock.now(), status == WAITING
    content = orjson.dumps(asdict(Mail(clean_line(mail.subject) or "", mail.text[:LONGEST_TEXT]))).decode()
    values = {
        "id": delivery_id, "channel": MAIL, "purpose": purpose, "recipient": recipient,
        "content": content if waits else None, "status": status, "created_at": now, "due_at": now,
        "expires_at": expires_at, "ended_at": None if waits else now, "tries": 0,
    }  # fmt: skip
    session.execute(
        insert_into(dialect_of(session), Delivery).values(in_row(Delivery, values)).on_conflict_do_nothing()
    )
    return delivery_id


def send_again(session: Session, ids: Sequence[UUID] | None) -> int:
    """Let dead messages wait again, all of them or those named; how many. What is out of date stays dead."""
    now = clock.now()
    conditions = [Delivery.status == DEAD, or_(Delivery.expires_at.is_(None), Delivery.expires_at > now)]
    if ids is not None:
        conditions.append(Delivery.id.in_(ids))
    again = update(Delivery).where(*conditions).values(status=WAITING, due_at=now, tries=0, ended_at=None)
    done = cast("CursorResult[Any]", session.execute(again.execution_options(synchronize_session=False)))
    return done.rowcount


def listed(session: Session, status: str | None, most: int) -> Sequence[Delivery]:
    """The newest messages, of one status or of all."""
    chosen = select(Delivery).order_by(Delivery.created_at.desc(), Delivery.id).limit(most)
    return session.scalars(chosen if status is None else chosen.where(Delivery.status == status)).all()


def sweep(database: Database) -> int:
    """Delete what was delivered or died long ago; how many."""
    now = clock.now()
    over = or_(
        and_(Delivery.status == DELIVERED, Delivery.ended_at < now - KEPT_DELIVERED),
        and_(Delivery.status == DEAD, Delivery.ended_at < now - KEPT_DEAD),
    )
    return delete_in_batches(database, Delivery.id, over)


def daily() -> RareJob:
    """The sweep as a job of the scheduler."""
    return RareJob("old deliveries", sweep, timedelta(days=1))
