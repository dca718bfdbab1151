"""Tables of the feedback room: rating codes, ratings and their follow-ups, rating windows, SMS codes.

Those of the statistics stand in `statistics/counts.py`.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, SmallInteger, String, Uuid, false, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.models import SERIAL
from core.privacy import EncryptedText


def _partial(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


_AREAS = ("area1", "area2", "area3")


class RatingCode(Base):
    """A rating code (评价二维码), and with it the subject (评价对象) that is rated: a window, a matter, a case.

    `kind` is `per_visit` (一次一评) or `per_matter` (一事一评, rated once in all). `token` is made by
    生成. `filing_id` is set where a finished filing made it (网上一事一评), for its enterprise.
    `area1..3` is the region chain of the office that is rated. `scans` and `ratings` lag by a minute.
    """

    __tablename__ = "rating_codes"
    __table_args__ = (
        *(Index(f"ix_rating_codes_{area}", area, "created_at", "id") for area in ("area1", "area2", "area3")),
        Index("ix_rating_codes_valid_to", "valid_to", **_partial("status = 'active'")),
        Index("ix_rating_codes_enterprise_id", "enterprise_id", **_partial("enterprise_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    matter_name: Mapped[str] = mapped_column(String(200))
    folded_matter: Mapped[str] = mapped_column(String(200), server_default="")
    org_name: Mapped[str] = mapped_column(String(100))
    window: Mapped[str | None] = mapped_column(String(50))
    matter_ref: Mapped[str | None] = mapped_column(String(64))
    token: Mapped[str | None] = mapped_column(String(40), unique=True)
    status: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    valid_to: Mapped[date | None]
    filing_id: Mapped[UUID | None] = mapped_column(Uuid, unique=True)
    enterprise_id: Mapped[UUID | None] = mapped_column(Uuid)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    generated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    scans: Mapped[int] = mapped_column(Integer, default=0)
    ratings: Mapped[int] = mapped_column(Integer, default=0)
    last_scan_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Rating(Base):
    """A rating (评价). Bad ones (差评, level 1 and 2) have `due_on` and a `RatingFollowUp`.

    `due_on_provisional`: it was counted on working days that are guessed, and is counted anew when they are known.
    `closed_at` is empty while a bad rating is under way. `submission_key` recognises the same form
    posted again, `query_key` the code by which the rater finds the answer; both are keyed hashes.
    `public_comment` is what the public may read of the text once `publicity` is `shown`.
    """

    __tablename__ = "ratings"
    __table_args__ = (
        # The last columns of these let lists be counted without looking at the rows. Every index delays every
        # rating: provinces, the whole country and the public list share the first.
        Index("ix_ratings_submitted_at", "submitted_at", "id", "area1", "publicity"),
        *(Index(f"ix_ratings_{area}", area, "submitted_at", "id", "publicity") for area in ("area2", "area3")),
        Index("ix_ratings_code_id", "code_id", "submitted_at", "id"),
        Index("ix_ratings_mobile_tail", "mobile_tail", "submitted_at"),
        # Of these there are few: regions are compared within the index, whatever the scope.
        Index("ix_ratings_bad", "submitted_at", "id", *_AREAS, "level", "status", **_partial("due_on IS NOT NULL")),
        Index("ix_ratings_open", "due_on", "id", *_AREAS, **_partial("closed_at IS NULL")),
        Index(
            "ix_ratings_provisional",
            "due_on",
            "id",
            sqlite_where=text("due_on_provisional = 1 AND closed_at IS NULL"),
            postgresql_where=text("due_on_provisional AND closed_at IS NULL"),
        ),
        Index("ix_ratings_pending", "submitted_at", "id", *_AREAS, **_partial("publicity = 'pending'")),
        Index(
            "ix_ratings_public_bad",
            "level",
            "submitted_at",
            "id",
            **_partial("publicity <> 'hidden' AND due_on IS NOT NULL"),
        ),
        Index("uq_ratings_submission_key", "submission_key", unique=True, **_partial("submission_key IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    code_id: Mapped[UUID] = mapped_column(ForeignKey("rating_codes.id"))
    channel: Mapped[str] = mapped_column(String(10))
    office_id: Mapped[UUID] = mapped_column(Uuid)
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    rater_name: Mapped[str] = mapped_column(EncryptedText("ratings", "rater_name"))
    mobile: Mapped[str] = mapped_column(EncryptedText("ratings", "mobile"))
    mobile_tail: Mapped[str] = mapped_column(String(4))
    level: Mapped[int] = mapped_column(SmallInteger)
    tags: Mapped[list[int]] = mapped_column(JSON)
    comment: Mapped[str | None] = mapped_column(EncryptedText("ratings", "comment"))
    real_name: Mapped[bool] = mapped_column(Boolean)
    phone_verified: Mapped[bool] = mapped_column(Boolean)
    from_staff_address: Mapped[bool] = mapped_column(Boolean)
    address_key: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(200))
    submission_key: Mapped[str | None] = mapped_column(String(64))
    query_key: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    publicity: Mapped[str] = mapped_column(String(10))
    public_comment: Mapped[str | None] = mapped_column(EncryptedText("ratings", "public_comment"))
    due_on: Mapped[date | None]
    due_on_provisional: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    due_on_before_outage: Mapped[date | None]
    outage_reason: Mapped[str | None] = mapped_column(String(200))
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def _of_follow_up(column: str) -> EncryptedText:
    return EncryptedText("rating_follow_ups", column, row="rating_id")


class RatingFollowUp(Base):
    """What is done about a bad rating (差评整改), beside its status; one a rating."""

    __tablename__ = "rating_follow_ups"

    rating_id: Mapped[UUID] = mapped_column(ForeignKey("ratings.id"), primary_key=True)
    extended: Mapped[bool] = mapped_column(Boolean, default=False)
    extension_reason: Mapped[str | None] = mapped_column(_of_follow_up("extension_reason"))
    handler_id: Mapped[UUID | None] = mapped_column(Uuid)
    assigned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    contacts: Mapped[int] = mapped_column(Integer, default=0)
    verify_result: Mapped[str | None] = mapped_column(String(20))
    classification: Mapped[str | None] = mapped_column(String(20))
    measures: Mapped[str | None] = mapped_column(_of_follow_up("measures"))
    explanation: Mapped[str | None] = mapped_column(_of_follow_up("explanation"))
    feedback_text: Mapped[str | None] = mapped_column(_of_follow_up("feedback_text"))
    public_reply: Mapped[str | None] = mapped_column(_of_follow_up("public_reply"))
    feedback_channel: Mapped[str | None] = mapped_column(String(20))
    feedback_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    replied_by: Mapped[UUID | None] = mapped_column(Uuid)
    appeal_reason: Mapped[str | None] = mapped_column(_of_follow_up("appeal_reason"))
    appellant_id: Mapped[UUID | None] = mapped_column(Uuid)
    appeal_evidence: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    opinion: Mapped[str | None] = mapped_column(_of_follow_up("opinion"))
    satisfied_after: Mapped[str | None] = mapped_column(String(20))
    closed_in_time: Mapped[bool | None] = mapped_column(Boolean)


class RatingContact(Base):
    """An attempt to call the rater back (回访)."""

    __tablename__ = "rating_contacts"
    __table_args__ = (Index("ix_rating_contacts_rating_id", "rating_id", "id"),)

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    rating_id: Mapped[UUID] = mapped_column(ForeignKey("ratings.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by: Mapped[UUID] = mapped_column(Uuid)
    operator_name: Mapped[str | None] = mapped_column(String(30))
    channel: Mapped[str] = mapped_column(String(20))
    result: Mapped[str] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(EncryptedText("rating_contacts", "note", row="rating_id"))


class RatingWindow(Base):
    """Until when a number may not rate again: keyed hash of the number (and what the limit is about)."""

    __tablename__ = "rating_windows"
    # One tree instead of two on SQLite. Sweeping reads the whole table, because an index would delay every rating.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    until: Mapped[datetime] = mapped_column(UTCDateTime)


class FreedNumber(Base):
    """A number that an office freed (解除限制): a window that began before no longer counts. Append-only.

    The number stands here as a keyed hash and masked. `area1..3` is the region chain of the office that freed it.
    """

    __tablename__ = "freed_numbers"
    __table_args__ = (
        Index("ix_freed_numbers_mobile_key", "mobile_key", "freed_at"),
        *(Index(f"ix_freed_numbers_{area}", area, "freed_at", "id") for area in _AREAS),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    mobile_key: Mapped[str] = mapped_column(String(64))
    masked_mobile: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(EncryptedText("freed_numbers", "reason"))
    status: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    freed_by: Mapped[UUID] = mapped_column(Uuid)
    operator_name: Mapped[str | None] = mapped_column(String(30))
    freed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SmsCode(Base):
    """A code (短信验证码) that was sent to a number: keyed hashes only."""

    __tablename__ = "sms_codes"
    __table_args__ = (
        Index("ix_sms_codes_mobile_key", "mobile_key", "created_at"),
        Index("ix_sms_codes_address_key", "address_key", "created_at"),
        Index("ix_sms_codes_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    mobile_key: Mapped[str] = mapped_column(String(64))
    address_key: Mapped[str] = mapped_column(String(64))
    code_hash: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    used_for: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
