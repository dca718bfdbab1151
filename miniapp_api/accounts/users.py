"""Users of the caller's offices."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts import handing_over, models, operations, possible, queries, resets
from accounts.mail import addresses
from accounts.models import UserStatus
from accounts.sign_in import second_factor
from accounts.sign_in.reset_notices import who
from accounts.verbs import Role, Verb
from core import clock
from core.actor import Actor
from miniapp_api.accounts.me import ResetKind, Resetter
from miniapp_api.accounts.regions import RegionName
from miniapp_api.accounts.sessions import LivingSession
from miniapp_api.http.answers import Answer, Page, answers, one_of
from miniapp_api.http.bodies import AsSent, AtOnceQuery, Body, EmptyBody, PageQuery
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("users", __name__, tag="People")


class UsersQuery(PageQuery):
    """Filters of the list."""

    status: Literal["pending", "active", "rejected", "disabled"] | None = None
    q: str | None = Field(None, max_length=64)


class DisableBody(AsSent):
    """Why the account is disabled (停用), and who gets its drafts and assigned bad ratings."""

    reason: str = Field(min_length=1, max_length=500)
    hand_over_to: UUID | None = Field(None, strict=False)


class MoveBody(Body):
    """The new office, and who gets the user's drafts and assigned bad ratings; without it drafts move with the user."""

    office_id: UUID = Field(strict=False)
    hand_over_to: UUID | None = Field(None, strict=False)


class HandOverBody(Body):
    """Who gets the user's drafts and assigned bad ratings."""

    hand_over_to: UUID = Field(strict=False)


class ProposeResetBody(Body):
    """What is to be reset, and why."""

    kind: ResetKind
    reason: str = Field(min_length=1, max_length=500)


class ProposalBody(Body):
    """Which proposal is meant, so that nobody confirms one that came since."""

    proposal_id: UUID = Field(strict=False)


class OfficeName(Answer):
    """Id and name of an office."""

    id: UUID
    name: str


class ResetProposal(Answer):
    """A reset that one person proposed and another may confirm."""

    id: UUID
    kind: ResetKind
    reason: str
    by: Resetter
    at: datetime
    until: datetime
    own: bool = Field(description="whether the caller proposed it, who then cannot confirm it")


class User(Answer):
    """A user as those read it who manage accounts."""

    about = "user"

    id: UUID
    username: str
    full_name: str | None
    unit_name: str | None
    status: UserStatus
    status_reason: str | None = Field(description="why it was refused or disabled")
    roles: list[Role]
    office: OfficeName
    region: RegionName
    mobile: str | None = Field(description="masked")
    email: str | None = Field(description="masked; the address that the user has confirmed")
    version: int
    created_at: datetime
    second_factor: bool = Field(description="whether a second factor (动态口令) is enrolled")
    reset_alone: bool = Field(description="whether the caller may reset it without a second person")
    reset_proposal: ResetProposal | None
    actions: list[Annotated[str, one_of(possible.ACTIONS)]] = Field(description="what the caller may do now")


class HandedOver(User):
    """A user, and how much was handed over to a colleague."""

    roles_dropped: list[Role] = Field(description="roles that neither the new level brings nor the caller could grant")
    handed_over: dict[str, int] = Field(description="how many records by their kind")


class UserSignIn(LivingSession):
    """An open session of a user."""

    about = "user"

    user_id: UUID


class SessionsEnded(Answer):
    """How many sessions were ended."""

    ended: int


class OfficesQuery(PageQuery):
    """`q` is a fragment of the name."""

    q: str | None = Field(None, max_length=100)


class OfficeBelow(Answer):
    """The own office, or one below it."""

    id: UUID
    name: str
    kind: models.OfficeKind
    region: RegionName


class OneTimePassword(Answer):
    """Shown once; it must be changed at the first sign-in."""

    password: str


class SecondFactorReset(Answer):
    """The second factor is gone."""

    reset: Literal[True]


class ConfirmedReset(Answer):
    """What was reset; a one-time password is shown once."""

    kind: ResetKind
    password: str | None


@bp.get("/users")
@gate(Verb.ACCOUNTS_MANAGE, Verb.ENTERPRISES_MANAGE)
@answers(Page[User])
@bp.input(UsersQuery, location="query", arg_name="query")
def list_users(session: Any, actor: Actor, query: UsersQuery) -> dict[str, Any]:
    """Users of the own office and those below it; for a licence reviewer those of enterprises (企业账号)."""
    page = queries.users(session, actor, query.status, query.q, query.request())
    ids = [row.User.id for row in page.items]
    beside = _beside(session, ids)
    return page.as_json(lambda row: _answer(session, actor, row, beside))


@bp.post("/users/<uuid:user_id>/disable")
@gate(Verb.ACCOUNTS_MANAGE, Verb.ENTERPRISES_MANAGE)
@answers(HandedOver)
@bp.input(DisableBody, arg_name="body")
def disable_user(session: Any, actor: Actor, user_id: UUID, body: DisableBody) -> dict[str, Any]:
    """Disable a user, whose next request is then refused; drafts go to a colleague if one is named."""
    sent = body.model_dump(mode="json", exclude_none=True)
    handed = handing_over.disable(session, wiring().events, actor, user_id, sent)
    return {**_user(session, actor, user_id), **handed.as_json()}


@bp.post("/users/<uuid:user_id>/move")
@gate(Verb.ACCOUNTS_MANAGE)
@answers(HandedOver)
@bp.input(MoveBody, arg_name="body")
def move_user(session: Any, actor: Actor, user_id: UUID, body: MoveBody) -> dict[str, Any]:
    """Move a user of an office below (调动) to another office: the caller's own or one below it.

    What was submitted stays with the office it was entered for. Roles that neither the new level brings nor the caller
    could grant are dropped and named.
    """
    sent = body.model_dump(mode="json", exclude_none=True)
    handed = handing_over.move(session, wiring().events, actor, user_id, sent)
    return {**_user(session, actor, user_id), **handed.as_json()}


@bp.post("/users/<uuid:user_id>/hand-over")
@gate(Verb.ACCOUNTS_MANAGE)
@answers(HandedOver)
@bp.input(HandOverBody, arg_name="body")
def hand_over(session: Any, actor: Actor, user_id: UUID, body: HandOverBody) -> dict[str, Any]:
    """Give drafts (信息暂存) and assigned bad ratings of a user, disabled or not, to a colleague."""
    handed = handing_over.hand_over(session, wiring().events, actor, user_id, body.model_dump(mode="json"))
    return {**_user(session, actor, user_id), **handed.as_json()}


@bp.post("/users/<uuid:user_id>/enable")
@gate(Verb.ACCOUNTS_MANAGE, Verb.ENTERPRISES_MANAGE)
@answers(User)
@bp.input(EmptyBody, arg_name="body")
def enable_user(session: Any, actor: Actor, user_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """Enable a disabled user."""
    operations.set_enabled(session, actor, user_id, "enable", body.model_dump())
    return _user(session, actor, user_id)


@bp.get("/users/<uuid:user_id>/sessions")
@gate(Verb.ACCOUNTS_MANAGE, Verb.ENTERPRISES_MANAGE)
@answers(Page[UserSignIn])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def list_user_sessions(session: Session, actor: Actor, user_id: UUID, query: AtOnceQuery) -> dict[str, Any]:
    """The open sessions (登录) of a user whom the caller manages, newest first."""
    operations.get_manageable(session, actor, user_id)
    page = queries.sessions_of(session, user_id, query.request())
    return page.as_json(lambda row: {**queries.session_answer(row, actor), "user_id": str(user_id)})


@bp.post("/users/<uuid:user_id>/end-sessions")
@gate(Verb.ACCOUNTS_MANAGE, Verb.ENTERPRISES_MANAGE)
@answers(SessionsEnded)
@bp.input(EmptyBody, arg_name="body")
def end_user_sessions(session: Session, actor: Actor, user_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """End all sessions of a user, as where a phone was lost; the password stays. Without sessions nothing is done."""
    return {"ended": operations.end_sessions(session, actor, user_id)}


@bp.get("/offices")
@gate(Verb.ACCOUNTS_MANAGE)
@answers(Page[OfficeBelow])
@bp.input(OfficesQuery, location="query", arg_name="query")
def list_offices(session: Session, actor: Actor, query: OfficesQuery) -> dict[str, Any]:
    """The own office and those below it, by name: where people may be moved."""
    page = queries.offices_below(session, actor, query.q, query.request())
    return page.as_json(
        lambda row: {
            "id": str(row.id), "name": row.name, "kind": row.kind,
            "region": {"code": row.code, "name": row.region_name},
        }
    )  # fmt: skip


@bp.post("/users/<uuid:user_id>/reset-password")
@gate(Verb.ACCOUNTS_MANAGE, Verb.ENTERPRISES_MANAGE, transaction=False)
@answers(OneTimePassword)
@bp.input(EmptyBody, arg_name="body")
def reset_password(actor: Actor, user_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """A one-time password, shown once, for a user whose verbs the caller holds; 403 `two_people_needed` otherwise.

    Not idempotent: a lost answer cannot be shown again, so each call makes a new one.
    """
    return {"password": resets.reset_password(wiring().database, actor, user_id)}


@bp.post("/users/<uuid:user_id>/reset-otp")
@gate(Verb.ACCOUNTS_MANAGE, Verb.ENTERPRISES_MANAGE)
@answers(SecondFactorReset)
@bp.input(EmptyBody, arg_name="body")
def reset_otp(session: Session, actor: Actor, user_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """Take the second factor (动态口令) of a user who lost phone and recovery codes; the rule is that of passwords."""
    resets.reset_second_factor(session, actor, user_id)
    return {"reset": True}


@bp.post("/users/<uuid:user_id>/propose-reset")
@gate(Verb.ACCOUNTS_MANAGE)
@answers(User)
@bp.input(ProposeResetBody, arg_name="body")
def propose_reset(session: Any, actor: Actor, user_id: UUID, body: ProposeResetBody) -> dict[str, Any]:
    """Propose a reset of a user who may do more than the caller; another one confirms it within three days."""
    resets.propose(session, actor, user_id, body.kind, body.reason)
    return _user(session, actor, user_id)


@bp.post("/users/<uuid:user_id>/confirm-reset")
@gate(Verb.ACCOUNTS_MANAGE, transaction=False)
@answers(ConfirmedReset)
@bp.input(ProposalBody, arg_name="body")
def confirm_reset(actor: Actor, user_id: UUID, body: ProposalBody) -> dict[str, Any]:
    """Confirm what another user name proposed.

    Not idempotent: the password is shown once, the proposal is then gone.
    """
    kind, password = resets.confirm(wiring().database, actor, user_id, body.proposal_id)
    return {"kind": kind, "password": password}


@bp.post("/users/<uuid:user_id>/cancel-reset")
@gate(Verb.ACCOUNTS_MANAGE)
@answers(User)
@bp.input(ProposalBody, arg_name="body")
def cancel_reset(session: Any, actor: Actor, user_id: UUID, body: ProposalBody) -> dict[str, Any]:
    """Take the own proposal back, or refuse another's."""
    resets.cancel(session, actor, user_id, body.proposal_id)
    return _user(session, actor, user_id)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is shown with users that stands in other tables."""

    proposals: dict[UUID, models.ResetProposal]
    enrolled: Collection[UUID]
    emails: dict[UUID, str]


def _beside(session: Session, ids: list[UUID]) -> _Beside:
    enrolled = second_factor.enrolled(session, ids)
    return _Beside(resets.open_proposals(session, ids), enrolled, addresses.masked_of(session, ids))


def _user(session: Any, actor: Actor, user_id: UUID) -> dict[str, Any]:
    return _answer(session, actor, queries.user_row(session, user_id), _beside(session, [user_id]))


def _answer(session: Session, actor: Actor, row: Any, beside: _Beside) -> dict[str, Any]:
    """A user as this actor sees it, with what may be reset how."""
    proposal = beside.proposals.get(row.User.id)
    shown = None if proposal is None else {
        "id": str(proposal.id), "kind": proposal.kind, "reason": proposal.reason,
        "by": who(proposal.proposed_as)[0], "at": clock.rfc3339(proposal.at), "until": clock.rfc3339(proposal.until),
        "own": proposal.proposed_by == actor.user_id,
    }  # fmt: skip
    return {
        **queries.user_answer(row), "email": beside.emails.get(row.User.id),
        "second_factor": row.User.id in beside.enrolled,
        "reset_alone": resets.may_alone(actor, row.Office, row.User), "reset_proposal": shown,
        "actions": possible.actions_of(session, actor, row, proposal, beside.enrolled),
    }  # fmt: skip
