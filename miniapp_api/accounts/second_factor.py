"""The caller's second factor (动态口令): enrolling, recovery codes, removing."""

import base64
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts import second_factors
from accounts.sign_in import second_factor
from assets.paper import qr_codes
from core import clock
from core.actor import Actor
from miniapp_api.http.answers import Answer, answers, refuses
from miniapp_api.http.bodies import Body, Otp, Password
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("second_factor", __name__, tag="People")

_QR_WIDTH = 330


class OtpBody(Body):
    """A code of the authenticator or, where one is enrolled, a recovery code."""

    otp: Otp


class BeginBody(Body):
    """The password, where the sign-in is older than fifteen minutes."""

    password: Password | None = None


class OtpState(Answer):
    """How the caller stands to the second factor."""

    enrolled_at: datetime | None
    recovery_codes: int = Field(description="how many are left")
    required: bool = Field(description="whether a role of the caller demands it")


class OtpSecret(Answer):
    """A new secret; it counts once its first code was sent."""

    secret: str = Field(pattern="^[A-Z2-7]+$", description="base32, to type where nothing can be scanned")
    uri: str = Field(pattern="^otpauth://totp/")
    qr: str = Field(pattern="^data:image/png;base64,", description="QR code of `uri`: PNG, as a data URL")


class RecoveryCodes(Answer):
    """Shown once; each works once in place of a code of the authenticator."""

    recovery_codes: list[str]


@bp.get("/me/otp")
@gate(before_password_change=True)
@answers(OtpState)
def read_my_otp(session: Session, actor: Actor) -> dict[str, Any]:
    """Whether the caller's user name has a second factor."""
    return _state(session, actor)


@bp.post("/me/otp")
@gate(transaction=False, before_password_change=True)
@answers(OtpSecret)
@refuses(409)
@bp.input(BeginBody, arg_name="body")
def begin_my_otp(actor: Actor, body: BeginBody) -> dict[str, Any]:
    """A new secret for the authenticator, good for fifteen minutes; 409 `otp_enrolled` where one is enrolled.

    Not idempotent: each call makes a new secret in place of the one before.
    """
    secret, uri = second_factors.begin(wiring().database, actor, body.password)
    picture = base64.b64encode(qr_codes.png(uri, size=_QR_WIDTH)).decode()
    return {"secret": secret, "uri": uri, "qr": f"data:image/png;base64,{picture}"}


@bp.put("/me/otp")
@gate(transaction=False, before_password_change=True)
@answers(RecoveryCodes)
@refuses(409)
@bp.input(OtpBody, arg_name="body")
def enrol_my_otp(actor: Actor, body: OtpBody) -> dict[str, Any]:
    """Enrol by the first code; ends all other sessions of the user name. The recovery codes are shown once."""
    return {"recovery_codes": second_factors.enrol(wiring().database, actor, body.otp)}


@bp.post("/me/otp/recovery-codes")
@gate(transaction=False, before_password_change=True)
@answers(RecoveryCodes)
@refuses(409)
@bp.input(OtpBody, arg_name="body")
def renew_my_recovery_codes(actor: Actor, body: OtpBody) -> dict[str, Any]:
    """Ten new recovery codes for a right code; those of before are worth nothing."""
    return {"recovery_codes": second_factors.renew_recovery_codes(wiring().database, actor, body.otp)}


@bp.delete("/me/otp")
@gate(transaction=False, before_password_change=True)
@answers(OtpState)
@refuses(409)
@bp.input(OtpBody, arg_name="body")
def remove_my_otp(actor: Actor, body: OtpBody) -> dict[str, Any]:
    """Remove the second factor for a right code or recovery code, for example to enrol another phone."""
    second_factors.remove(wiring().database, actor, body.otp)
    with wiring().database.read() as session:
        return _state(session, actor)


def _state(session: Session, actor: Actor) -> dict[str, Any]:
    state = second_factor.state(session, actor.user_id)
    return {
        "enrolled_at": None if state.enrolled_at is None else clock.rfc3339(state.enrolled_at),
        "recovery_codes": state.recovery_codes,
        "required": not wiring().policy.otp_roles.isdisjoint(actor.roles),
    }
