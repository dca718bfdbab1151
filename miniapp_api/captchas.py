"""Captchas (验证码) for sign-in of enterprises."""

from typing import Any

from apiflask import APIBlueprint

from accounts import captchas
from assets.captcha_images import data_url
from miniapp_api.bodies import EmptyBody
from miniapp_api.gates import public
from miniapp_api.limits import limiter
from miniapp_api.wiring import wiring

bp = APIBlueprint("captchas", __name__, tag="People")


@bp.post("/captchas")
@public(transaction=False)
@limiter.limit("120 per minute")
@bp.input(EmptyBody, arg_name="body")
def create_captcha(body: EmptyBody) -> dict[str, Any]:
    """A new captcha; not idempotent: each one is used once."""
    # The limit may wait for Redis and the picture takes its time: nobody else's write waits for them.
    with wiring().database.write() as session:
        captcha_id, text = captchas.issue(session)
    return {"id": str(captcha_id), "image": data_url(text)}
