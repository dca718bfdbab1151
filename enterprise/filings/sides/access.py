"""Who may read a filing, and from which posts and parties somebody stands to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor
from core.deadlines import clocks
from core.errors import not_found
from enterprise.filings.clocks.time_limits import as_it_stands
from enterprise.filings.declaring.declarations import APPLICANT, AUTHOR, By
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import DELETED, Filing, FilingParty
from enterprise.filings.moves import find
from enterprise.filings.sides import delegations, parties


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


def standing(
    session: Session, engine: Filings, actor: Actor, filing: Filing, named: Sequence[FilingParty] | None = None
) -> Standing | None:
    """How the actor stands to a filing; None for who may not read it.

    An enterprise reads its own. An office with one of the kind's posts reads what was sent to it or what it opened; of
    what one office alone handles, so do those above it. Parties read what they are named for. `named`: the parties,
    where the caller has read them.
    """
    if filing.status == DELETED or not actor.works_in(engine.kind_of(filing).system):
        return None
    author = frozenset({AUTHOR.code} if filing.opened_by == actor.user_id else ())
    if actor.enterprise_id is not None:
        return Standing(own=True, codes=author | {APPLICANT.code}) if is_own(actor, filing) else None
    if filing.sent == 0 and not filing.opened_by_office:
        return None
    kind = engine.kind_of(filing)
    codes = _posts_there(actor, kind, filing) | delegations.posts_there(session, actor, kind, filing)
    if kind.parties:
        rows = parties.of(session, [filing.id]).get(filing.id, []) if named is None else named
        verbs = {party.code: party.verb for party in kind.parties}
        codes |= {row.party for row in rows if parties.is_actor(row, actor) and verbs.get(row.party) in actor.verbs}
    reads = bool(codes) or _covers(actor, kind, filing)
    return Standing(own=False, codes=codes | author) if reads else None


def _posts_there(actor: Actor, kind: FilingKind, filing: Filing) -> frozenset[str]:
    """The posts from which the actor may act: at the office that handles it, or at any that covers its region."""
    if filing.office_id is not None:
        handles = filing.office_id in actor.offices
    else:
        handles = actor.scope.contains(filing.area1, filing.area2, filing.area3)
    held = (post for post in kind.posts if post.verb in actor.verbs)
    return frozenset(post.code for post in held if handles or post.anywhere)


def _covers(actor: Actor, kind: FilingKind, filing: Filing) -> bool:
    """Whether the actor reads what an office below handles."""
    above = actor.scope.strictly_above(filing.area1, filing.area2, filing.area3)
    return filing.office_id is not None and above and bool(posts_of(actor, kind))


def posts_of(actor: Actor, kind: FilingKind) -> frozenset[str]:
    """The posts of a kind that the actor holds, wherever the office."""
    return frozenset(post.code for post in kind.posts if post.verb in actor.verbs)


def demanded_standing(session: Session, engine: Filings, actor: Actor, filing: Filing) -> Standing:
    """The same; 404 for who may not read the filing, and for one that a clock has deleted."""
    found = standing(session, engine, actor, filing)
    if found is None or _is_gone(session, engine, filing):
        raise not_found()
    return found


def get_readable(session: Session, engine: Filings, actor: Actor, filing_id: UUID) -> Filing:
    """The filing as it stands now; 404 when the actor may not read it."""
    filing = find(session, filing_id)
    if filing is None:
        raise not_found()
    demanded_standing(session, engine, actor, filing)
    return filing


def _is_gone(session: Session, engine: Filings, filing: Filing) -> bool:
    """Whether a clock that is over deletes it, though no job has rung it yet."""
    kind = engine.kind_of(filing)
    if not kind.rings_away:
        return False
    periods = clocks.of(session, [filing.id]).get(filing.id, {})
    return as_it_stands(kind, filing, periods).status == DELETED


def may_read_filing(session: Session, engine: Filings, actor: Actor, filing_id: UUID) -> bool:
    """For the subject registry."""
    filing = find(session, filing_id)
    readable = filing is not None and standing(session, engine, actor, filing) is not None
    return filing is not None and readable and not _is_gone(session, engine, filing)
