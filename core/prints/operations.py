"""Prints that prove themselves: what a record said when it was printed has a code, and `/v/{code}` says what holds.

Who holds the paper scans the code and learns whether it is genuine and the newest; no more than stands on the paper.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.db import canonical_json, dialect_of, insert_into
from core.prints.models import Print
from core.privacy import keyed_hash

PAGE = "/v/"
"""Where the code on a paper leads."""
CODE_BYTES = 16
"""Nobody guesses 128 random bits."""
Standing = Literal["newest", "superseded", "voided", "expired"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a record is now, as the page of a print shows it.

    `digests`: those of the papers that hold now, each with what the page says of it beside (待签章). `expired`: its
    last day is over; `status` is what it is now, in words; `more` are labels and values that the page shows besides.
    """

    title: str
    number: str
    day: date | None
    organisation: str
    digests: Mapping[str, str]
    voided: bool = False
    expired: bool = False
    status: str = ""
    more: Sequence[tuple[str, str]] = ()


Look = Callable[[Session, UUID], Shown | None]
"""What a subject is now; None where it is gone, or was erased."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A print whose code is known."""

    shown: Shown
    standing: Standing
    digest: str
    note: str = ""


def issue(session: Session, subject_type: str, subject_id: UUID, digest: str) -> str:
    """The code of a print: the one that this content has, or a new one. Who prints at one moment gets the same."""
    values = {
        "id": uuid4(), "code": secrets.token_urlsafe(CODE_BYTES), "subject_type": subject_type,
        "subject_id": subject_id, "digest": digest, "printed_at": clock.now(),
    }  # fmt: skip
    session.execute(insert_into(dialect_of(session), Print).values(values).on_conflict_do_nothing())
    same = (Print.subject_id == subject_id) & (Print.digest == digest)
    return session.scalars(select(Print.code).where(same)).one()


def verify(session: Session, looks: Mapping[str, Look], code: str) -> Verified | None:
    """What holds of the print with that code; None for a code that there is not, or whose record is gone."""
    printed = session.scalar(select(Print).where(Print.code == code))
    if printed is None:
        return None
    shown = looks[printed.subject_type](session, printed.subject_id)
    if shown is None:
        return None
    holds = printed.digest in shown.digests
    standing: Standing = "newest" if holds else "superseded"
    if shown.voided or shown.expired:
        standing = "voided" if shown.voided else "expired"
    return Verified(shown, standing, printed.digest, shown.digests.get(printed.digest, ""))


def digest(said: Mapping[str, Any]) -> str:
    """Of what a paper says. Keyed, because who has a copy of the database could else try numbers until one fits, also
    after an erasure."""
    return keyed_hash("print", canonical_json(said).decode())


def is_printed(session: Session, subject_id: UUID, digest: str | None = None) -> bool:
    """Whether a paper with a code was ever printed of that subject, or one that says this."""
    printed = select(Print.id).where(Print.subject_id == subject_id)
    if digest is not None:
        printed = printed.where(Print.digest == digest)
    return session.scalar(printed.limit(1)) is not None
