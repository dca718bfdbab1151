"""Gates: who may come in at all, and the transaction around a request.

Every route carries exactly one gate, outermost, so that a stranger learns nothing from how a body
is validated. `gate` passes `actor` to the endpoint and, unless `transaction=False`, `session`: a
reading one for GET, else one transaction that is committed before the answer is sent and rolled
back by any exception. What an answer holds of persons it notes in the access log (`readings.py`).
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from flask import g, request
from sqlalchemy import Connection
from werkzeug.exceptions import RequestEntityTooLarge

from accounts.sign_in.sessions import authenticate
from accounts.verbs import Verb
from core.actor import Actor
from core.db import writing
from core.errors import Problem
from miniapp_api.http import readings
from miniapp_api.http.bodies import AT_HAND
from miniapp_api.http.query_names import only_declared
from miniapp_api.http.wiring import wiring

View = TypeVar("View", bound=Callable[..., Any])


class AfterCommit:
    """An answer that is made after the commit from what was read before it, so that others can write meanwhile."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __call__(self) -> Any:
        """The answer."""
        return self._make()


@dataclass(frozen=True, slots=True)
class Gate:
    """What a route demands; read by the OpenAPI document and by the tests that walk the URL map."""

    public: bool
    verbs: frozenset[str]
    by_query: bool = False
    in_system: bool = False


def bearer_token() -> str | None:
    """The token of the Authorization header, if there is one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _admit(
    verbs: frozenset[str], before_password_change: bool, by_query: bool, in_system: bool
) -> Callable[[Connection | None], Actor]:
    """A function that returns the caller or refuses. Without a token the refusal needs no connection."""
    token = bearer_token()
    if token is None:
        raise Problem("unauthenticated")
    services = wiring()

    def admit(connection: Connection | None) -> Actor:
        actor = authenticate(services.database, services.policy, token, connection)
        g.username = actor.username
        g.actor = actor
        if actor.filing_id is not None:
            _refuse_beyond(actor.filing_id, by_query)
        elif actor.system is not None:
            _refuse_outside(verbs, by_query, in_system)
        if actor.must_change_password and not before_password_change:
            raise Problem("password_change_required")
        if services.policy.must_enrol(actor) and not before_password_change:
            raise Problem("otp_enrolment_required")
        if verbs and not verbs & actor.verbs:
            raise Problem("forbidden")
        return actor

    return admit


def _refuse_outside(verbs: frozenset[str], by_query: bool, in_system: bool) -> None:
    """Whoever has rights in one business system reaches what belongs to systems, and what is the caller's own."""
    if verbs and not by_query and not in_system:
        raise Problem("forbidden", "自行注册的账号只能办理所注册的业务，其他业务请联系当地市场监管部门")


def _refuse_beyond(filing_id: UUID, by_query: bool) -> None:
    """Whoever came by a query code (查询码) reaches one filing, by the routes that are open to them."""
    if not by_query:
        raise Problem("forbidden", "查询码只能查看和办理登记的这一笔，不能办理其他业务")
    if (request.view_args or {}).get("filing_id", filing_id) != filing_id:
        raise Problem("not_found")


def _run(
    admit: Callable[[Connection | None], Actor] | None, view: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Call the view with its session; a writing one uses the connection on which `admit` has read."""
    database = wiring().database
    if request.method in ("GET", "HEAD"):
        if admit is not None:
            kwargs["actor"] = admit(None)
        with database.read() as session:
            return view(*args, **kwargs, session=session)
    if admit is not None and (request.content_length is None or request.content_length > AT_HAND):
        admit(None)  # nobody waits for the body of a stranger
    refusal = _body_read()
    with database.engine.connect() as connection:
        if admit is not None:
            kwargs["actor"] = admit(connection)
        if refusal is not None:
            raise refusal
        with database.alone:
            with writing(connection) as session:
                answer = view(*args, **kwargs, session=session)
            return answer() if isinstance(answer, AfterCommit) else answer


def _body_read() -> RequestEntityTooLarge | None:
    """Read the whole body before the write lock is taken, so that a slow phone keeps nobody waiting.

    A body that is too large is returned as a refusal, to be raised after the caller has been admitted.
    """
    try:
        request.get_data(cache=True)
    except RequestEntityTooLarge as refusal:
        return refusal
    return None


def gate(
    *verbs: Verb,
    transaction: bool = True,
    before_password_change: bool = False,
    by_query: bool = False,
    in_system: bool = False,
) -> Callable[[View], View]:
    """Only signed-in users who hold one of the verbs (any signed-in user when none is named).

    `transaction=False`: the endpoint opens its own, because it hashes passwords or streams.
    `before_password_change`: open to someone whose one-time password must be changed first, or who has to enrol a
    second factor. `by_query`: open to who has a query code (查询码) too, for their one filing (`filing_id` of the
    address); every other route is closed to them. `in_system`: open, as those are, to who registered without an officer
    (自行注册) and has rights in one business system; of the others only those that demand no verb.
    """

    def decorate(view: View) -> View:
        demanded = frozenset(verb.value for verb in verbs)
        checked = only_declared(view)

        @functools.wraps(view)
        def gated(*args: Any, **kwargs: Any) -> Any:
            admit = _admit(demanded, before_password_change, by_query, in_system)
            if transaction:
                answer = _run(admit, checked, *args, **kwargs)
            else:
                answer = checked(*args, **kwargs, actor=admit(None))
            return readings.note(checked, g.actor, answer)

        gated._gate = Gate(False, demanded, by_query, in_system)  # type: ignore[attr-defined]
        return gated  # type: ignore[return-value]

    return decorate


def public(*, transaction: bool = True) -> Callable[[View], View]:
    """Open to everyone; the list of such routes stands in the HTTP contract, §1."""

    def decorate(view: View) -> View:
        checked = only_declared(view)

        @functools.wraps(view)
        def gated(*args: Any, **kwargs: Any) -> Any:
            return _run(None, checked, *args, **kwargs) if transaction else checked(*args, **kwargs)

        gated._gate = Gate(True, frozenset())  # type: ignore[attr-defined]
        return gated  # type: ignore[return-value]

    return decorate


def gate_of(view: Callable[..., Any]) -> Gate | None:
    """The gate of a view function."""
    return getattr(view, "_gate", None)
