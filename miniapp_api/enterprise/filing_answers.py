"""Answers about filings (办件) and their kinds."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from enterprise.filings.models import DELETED
from enterprise.systems import KINDS
from miniapp_api.enterprise.certificate_rows import CertificateRow
from miniapp_api.form_answers import FormDefinition
from miniapp_api.http.answers import Answer, AnswerValue, HistoryRow, Warning, absent, one_of

KindCode = Annotated[str, one_of(kind.code for kind in KINDS)]
Status = Annotated[str, one_of({DELETED, *(status for kind in KINDS for status in kind.labels)})]
Action = Annotated[str, one_of({"save", *(step.action for kind in KINDS for step in kind.steps)})]


class FilingKindSummary(Answer):
    """A kind in the list."""

    code: KindCode
    title: str
    system: str = Field(description="the business system that it is of, by which lists filter")
    rateable: bool = Field(description="whether the enterprise may rate the service when it is finished")
    opened_by: Literal["enterprise", "office", "system"]


class DocumentCategory(Answer):
    """A category of documents (材料)."""

    category: str
    title: str
    required: Literal["always", "problems", "never"] = Field(description="`problems`: where the form finds a problem")
    extensions: list[str]
    purposes: list[str] = Field(description="purposes of uploads that fit")
    max_count: int
    max_bytes: int


class StatusLabel(Answer):
    """A status and its label."""

    code: Status
    label: str
    editable: bool = Field(description="whether the enterprise may change the working copy")
    final: bool = Field(description="whether the filing is finished (办结) there")
    turn: list[str] = Field(description="the posts and parties whose turn it is")


class Taker(Answer):
    """A post (岗) or a party (当事方)."""

    code: str
    label: str


class DeclaredClock(Answer):
    """A clock (时限) of a kind."""

    name: str
    label: str
    unit: Literal["natural", "working", "month", "year"]
    counting: Literal["deadline", "waiting"] = Field(
        description="a deadline ends with its last day, a waiting period on the day from which one may act"
    )


class FilingStep(Answer):
    """A row of the workflow."""

    action: Action
    label: str
    source: Status | None = Field(alias="from", description="null: the step opens the filing")
    target: Status = Field(alias="to")
    comment_required: bool
    sends: bool = Field(description="whether what is saved is validated whole and frozen as a version")
    restores: bool = Field(description="whether the working copy becomes again what was sent last")
    many: bool = Field(description="whether it may be taken for many filings at once")
    confirms: bool = Field(description="each of the party confirms by it, and the filing stays where it is")
    form: FormDefinition | None = Field(description="a form of its own, sent as `data` with the step")
    documents: list[DocumentCategory] = Field(description="documents of its own, sent with the step")
    by: list[str] = Field(description="the posts and parties that may take it; `applicant`, `system`")
    mine: bool = Field(description="whether the caller may ever take it")


class FilingKind(FilingKindSummary):
    """A kind with its form, documents and workflow."""

    subject_type: str | None = Field(description="what a filing is about, if it is about something")
    listed: list[str] = Field(description="fields of the form that lists show")
    fixed: list[str] = Field(description="fields that the enterprise cannot change once the filing is open")
    prints: bool = Field(description="whether it has a paper: `GET /filings/{id}/record.pdf`")
    form: FormDefinition
    documents: list[DocumentCategory]
    rows: list[str] = Field(description="groups whose rows are searched and paged (`GET /filings/{id}/rows/{group}`)")
    posts: list[Taker] = Field(description="who takes its steps at an office")
    parties: list[Taker] = Field(description="who else takes its steps; `applicant` is the enterprise")
    clocks: list[DeclaredClock]
    statuses: list[StatusLabel]
    steps: list[FilingStep]


class FilingSubject(Answer):
    """What a filing is about."""

    type: str
    id: UUID


class FilingDocument(Answer):
    """A file of a filing."""

    category: str
    file_id: UUID


class FilingForm(Answer):
    """The form version that is answered; `title` heads its paper."""

    code: str
    version: int
    title: str


class HandlingOffice(Answer):
    """The office that handles a filing (承办机关)."""

    id: UUID
    name: str


class FilingParty(Answer):
    """Who stands to a filing besides its enterprise and the office (当事方)."""

    party: str
    label: str
    name: str = Field(description="the user name, or the office")
    leader: bool
    confirmed_at: datetime | None


class Confirmations(Answer):
    """Confirmations that the filing waits for."""

    needed: int
    given: list[str] = Field(description="the names of those who have confirmed")


class FilingStepData(Answer):
    """What a step said by a form and documents of its own."""

    action: Action
    label: str
    by: str = Field(description="the post or party from which it was taken")
    office_name: str | None
    operator_name: str | None
    taken_at: datetime
    form: FilingForm | None
    data: dict[str, AnswerValue] = Field(description="the answers of the step's form")
    documents: list[FilingDocument]


class FilingClock(Answer):
    """A clock of a filing."""

    name: str
    label: str
    counting: Literal["deadline", "waiting"]
    due_on: date = Field(description="a deadline's last day; of a waiting period the first on which one may act")
    provisional: bool = Field(description="counted on working days that are not published yet")
    paused: bool
    due_on_note: str | None = Field(description="why outages moved its day; null: none did")


class FilingRow(Answer):
    """A filing in a list."""

    about = "filing"

    id: UUID
    kind: KindCode
    number: str | None = Field(description="given once, where its kind has one")
    title: str
    status: Status
    status_label: str
    tag: str | None = Field(description="the status's own label, where it is shown as another")
    version: int
    uscc: str
    org_name: str
    subject: FilingSubject | None
    summary: dict[str, AnswerValue] = Field(description="the fields that the kind's list shows (`listed`)")
    opinion: str | None
    due_on: date | None
    due_on_note: str | None = Field(
        description="Chinese sentence: an outage (系统故障) moved the due date, and from when"
    )
    colour: Literal["green", "yellow", "red"] | None = Field(
        description="of the due day, for the side whose turn it is: red when it is over"
    )
    clocks: list[FilingClock]
    late: bool
    sent: int = Field(description="how often it was sent")
    created_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    turn: str | None = Field(description="`applicant`, `office`, or a party; null: nobody is awaited")
    office: HandlingOffice | None = Field(description="null: any office with the post whose regions it lies in")
    actions: list[Action] = Field(description="what the caller may do now")


class Filing(FilingRow):
    """A filing, whole: an enterprise reads its working copy, an office what was sent to it."""

    form: FilingForm
    data: dict[str, AnswerValue] = Field(description="the answers of the form")
    documents: list[FilingDocument]
    locks: list[str] = Field(description="fields, and `documents/<category>`, that the caller may not change now")
    parties: list[FilingParty]
    confirmations: Confirmations | None = Field(description="null: nobody has to confirm now")
    certificates: list[CertificateRow] = Field(description="what it has issued, and the one that it is about")
    steps: list[FilingStepData] = Field(description="what steps said that are shown to the caller, oldest first")
    warnings: list[Warning]


class DeletedFiling(Answer):
    """A filing that was deleted."""

    id: UUID
    status: Status


class FilingVersion(Answer):
    """A filing as it was sent."""

    about = "filing"

    number: int
    sent_at: datetime
    operator_name: str | None
    form: FilingForm
    data: dict[str, AnswerValue] = Field(description="the answers of the form; personal data masked")
    documents: list[FilingDocument]


class FilingFault(Answer):
    """A fault, with the place of its field or category."""

    path: str = Field(description="JSON Pointer into the filing: `/data/org_name`, `/documents`")
    code: str
    message: str = Field(description="Chinese sentence a user can act on")
    tab: str = absent("the tab (分页) of the form on which the place stands")


class FilingCheck(Answer):
    """What sending a filing would say now."""

    errors: list[FilingFault]
    owed: list["OwedPaper"] = Field(description="required uploads that may be handed in later (容缺)")


class OwedPaper(Answer):
    """An upload that a sending would owe."""

    path: str = Field(description="JSON Pointer into the filing")
    text: str = Field(description="as the form calls it")


class ReceivedDocument(Answer):
    """A document as it was received."""

    category: str
    category_title: str
    file_id: UUID
    name: str
    size: int = Field(description="bytes")
    sha256: str = Field(description="digest of the bytes that were received")


class FilingReceipt(Answer):
    """The receipt of a sending (提交回执)."""

    about = "filing"

    number: str = Field(description="only this sending has it")
    filing_id: UUID
    sending: int = Field(description="which sending of the filing it was, counted from 1")
    title: str
    kind_title: str
    org_name: str
    uscc: str
    sent_at: datetime = Field(description="when the server took it")
    tried_at: datetime | None = Field(
        description="when an earlier try of this sending reached the server, which could not take it; it counts"
    )
    phone_tried_at: datetime | None = Field(description="when the phone says that it tried first; it decides nothing")
    operator_name: str | None
    content: str = Field(description="digest of all that was sent, as the history keeps it")
    documents: list[ReceivedDocument]
    url: str = Field(description="where its QR code leads; opens for whoever may read the filing")
    qr: str = Field(pattern="^data:image/png;base64,", description="PNG, as a data URL")


class FilingMove(HistoryRow):
    """A move of a filing."""

    about = "filing"

    comment: str = absent("the opinion or reason that the step asks for")
    confirmations: int = absent("how many of the party have confirmed so far")
    from_office: str = absent("the office that handled it before")
    to_office: str = absent("the office that handles it from then on")
    number: str = absent("the number that it was given")
    named: dict[str, list[str]] = absent("who are the parties from then on")
    step_data: UUID = absent("what the step said by its own form")
    step_content: str = absent("digest of what the step said by its own form")
    reason: str = absent("`erase`: why what moves said was erased, with the receipt (回执)")
    sent: int = absent("the number of the version that was sent")
    content: str = absent("digest of what was sent; of an erasure, of what is left of it")
    tried_at: datetime = absent("when an earlier try of the sending reached the server")
    outage: str | None = absent("`postpone`: what outage moved the due date; null: it was taken back")
    late: bool = absent("`postpone`: whether the filing still counts as sent late")
    clock: str = absent("`recount`: the clock whose day was counted anew")
    due_on: date = absent("`recount`, `postpone`")
    former_due_on: date = absent("`recount`, `postpone`")
    counted: date = absent("`recount`: the day by the calendar; a day that is over already makes nobody late")
