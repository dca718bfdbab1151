"""What the endpoints answer of checks and spot checks."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from core.actor import Actor
from inspection.corrections.actions import Action
from inspection.models import Inspection
from inspection.records import queries
from inspection.submissions import read_only
from miniapp_api.accounts.users import OfficeName
from miniapp_api.http.answers import RECORD, Answer, AnswerValue, HistoryRow, Warning, absent
from miniapp_api.http.filters import ProductCode
from miniapp_api.http.wiring import wiring

RecordKind = Literal["production", "sales", "onsite_sales", "onsite_production", "ccc_production", "spot_check"]
RecordStatus = Literal["draft", "submitted", "voided"]
Disposal = Literal["done", "in_progress", "na"]
DisposalState = Literal["none", "in_progress", "done", "na"]
Conclusion = Literal["pass", "fail", "not_judged"]


class Mark(Answer):
    """Something that was done to a record: when, by whom, at which office."""

    at: datetime
    by: str = Field(description="operator name, or user name where there is none")
    office: str


class Returned(Mark):
    """Sent back for correction (退回更正)."""

    opinion: str


class Corrected(Mark):
    """Corrected (更正) last."""

    count: int = Field(description="how often the record was corrected")
    approved_by: str | None = Field(description="who accepted the application, where one was needed")
    approved_office: str | None


class Voided(Mark):
    """Voided (作废)."""

    reason: str


class FoundProblem(Answer):
    """A problem that the answers show."""

    no: str = Field(description="number of the form's item")
    statement: str = Field(description="Chinese sentence")
    note: str | None = Field(description="what the inspector wrote beside it")


class FilledForm(Answer):
    """What was filled in: the form's own fields stand at the top level, each under its name (see `GET /forms`)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, AnswerValue]

    form_code: str
    form_version: int
    product_code: ProductCode
    answers: dict[str, AnswerValue] = absent("by the numbers of the form's items")
    disposals: dict[str, Disposal] = absent("by the numbers of the form's items; checks only")


class RegionCode(Answer):
    """The region of a record."""

    code: str


class Record(FilledForm):
    """A check (检查) or a spot check (监督抽查), whole.

    Telephone numbers are clear for the office that handles the record, as long as it does, and masked for all others.
    """

    about = RECORD

    id: UUID
    kind: RecordKind
    status: RecordStatus
    version: int
    campaign_id: UUID | None
    level: Literal["national", "province", "city", "county"] = Field(description="of the office that entered it")
    office: OfficeName = Field(description="that entered it")
    region: RegionCode
    username: str
    operator_name: str | None
    begun_by: str | None = Field(description="user name of who began a draft that somebody else went on with")
    org_prefilled: bool = Field(description="whether name and address are those of the register")
    name_differs: bool = Field(description="whether the register has another name for the code, which was confirmed")
    problems_found: bool
    problems: list[FoundProblem]
    disposal_state: DisposalState
    conclusion: Conclusion | None = absent("spot checks only; null where there was no sample")
    photos: list[UUID] = Field(description="ids of files")
    signatures: list[UUID] = Field(description="ids of files")
    warnings: list[Warning]
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    returned: Returned | None
    corrected: Corrected | None
    voided: Voided | None


class RecordActions(Answer):
    """What the caller may do with a record now."""

    actions: list[Action] = Field(description="in the order in which they are offered")
    pending_request: UUID | None = Field(
        description="the application for a correction that waits for a decision, where the caller may read it"
    )


class RecordRow(Answer):
    """A check or a spot check in a list."""

    about = RECORD

    id: UUID
    kind: RecordKind
    status: RecordStatus
    version: int
    product_code: ProductCode
    uscc: str | None
    org_name: str | None
    name_differs: bool
    check_date: date | None = Field(description="of spot checks the day of sampling")
    unable: bool = Field(description="whether the check could not be carried out")
    problems_found: bool
    disposal_state: DisposalState
    conclusion: Conclusion | None
    office: OfficeName
    org_address: str | None
    production_address: str | None
    business_address: str | None
    region_code: str
    username: str
    operator_name: str | None
    begun_by: str | None
    updated_at: datetime
    submitted_at: datetime | None
    returned: Returned | None
    corrected: Corrected | None
    voided: Voided | None


class DeletedDraft(Answer):
    """A draft that was deleted."""

    id: UUID
    status: Literal["deleted"]


class RecordMove(HistoryRow):
    """A move of a check or a spot check."""

    about = RECORD

    model_config = ConfigDict(extra="forbid")

    content: str = absent("digest of what the record said after the move")
    replaced_version: int = absent("the version that a correction replaced")
    replaced_content: str = absent("digest of what the record said at that version")
    reason: str | None = absent("of a disposal, correction or voiding")
    opinion: str = absent("of a return")
    disposals: dict[str, list[Disposal]] = absent("those that changed: before and after")
    author: str = absent("of a correction that was applied for")
    request: UUID = absent("the application for the correction")


class RecordVersionRow(Answer):
    """A content that a correction replaced, in a list."""

    version: int
    reason: str = Field(description="of the correction")
    replaced_at: datetime


class RecordVersion(FilledForm):
    """What a record said before a correction."""

    about = RECORD

    id: UUID
    version: int
    reason: str = Field(description="of the correction")
    replaced_at: datetime


def record_answer(record: Inspection, actor: Actor) -> dict[str, Any]:
    """The record, whole, as the actor may read it."""
    return queries.record_answer(record, actor, wiring().forms)


def written_answer(
    record: Inspection, actor: Actor, body: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """The record after a write of `body`, with a warning for each read-only field that was sent differently."""
    answer = record_answer(record, actor)
    return {**answer, "warnings": answer["warnings"] + read_only.warnings_of_write(body, before, answer)}
