"""A forgotten password (找回密码): a link by mail, good once; by the same link who was invited sets the first one."""

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from accounts.mail import password_resets
from miniapp_api.http.answers import Answer, answers, refuses
from miniapp_api.http.bodies import Body, Password
from miniapp_api.http.gates import public
from miniapp_api.http.limits import per_origin, sign_in_limit
from miniapp_api.http.origins import origin
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("password_resets", __name__, tag="People")


class ResetBody(Body):
    """User name and confirmed address; the captcha where it was asked for (403 `captcha_required`)."""

    username: str = Field(min_length=1, max_length=64)
    email: str = Field(min_length=1, max_length=100)
    captcha_id: str | None = Field(None, max_length=64)
    captcha: str | None = Field(None, max_length=10)


class NewPasswordBody(Body):
    """The new password."""

    password: Password


class ResetAsked(Answer):
    """The same for names and addresses that belong together and for any others."""

    sends_mail: bool = Field(description="whether this installation has a mail server; without one nothing arrives")


class PasswordSet(Answer):
    """The password was set; all sessions of the user have ended."""

    set: Literal[True]


@bp.get("/password-resets")
@public(transaction=False)
@answers(ResetAsked)
def read_password_resets() -> dict[str, Any]:
    """Whether a forgotten password can be set anew by mail here; else a superior office resets it."""
    return {"sends_mail": wiring().site.sends_mail}


@bp.post("/password-resets")
@public(transaction=False)
@per_origin(sign_in_limit)
@answers(ResetAsked, 202)
@refuses(403, 429)
@bp.input(ResetBody, arg_name="body")
def ask_for_password_reset(body: ResetBody) -> tuple[dict[str, Any], int]:
    """Ask for a link to set the password anew; 202 whether or not there is such a user with that address."""
    services = wiring()
    asking = password_resets.Asking(body.username, body.email, origin(), body.captcha_id, body.captcha)
    password_resets.ask(services.database, services.site, asking)
    return {"sends_mail": services.site.sends_mail}, 202


@bp.put("/password-resets/<string:token>")
@public(transaction=False)
@per_origin(sign_in_limit)
@answers(PasswordSet)
@refuses(410)
@bp.input(NewPasswordBody, arg_name="body")
def set_password_by_link(token: str, body: NewPasswordBody) -> dict[str, Any]:
    """Set the password by the link of a mail; it works once. The same call again, after a lost answer, is 200."""
    password_resets.set_password(wiring().database, token, body.password)
    return {"set": True}
