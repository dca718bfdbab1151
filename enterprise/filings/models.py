"""Tables of the filing engine: one table of filings (办件) for all kinds, with immutable versions."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from enterprise.models import AREAS

DELETED = "deleted"
"""The status of a filing that its enterprise deleted; the row stays for its history."""


def _of_offices(name: str, *columns: str) -> Index:
    """An index of the filings that offices may read; queries repeat its condition literally (`reading/`)."""
    readable = f"status <> '{DELETED}' AND (sent > 0 OR opened_by_office{{}})"
    where, where_postgresql = text(readable.format(" = 1")), text(readable.format(""))
    return Index(f"ix_filings_{name}", *columns, sqlite_where=where, postgresql_where=where_postgresql)


def _partial(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Filing(Base):
    """A filing: what an enterprise declares, reports or asks for; `status` is one of its kind's.

    `data` and `documents` are the working copy; offices read the versions that were sent. `sent` is how many versions
    there are. `office_id` is the office that handles it (承办机关), where its kind
    chooses one; `area1` to `area3` are that office's region then, else its enterprise's. `open_key` (kind, subject,
    enterprise) is unique, and set only while no second such filing may be open. `title_region` precedes the title of
    its paper (spec/a §10): the campaign's region, else that of the office that handles it. `due_on_before_outage` and
    `outage_reason` are set where outages (系统故障) moved `due_on`. `return_to` is the status of the post that asked
    for a correction. `due_clock` is the clock whose day `due_on` is, if it is that of one; until `amber_on` its light
    is green. `number` (编号) is given once, where its kind has one. `matter` is the business type (业务类型) as it was
    sent last, where its kind names a field.
    """

    __tablename__ = "filings"
    __table_args__ = (
        # For offices: the list of an area, of one of its kinds, of one of its statuses. The last holds the columns of
        # the condition too, so that SQLite counts by the index alone and reads none of the wide rows.
        *(_of_offices(area, area, "created_at", "id") for area in AREAS),
        *(_of_offices(f"{area}_kind", area, "kind", "created_at", "id") for area in AREAS),
        *(
            _of_offices(
                f"{area}_status", area, "status", "created_at", "id", "kind", "enterprise_id", "sent",
                "opened_by_office",
            )
            for area in AREAS
        ),
        # With every column that the list filters by, so that those of many enterprises are counted without their rows.
        Index(
            "ix_filings_enterprise_id", "enterprise_id", "created_at", "id", "status", "kind", "sent",
            "opened_by_office", *AREAS,
        ),
        Index("ix_filings_subject_id", "subject_id"),
        Index("uq_filings_number", "kind", "number", unique=True, **_partial("number IS NOT NULL")),
        # Overdue ones of an area by their day, and those of one office by status: what is awaited of its posts.
        *(
            Index(
                f"ix_filings_{area}_due", area, "due_on", "id", "kind", "status", "due_clock", "sent",
                "opened_by_office", **_partial("finished_at IS NULL AND due_on IS NOT NULL"),
            )
            for area in AREAS
        ),
        Index("ix_filings_office_id", "office_id", "status", "created_at", "id", "kind",
              **_partial("office_id IS NOT NULL")),
        # Deadlines that an outage strikes, and those that outages have moved.
        Index("ix_filings_due_on", "due_on", "id", **_partial("due_on IS NOT NULL")),
        Index("ix_filings_moved", "due_on", "id", "due_on_before_outage",
              **_partial("due_on_before_outage IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(30))
    version: Mapped[int] = mapped_column(Integer)
    number: Mapped[str | None] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(200))
    title_region: Mapped[str | None] = mapped_column(String(50))
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    uscc: Mapped[str] = mapped_column(String(18))
    org_name: Mapped[str] = mapped_column(String(100))
    office_id: Mapped[UUID | None] = mapped_column(Uuid)
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    subject_type: Mapped[str | None] = mapped_column(String(30))
    subject_id: Mapped[UUID | None] = mapped_column(Uuid)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("filings.id"))
    open_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    opened_by: Mapped[UUID | None] = mapped_column(Uuid)
    opened_by_office: Mapped[bool] = mapped_column(default=False)
    form_code: Mapped[str] = mapped_column(String(40))
    form_version: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    documents: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    saved: Mapped[bool] = mapped_column(default=False)
    sent: Mapped[int] = mapped_column(Integer, default=0)
    return_to: Mapped[str | None] = mapped_column(String(30))
    opinion: Mapped[str | None] = mapped_column(Text)
    due_on: Mapped[date | None]
    due_clock: Mapped[str | None] = mapped_column(String(40))
    matter: Mapped[str | None] = mapped_column(String(40))
    amber_on: Mapped[date | None]
    due_on_before_outage: Mapped[date | None]
    outage_reason: Mapped[str | None] = mapped_column(String(200))
    late: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class FilingVersion(Base):
    """A filing as it was sent (提交); it never changes.

    `sent_at` is when the server took it, `tried_at` when the first try of this sending reached the server, if an
    earlier one did; `phone_tried_at` is when the phone says that it tried first. `due_on` is the deadline that it was
    sent for, before outages moved it.
    """

    __tablename__ = "filing_versions"
    __table_args__ = (UniqueConstraint("filing_id", "number"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    filing_id: Mapped[UUID] = mapped_column(ForeignKey("filings.id"))
    number: Mapped[int] = mapped_column(Integer)
    form_code: Mapped[str] = mapped_column(String(40))
    form_version: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    documents: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    sent_by: Mapped[UUID | None] = mapped_column(Uuid)
    operator_name: Mapped[str | None] = mapped_column(String(30))
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    phone_tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    due_on: Mapped[date | None]


class FilingParty(Base):
    """Who stands to a filing besides its enterprise and the office (当事方): a user or an office, until `left_at`.

    `party` is the code of its kind's declaration.
    """

    __tablename__ = "filing_parties"
    __table_args__ = (
        Index("ix_filing_parties_filing_id", "filing_id"),
        Index("ix_filing_parties_user_id", "user_id", "filing_id", **_partial("left_at IS NULL")),
        Index("ix_filing_parties_office_id", "office_id", "filing_id", **_partial("left_at IS NULL")),
        Index("uq_filing_parties_user", "filing_id", "party", "user_id", unique=True, **_partial("left_at IS NULL")),
        Index("uq_filing_parties_office", "filing_id", "party", "office_id", unique=True,
              **_partial("left_at IS NULL")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    filing_id: Mapped[UUID] = mapped_column(ForeignKey("filings.id"))
    party: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("offices.id"))
    leader: Mapped[bool] = mapped_column(default=False)
    named_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class FilingClaim(Base):
    """A key that one filing holds (占用): a keyed hash of it, for it may be a person's number.

    Once `certificate_id` is set, the certificate holds it that the filing issued or changed.
    """

    __tablename__ = "filing_claims"
    __table_args__ = (
        Index("ix_filing_claims_filing_id", "filing_id"),
        Index("ix_filing_claims_certificate_id", "certificate_id", **_partial("certificate_id IS NOT NULL")),
    )

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    filing_id: Mapped[UUID] = mapped_column(ForeignKey("filings.id"))
    certificate_id: Mapped[UUID | None] = mapped_column(Uuid)


class FilingStep(Base):
    """What a step said by a form and documents of its own (环节表单); it never changes.

    `number` is the version of the filing after the step, `by_code` the post or party from which it was taken.
    """

    __tablename__ = "filing_steps"
    __table_args__ = (Index("ix_filing_steps_filing_id", "filing_id", "number"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    filing_id: Mapped[UUID] = mapped_column(ForeignKey("filings.id"))
    number: Mapped[int] = mapped_column(Integer)
    action: Mapped[str] = mapped_column(String(40))
    by_code: Mapped[str] = mapped_column(String(40))
    form_code: Mapped[str | None] = mapped_column(String(40))
    form_version: Mapped[int | None] = mapped_column(Integer)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    documents: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    taken_by: Mapped[UUID | None] = mapped_column(Uuid)
    operator_name: Mapped[str | None] = mapped_column(String(30))
    office_name: Mapped[str | None] = mapped_column(String(100))
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Delegation(Base):
    """A delegation (委托) of a post's work by one office to another, for some business types (`matters`) or all."""

    __tablename__ = "delegations"
    __table_args__ = (
        Index("uq_delegations_standing", "from_office_id", "post", unique=True, **_partial("status = 'standing'")),
        Index("ix_delegations_to_office_id", "to_office_id", "begun_at", "id"),
        Index("ix_delegations_from_office_id", "from_office_id", "begun_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    post: Mapped[str] = mapped_column(String(40))
    from_office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    to_office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    matters: Mapped[list[str]] = mapped_column(JSON)
    begun_at: Mapped[datetime] = mapped_column(UTCDateTime)
    begun_by: Mapped[UUID] = mapped_column(Uuid)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SendingTry(Base):
    """A try (尝试) to send a filing that reached the server and failed through no fault of its sender.

    `key` recognises the same sending tried again (`core/workflows/idempotency.py`): the same user, filing and version.
    """

    __tablename__ = "sending_tries"
    __table_args__ = (Index("ix_sending_tries_filing_id", "filing_id"),)

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    filing_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
