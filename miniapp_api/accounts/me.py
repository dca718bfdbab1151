"""The signed-in user."""

from typing import Any

from apiflask import APIBlueprint

from accounts import operations, queries
from core import todos
from core.actor import Actor
from miniapp_api.http.bodies import Body, PageQuery, Password
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("me", __name__, tag="People")


class PasswordBody(Body):
    """The old and the new password (修改密码)."""

    old_password: Password
    new_password: Password


@bp.get("/me")
@gate(transaction=False, before_password_change=True)
def read_me(actor: Actor) -> dict[str, Any]:
    """Who is signed in, at which office, with which roles and verbs."""
    return queries.me(actor)


@bp.put("/me/password")
@gate(transaction=False, before_password_change=True)
@bp.input(PasswordBody, arg_name="body")
def change_password(actor: Actor, body: PasswordBody) -> dict[str, Any]:
    """Change the own password; ends all other sessions."""
    operations.change_password(wiring().database, actor, body.old_password, body.new_password)
    return {"changed": True}


@bp.get("/todos")
@gate()
@bp.input(PageQuery, location="query", arg_name="query")
def list_todos(session: Any, actor: Actor, query: PageQuery) -> dict[str, Any]:
    """The caller's open to-dos, red ones first."""
    return todos.mine(session, actor, query.request()).as_json(todos.show_row)
