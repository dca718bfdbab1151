"""The citizen's form as JSON, for the mini-program; no sign-in, whoever has the token of the code may rate."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field, WithJsonSchema
from sqlalchemy.orm import Session

from feedback.codes.catalogue import LEVELS, VERSION, is_bad, tags_of
from feedback.codes.kinds import KINDS
from feedback.ratings import public as readings
from feedback.ratings.fields import COMMENT_LIMIT, LEAST_REASON, NAME_LIMIT, Sent
from miniapp_api.feedback import raters
from miniapp_api.feedback.rating_answers import Level, Tag
from miniapp_api.feedback.rating_code_answers import CodeKind
from miniapp_api.http.answers import Answer, answers, refuses
from miniapp_api.http.bodies import Body
from miniapp_api.http.gates import public
from miniapp_api.http.limits import per_origin
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("rating_forms", __name__, tag="Ratings")

_LEVELS = [
    {
        "level": level,
        "label": label,
        "bad": is_bad(level),
        "tags": [{"code": tag.code, "text": tag.text} for tag in tags_of(level)],
    }
    for level, label in LEVELS.items()
]


_Text = Annotated[Any, WithJsonSchema({"type": ["string", "null"]})]


class FormLevel(Answer):
    """A level that can be chosen, with the tags that go with it."""

    level: Level
    label: str
    bad: bool = Field(description="whether it needs a tag and a reason")
    tags: list[Tag]


class RatingForm(Answer):
    """What is rated, and what can be said of it."""

    kind: CodeKind
    kind_label: str
    matter_name: str
    org_name: str
    window: str | None
    hotline: str | None = Field(description="telephone of the office")
    valid_to: date | None
    levels: list[FormLevel] = Field(description="the best first")
    tags_version: int
    name_limit: int = Field(description="characters")
    comment_limit: int = Field(description="characters")
    least_reason: int = Field(description="characters of the reason that a bad rating needs at least")
    sms_code_required: bool


class AcceptedRating(Answer):
    """A rating that was accepted."""

    id: UUID
    query_code: str = Field(description="with it the rater reads what became of the rating")


class SentCode(Answer):
    """A code by SMS is on its way."""

    sent: Literal[True]


class RatingBody(Body):
    """A rating. A bad one (level 1 or 2) needs a tag and a reason (`comment`) of at least five characters.

    `feedback.ratings.sent` validates it, for this call and for the citizen's page alike: here it is described.
    """

    rater_name: _Text = Field(None, description="needed with `real_name`")
    mobile: _Text = Field(None, description="required")
    level: Annotated[Any, WithJsonSchema({"type": ["integer", "null"], "enum": [*LEVELS, None]})] = Field(
        None, description="required"
    )
    tags: Annotated[Any, WithJsonSchema({"type": "array", "items": {"type": "integer"}})] = Field(
        default_factory=list, description="codes of tags of that level"
    )
    comment: _Text = None
    real_name: Annotated[Any, WithJsonSchema({"type": "boolean"})] = True
    sms_code: _Text = None
    captcha_id: _Text = None
    captcha: _Text = None
    submission_id: _Text = Field(None, description="makes a repetition the same rating")


class MobileBody(Body):
    """A mobile number (手机号); a captcha after 403 `captcha_required`."""

    mobile: str = Field(max_length=40)
    captcha_id: str | None = Field(None, max_length=64)
    captcha: str | None = Field(None, max_length=20)


@bp.get("/ratings/form/<string:token>")
@public()
@answers(RatingForm)
@refuses(409, 410)
def read_rating_form(session: Session, token: str) -> dict[str, Any]:
    """What is rated, and what can be said of it."""
    code = readings.open_code(session, token)
    return {
        "kind": code.kind,
        "kind_label": KINDS[code.kind],
        "matter_name": code.matter_name,
        "org_name": code.org_name,
        "window": code.window,
        "hotline": code.hotline,
        "valid_to": code.valid_to.isoformat() if code.valid_to else None,
        "levels": _LEVELS,
        "tags_version": VERSION,
        "name_limit": NAME_LIMIT,
        "comment_limit": COMMENT_LIMIT,
        "least_reason": LEAST_REASON,
        "sms_code_required": raters.proves_numbers(wiring()),
    }


@bp.post("/ratings/form/<string:token>")
@public(transaction=False)
@answers(AcceptedRating, 201)
@refuses(401, 403, 410)
@bp.input(RatingBody, arg_name="body")
def post_rating(token: str, body: RatingBody) -> tuple[dict[str, Any], int]:
    """Rate. With `submission_id` the same call again is the same answer; without it the rating window (5 days) decides.

    403 `captcha_required` where an address is busy: get a captcha (`POST /captchas`) and send its id and answer along.
    """
    given = body.model_dump()
    proof = raters.Proof(*(given.pop(name) for name in ("sms_code", "captcha_id", "captcha")))
    rated = raters.rate(token, Sent(**given), proof)
    return {"id": str(rated.id), "query_code": rated.query_code}, 201


@bp.post("/ratings/sms-codes")
@public(transaction=False)
@answers(SentCode)
@per_origin("600 per minute")
@refuses(403)
@bp.input(MobileBody, arg_name="body")
def send_sms_code(body: MobileBody) -> dict[str, Any]:
    """Send a one-time code by SMS to the number; 404 where no sender is configured."""
    raters.send_code(body.mobile, raters.Proof(captcha_id=body.captcha_id, captcha=body.captcha))
    return {"sent": True}
