"""Who may read a filing, and from which posts and parties somebody stands to it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import not_found
from enterprise.filings.declarations import APPLICANT, By
from enterprise.filings.kinds import FilingKind, Filings
from enterprise.filings.models import DELETED, Filing
from enterprise.filings.moves import find


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody who may read a filing stands to it.

    `own`: on the applicant's side, which reads the working copy; everybody else reads what was sent. `codes`: the posts
    and parties from which they may act.
    """

    own: bool
    codes: frozenset[str]

    def is_one_of(self, takers: tuple[By, ...]) -> bool:
        """Whether they stand there as one of these."""
        return any(taker.code in self.codes for taker in takers)


def is_own(actor: Actor, filing: Filing) -> bool:
    """Whether the actor is one of the enterprise that the filing is of."""
    return actor.enterprise_id == filing.enterprise_id and APPLICANT.verb in actor.verbs


def standing(engine: Filings, actor: Actor, filing: Filing) -> Standing | None:
    """How the actor stands to a filing; None for who may not read it.

    An enterprise reads its own, an office what was sent to it or what it opened, if it has one of the kind's posts.
    """
    if filing.status == DELETED:
        return None
    if actor.enterprise_id is not None:
        return Standing(own=True, codes=frozenset({APPLICANT.code})) if is_own(actor, filing) else None
    if filing.sent == 0 and not filing.opened_by_office:
        return None
    codes = posts_of(actor, engine.kind_of(filing))
    covered = actor.scope.contains(filing.area1, filing.area2, filing.area3)
    return Standing(own=False, codes=codes) if codes and covered else None


def posts_of(actor: Actor, kind: FilingKind) -> frozenset[str]:
    """The posts of a kind that the actor holds, wherever the office."""
    return frozenset(post.code for post in kind.posts if post.verb in actor.verbs)


def demanded_standing(engine: Filings, actor: Actor, filing: Filing) -> Standing:
    """The same; 404 for who may not read the filing."""
    found = standing(engine, actor, filing)
    if found is None:
        raise not_found()
    return found


def get_readable(session: Session, engine: Filings, actor: Actor, filing_id: UUID) -> Filing:
    """The filing as it stands now; 404 when the actor may not read it."""
    filing = find(session, filing_id)
    if filing is None or standing(engine, actor, filing) is None:
        raise not_found()
    return filing


def may_read_filing(session: Session, engine: Filings, actor: Actor, filing_id: UUID) -> bool:
    """For the subject registry."""
    filing = find(session, filing_id)
    return filing is not None and standing(engine, actor, filing) is not None
