"""Signing in with WeChat (微信登录): a person's WeChat account is bound to a user name once, after a password sign-in.

Several people may bind to one user name, each with an own operator name. A login code (`wx.login`) is exchanged at
WeChat outside of any transaction; what WeChat says of the session with the phone never leaves the gateway. Whoever
changes the bindings of a user name holds its row, so that nobody binds or signs in while its password is reset.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from accounts.models import User, UserSession, WeChatBinding
from accounts.sign_in import binding_witness, sessions, signing_in, throttle
from accounts.sign_in.binding_witness import hold
from accounts.sign_in.sessions import SessionPolicy
from accounts.sign_in.signing_in import Caller, SignedIn
from core import clock, privacy
from core.actor import Actor
from core.db import Database, dialect_of, insert_into
from core.errors import Problem
from core.gateways.wechat import WeChat, WeChatFailed
from core.workflows import idempotency

log = structlog.get_logger()

KEPT_UNUSED = timedelta(days=180)
"""How long a binding lasts that nobody signs in with: a phone that was lost or sold does not keep it for ever."""

# Codes of WeChat: the login code is none, was used, or is missing; the account is at risk; too often this minute.
_BAD_CODE = frozenset({"40029", "40163", "41008"})
_BLOCKED, _TOO_OFTEN = "40226", "45011"


@dataclass(frozen=True, slots=True)
class Bound:
    """How the caller stands to WeChat: the own binding, if any, and how many others the user name has."""

    bound: bool
    operator_name: str | None
    bound_at: datetime | None
    others: int


def sign_in(database: Database, policy: SessionPolicy, wechat: WeChat | None, code: str, caller: Caller) -> SignedIn:
    """Open a session for the user name to which the WeChat account behind a login code is bound.

    Raises 401 `wechat_code_refused`, 409 `wechat_not_bound`, what `_exchange` raises, and for a user who may not sign
    in the same as a password does. Codes that are no good count for the address, as wrong passwords do. A second
    factor is asked for as after a password; WeChat's code is then used up, and the next call brings another.
    """
    openid_hash = _hash_of(_exchange(database, wechat, code, caller))
    with database.read() as session:
        bound = session.execute(
            select(User.id, User.username, User.status, User.status_reason, WeChatBinding.operator_name)
            .join(WeChatBinding, WeChatBinding.user_id == User.id)
            .where(_is_bound(openid_hash))
        ).first()
        known = bound is not None and signing_in.is_known(session, bound, bound.username, caller)
    if bound is not None and signing_in.refusal_of(bound) is None:
        signing_in.prove_again(database, bound.id, bound.username, bound.operator_name, caller, known=known)
    with database.write() as session:
        user_id = session.scalar(select(WeChatBinding.user_id).where(_is_bound(openid_hash)))
        user = None if user_id is None else hold(session, user_id)
        # Again, now that nobody else changes it.
        binding = session.scalar(select(WeChatBinding).where(_is_bound(openid_hash)))
        if user is None or binding is None or bound is None or not user.id == binding.user_id == bound.id:
            raise Problem("wechat_not_bound")
        refusal = signing_in.refusal_of(user)
        signing_in.audit(
            session, user.username, binding.operator_name, caller, refusal.code if refusal else "signed_in"
        )
        if refusal is None:
            binding.last_used_at = clock.now()
            begun = sessions.begin(
                session, policy, user.id, binding.operator_name, caller.origin, caller.user_agent, binding.id
            )
    if refusal is not None:
        raise refusal
    return signing_in.signed_in(database, begun)


def bind(database: Database, wechat: WeChat | None, actor: Actor, code: str, caller: Caller) -> Bound:
    """Bind the WeChat account behind a login code to the own user name, under the operator name of this session.

    An account that was bound elsewhere is bound here from now on. Sent again with the same code the answer is as now.
    """
    key = idempotency.key(actor.user_id, "me.wechat", actor.session_id, {"code": code})
    with database.read() as session:
        if idempotency.is_claimed(session, key):
            return state(session, actor)
    openid = _exchange(database, wechat, code, caller)
    with database.write() as session:
        _hold_both(session, actor.user_id, openid)
        alive = select(UserSession.id).where(UserSession.id == actor.session_id, UserSession.ended_at.is_(None))
        if session.scalar(alive) is None:
            raise Problem("unauthenticated")  # the password was reset meanwhile
        if idempotency.claim(session, key):
            _store(session, actor, openid)
            signing_in.audit(session, actor.username, actor.operator_name, caller, "wechat_bound")
        return state(session, actor)


def unbind(session: Session, actor: Actor, caller: Caller) -> Bound:
    """Take the own binding back: that of this session, and of this operator name; those of others stay.

    Sessions that were begun with it end, but for this one: the phone may be lost.
    """
    hold(session, actor.user_id)
    own = session.scalars(select(WeChatBinding.id).where(WeChatBinding.user_id == actor.user_id, _own(actor))).all()
    if own:
        _end_sessions_of(session, own, but=actor.session_id)
        with binding_witness.changing(session, actor.user_id, binding_witness.UNBIND, actor):
            session.execute(delete(WeChatBinding).where(WeChatBinding.id.in_(own)))
        signing_in.audit(session, actor.username, actor.operator_name, caller, "wechat_unbound")
    return state(session, actor)


def state(session: Session, actor: Actor) -> Bound:
    """Whether the caller is bound, and how many others are under this user name."""
    living = (WeChatBinding.user_id == actor.user_id, WeChatBinding.last_used_at >= clock.now() - KEPT_UNUSED)
    own = session.execute(
        select(WeChatBinding.operator_name, WeChatBinding.bound_at)
        .where(*living, _own(actor))
        .order_by(WeChatBinding.bound_at.desc())
        .limit(1)
    ).first()
    others = session.scalar(select(func.count()).select_from(WeChatBinding).where(*living, ~_own(actor))) or 0
    if own is None:
        return Bound(False, None, None, others)
    return Bound(True, own.operator_name, own.bound_at, others)


def _own(actor: Actor) -> ColumnElement[bool]:
    """Bindings of the person who asks, among those of the user name."""
    of_session = select(UserSession.binding_id).where(
        UserSession.id == actor.session_id, UserSession.binding_id.is_not(None)
    )
    named = func.coalesce(WeChatBinding.operator_name, "") == (actor.operator_name or "")
    # Without a name nobody is known by it.
    return or_(WeChatBinding.id.in_(of_session), named) if actor.operator_name else WeChatBinding.id.in_(of_session)


def _hash_of(openid: str) -> str:
    return privacy.keyed_hash("wechat-openid", openid)


def _is_bound(openid_hash: str) -> ColumnElement[bool]:
    return (WeChatBinding.openid_hash == openid_hash) & (WeChatBinding.last_used_at >= clock.now() - KEPT_UNUSED)


def _hold_both(session: Session, user_id: UUID, openid: str) -> None:
    """Hold the user and the one under whom the WeChat account is bound so far, in one order everywhere."""
    bound = session.scalar(select(WeChatBinding.user_id).where(WeChatBinding.openid_hash == _hash_of(openid)))
    for one in sorted({user_id, bound or user_id}):
        hold(session, one)


def _store(session: Session, actor: Actor, openid: str) -> None:
    openid_hash, now = _hash_of(openid), clock.now()
    elsewhere = session.execute(
        select(WeChatBinding.id, WeChatBinding.user_id).where(
            WeChatBinding.openid_hash == openid_hash, WeChatBinding.user_id != actor.user_id
        )
    ).first()
    if elsewhere is not None:
        _end_sessions_of(session, [elsewhere.id])
        with binding_witness.changing(session, elsewhere.user_id, binding_witness.END):
            session.execute(delete(WeChatBinding).where(WeChatBinding.id == elsewhere.id))
    values: dict[str, Any] = {
        "user_id": actor.user_id, "operator_name": actor.operator_name,
        "openid": privacy.InRow(openid, openid_hash), "bound_at": now,
        "last_used_at": now,
    }  # fmt: skip
    fresh = insert_into(dialect_of(session), WeChatBinding).values(id=uuid4(), openid_hash=openid_hash, **values)
    stored = fresh.on_conflict_do_update(index_elements=["openid_hash"], set_=values).returning(WeChatBinding.id)
    with binding_witness.changing(session, actor.user_id, binding_witness.BIND, actor):
        binding_id = session.execute(stored).scalar_one()
    session.execute(update(UserSession).where(UserSession.id == actor.session_id).values(binding_id=binding_id))


def _end_sessions_of(session: Session, bindings: Any, but: UUID | None = None) -> None:
    begun: list[ColumnElement[bool]] = [UserSession.binding_id.in_(bindings), UserSession.ended_at.is_(None)]
    if but is not None:
        begun.append(UserSession.id != but)
    session.execute(update(UserSession).where(*begun).values(ended_at=clock.now()))


def _exchange(database: Database, wechat: WeChat | None, code: str, caller: Caller) -> str:
    """WeChat's id of the person behind a login code.

    Raises 401 `wechat_code_refused`, 403 `wechat_blocked`, 409 `wechat_not_set_up` where there is no mini-program, 429
    `login_throttled` or `too_many_requests`, and 503 `wechat_unavailable`.
    """
    if wechat is None:
        raise Problem("wechat_not_set_up")
    keys = throttle.by_origin("wechat-address", caller.origin)
    with database.write() as session:
        reserved = throttle.reserve(session, keys)
    if reserved.refused is not None:
        raise throttle.throttled(reserved.refused)
    try:
        openid = wechat.code_to_session(code).openid
    except WeChatFailed as failure:
        problem = _problem_of(failure)
        if problem.code == "wechat_code_refused":
            with database.write() as session:
                signing_in.audit(session, "", None, caller, "wechat_code_refused")
            if reserved.refused_if_wrong is not None:
                problem = throttle.throttled(reserved.refused_if_wrong)
        else:
            with database.write() as session:
                throttle.take_back(session, keys)
        raise problem from None
    with database.write() as session:
        throttle.take_back(session, keys)
    return openid


def _problem_of(failure: WeChatFailed) -> Problem:
    if failure.code in _BAD_CODE:
        return Problem("wechat_code_refused")
    if failure.code == _BLOCKED:
        return Problem("wechat_blocked")
    if failure.code == _TOO_OFTEN:
        return Problem("too_many_requests", "微信登录过于频繁，请一分钟后再试，或使用用户名和密码", retry_after=60)
    log.warning("wechat_sign_in_failed", errcode=failure.code, retryable=failure.retryable)
    if failure.retryable:
        return Problem("wechat_unavailable", "微信暂时没有响应，请稍后重试，或使用用户名和密码", retry_after=10)
    return Problem("wechat_unavailable", "微信登录配置有误，请联系管理员，或使用用户名和密码")
