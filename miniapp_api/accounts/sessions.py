"""Signing in and out (登录)."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from pydantic import Field

from accounts import queries
from accounts.sign_in import sessions, signing_in
from core import clock
from core.actor import Actor
from miniapp_api.accounts.me import Me, Reset, me_answer
from miniapp_api.http.answers import Answer, Page, answers, refuses
from miniapp_api.http.bodies import AtOnceQuery, Body, Otp, Password
from miniapp_api.http.gates import bearer_token, gate, public
from miniapp_api.http.limits import per_origin, sign_in_limit
from miniapp_api.http.origins import origin
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("sessions", __name__, tag="People")


class SignInBody(Body):
    """`operator_name` says who is at the phone: a user name may be shared (同一用户名允许多人同时登录)."""

    username: str = Field(min_length=1, max_length=64)
    password: Password
    operator_name: str | None = Field(None, max_length=30)
    otp: Otp | None = None
    captcha_id: str | None = Field(None, max_length=64)
    captcha: str | None = Field(None, max_length=10)


class SignedIn(Answer):
    """A session that was begun."""

    token: str = Field(description="for `Authorization: Bearer`")
    expires_at: datetime
    must_change_password: bool
    resets: list[Reset] = Field(description="who reset this account in the last thirty days; to be shown")
    user: Me


class Ended(Answer):
    """The session is over."""

    ended: Literal[True]


class LivingSession(Answer):
    """One of the caller's sessions."""

    id: UUID
    operator_name: str | None
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool = Field(description="whether it is the one that asks")


@bp.post("/sessions")
@public(transaction=False)
@per_origin(sign_in_limit)
@answers(SignedIn, 201)
@refuses(401, 403)
@bp.input(SignInBody, arg_name="body")
def create_session(body: SignInBody) -> tuple[dict[str, Any], int]:
    """Sign in; several people may do so at once under one user name."""
    services = wiring()
    caller = signing_in.Caller(
        origin(),
        request.headers.get("User-Agent", ""),
        bearer_token(),
        body.captcha_id,
        body.captcha,
        body.otp,
    )
    signed_in = signing_in.sign_in(
        services.database, services.policy, body.username, body.password, body.operator_name or None, caller
    )
    return signed_in_answer(signed_in), 201


def signed_in_answer(signed_in: signing_in.SignedIn) -> dict[str, Any]:
    """A session that was begun, with its token."""
    return {
        "token": signed_in.token,
        "expires_at": clock.rfc3339(signed_in.expires_at),
        "must_change_password": signed_in.actor.must_change_password,
        "resets": [one.as_json() for one in signed_in.resets],
        "user": me_answer(signed_in.actor),
    }


@bp.delete("/sessions/current")
@gate(before_password_change=True, by_query=True)
@answers(Ended)
def delete_current_session(session: Any, actor: Actor) -> dict[str, Any]:
    """Sign out."""
    sessions.end_session(session, actor, actor.session_id)
    return {"ended": True}


@bp.get("/me/sessions")
@gate()
@answers(Page[LivingSession])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def list_my_sessions(session: Any, actor: Actor, query: AtOnceQuery) -> dict[str, Any]:
    """The caller's open sessions, newest first, so that a lost phone can be signed out."""
    return queries.my_sessions(session, actor, query.request()).as_json(lambda row: queries.session_answer(row, actor))


@bp.delete("/me/sessions/<uuid:session_id>")
@gate()
@answers(Ended)
def delete_my_session(session: Any, actor: Actor, session_id: UUID) -> dict[str, Any]:
    """End one of the caller's own sessions."""
    sessions.end_session(session, actor, session_id)
    return {"ended": True}
