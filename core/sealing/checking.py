"""Verifying logs and their seals: every row once in the order of ids, beside it the seals in the same order.

Each row is looked at by itself and against the row before it in its chain (`Log.faults`); then the rows between two
seals must come to the digests of the seal. So a row that is missing, was put in or was replaced is shown even where the
whole chain of its subject is gone. Reading goes in chunks: memory stays flat, nothing is locked, and a part of the
seals can be verified by itself, as the nightly job does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import clock
from core.models import HistorySeal
from core.sealing.logs import Break, Log, Missing
from core.sealing.seals import KIND, ZERO, Runs, Sum, head_of
from core.workflows import digests

CHUNK = 5000
SHOWN = 20
"""Ids that one message names at the most."""
PASSING_KEPT = timedelta(days=150)
"""So long after a seal the rows in it that do not last must all be there. They are deleted a month later at the
earliest, so that a server that sealed them late raises no false alarm."""

Progress = Callable[[int], object]


@dataclass(slots=True)
class Outcome:
    """What verifying counted beside the breaks it named: rows that no seal covers yet, with the oldest of them.

    `stray` are the ids below the newest seal among them, by log.
    """

    rows: int = 0
    seals: int = 0
    head: str | None = None
    unsealed: int = 0
    oldest_unsealed: datetime | None = None
    stray: dict[str, list[int]] = field(default_factory=dict)

    def add(self, other: "Outcome") -> None:
        """Take in the rows that were counted for another span of seals."""
        self.rows += other.rows
        self.unsealed += other.unsealed
        if other.oldest_unsealed is not None:
            self.oldest_unsealed = min(self.oldest_unsealed or other.oldest_unsealed, other.oldest_unsealed)
        for log, ids in other.stray.items():
            self.stray.setdefault(log, []).extend(ids)


@dataclass(frozen=True, slots=True)
class Span:
    """Seals from number `first` to `last`; with `tail` also what follows them and is not sealed yet."""

    first: int
    last: int
    tail: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """Heads that were kept elsewhere: by number, and those of which nobody knows the number."""

    numbered: Mapping[int, set[str]] = field(default_factory=dict)
    unnumbered: frozenset[str] = frozenset()


def verify(
    session: Session,
    logs: Sequence[Log],
    outcome: Outcome,
    *,
    kept: Kept | None = None,
    first: int = 1,
    last: int | None = None,
    progress: Progress = lambda _rows: None,
) -> Iterator[Break]:
    """Each break of the seals from number `first` to `last` and of the rows they cover; without `last` also what is
    not sealed yet. `progress` is called with the number of rows verified since the last call.

    What is committed meanwhile raises no false alarm: seals are read before the rows.
    """
    newest = newest_of(session)
    until = newest if last is None else min(last, newest)
    yield from verify_seals(session, logs, outcome, kept or Kept(), first, until, tail=last is None)
    yield from verify_rows(session, logs, outcome, Span(first, until, tail=last is None), progress)


def newest_of(session: Session) -> int:
    """The number of the newest seal; 0 before the first."""
    return session.scalar(select(func.max(HistorySeal.no))) or 0


def spans(session: Session, last: int, rows: int) -> list[Span]:
    """The seals up to number `last` as runs that cover about so many rows each; the last run has the tail."""
    ends: list[int] = []
    covered = 0
    for seal in _seals(session, 1, last):
        covered += seal.count + seal.passing_count
        if covered >= rows:
            ends.append(seal.no)
            covered = 0
    if not ends or ends[-1] != last:
        ends.append(last)
    return [Span(before + 1, end, tail=end == last) for before, end in zip([0, *ends], ends, strict=False)]


def verify_seals(
    session: Session, logs: Sequence[Log], outcome: Outcome, kept: Kept, first: int, until: int, *, tail: bool
) -> Iterator[Break]:
    """Each break of the seals from number `first` to `until`; with `tail` also of heads kept behind them."""
    yield from _verify_chain(session, {one.name for one in logs}, outcome, kept, first, until)
    if tail:
        yield from _beyond(kept, until, outcome)


def verify_rows(
    session: Session,
    logs: Sequence[Log],
    outcome: Outcome,
    span: Span,
    progress: Progress = lambda _rows: None,
) -> Iterator[Break]:
    """Each break of the rows that a span of seals covers; any number of spans can be verified at the same time."""
    for one in logs:
        yield from _verify_log(session, one, outcome, span, progress)


def _seals(session: Session, first: int, last: int, log: str | None = None) -> Iterator[Any]:
    """Seals by number, in chunks."""
    table = HistorySeal.__table__.c
    chosen = select(*table).order_by(table.no).limit(CHUNK)
    if log is not None:
        chosen = chosen.where(table.log == log)
    while True:
        rows = session.execute(chosen.where(table.no.between(first, last))).all()
        yield from rows
        if len(rows) < CHUNK:
            return
        first = rows[-1].no + 1


def _verify_chain(
    session: Session, names: set[str], outcome: Outcome, kept: Kept, first: int, last: int
) -> Iterator[Break]:
    """The seals themselves: each follows the one before and is signed; kept heads are among them."""
    expected, previous = first, ZERO
    tops: dict[str, int] = {}
    settled: set[str] = set()
    if first > 1:
        before = session.scalar(select(HistorySeal.head).where(HistorySeal.no == first - 1))
        previous = before or ZERO
        for name in names:
            row = _former(session, name, first)
            if row is not None:
                tops[name] = row.last_id
                settled |= set() if row.founding else {name}
    unnumbered = set(kept.unnumbered)
    for row in _seals(session, first, last):
        where = f"history_seals {row.no}"
        if row.no != expected:
            yield Missing(where, f"seal {expected} is missing")
        elif row.previous != previous:
            yield Missing(where, "does not follow the seal before it")
        if row.head != head_of(row) or not digests.fits(KIND, row.head.hex(), row.key_id, row.signature):
            yield Missing(where, "seal was changed")
        if row.log in names and row.first_id != tops.get(row.log, 0) + 1:
            yield Missing(where, f"begins at {row.log} {row.first_id}, the one before ends at {tops.get(row.log, 0)}")
        if row.founding and row.log in settled:
            yield Missing(where, "is a founding seal behind others")
        if not row.founding:
            settled.add(row.log)
        recorded = kept.numbered.get(row.no)
        if recorded is not None and recorded != {row.head.hex()}:
            yield Missing(where, "is not the seal whose head was kept")
        unnumbered.discard(row.head.hex())
        tops[row.log] = max(tops.get(row.log, 0), row.last_id)
        expected, previous = row.no + 1, row.head
        outcome.seals += 1
        outcome.head = f"{row.no} {row.head.hex()}"
    if expected <= last:
        yield Missing("history_seals", f"seals {expected} to {last} are missing")
    for head in sorted(unnumbered):
        yield Missing("history_seals", f"no seal has the head {head} that was kept")


def _former(session: Session, name: str, first: int) -> Any:
    """The last seal of a log before a number: where it ends, and whether it is a founding one."""
    chosen = select(HistorySeal.last_id, HistorySeal.founding).where(HistorySeal.log == name, HistorySeal.no < first)
    return session.execute(chosen.order_by(HistorySeal.no.desc()).limit(1)).first()


def _beyond(kept: Kept, newest: int, outcome: Outcome) -> Iterator[Break]:
    lost = [no for no in kept.numbered if no > newest]
    if lost:
        reason = f"seals {min(lost)} to {max(lost)} are missing whose heads were kept: the database was set back"
        yield Missing("history_seals", reason)


def _verify_log(session: Session, one: Log, outcome: Outcome, span: Span, progress: Progress) -> Iterator[Break]:
    """The rows that these seals cover, and with the tail those behind them."""
    late = _ids(session, one, HistorySeal.late)
    bare = _ids(session, one, HistorySeal.bare)
    reader: _Reader | None = None
    former = _former(session, one.name, span.first)
    end, founding = (0, True) if former is None else (former.last_id, former.founding)
    for seal in _seals(session, span.first, span.last, one.name):
        reader = reader or _Reader(session, one, seal.first_id, bare, progress)
        total, absent = Sum(), _Runs(seal.absent or [])
        present: list[int] = []
        for row in reader.until(seal.last_id):
            yield from reader.take_faults()
            if row.key_id is None and not seal.founding:
                yield Missing(f"{one.name} {row.id}", "row has no keyed digest, as only rows of earlier releases")
            if row.id not in absent:
                present.append(row.id)
                total.add(one, row)
            elif row.id not in late:
                _unsealed(outcome, one, row, stray=True)
        came_late = _rows_of(session, one, seal.late or [])
        for row in came_late:
            total.add(one, row)
        reason = _unlike(seal, total, one, present, came_late)
        if reason:
            yield Missing(f"history_seals {seal.no}", f"{one.name} from {seal.first_id} to {seal.last_id}: {reason}")
        end, founding = seal.last_id, seal.founding
    if span.tail:
        reader = reader or _Reader(session, one, end + 1, bare, progress)
        for row in reader.until(None):
            yield from reader.take_faults()
            if row.key_id is None and not founding:
                yield Missing(f"{one.name} {row.id}", "row has no keyed digest, as only rows of earlier releases")
            _unsealed(outcome, one, row, stray=False)
    if reader is not None:
        yield from reader.take_faults()
        outcome.rows += reader.read


def _unsealed(outcome: Outcome, one: Log, row: Any, *, stray: bool) -> None:
    outcome.unsealed += 1
    if outcome.oldest_unsealed is None or row.at < outcome.oldest_unsealed:
        outcome.oldest_unsealed = row.at
    if stray:
        outcome.stray.setdefault(one.name, []).append(row.id)


def _ids(session: Session, one: Log, column: Any) -> frozenset[int]:
    """All ids that seals of a log list in a column which is empty in most."""
    chosen = select(column).where(HistorySeal.log == one.name, column.is_not(None))
    return frozenset(found for ids in session.scalars(chosen) for found in ids)


def _rows_of(session: Session, one: Log, ids: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(ids), 500):
        found += session.execute(one.rows.where(one.id.in_(ids[start : start + 500])).order_by(one.id)).all()
    return found


def _unlike(seal: Any, total: Sum, one: Log, present: list[int], late: Sequence[Any]) -> str | None:
    """Why the rows are not those that were sealed."""
    passing = (total.passing_count, total.passing_digest) == (seal.passing_count, seal.passing_digest)
    # Of the rows that pass, some may be gone by now; the founding seal holds rows that were old already.
    if seal.founding or seal.at < clock.now() - PASSING_KEPT:
        passing = total.passing_count < seal.passing_count or passing
    if (total.count, total.digest) == (seal.count, seal.digest) and passing:
        return None
    if len(late) < len(seal.late or ()) or total.count < seal.count or total.passing_count < seal.passing_count:
        sealed = seal.count + seal.passing_count
        gone = _gone(seal, one, present, late)
        return f"{sealed - total.count - total.passing_count} of {sealed} rows are missing{gone}"
    if total.count > seal.count or total.passing_count > seal.passing_count:
        return "there are rows that were put in after it was sealed"
    return "rows were replaced after it was sealed"


def _gone(seal: Any, one: Log, present: list[int], late: Sequence[Any]) -> str:
    """The ids that are missing, as far as they are known."""
    there, absent = set(present), _Runs(seal.absent or [])
    if seal.passing_count:
        return ""
    gone = [number for number in range(seal.first_id, seal.last_id + 1) if number not in there and number not in absent]
    gone += sorted(set(seal.late or ()) - {row.id for row in late})
    if not gone:
        return ""
    more = " …" if len(gone) > SHOWN else ""
    return f" ({one.name} rows {', '.join(map(str, gone[:SHOWN]))}{more})"


class _Runs:
    """Whether ids that come in order lie in runs."""

    def __init__(self, runs: Runs) -> None:
        self._runs, self._at = runs, 0

    def __contains__(self, found: int) -> bool:
        while self._at < len(self._runs) and self._runs[self._at][1] < found:
            self._at += 1
        return self._at < len(self._runs) and self._runs[self._at][0] <= found


class _Reader:
    """Rows of a log by id, in chunks, and what is wrong with those that were read."""

    def __init__(self, session: Session, one: Log, first: int, bare: frozenset[int], progress: Progress) -> None:
        self._session, self._log, self._next, self._bare, self._progress = session, one, first, bare, progress
        self._rows: Sequence[Any] = ()
        self._at = 0
        self._over = False
        self._faults: list[Break] = []
        self.read = 0

    def until(self, last: int | None) -> Iterator[Any]:
        """The rows that follow, up to an id or to the end."""
        while True:
            if self._at == len(self._rows):
                if self._over:
                    return
                self._fill()
                continue
            row = self._rows[self._at]
            if last is not None and row.id > last:
                return
            self._at += 1
            yield row

    def take_faults(self) -> list[Break]:
        """Those that were not taken yet."""
        taken, self._faults = self._faults, []
        return taken

    def _fill(self) -> None:
        self._rows, self._at = self._session.execute(self._log.checked(self._next, CHUNK)).all(), 0
        self._over = len(self._rows) < CHUNK
        if self._rows:
            self._next = self._rows[-1].id + 1
        self._faults += self._log.faults(self._session, self._rows, self._bare)
        self.read += len(self._rows)
        self._progress(len(self._rows))
