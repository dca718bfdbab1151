"""Tables of `core`: history, idempotency keys, to-dos, form versions, calendar overrides."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import SealedJSON

# SQLite numbers rows by itself only in a column declared INTEGER.
SERIAL = BigInteger().with_variant(Integer, "sqlite")


class HistoryEntry(Base):
    """One move of a subject, chained to the one before it; see `core/workflows/history.py`.

    `key_id` names the key of `hash`; rows of releases up to 0.3 have none, their hash is no evidence by itself.
    """

    __tablename__ = "history"
    __table_args__ = (UniqueConstraint("subject_id", "seq"),)

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    subject_type: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[UUID] = mapped_column(Uuid)
    seq: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    action: Mapped[str] = mapped_column(String(40))
    from_status: Mapped[str | None] = mapped_column(String(30))
    to_status: Mapped[str] = mapped_column(String(30))
    version: Mapped[int] = mapped_column(Integer)
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    payload_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    key_id: Mapped[str | None] = mapped_column(String(10))


class HistoryPayload(Base):
    """What a move carried: operator (操作人), comment, changes. It can be erased by law without breaking the chain.

    Where a workflow says that words in it are personal, it is encrypted as a whole; its digest is that of the words.
    """

    __tablename__ = "history_payloads"

    history_id: Mapped[int] = mapped_column(ForeignKey("history.id"), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    payload: Mapped[dict[str, Any]] = mapped_column(SealedJSON("history_payloads", "payload", by="salt"))


class HistorySeal(Base):
    """A seal over rows of a log (`history`, `sign_ins`); see `core/sealing/seals.py`.

    It covers what was committed from `first_id` to `last_id`, without the runs `absent` (`[[first, last], …]`), and
    the rows `late`, which had been absent from earlier ones.
    """

    __tablename__ = "history_seals"
    __table_args__ = (
        Index("ix_history_seals_log", "log", "no"),
        Index(
            "ix_history_seals_late",
            "log",
            sqlite_where=text("late IS NOT NULL"),
            postgresql_where=text("late IS NOT NULL"),
        ),
    )

    no: Mapped[int] = mapped_column(SERIAL, primary_key=True, autoincrement=False)
    log: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    founding: Mapped[bool] = mapped_column(Boolean)
    first_id: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger)
    absent: Mapped[list[list[int]] | None] = mapped_column(JSON(none_as_null=True))
    late: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    bare: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    count: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    passing_count: Mapped[int] = mapped_column(Integer)
    passing_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    head: Mapped[bytes] = mapped_column(LargeBinary(32))
    key_id: Mapped[str] = mapped_column(String(10))
    signature: Mapped[bytes] = mapped_column(LargeBinary(32))


class HistoryGap(Base):
    """Ids of a log that were absent when it was sealed: rolled back, or of a transaction that commits later."""

    __tablename__ = "history_gaps"
    __table_args__ = (UniqueConstraint("log", "first_id"),)

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    log: Mapped[str] = mapped_column(String(20))
    first_id: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)


class HistoryCheck(Base):
    """How far the nightly verification has come: a single row."""

    __tablename__ = "history_checks"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seal: Mapped[int] = mapped_column(BigInteger)
    part: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    breaks: Mapped[int] = mapped_column(Integer)


class IdempotencyKey(Base):
    """A write that was accepted: keyed hash of user, call and body; see `core/workflows/idempotency.py`."""

    __tablename__ = "idempotency_keys"
    # Rows stand in the order of their key, so that a key costs every write one page and no second index.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class InstallationKey(Base):
    """A key of the installation, wrapped by its secret; see `core/keys/`.

    `secret_id` names the secret. `retired_at`: since when nothing is sealed with it.
    """

    __tablename__ = "installation_keys"

    purpose: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    secret_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    wrapped: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ResealedContent(Base):
    """That a content whose unkeyed digest stands in a history was sealed anew, and said the same before and after.

    Releases up to 0.3 made digests of contents as they were stored, ciphertexts included. `digest` is such a one,
    `attested` a keyed hash of it and of the keyed digest of the same content (`core/workflows/contents.py`).
    """

    __tablename__ = "resealed_contents"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    attested: Mapped[str] = mapped_column(String(64))


class Todo(Base):
    """A to-do (待办), addressed to a user, or to a verb at an office, or to a verb over a region."""

    __tablename__ = "todos"
    __table_args__ = (
        Index("ix_todos_subject_id", "subject_id"),
        Index("ix_todos_office_id_closed_at", "office_id", "closed_at"),
        Index("ix_todos_area1_closed_at", "area1", "closed_at"),
        Index("ix_todos_user_id_closed_at", "user_id", "closed_at"),
        Index(
            "uq_todos_subject_id_kind_open",
            "subject_id",
            "kind",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    subject_type: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[UUID] = mapped_column(Uuid)
    user_id: Mapped[UUID | None] = mapped_column(Uuid)
    verb: Mapped[str | None] = mapped_column(String(40))
    office_id: Mapped[UUID | None] = mapped_column(Uuid)
    area1: Mapped[str | None] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    due_on: Mapped[date | None]
    due_on_provisional: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    amber_on: Mapped[date | None]
    due_on_before_outage: Mapped[date | None]
    outage_reason: Mapped[str | None] = mapped_column(String(200))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class FormVersion(Base):
    """A published form version. Published versions are frozen: answers keep showing the one they answered."""

    __tablename__ = "form_versions"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    definition: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CalendarDay(Base):
    """An override of the working calendar: `working` says whether that date is a working day (工作日)."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]


class CalendarRegionDay(Base):
    """The same for one region and what lies below it: 三月三, 古尔邦节, 藏历新年. It goes before the national days."""

    __tablename__ = "calendar_region_days"
    __table_args__ = (Index("ix_calendar_region_days_area1", "area1", "day"),)

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    day: Mapped[date]
    working: Mapped[bool]


class CalendarYear(Base):
    """A year whose holidays and make-up days all stand in `calendar_days`, as the administrator stated."""

    __tablename__ = "calendar_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Outage(Base):
    """An outage (系统故障) that an administrator entered; it moves deadlines (`core/deadlines/outages.py`).

    `system`: what was out of order, or `all`. Without a region it concerned the whole country. Deadlines of the days
    `recount_from` to `recount_until` are counted anew after each change: `recount_after` marks how far, `looked_at`
    and `moved` count them, `recounted_at` is set at the end.
    """

    __tablename__ = "outages"
    __table_args__ = (Index("ix_outages_ends_at", "ends_at"), Index("ix_outages_starts_at", "starts_at", "id"))

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    system: Mapped[str] = mapped_column(String(20))
    area1: Mapped[str | None] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    recount_from: Mapped[date]
    recount_until: Mapped[date]
    recount_after: Mapped[str] = mapped_column(String(80))
    looked_at: Mapped[int] = mapped_column(Integer)
    moved: Mapped[int] = mapped_column(Integer)
    recounted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Clock(Base):
    """A publicity period or deadline that counts; see `core/deadlines/periods.py`.

    `last_day_provisional`: it was counted on working days that are guessed, and is counted anew when they are known.
    `before_outage` and `outage_reason` are set where outages (系统故障) moved `last_day` from that day.
    """

    __tablename__ = "clocks"
    __table_args__ = (
        UniqueConstraint("subject_id", "name"),
        Index(
            "ix_clocks_last_day",
            "last_day",
            sqlite_where=text("rung_at IS NULL AND paused_on IS NULL"),
            postgresql_where=text("rung_at IS NULL AND paused_on IS NULL"),
        ),
        # Deadlines that an outage strikes, also those over that ring nothing.
        Index(
            "ix_clocks_deadlines",
            "last_day",
            "id",
            sqlite_where=text("counting = 'deadline' AND paused_on IS NULL"),
            postgresql_where=text("counting = 'deadline' AND paused_on IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    subject_type: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[UUID] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(String(40))
    unit: Mapped[str] = mapped_column(String(10))
    days: Mapped[int] = mapped_column(Integer)
    counting: Mapped[str] = mapped_column(String(10), default="deadline", server_default="deadline")
    shift: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    on_restart: Mapped[str] = mapped_column(String(10))
    elapsed: Mapped[int] = mapped_column(Integer)
    started_on: Mapped[date]
    paused_on: Mapped[date | None]
    last_day: Mapped[date]
    last_day_provisional: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    rung_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    extensions: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    before_outage: Mapped[date | None]
    outage_reason: Mapped[str | None] = mapped_column(String(200))


class Lease(Base):
    """Who may run the scheduler's jobs until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime] = mapped_column(UTCDateTime)
