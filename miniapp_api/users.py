"""Users of the caller's offices."""

from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from accounts import operations, queries
from accounts.verbs import Verb
from core.actor import Actor
from miniapp_api.bodies import AsSent, EmptyBody, PageQuery
from miniapp_api.gates import gate
from miniapp_api.wiring import wiring

bp = APIBlueprint("users", __name__, tag="People")


class UsersQuery(PageQuery):
    """Filters of the list."""

    status: Literal["pending", "active", "rejected", "disabled"] | None = None
    q: str | None = Field(None, max_length=64)


class DisableBody(AsSent):
    """Why the account is disabled (停用)."""

    reason: str = Field(min_length=1, max_length=500)


@bp.get("/users")
@gate(Verb.ACCOUNTS_MANAGE)
@bp.input(UsersQuery, location="query", arg_name="query")
def list_users(session: Any, actor: Actor, query: UsersQuery) -> dict[str, Any]:
    """Users of the own office and those below it."""
    page = queries.users(session, actor, query.status, query.q, query.request())
    return page.as_json(queries.show_user)


@bp.post("/users/<uuid:user_id>/disable")
@gate(Verb.ACCOUNTS_MANAGE)
@bp.input(DisableBody, arg_name="body")
def disable_user(session: Any, actor: Actor, user_id: UUID, body: DisableBody) -> dict[str, Any]:
    """Disable; the user's next request is refused."""
    operations.set_enabled(session, actor, user_id, "disable", body.model_dump())
    return queries.show_user(queries.user_row(session, user_id))


@bp.post("/users/<uuid:user_id>/enable")
@gate(Verb.ACCOUNTS_MANAGE)
@bp.input(EmptyBody, arg_name="body")
def enable_user(session: Any, actor: Actor, user_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """Enable again."""
    operations.set_enabled(session, actor, user_id, "enable", body.model_dump())
    return queries.show_user(queries.user_row(session, user_id))


@bp.post("/users/<uuid:user_id>/reset-password")
@gate(Verb.ACCOUNTS_MANAGE, transaction=False)
@bp.input(EmptyBody, arg_name="body")
def reset_password(actor: Actor, user_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """A one-time password, shown once.

    Not idempotent: a lost answer cannot be shown again, so each call makes a new one.
    """
    return {"password": operations.reset_password(wiring().database, actor, user_id)}
