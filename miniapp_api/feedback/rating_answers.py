"""What the endpoints answer of ratings to offices."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from feedback.codes.kinds import CHANNELS
from feedback.follow_ups import steps
from feedback.workflows import HANDLE, RATING, SUPERVISE
from miniapp_api.http.answers import Answer, HistoryRow, Warning, absent, one_of

Level = Literal[1, 2, 3, 4, 5]
Channel = Literal["web_todo", "qr_once", "qr_matter"]
Publicity = Literal["pending", "shown", "withheld", "hidden"]
Status = Annotated[str, one_of(RATING.statuses)]
Action = Annotated[str, one_of({step.action for step in RATING.steps.values() if step.who in (HANDLE, SUPERVISE)})]
VerifyResult = Annotated[str, one_of(steps.VERIFY_RESULTS)]
Classification = Annotated[str, one_of(steps.CLASSES)]
FeedbackChannel = Annotated[str, one_of(steps.FEEDBACK_CHANNELS)]
ContactChannel = Annotated[str, one_of(steps.CONTACT_CHANNELS)]
ContactResult = Annotated[str, one_of(steps.CONTACT_RESULTS)]
Satisfied = Annotated[str, one_of(steps.SATISFIED)]


class Tag(Answer):
    """A chosen tag (评价标签)."""

    code: int
    text: str


class RatingRow(Answer):
    """A rating in a list. What the rater wrote is masked as for the public: it may name a number."""

    about = "rating"

    id: UUID
    code_id: UUID
    matter_name: str
    org_name: str
    window: str | None
    channel: Channel
    channel_label: str
    level: Level
    level_label: str
    tags: list[Tag]
    comment: str | None
    mobile: str | None = Field(description="masked; null for whoever sits at the window that is rated")
    real_name: bool = Field(description="false: the rater asked to stay anonymous (匿名)")
    phone_verified: bool
    from_staff_address: bool = Field(description="sent from an address at which the office's staff had signed in")
    from_staff_note: str | None = Field(description="how little that says")
    status: Status
    status_label: str
    version: int
    publicity: Publicity
    publicity_label: str
    due_on: date | None = Field(description="of bad ratings")
    due_on_provisional: bool = Field(description="counted on working days that are not announced yet")
    due_on_note: str | None
    colour: Literal["yellow", "red"] | None = Field(description="of bad ratings under way: red once overdue")
    submitted_at: datetime
    closed_at: datetime | None
    actions: list[Action] = Field(description="what the caller may do now")


class Handler(Answer):
    """The user who handles a bad rating."""

    id: UUID
    username: str


class Evidence(Answer):
    """A file that an appeal rests on."""

    category: str
    file_id: UUID


class FollowUp(Answer):
    """What is done about a bad rating (差评整改)."""

    extended: bool
    extension_reason: str | None
    verify_result: VerifyResult | None
    classification: Classification | None
    measures: str | None
    explanation: str | None
    feedback_text: str | None
    feedback_channel: FeedbackChannel | None
    feedback_at: datetime | None
    appeal_reason: str | None
    appeal_evidence: list[Evidence]
    opinion: str | None
    satisfied_after: Satisfied | None
    closed_in_time: bool | None
    handler: Handler | None


class Contact(Answer):
    """An attempt to call the rater back (回访)."""

    at: datetime
    operator_name: str | None
    channel: ContactChannel
    channel_label: str
    result: ContactResult
    result_label: str
    note: str | None


class StepOption(Answer):
    """What a field of a step's form may be."""

    value: str
    label: str


class StepField(Answer):
    """A field of a step's form."""

    name: str
    label: str
    type: Literal["choice", "text", "files"]
    required: bool
    options: list[StepOption] = Field(description="of a choice")
    most: int | None = Field(description="characters of a text, files of an upload")


class RatingStep(Answer):
    """A step that the caller may take now, with the form that it asks for."""

    action: Action
    label: str
    leads_on: bool = Field(description="whether it is what comes next")
    waits: str | None = Field(description="what has to be done before, as a sentence")
    fields: list[StepField]


class Said(Answer):
    """What the follow-up says, in words."""

    label: str
    text: str


class TextPart(Answer):
    """A piece of the public comment."""

    text: str
    listed: bool = Field(description="it is a listed word (敏感词), or sounds like one")


class Rating(RatingRow):
    """A rating, whole; the comment is unmasked for the officer alone who has to call back, until that is done."""

    rater_name: str | None = Field(description="null where the rater stays anonymous")
    public_comment: str | None = Field(description="the comment as the public may read it once it is released")
    follow_up: FollowUp | None = Field(description="of bad ratings")
    contacts: list[Contact]
    steps: list[RatingStep] = Field(description="what the caller may do now, what comes next first")
    said: list[Said] = Field(description="the follow-up in words")
    public_parts: list[TextPart] = Field(description="`public_comment` in pieces")


class MovedRating(Rating):
    """A rating after a step; the number is whole in the answer to `reveal_number` alone."""

    warnings: list[Warning]


class RatingMove(HistoryRow):
    """A move of a rating: what its step said."""

    about = "rating"

    model_config = ConfigDict(extra="forbid")

    label: str = Field(description="the action in words")
    level: Level = absent()
    tags: list[int] = absent("codes of tags")
    channel: Annotated[str, one_of([*CHANNELS, *steps.CONTACT_CHANNELS])] = absent(
        "by which the rating came in, or the rater was called back"
    )
    content: str = absent("digest of what the rater said")
    standing: str = absent("digest of the rating and its follow-up after the move")
    handler: str | None = absent("user name")
    former_handler: str = absent("user name")
    result: ContactResult = absent()
    note: str = absent()
    verify_result: VerifyResult = absent()
    classification: Classification = absent()
    measures: str = absent()
    extended: bool = absent()
    extension_reason: str | None = absent()
    due_on: date = absent()
    former_due_on: date = absent()
    counted: date = absent("the due date that was counted, which may be earlier than the one that holds")
    explanation: str = absent()
    feedback_text: str = absent()
    feedback_channel: FeedbackChannel = absent()
    satisfied_after: Satisfied = absent()
    closed_in_time: bool = absent()
    opinion: str | None = absent()
    reason: str = absent("of an appeal, why the text is withheld, or what the number was read for")
    evidence: list[UUID] = absent("ids of files")


class RefusedRelease(Answer):
    """A rating whose text could not be released, and why."""

    id: UUID
    code: str
    message: str = Field(description="Chinese sentence a user can act on")


class Released(Answer):
    """Which texts are released now."""

    released: list[UUID]
    refused: list[RefusedRelease]
