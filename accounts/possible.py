"""What somebody may do with an account now: the buttons of a list, so that nothing is offered that would be refused."""

from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from accounts import offices, resets
from accounts.models import OfficeKind, ResetProposal, User, UserStatus
from accounts.verbs import Verb
from core.actor import Actor

ACTIONS = (
    "reset_password", "reset_otp", "propose_reset", "propose_otp_reset", "confirm_reset", "cancel_reset", "move",
    "hand_over", "end_sessions", "disable", "enable",
)  # fmt: skip


def actions_of(
    session: Session, actor: Actor, row: Any, proposal: ResetProposal | None, enrolled: Collection[Any]
) -> list[str]:
    """The actions that are open, in the order of `ACTIONS`; `row` is one of `queries.users`."""
    user: User = row.User
    of_enterprise = row.Office.kind == OfficeKind.ENTERPRISE
    if not _stands_above(session, actor, row):
        return []
    manages = Verb.ACCOUNTS_MANAGE in actor.verbs
    if not manages and not of_enterprise:
        return []
    alone = resets.may_alone(actor, row.Office, user)
    active, disabled = user.status == UserStatus.ACTIVE, user.status == UserStatus.DISABLED
    resettable = active and proposal is None
    may = {
        "reset_password": resettable and alone,
        "reset_otp": resettable and alone and user.id in enrolled,
        "propose_reset": resettable and not alone and manages,
        "propose_otp_reset": resettable and not alone and manages and user.id in enrolled,
        "confirm_reset": proposal is not None and proposal.proposed_by != actor.user_id and manages,
        "cancel_reset": proposal is not None and manages,
        "move": active and manages and not of_enterprise,
        "hand_over": (active or disabled) and manages and not of_enterprise,
        "end_sessions": active,
        "disable": active,
        "enable": disabled,
    }
    return [action for action in ACTIONS if may[action]]


def _stands_above(session: Session, actor: Actor, row: Any) -> bool:
    """As `operations.get_manageable` demands it."""
    if row.User.id == actor.user_id:
        return False
    region = row.Region
    return (
        row.Office.kind == OfficeKind.ENTERPRISE
        or actor.scope.strictly_above(region.area1, region.area2, region.area3)
        or offices.is_below(session, row.Office.id, actor.office_id)
    )
