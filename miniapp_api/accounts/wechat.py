"""Signing in with WeChat (微信登录), and binding to a user name."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import request
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.sign_in import wechat_bindings
from accounts.sign_in.signing_in import Caller
from accounts.sign_in.wechat_bindings import Bound
from core import clock
from core.actor import Actor
from miniapp_api.accounts.sessions import SignedIn, signed_in_answer
from miniapp_api.http.answers import Answer, answers, refuses
from miniapp_api.http.bodies import Body, Otp
from miniapp_api.http.gates import bearer_token, gate, public
from miniapp_api.http.limits import per_origin, sign_in_limit
from miniapp_api.http.origins import origin
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("wechat", __name__, tag="People")


class CodeBody(Body):
    """A login code of `wx.login`: works once, within five minutes."""

    code: str = Field(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$")


class SignInByWeChatBody(CodeBody):
    """`otp`: the second factor, where one is enrolled."""

    otp: Otp | None = None


class WeChatState(Answer):
    """How the caller stands to WeChat."""

    available: bool = Field(description="whether this server has a mini-program at WeChat")
    bound: bool = Field(description="whether the caller's WeChat account signs in under this user name")
    operator_name: str | None
    bound_at: datetime | None
    others: int = Field(description="how many other people are bound to this user name")


def _caller(otp: str | None = None) -> Caller:
    return Caller(origin(), request.headers.get("User-Agent", ""), bearer_token(), otp=otp)


def _answer(state: Bound) -> dict[str, Any]:
    return {
        "available": wiring().wechat is not None,
        "bound": state.bound,
        "operator_name": state.operator_name,
        "bound_at": clock.rfc3339(state.bound_at) if state.bound_at else None,
        "others": state.others,
    }


@bp.post("/sessions/wechat")
@public(transaction=False)
@per_origin(sign_in_limit)
@answers(SignedIn, 201)
@refuses(401, 403, 409, 503)
@bp.input(SignInByWeChatBody, arg_name="body")
def create_session_by_wechat(body: SignInByWeChatBody) -> tuple[dict[str, Any], int]:
    """Sign in with a WeChat account that is bound to a user name; 409 `wechat_not_bound` for another one.

    403 `otp_required` uses the login code up: the next call brings another one, and the second factor.
    """
    services = wiring()
    caller = _caller(body.otp)
    signed_in = wechat_bindings.sign_in(services.database, services.policy, services.wechat, body.code, caller)
    return signed_in_answer(signed_in), 201


@bp.get("/me/wechat")
@gate()
@answers(WeChatState)
def read_my_wechat(session: Session, actor: Actor) -> dict[str, Any]:
    """Whether the caller can sign in with WeChat."""
    return _answer(wechat_bindings.state(session, actor))


@bp.put("/me/wechat")
@gate(transaction=False)
@per_origin(sign_in_limit)
@answers(WeChatState)
@refuses(409, 503)
@bp.input(CodeBody, arg_name="body")
def bind_my_wechat(actor: Actor, body: CodeBody) -> dict[str, Any]:
    """Bind the WeChat account behind a login code to the own user name and operator name.

    An account that was bound to another user name is bound to this one from now on. A changed or reset password and
    a disabled user name end bindings, but for the one of the person who changes the password.
    """
    services = wiring()
    return _answer(wechat_bindings.bind(services.database, services.wechat, actor, body.code, _caller()))


@bp.delete("/me/wechat")
@gate()
@answers(WeChatState)
def unbind_my_wechat(session: Session, actor: Actor) -> dict[str, Any]:
    """Unbind the caller's own WeChat account; those of others under this user name stay bound.

    The own one is that of this session, and any under the caller's operator name: so a lost phone can be unbound from
    another one. Sessions that were begun with it end, but for this one.
    """
    return _answer(wechat_bindings.unbind(session, actor, _caller()))
