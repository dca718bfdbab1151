"""Who may read a filing, and on which of its two sides (the enterprise, the office) somebody stands."""

from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import not_found
from enterprise.filings.kinds import ENTERPRISE, OFFICE
from enterprise.filings.models import DELETED, Filing
from enterprise.filings.moves import find


def side_of(actor: Actor, filing: Filing) -> str | None:
    """ENTERPRISE for a user of the enterprise, OFFICE for one of an office of its region, None for everybody else."""
    if actor.enterprise_id is not None:
        return ENTERPRISE if actor.enterprise_id == filing.enterprise_id and ENTERPRISE in actor.verbs else None
    covered = actor.scope.contains(filing.area1, filing.area2, filing.area3)
    return OFFICE if covered and OFFICE in actor.verbs else None


def may_read(actor: Actor, filing: Filing) -> bool:
    """Whether the actor may read it: the enterprise always, an office what was sent to it or what it opened."""
    return _reading_side(actor, filing) is not None


def reading_side(actor: Actor, filing: Filing) -> str:
    """The side from which the actor reads a filing; 404 for who may not read it."""
    side = _reading_side(actor, filing)
    if side is None:
        raise not_found()
    return side


def _reading_side(actor: Actor, filing: Filing) -> str | None:
    side = side_of(actor, filing)
    if filing.status == DELETED or (side == OFFICE and filing.sent == 0 and not filing.opened_by_office):
        return None
    return side


def get_readable(session: Session, actor: Actor, filing_id: UUID) -> Filing:
    """The filing as it stands now; 404 when the actor may not read it."""
    filing = find(session, filing_id)
    if filing is None or not may_read(actor, filing):
        raise not_found()
    return filing


def may_read_filing(session: Session, actor: Actor, filing_id: UUID) -> bool:
    """For the subject registry."""
    filing = find(session, filing_id)
    return filing is not None and may_read(actor, filing)
