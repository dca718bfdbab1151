"""The engine that carries filings: what it needs, who may see a filing, and from which side."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from accounts.offices import enterprise_office_id
from core import todos
from core.actor import Actor
from core.errors import Problem, not_found
from core.events import Events
from core.forms.library import FormLibrary
from core.subjects import SubjectRegistry
from enterprise.filings.kinds import ENTERPRISE, OFFICE, FilingKind, KindRegistry
from enterprise.filings.models import Filing
from enterprise.filings.moves import find

FINISHED = "filing.finished"
"""Event: a filing of a rateable kind reached a final status. Details: `filing`, `kind`."""

TODO = "filing"
DELETED = "deleted"


def may_read_filing(session: Session, actor: Actor, filing_id: UUID) -> bool:
    """For the subject registry."""
    filing = find(session, filing_id)
    return filing is not None and filing.status != DELETED and may_read(actor, filing)


@dataclass(frozen=True, slots=True)
class Filings:
    """What the engine needs besides the session; one per process."""

    kinds: KindRegistry
    forms: FormLibrary
    events: Events
    subjects: SubjectRegistry

    def kind_of(self, filing: Filing) -> FilingKind:
        """The declaration of a filing's kind."""
        return self.kinds.kinds[filing.kind]


def party(actor: Actor, filing: Filing) -> str | None:
    """Which side of a filing the actor stands on: ENTERPRISE, OFFICE, or neither."""
    if actor.enterprise_id is not None:
        return ENTERPRISE if actor.enterprise_id == filing.enterprise_id and ENTERPRISE in actor.verbs else None
    covered = actor.scope.contains(filing.area1, filing.area2, filing.area3)
    return OFFICE if covered and OFFICE in actor.verbs else None


def visible(session: Session, actor: Actor, filing_id: UUID) -> Filing:
    """A filing of the own enterprise, or one that was sent to (or opened by) the own office; else 404."""
    return seen(actor, find(session, filing_id))


def seen(actor: Actor, filing: Filing | None) -> Filing:
    """The filing, if the actor may see it; else 404."""
    if filing is None or filing.status == DELETED or not may_read(actor, filing):
        raise not_found()
    return filing


def may_read(actor: Actor, filing: Filing) -> bool:
    """Whether the actor stands on a side of the filing from which it can be seen now."""
    side = party(actor, filing)
    return side == ENTERPRISE or (side == OFFICE and (filing.sent > 0 or filing.opened_by_office))


def show_todo(session: Session, kind: FilingKind, filing: Filing) -> None:
    """Put the to-do of a filing's status in the place of the one before."""
    todos.close(session, filing.id, TODO)
    open_todo(session, kind, filing)


def open_todo(session: Session, kind: FilingKind, filing: Filing) -> None:
    """Open the to-do of the status in which a filing stands, if it has one, where none is open."""
    rule = kind.todos.get(filing.status)
    if rule is None:
        return
    title, subject = f"{rule.title}：{filing.org_name}", ("filing", filing.id)
    if rule.side == "enterprise":
        todos.open_for_office(
            session, TODO, title, subject, verb=ENTERPRISE, office_id=enterprise_office_id(filing.uscc),
            due_on=filing.due_on if rule.dated else None,
        )  # fmt: skip
    else:
        todos.open_for_region(
            session, TODO, title, subject, verb=OFFICE, area1=filing.area1, area2=filing.area2, area3=filing.area3
        )


def wrong_status(kind: FilingKind, filing: Filing, status: str | None = None, *, action: str = "save") -> Problem:
    """409 with the status in which the filing stands, in the kind's own words where it has some."""
    current = status or filing.status
    label = kind.statuses.get(current, current)
    detail = kind.refusals.get((current, action)) or f"当前状态为“{label}”，不能执行该操作"
    return Problem("wrong_status", detail, current_status=current)
