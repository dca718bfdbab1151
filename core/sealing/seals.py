"""Making seals (封印): each minute a job covers what was committed since the last; nobody who writes waits for it.

A seal says which rows of a log there were and what their digests come to; its head (链头) is a SHA-256 over all that
and over the head before, and is signed (HMAC) with the key of the history. So the newest head stands for everything
before it. Whoever keeps one elsewhere can prove later that nothing before it was changed, even if the key was stolen.

**What is committed late.** Ids are given before rows are committed. Ids below the newest that cannot be seen yet are
written into the seal as absent, and kept in `history_gaps`; when one of them turns up, the next seal covers it as late.
Most never do: they were rolled back. After a day a gap is looked at no more; a row that came even later is covered by
no seal, which `checking.py` counts and the nightly job brings back (`reopen`).

**Founding seals** are those made over rows of releases up to 0.3, which have no keyed digest. They say what stood there
when sealing began. Once a log has another seal, none of its rows without a key is believed any more.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import clock
from core.db import Database, canonical_json, dialect_of, insert_into
from core.models import HistoryGap, HistorySeal
from core.sealing.logs import Log
from core.workflows import digests

log = structlog.get_logger()

ROWS = 5000
"""Rows that one seal covers at the most: a transaction of some milliseconds, and little to read for what is checked."""
GAPS_WATCHED = timedelta(days=1)
"""No transaction of ours lasts longer than some minutes."""
ZERO = bytes(32)
KIND = "seal"

Runs = list[list[int]]
"""Ids as runs `[first, last]`, both inclusive, in order."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is kept of a seal elsewhere: its number, when it was made, its head, and the rows it covers."""

    no: int
    at: str
    head: str
    rows: int


def seal(database: Database, logs: Sequence[Log]) -> list[Head]:
    """Seal all that was committed and is not sealed yet; the new seals in their order.

    Two processes that do so at once make each seal once.
    """
    made: list[Head] = []
    for one in logs:
        while (head := _seal_next(database, one)) is not None:
            made.append(head)
        _forget_old_gaps(database, one)
    return made


def head_of(row: Any) -> bytes:
    """The head that the columns of a seal come to."""
    parts = [
        row.no, row.log, row.at.isoformat(), row.founding, row.first_id, row.last_id, row.absent, row.late, row.bare,
        row.count, row.digest.hex(), row.passing_count, row.passing_digest.hex(), row.previous.hex(),
    ]  # fmt: skip
    return hashlib.sha256(canonical_json(parts)).digest()


class Sum:
    """What the digests of rows come to, those that last apart from those that pass."""

    def __init__(self) -> None:
        self.count = self.passing_count = 0
        self._lasting, self._passing = hashlib.sha256(), hashlib.sha256()

    def add(self, log: Log, row: Any) -> None:
        """Rows are added in the order in which a seal lists them: by id, those that are late at the end."""
        digest = row.id.to_bytes(8, "big") + log.digest(row)
        if log.lasts(row):
            self.count += 1
            self._lasting.update(digest)
        else:
            self.passing_count += 1
            self._passing.update(digest)

    @property
    def digest(self) -> bytes:
        """Of the rows that last."""
        return self._lasting.digest()

    @property
    def passing_digest(self) -> bytes:
        """Of the rows that pass."""
        return self._passing.digest()


@dataclass(slots=True)
class _Covered:
    """What the next seal of a log is to cover."""

    first: int
    last: int
    window: Sequence[Any]
    late: Sequence[Any]
    gaps: Sequence[Any]
    bare: list[int]
    founding: bool


def _seal_next(database: Database, one: Log) -> Head | None:
    """The next seal of a log, None when there is nothing to cover. Rows are read before the transaction begins."""
    with database.read() as session:
        former = _last_of(session, one)
        covered = _covered(session, one, former)
    if covered is None:
        return None
    try:
        with database.write() as session:
            return _write(session, one, former, covered)
    except IntegrityError:  # another process was quicker
        log.info("history_sealed_elsewhere", log=one.name)
        return None


def _last_of(session: Session, one: Log) -> Any:
    newest = select(HistorySeal.no, HistorySeal.last_id, HistorySeal.founding).where(HistorySeal.log == one.name)
    return session.execute(newest.order_by(HistorySeal.no.desc()).limit(1)).first()


def _covered(session: Session, one: Log, former: Any) -> _Covered | None:
    first = 1 if former is None else former.last_id + 1
    window = session.execute(one.rows.where(one.id >= first).order_by(one.id).limit(ROWS)).all()
    gaps, late = _arrived(session, one)
    if not window and not late:
        return None
    last = window[-1].id if window else first - 1
    founding = (former is None or former.founding) and any(row.key_id is None for row in window)
    bare = list(session.scalars(one.bare(first, last))) if founding and one.bare is not None else []
    return _Covered(first, last, window, late, gaps, bare, founding)


def _arrived(session: Session, one: Log) -> tuple[Sequence[Any], Sequence[Any]]:
    """The gaps in which rows have turned up, and these rows."""
    of_log = HistoryGap.log == one.name
    # The gaps come first, and the rows of each by the primary key: so many steps as there are gaps.
    gap = select(HistoryGap.id, HistoryGap.first_id, HistoryGap.last_id, HistoryGap.seen_at).where(of_log).subquery()
    found = session.execute(
        one.rows.add_columns(gap.c.id.label("gap"), gap.c.first_id, gap.c.last_id, gap.c.seen_at)
        .join(gap, one.id.between(gap.c.first_id, gap.c.last_id))
        .order_by(one.id)
        .limit(ROWS)
    ).all()
    return list({row.gap: row for row in found}.values()), found


def _write(session: Session, one: Log, former: Any, covered: _Covered) -> Head | None:
    newest = session.execute(select(HistorySeal.no, HistorySeal.head).order_by(HistorySeal.no.desc()).limit(1)).first()
    now_last = _last_of(session, one)
    if (now_last and now_last.no) != (former and former.no):
        return None  # sealed by another process meanwhile
    total = Sum()
    for row in (*covered.window, *covered.late):
        total.add(one, row)
    absent = runs_between(covered.first, covered.last, (row.id for row in covered.window))
    values: dict[str, Any] = {
        "no": 1 if newest is None else newest.no + 1, "log": one.name, "at": clock.now(),
        "founding": covered.founding, "first_id": covered.first, "last_id": covered.last,
        "absent": absent or None, "late": [row.id for row in covered.late] or None, "bare": covered.bare or None,
        "count": total.count, "digest": total.digest,
        "passing_count": total.passing_count, "passing_digest": total.passing_digest,
        "previous": ZERO if newest is None else newest.head,
    }  # fmt: skip
    head = head_of(_Row(values))
    key_id, signature = digests.digest_of(KIND, head.hex())
    session.execute(insert(HistorySeal).values(**values, head=head, key_id=key_id, signature=signature))
    _keep_gaps(session, one, covered, absent)
    return Head(values["no"], clock.rfc3339(values["at"]), head.hex(), total.count + total.passing_count)


class _Row:
    """Values of a seal that has no row yet."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def runs_between(first: int, last: int, present: Iterable[int]) -> Runs:
    """The ids from `first` to `last` that are not among those present, which come in order."""
    runs: Runs = []
    expected = first
    for found in present:
        if found > expected:
            runs.append([expected, found - 1])
        expected = found + 1
    if expected <= last:
        runs.append([expected, last])
    return runs


def _keep_gaps(session: Session, one: Log, covered: _Covered, absent: Runs) -> None:
    """Watch what is absent; of a gap in which a row has turned up, the rest."""
    late = [row.id for row in covered.late]
    watched = [
        {"log": one.name, "first_id": first, "last_id": last, "seen_at": gap.seen_at}
        for gap in covered.gaps
        for first, last in runs_between(
            gap.first_id, gap.last_id, (one for one in late if gap.first_id <= one <= gap.last_id)
        )
    ]
    now = clock.now()
    watched += [{"log": one.name, "first_id": first, "last_id": last, "seen_at": now} for first, last in absent]
    for gap in covered.gaps:
        session.execute(delete(HistoryGap).where(HistoryGap.id == gap.gap))
    if watched:
        session.execute(insert(HistoryGap), watched)


def _forget_old_gaps(database: Database, one: Log) -> None:
    old = (HistoryGap.log == one.name) & (HistoryGap.seen_at < clock.now() - GAPS_WATCHED)
    with database.read() as session:
        if session.scalar(select(literal(1)).select_from(HistoryGap).where(old).limit(1)) is None:
            return
    with database.write() as session:
        session.execute(delete(HistoryGap).where(old).execution_options(synchronize_session=False))


def reopen(database: Database, log_name: str, ids: Sequence[int]) -> None:
    """Watch ids again under which rows turned up after their gap was forgotten: the next seal covers them."""
    now = clock.now()
    with database.write() as session:
        watched = insert_into(dialect_of(session), HistoryGap).on_conflict_do_nothing()
        session.execute(watched, [{"log": log_name, "first_id": n, "last_id": n, "seen_at": now} for n in ids])
