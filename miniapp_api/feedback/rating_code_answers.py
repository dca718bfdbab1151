"""What the endpoints answer of rating codes."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from miniapp_api.http.answers import Answer, Warning

CodeKind = Literal["per_visit", "per_matter"]
CodeStatus = Literal["not_generated", "active", "used", "expired", "disabled"]


class RatingCode(Answer):
    """A rating code (评价二维码)."""

    id: UUID
    kind: CodeKind
    kind_label: str
    matter_name: str
    office_id: UUID
    org_name: str
    window: str | None
    matter_ref: str | None = Field(description="number of the case (办件编号)")
    status: CodeStatus
    status_label: str
    version: int
    valid_to: date | None
    filing_id: UUID | None = Field(description="the finished filing that invites its enterprise to rate")
    scans: int = Field(description="lags by a minute")
    ratings: int = Field(description="lags by a minute")
    created_at: datetime
    generated_at: datetime | None
    last_scan_at: datetime | None
    actions: list[Literal["generate", "disable"]] = Field(description="what the caller may do now")
    url: str | None = Field(description="where the code leads; null before it is generated")
    tablet_url: str | None = Field(description="the same for the tablet of a service hall")


class CreatedRatingCode(RatingCode):
    """A rating code as it was created."""

    warnings: list[Warning]
