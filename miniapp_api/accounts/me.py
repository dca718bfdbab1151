"""The signed-in user."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts import operations, queries
from accounts.models import OfficeKind
from accounts.sign_in.reset_notices import notices
from accounts.verbs import Role, Verb
from core.actor import Actor
from core.database.paging import whole
from core.workflows import todos
from miniapp_api.accounts.regions import RegionName
from miniapp_api.http.answers import Answer, Page, answers
from miniapp_api.http.bodies import Body, PageQuery, Password
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("me", __name__, tag="People")


ResetKind = Literal["password", "second_factor"]


class PasswordBody(Body):
    """The old and the new password (修改密码)."""

    old_password: Password
    new_password: Password


class OwnOffice(Answer):
    """The office at which the user's roles hold."""

    id: UUID
    name: str
    kind: OfficeKind


class OwnEnterprise(Answer):
    """The enterprise whose account this is."""

    id: UUID
    uscc: str | None = Field(description="none of who registered without an officer")
    name: str


class NoticeSystem(Answer):
    """A system whose notices (通知公告) the user may write."""

    code: str
    title: str


class Me(Answer):
    """The signed-in user."""

    id: UUID
    username: str
    operator_name: str | None = Field(description="who is at the phone; said at sign-in")
    unit_name: str | None = Field(description="the unit that the user named when applying")
    level: Literal["national", "province", "city", "county"] | None = Field(description="null for enterprises")
    office: OwnOffice
    region: RegionName | None
    enterprise: OwnEnterprise | None
    roles: list[Role]
    verbs: list[Verb]
    must_change_password: bool
    must_enrol_otp: bool = Field(description="whether a role demands a second factor that is not enrolled yet")
    sees_filings: bool = Field(description="whether some verb opens the calls of filings (办件), of whatever system")
    notice_systems: list[NoticeSystem] = Field(description="the systems whose notices (通知公告) the user may write")


class Resetter(Answer):
    """Somebody who reset an account, or had proposed it."""

    username: str | None
    operator_name: str | None
    office: str | None


class Reset(Answer):
    """A reset (重置) of the caller's account by others."""

    kind: ResetKind
    at: datetime
    by: list[Resetter] = Field(description="who did it and, where two did, who had proposed it")


class PasswordChanged(Answer):
    """The password was changed."""

    changed: Literal[True]


class Todo(Answer):
    """An open to-do of the caller."""

    kind: str
    title: str
    link: str = Field(description="path of what it is about, without the prefix")
    due_on: date | None
    due_on_provisional: bool = Field(description="whether its day was counted on working days that are guessed")
    due_on_note: str | None
    colour: Literal["green", "yellow", "red"]
    urgent: bool


def me_answer(actor: Actor) -> dict[str, Any]:
    """The signed-in user, with what depends on how this server is put together."""
    here = wiring()
    systems = [{"code": one.code, "title": one.title} for one in here.notices.writable_by(actor.verbs)]
    return queries.me(actor, must_enrol_otp=here.policy.must_enrol(actor), notice_systems=systems)


@bp.get("/me")
@gate(transaction=False, before_password_change=True)
@answers(Me)
def read_me(actor: Actor) -> dict[str, Any]:
    """Who is signed in, at which office, with which roles and verbs."""
    return me_answer(actor)


@bp.put("/me/password")
@gate(transaction=False, before_password_change=True)
@answers(PasswordChanged)
@bp.input(PasswordBody, arg_name="body")
def change_password(actor: Actor, body: PasswordBody) -> dict[str, Any]:
    """Change the own password; ends all other sessions."""
    operations.change_password(wiring().database, actor, body.old_password, body.new_password)
    return {"changed": True}


@bp.get("/me/resets")
@gate(before_password_change=True)
@answers(Page[Reset])
def list_my_resets(session: Session, actor: Actor) -> dict[str, Any]:
    """Who reset the caller's account in the last thirty days, the newest first; at most five."""
    return whole([one.as_json() for one in notices(session, actor.user_id)])


class TodosQuery(PageQuery):
    """Which page, and which to-dos."""

    kind: str | None = Field(None, max_length=40, description="only those of this kind: how many there are is `total`")


@bp.get("/todos")
@gate()
@answers(Page[Todo])
@bp.input(TodosQuery, location="query", arg_name="query")
def list_todos(session: Any, actor: Actor, query: TodosQuery) -> dict[str, Any]:
    """The caller's open to-dos, red ones first."""
    return todos.mine(session, actor, query.request(), query.kind).as_json(todos.as_json)
