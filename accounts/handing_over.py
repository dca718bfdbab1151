"""People move (调动): to another office, and what they leave behind goes to a named colleague.

What a user submitted stays with the office for which it was entered. Drafts and what was assigned to the user stand in
rooms above this one, which listen to `HANDED_OVER`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import Office, OfficeKind, Region, User, UserStatus
from accounts.operations import get_manageable, get_readable, set_enabled
from accounts.verbs import VERBS, Role, roles_after_move
from accounts.workflows import USER
from core.actor import Actor
from core.errors import Problem, invalid
from core.workflows import idempotency
from core.workflows.events import Events

HANDED_OVER = "user.handed_over"
"""Raised with `actor`, `former`, `heir` (None: the user only leaves the office, or is disabled), `leaves` (whether the
user does not go on at that office) and `moved`, where listeners count."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What a call did: the roles that the user lost, and how many records went to the colleague, by kind."""

    roles_dropped: tuple[str, ...] = ()
    handed_over: Mapping[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """Beside the user, in the answer."""
        return {"roles_dropped": list(self.roles_dropped), "handed_over": dict(self.handed_over or {})}


def move(session: Session, events: Events, actor: Actor, user_id: UUID, body: Mapping[str, Any]) -> Handed:
    """Move a user to another office; `hand_over_to` names who gets drafts and assigned work, else drafts go along.

    The actor must stand above the user now, and the new office must be the actor's or below it: nobody plants a user
    in an office that is not theirs, and nobody moves colleagues, superiors or themselves. Of the roles those stay that
    `roles_after_move` says; nobody grants verbs they lack.
    """
    user, office_id = get_readable(session, actor, user_id), UUID(str(body["office_id"]))
    fresh = idempotency.claim(session, idempotency.key(actor.user_id, "users.move", user_id, body))
    # The call carries no version: where the user has been moved back since, it is done again on purpose.
    if not fresh and get_readable(session, actor, user_id).office_id == office_id:
        return Handed()
    user = get_manageable(session, actor, user_id)
    heir = _heir(session, actor, user, body.get("hand_over_to"))
    office = _target(session, actor, office_id)
    grantable = {role.value for role in Role if VERBS[role] <= actor.verbs}
    former = offices.level_of(session.get_one(Office, user.office_id))
    kept, dropped = roles_after_move(user.roles, former, offices.level_of(office), grantable.__contains__)
    if user.roles and not kept:
        raise Problem("forbidden", "该用户的岗位须由具有相应权限的上级单位或系统管理员调动")
    return relocate(session, events, user, office, kept, dropped, heir, actor=actor, action="move")


def relocate(
    session: Session,
    events: Events,
    user: User,
    office: Office,
    kept: Sequence[str],
    dropped: Sequence[str],
    heir: User | None,
    *,
    actor: Actor | None,
    action: str,
    payload: Mapping[str, Any] | None = None,
) -> Handed:
    """Put a user into an office, with the roles kept there. Raises 422 for the office where the user is already."""
    if office.id == user.office_id:
        raise invalid("/office_id", "same_office", f"该用户已在{office.name}，无需调动；如要调往别处，请选择其他机关")
    former = session.get_one(Office, user.office_id)
    recorded = {
        **(payload or {}), "office": office.name, "former_office": former.name, "roles_dropped": list(dropped),
        "handed_over_to": heir.username if heir else None,
    }  # fmt: skip
    # Before the user moves: listeners look for the new owner at the user's office.
    moved = _pass_on(session, events, actor, user, heir, leaves=True)
    # The unit was a part of the former office; the one at the new office is not known.
    changed = {"office_id": office.id, "roles": list(kept), "unit_name": None}
    USER.move(session, actor, user, action, changed, {**recorded, "moved": moved})
    return Handed(tuple(dropped), moved)


def hand_over(session: Session, events: Events, actor: Actor, user_id: UUID, body: Mapping[str, Any]) -> Handed:
    """Give drafts and assigned work of a user, disabled or not, to a colleague; done again, what came since."""
    get_readable(session, actor, user_id)
    fresh = idempotency.claim(session, idempotency.key(actor.user_id, "users.hand_over", user_id, body))
    user = get_manageable(session, actor, user_id)
    heir = _heir(session, actor, user, body["hand_over_to"])
    assert heir is not None
    return pass_on(session, events, user, heir, actor=actor, action="hand_over", always=fresh)


def pass_on(
    session: Session,
    events: Events,
    user: User,
    heir: User,
    *,
    actor: Actor | None,
    action: str,
    payload: Mapping[str, Any] | None = None,
    always: bool = True,
) -> Handed:
    """Give what a user left to another, with a row in the user's history.

    Without `always` the row is written only if there was something to give.
    """
    moved = _pass_on(session, events, actor, user, heir, leaves=user.status != UserStatus.ACTIVE)
    if moved or always:
        recorded = {**(payload or {}), "handed_over_to": heir.username, "moved": moved}
        USER.move(session, actor, user, action, {}, recorded)
    return Handed(handed_over=moved)


def give_back(session: Session, events: Events, user: User, *, actor: Actor | None) -> Handed:
    """For a user who is disabled without a named colleague: assigned work goes back to the office.

    Drafts stay for a later hand-over.
    """
    return Handed(handed_over=_pass_on(session, events, actor, user, None, leaves=True))


def _pass_on(
    session: Session, events: Events, actor: Actor | None, user: User, heir: User | None, *, leaves: bool
) -> dict[str, int]:
    moved: Counter[str] = Counter()
    events.emit(session, HANDED_OVER, actor=actor, former=user, heir=heir, leaves=leaves, moved=moved)
    return dict(moved)


def disable(
    session: Session, events: Events, actor: Actor, user_id: UUID, body: Mapping[str, Any]
) -> Handed:  # fmt: skip
    """Disable a user (停用); what is left behind goes to a colleague, if the call names one."""
    before = get_readable(session, actor, user_id).version
    heir_id = body.get("hand_over_to")
    if heir_id is not None:
        lock(session, user_id, UUID(str(heir_id)))
    user = set_enabled(session, actor, user_id, "disable", body)
    if user.version == before:
        return Handed()
    if heir_id is None:
        return give_back(session, events, user, actor=actor)
    heir = _heir(session, actor, user, heir_id)
    assert heir is not None
    return pass_on(session, events, user, heir, actor=actor, action="hand_over")


def _heir(session: Session, actor: Actor, user: User, heir_id: Any) -> User | None:
    if heir_id is None:
        return None
    heir = lock(session, user.id, UUID(str(heir_id)))
    region = None if heir is None else session.scalar(
        select(Region).join(Office, Office.region_code == Region.code).where(Office.id == heir.office_id)
    )  # fmt: skip
    if region is None or not actor.scope.contains(region.area1, region.area2, region.area3):
        heir = None
    return fitting(session, user, heir)


def fitting(session: Session, user: User, heir: User | None) -> User:
    """The colleague, if one can take over from the user; 422 otherwise."""
    fits = heir is not None and heir.status == UserStatus.ACTIVE and heir.id != user.id
    if heir is None or not fits or session.get_one(Office, heir.office_id).kind == OfficeKind.ENTERPRISE:
        raise invalid("/hand_over_to", "unknown_colleague", "接收人不存在、已停用或不在您管辖范围内，请重新选择")
    return heir


def lock(session: Session, user_id: UUID, heir_id: UUID) -> User | None:
    """The colleague; both rows are locked, in one order everywhere, so that neither is disabled or moved meanwhile."""
    statement = select(User).where(User.id.in_([user_id, heir_id])).order_by(User.id).with_for_update()
    found = {one.id: one for one in session.scalars(statement.execution_options(populate_existing=True))}
    return found.get(heir_id)


def _target(session: Session, actor: Actor, office_id: UUID) -> Office:
    office = session.get(Office, office_id)
    region = None if office is None or office.region_code is None else session.get(Region, office.region_code)
    chain = None if region is None else (region.area1, region.area2, region.area3)
    known = chain is not None and actor.scope.contains(*chain)
    if office is None or chain is None or not known or office.kind == OfficeKind.ENTERPRISE:
        raise invalid(
            "/office_id", "unknown_office", "没有这个机关，或不在您管辖范围内；跨辖区调动请由共同的上级单位办理"
        )
    if office.closed_on is not None:
        raise invalid("/office_id", "closed_office", f"{office.name}已撤并，请选择其他机关")
    own_or_below = (
        office.id == actor.office_id
        or actor.scope.strictly_above(*chain)
        or offices.is_below(session, office.id, actor.office_id)
    )
    if not own_or_below:
        raise Problem("forbidden", "只能调入本单位或下级单位")
    return office
