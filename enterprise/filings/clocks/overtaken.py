"""Filings that stand elsewhere than their row says: a clock of theirs is over, and no job has rung it yet.

Lists filter by where a filing truly stands (`reading/lists.py`), so they ask here first. Few clocks wait to be rung
at any moment, and they have an index of their own; kinds whose clocks ring nothing cost no statement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.deadlines import clocks
from core.models import Clock
from enterprise.filings.clocks.time_limits import as_it_stands
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import DELETED, Filing

MOST = 5000
"""Clocks that are looked at: so many wait only where the scheduler has stood still; the oldest days come first."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A filing whose row says `stored`, and which stands in `status`."""

    id: UUID
    kind: str
    stored: str
    status: str


def overtaken(session: Session, kinds: Iterable[FilingKind]) -> list[Overtaken]:
    """Those of the given kinds; nothing is written."""
    asked = {kind.code: kind for kind in kinds if kind.ringing}
    if not asked:
        return []
    names = sorted({name for kind in asked.values() for name in kind.ringing})
    due = (
        select(Clock.subject_id)
        .where(
            Clock.rung_at.is_(None), Clock.paused_on.is_(None), Clock.last_day < clock.today(),
            Clock.subject_type == "filing", Clock.name.in_(names),
        )
        .order_by(Clock.last_day, Clock.id)
        .limit(MOST)
    )  # fmt: skip
    ids = list(dict.fromkeys(session.scalars(due)))
    if not ids:
        return []
    columns = (Filing.id, Filing.kind, Filing.status, Filing.version, Filing.return_to, Filing.finished_at)
    rows = session.execute(select(*columns).where(Filing.id.in_(ids), Filing.kind.in_(asked))).all()
    periods = clocks.of(session, [row.id for row in rows])
    found = []
    for row in rows:
        stands = as_it_stands(asked[row.kind], Filing(**row._asdict()), periods.get(row.id, {}))
        if stands.status != row.status:
            found.append(Overtaken(row.id, row.kind, row.status, stands.status))
    return found


def gone(session: Session, kinds: Iterable[FilingKind]) -> set[UUID]:
    """Those that a clock has deleted, which nobody reads any more."""
    return {one.id for one in overtaken(session, [kind for kind in kinds if kind.rings_away]) if one.status == DELETED}
