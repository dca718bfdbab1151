"""The citizen's form as JSON, for the mini-program: no sign-in, the token of the code opens it."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from feedback.codes.catalogue import LEVELS, VERSION, is_bad, tags_of
from feedback.codes.kinds import KINDS
from feedback.ratings import public as readings
from feedback.ratings.fields import COMMENT_LIMIT, LEAST_REASON, NAME_LIMIT, Sent
from miniapp_api.feedback import raters
from miniapp_api.http.answers import Untyped, answers, refuses
from miniapp_api.http.bodies import Body
from miniapp_api.http.gates import public
from miniapp_api.http.limits import limiter
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


class RatingBody(Body):
    """A rating. A bad one (level 1 or 2) needs a tag and a reason (`comment`) of at least five characters."""

    rater_name: Any = None
    mobile: Any = None
    level: Any = None
    tags: Any = Field(default_factory=list)
    comment: Any = None
    real_name: Any = True
    sms_code: Any = None
    captcha_id: Any = None
    captcha: Any = None
    submission_id: Any = None


class MobileBody(Body):
    """A mobile number (手机号); a captcha after 403 `captcha_required`."""

    mobile: str = Field(max_length=40)
    captcha_id: str | None = Field(None, max_length=64)
    captcha: str | None = Field(None, max_length=20)


@bp.get("/ratings/form/<string:token>")
@public()
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
@answers(Untyped, 201)
@refuses(401, 403, 410)
@bp.input(RatingBody, arg_name="body")
def post_rating(token: str, body: RatingBody) -> tuple[dict[str, Any], int]:
    """Rate. With `submission_id` the same call again is the same answer; without it the five days decide.

    403 `captcha_required` where an address is busy: get one (`POST /captchas`) and send its id and answer along.
    """
    given = body.model_dump()
    proof = raters.Proof(*(given.pop(name) for name in ("sms_code", "captcha_id", "captcha")))
    rated = raters.rate(token, Sent(**given), proof)
    return {"id": str(rated.id), "query_code": rated.query_code}, 201


@bp.post("/ratings/sms-codes")
@public(transaction=False)
@limiter.limit("600 per minute")
@refuses(403)
@bp.input(MobileBody, arg_name="body")
def send_sms_code(body: MobileBody) -> dict[str, Any]:
    """Send a one-time code to the number; 404 where no sender is configured."""
    raters.send_code(body.mobile, raters.Proof(captcha_id=body.captcha_id, captcha=body.captcha))
    return {"sent": True}
