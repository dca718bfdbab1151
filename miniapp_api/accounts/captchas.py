"""Captchas (验证码): for sign-in of enterprises, and for ratings where an address is busy."""

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from accounts.sign_in import captchas
from accounts.sign_in.captcha_images import data_url
from accounts.sign_in.captchas import PICTURE, QUESTION, Kind
from miniapp_api.http.answers import Answer, answers
from miniapp_api.http.bodies import Body
from miniapp_api.http.gates import public
from miniapp_api.http.limits import per_origin
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("captchas", __name__, tag="People")


class CaptchaBody(Body):
    """`question`, a sum in words, is for people who cannot see a picture; it allows fewer wrong answers."""

    kind: Kind = PICTURE


class PictureCaptcha(Answer):
    """Characters in a picture."""

    id: UUID
    image: str = Field(pattern="^data:image/png;base64,", description="PNG, as a data URL")


class QuestionCaptcha(Answer):
    """A sum in words."""

    id: UUID
    question: str


@bp.post("/captchas")
@public(transaction=False)
@answers(PictureCaptcha | QuestionCaptcha)
@bp.input(CaptchaBody, arg_name="body")
def create_captcha(body: CaptchaBody) -> dict[str, Any]:
    """A new captcha, `{id, image}` or `{id, question}`; not idempotent: each one is used once."""
    return make(body.kind)


@per_origin("120 per minute")
def make(kind: str) -> dict[str, Any]:
    """A new captcha of that kind."""
    # The transaction is short: neither waiting for Redis nor drawing the picture blocks the writes of others.
    with wiring().database.write() as session:
        captcha_id, shown = captchas.ask(session) if kind == QUESTION else captchas.issue(session)
    if kind == QUESTION:
        return {"id": str(captcha_id), "question": shown}
    return {"id": str(captcha_id), "image": data_url(shown)}
