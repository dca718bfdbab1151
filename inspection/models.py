"""Tables of the inspection room: campaigns, field records, their corrections, and the keys of exported outboxes.

The dictionaries and the kept tallies of enterprises have tables of their own rooms.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, Uuid, false, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import EncryptedText


class Campaign(Base):
    """A campaign (专项行动): checks count towards the one that runs for their product."""

    __tablename__ = "campaigns"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    product_codes: Mapped[list[str]] = mapped_column(JSON)


MARK = JSON(none_as_null=True)
"""Something that was done to a record: when, by whom, at which office, and what they said; NULL where it was not."""


AREAS = ("area1", "area2", "area3")
LIST_COLUMNS = (
    "kind", "product_code", "tally_id", "unable", "problems_found", "disposal_state", "conclusion", *AREAS, "status",
)  # fmt: skip
"""The columns by which lists filter submitted records, days aside: an index that has them answers without reading the
rows, which are wide. The status is among them because SQLite checks again what a partial index is limited to."""


def _of_submitted(name: str, *columns: str, only: str = "status = 'submitted'") -> Index:
    rest = (column for column in LIST_COLUMNS if column not in columns)
    return Index(f"ix_inspections_{name}", *columns, *rest, sqlite_where=text(only), postgresql_where=text(only))


def _of_voided(area: str) -> Index:
    voided = text("status = 'voided'")
    columns = (area, "record_type", "submitted_at", "id")
    return Index(f"ix_inspections_{area}_voided", *columns, sqlite_where=voided, postgresql_where=voided)


class Inspection(Base):
    """A field record: a check (检查) or a spot check (监督抽查), from draft to disposal.

    `record_type` is "check" or "spot_check", `kind` the kind of its form. What is filtered,
    counted or dated has a column; all answers stand in `data`, laid out as the body was, with
    personal data sealed. `area1..3` is the region chain of the office that entered it.
    `name_differs`: its code belongs to an enterprise of another name in the register, which was confirmed.
    `kept_warnings` are the warnings that do not follow from the record alone (`submissions/register_checks.py`).
    `begun_by` is the user who began a draft that somebody else went on with.
    `sheet_key` is the number of the sampling sheet as it is compared (`submissions/sheet_numbers.py`), `sheet_bureau`
    the bureau that uses it. `sheet_twin` is 0, but for records that share a number from before numbers were compared
    folded: it keeps them apart.
    `returned` says when, by whom and with which opinion it was sent back (退回更正), until it is corrected;
    `corrected` says when and by whom it was corrected (更正) last, and how often.
    `voided` says when, by whom and why the record was voided (作废): its sheet number is free then.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        # For the lists of an area: in their order, by day, and of what is being disposed of.
        *(_of_submitted(area, area, "record_type", "submitted_at", "id", "check_date") for area in AREAS),
        *(
            _of_submitted(f"{area}_check_date", area, "record_type", "check_date", "submitted_at", "id")
            for area in AREAS
        ),
        *(
            _of_submitted(
                f"{area}_disposal",
                area,
                "record_type",
                "disposal_state",
                "submitted_at",
                "id",
                "check_date",
                only="disposal_state <> 'none'",
            )
            for area in AREAS
        ),
        # Of what was voided there is little, and only its own list asks for it.
        *(_of_voided(area) for area in AREAS),
        # For what an office typed before (`records/suggestions.py`).
        Index(
            "ix_inspections_office_id",
            "office_id",
            "kind",
            "submitted_at",
            sqlite_where=text("status = 'submitted'"),
            postgresql_where=text("status = 'submitted'"),
        ),
        Index(
            "ix_inspections_drafts",
            "created_by",
            "record_type",
            "updated_at",
            sqlite_where=text("status = 'draft'"),
            postgresql_where=text("status = 'draft'"),
        ),
        # For the records of few tallies, and for figures of days, which are summed tally by tally.
        Index(
            "ix_inspections_tally_id",
            "tally_id",
            "check_date",
            "submitted_at",
            "id",
            "status",
            "unable",
            "problems_found",
            "disposal_state",
            "conclusion",
        ),
        Index(
            "uq_inspections_sheet_key",
            "sheet_key",
            "sheet_bureau",
            "sheet_twin",
            unique=True,
            sqlite_where=text("sheet_key IS NOT NULL"),
            postgresql_where=text("sheet_key IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    record_type: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(40))
    form_code: Mapped[str] = mapped_column(String(40))
    form_version: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer)
    campaign_id: Mapped[UUID | None] = mapped_column(Uuid)
    product_code: Mapped[str] = mapped_column(String(2))
    level: Mapped[str] = mapped_column(String(10))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    office_name: Mapped[str] = mapped_column(String(100))
    region_code: Mapped[str] = mapped_column(String(6))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    username: Mapped[str] = mapped_column(String(64))
    operator_name: Mapped[str | None] = mapped_column(String(30))
    begun_by: Mapped[UUID | None] = mapped_column(Uuid)
    begun_by_name: Mapped[str | None] = mapped_column(String(64))
    uscc: Mapped[str | None] = mapped_column(String(18))
    org_name: Mapped[str | None] = mapped_column(String(100))
    org_prefilled: Mapped[bool] = mapped_column(default=False)
    name_differs: Mapped[bool] = mapped_column(default=False, server_default=false())
    kept_warnings: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list, server_default="[]")
    check_date: Mapped[date | None]
    unable: Mapped[bool] = mapped_column(default=False)
    problems_found: Mapped[bool] = mapped_column(default=False)
    disposal_state: Mapped[str] = mapped_column(String(12), default="none")
    conclusion: Mapped[str | None] = mapped_column(String(10))
    sheet_key: Mapped[str | None] = mapped_column(String(80))
    sheet_bureau: Mapped[UUID | None] = mapped_column(Uuid)
    sheet_twin: Mapped[int] = mapped_column(Integer, server_default="0")
    tally_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise_tallies.id"))
    returned: Mapped[dict[str, Any] | None] = mapped_column(MARK)
    corrected: Mapped[dict[str, Any] | None] = mapped_column(MARK)
    voided: Mapped[dict[str, Any] | None] = mapped_column(MARK)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class InspectionVersion(Base):
    """What a submitted record said before a correction (更正) replaced it."""

    __tablename__ = "inspection_versions"

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspections.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    form_code: Mapped[str] = mapped_column(String(40))
    form_version: Mapped[int] = mapped_column(Integer)
    product_code: Mapped[str] = mapped_column(String(2))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    reason: Mapped[str] = mapped_column(Text)
    replaced_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CorrectionRequest(Base):
    """An application for a correction (更正申请), sent when the time in which its owner may correct is over.

    `before` is what the record said at `base_version`, `asked` what it is to say: form, product and data each, personal
    data sealed. `confirmed` are the confirmations that were sent (`confirm_name`, `confirm_duplicate`). Offices and
    regions are the record's.
    """

    __tablename__ = "correction_requests"
    __table_args__ = (
        *(Index(f"ix_correction_requests_{area}", area, "created_at", "id") for area in AREAS),
        Index("ix_correction_requests_created_at", "created_at", "id"),
        Index(
            "uq_correction_requests_inspection_id_pending",
            "inspection_id",
            unique=True,
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspections.id"))
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer)
    base_version: Mapped[int] = mapped_column(Integer)
    level: Mapped[str] = mapped_column(String(10))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    requested: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    asked: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    confirmed: Mapped[list[str]] = mapped_column(JSON)
    decided: Mapped[dict[str, Any] | None] = mapped_column(MARK)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class OutboxKey(Base):
    """A key to which phones encrypt what they could not send; the highest number is used, older ones still open."""

    __tablename__ = "outbox_keys"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    recipient: Mapped[str] = mapped_column(String(80))
    identity: Mapped[str] = mapped_column(EncryptedText("outbox_keys", "identity"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
