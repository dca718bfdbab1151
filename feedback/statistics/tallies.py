"""Keeping the tallies of ratings: folding the deltas into them, and recomputing them from the records."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from core import clock
from core.db import Database, dialect_of, insert_into
from core.workflows.history import Broken
from feedback import integrity
from feedback.codes.kinds import PER_MATTER, channel_of
from feedback.models import Rating, RatingCode, RatingFollowUp
from feedback.statistics import counts as figures
from feedback.statistics.counts import (
    ALL,
    BEGINNING,
    COUNTED,
    DAY,
    MONTH,
    Change,
    Place,
    RatingDelta,
    RatingTagTally,
    RatingTally,
)
from feedback.workflows import CLOSED, DISABLED, VOIDED

BATCH = 500
"""Deltas that are folded in one transaction."""

_deltas, _tallies = cast(Table, RatingDelta.__table__), cast(Table, RatingTally.__table__)
_tag_tallies, _codes = cast(Table, RatingTagTally.__table__), cast(Table, RatingCode.__table__)

_KEY = ("grain", "start", "office_id", "area1", "area2", "area3", "channel", "matter")
Key = tuple[str, date, UUID, str, str | None, str | None, str, str]


class Sums:
    """Figures added up for every tally that they belong to."""

    def __init__(self) -> None:
        self.counts: dict[Key, list[int]] = {}
        self.tags: dict[tuple[Key, int], int] = {}
        self.ratings: dict[UUID, int] = {}

    def add(self, place: Place, change: Change) -> None:
        grains = ((ALL, BEGINNING), (MONTH, place.day.replace(day=1)), (DAY, place.day))
        by = [change.counts.get(name, 0) for name in COUNTED]
        rated = sum(change.counts.get(f"n{level}", 0) for level in range(1, 6))
        self.ratings[place.code_id] = self.ratings.get(place.code_id, 0) + rated
        for grain, start in grains:
            for matter in ("", place.matter):
                key = (grain, start, place.office_id, place.area1, place.area2, place.area3, place.channel, matter)
                kept = self.counts.setdefault(key, [0] * len(COUNTED))
                for number, one in enumerate(by):
                    kept[number] += one
                for tag, count in change.tags.items():
                    self.tags[key, tag] = self.tags.get((key, tag), 0) + count

    def rows(self) -> list[dict[str, Any]]:
        """Rows for `rating_tallies`, in the order in which everyone writes them."""
        found = [
            {**dict(zip(_KEY, key, strict=True)), **dict(zip(COUNTED, counts, strict=True))}
            for key, counts in self.counts.items()
            if any(counts)
        ]
        return sorted(found, key=_in_order)

    def tag_rows(self) -> list[dict[str, Any]]:
        """Rows for `rating_tag_tallies`, likewise."""
        found = [{**dict(zip(_KEY, key, strict=True)), "tag": tag, "n": n} for (key, tag), n in self.tags.items() if n]
        return sorted(found, key=_in_order)


def _in_order(row: dict[str, Any]) -> tuple[str, ...]:
    names = ("grain", "office_id", "matter", "channel", "start", "tag")
    return tuple(str(row.get(name, "")) for name in names)


def fold(session: Session, limit: int | None = None) -> int:
    """Add deltas to the tallies (a job of the scheduler); returns how many there were, at most `limit`.

    The deltas are deleted and added in one transaction, so that a reader counts them once. Two that fold at once lock
    different rows.
    """
    chosen = select(_deltas.c.id).order_by(_deltas.c.id).limit(limit or BATCH)
    if dialect_of(session) != "sqlite":
        chosen = chosen.with_for_update(skip_locked=True)
    locked = chosen.cte("locked")
    noted = session.execute(delete(_deltas).where(_deltas.c.id.in_(select(locked.c.id))).returning(*_deltas.c)).all()
    sums = Sums()
    for row in noted:
        change = Change({n: getattr(row, n) for n in COUNTED}, {int(t): n for t, n in row.tags.items()})
        sums.add(_place_of(row), change)
    add_sums(session, sums)
    return len(noted)


def fold_everything(database: Database) -> int:
    """Fold until nothing is left, a transaction for each batch; returns how many deltas there were."""
    folded = 0
    while True:
        with database.write() as session:
            now = fold(session)
        folded += now
        if now < BATCH:
            return folded


def _place_of(row: Any) -> Place:
    return Place(
        row.day, row.office_id, row.area1, row.area2, row.area3, row.channel, row.matter, row.code_id
    )  # fmt: skip


def add_sums(session: Session, sums: Sums) -> None:
    """Add what was added up to the tallies."""
    connection = session.connection()
    dialect = dialect_of(session)
    unique = ["grain", "office_id", "matter", "channel", "start"]
    if rows := sums.rows():
        fresh = insert_into(dialect, _tallies)
        more = {name: _tallies.c[name] + fresh.excluded[name] for name in COUNTED}
        connection.execute(fresh.on_conflict_do_update(index_elements=unique, set_=more), rows)
    if tag_rows := sums.tag_rows():
        fresh = insert_into(dialect, _tag_tallies)
        counted = {"n": _tag_tallies.c.n + fresh.excluded.n}
        connection.execute(fresh.on_conflict_do_update(index_elements=[*unique, "tag"], set_=counted), tag_rows)
    if rated := [{"code": code, "by": n} for code, n in sorted(sums.ratings.items()) if n]:
        counting = update(_codes).where(_codes.c.id == bindparam("code"))
        connection.execute(counting.values(ratings=_codes.c.ratings + bindparam("by")), rated)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation found: how many tallies were right, and how many wrong (mended, added or emptied).

    Where records are `broken`, nothing was compared or mended.
    """

    right: int
    wrong: int
    broken: tuple[Broken, ...] = ()


def reconcile(session: Session) -> Reconciled:
    """Recompute every tally from codes, ratings and follow-ups; deltas not yet folded are folded before.

    One transaction over all ratings, which keeps others from rating meanwhile: run it when few people rate. As long as
    a record does not fit its history, no figure is changed.
    """
    if dialect_of(session) != "sqlite":
        session.execute(text("LOCK TABLE rating_deltas, rating_tallies, rating_tag_tallies IN EXCLUSIVE MODE"))
    if broken := tuple(integrity.verify(session)):
        return Reconciled(0, 0, broken)
    while fold(session):
        pass
    kept: _ByKey = {_in_order(row): (_place(row), _figures(row)) for row in _kept(session, _tallies)}
    kept_tags: _ByKey = {_in_order(row): (_place(row), (row["n"],)) for row in _kept(session, _tag_tallies)}
    sums = Sums()
    for place, change in _recomputed(session):
        sums.add(place, change)
    wanted: _ByKey = {_in_order(row): (_place(row), _figures(row)) for row in sums.rows()}
    wanted_tags: _ByKey = {_in_order(row): (_place(row), (row["n"],)) for row in sums.tag_rows()}
    wrong = _differences(kept, wanted) + _differences(kept_tags, wanted_tags)
    rated: dict[UUID, int] = {row.id: row.ratings for row in session.execute(select(_codes.c.id, _codes.c.ratings))}
    wrong += len([code for code, kept_number in rated.items() if kept_number != sums.ratings.get(code, 0)])
    right = len(wanted) + len(wanted_tags) + len(rated) - wrong
    if wrong:
        for table in (_tallies, _tag_tallies):
            session.execute(delete(table))
        session.execute(update(_codes).values(ratings=0))
        add_sums(session, sums)
    return Reconciled(max(right, 0), wrong)


def _kept(session: Session, table: Table) -> Iterator[dict[str, Any]]:
    for row in session.execute(select(table).execution_options(yield_per=1000)):
        yield dict(row._mapping)


_ByKey = dict[tuple[str, ...], tuple[tuple[Any, ...], tuple[int, ...]]]
"""For each tally its region and its figures."""


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["area1"], row["area2"], row["area3"]


def _figures(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[name] for name in COUNTED)


def _differences(kept: _ByKey, wanted: _ByKey) -> int:
    """How many tallies differ; one whose figures are all zero counts as missing."""
    empty = {key for key, (_, figures) in kept.items() if not any(figures)}
    unlike = [key for key, value in wanted.items() if kept.get(key) != value]
    return len(unlike) + len(kept.keys() - wanted.keys() - empty)


def _recomputed(session: Session) -> Iterator[tuple[Place, Change]]:
    codes: dict[UUID, Any] = {code.id: code for code in session.execute(select(_codes))}
    yield from _finished_matters(codes.values())
    statement = (
        select(
            Rating.code_id, Rating.channel, Rating.level, Rating.tags, Rating.real_name, Rating.from_staff_address,
            Rating.status, Rating.due_on, Rating.submitted_at, RatingFollowUp.contacts, RatingFollowUp.closed_in_time,
        )
        .outerjoin(RatingFollowUp, RatingFollowUp.rating_id == Rating.id)
        .where(Rating.status != VOIDED)
        .execution_options(yield_per=1000)
    )  # fmt: skip
    for row in session.execute(statement):
        change = figures.of_rating(
            row.level, real_name=row.real_name, from_staff=row.from_staff_address, tags=row.tags
        )  # fmt: skip
        closed = row.due_on is not None and row.status == CLOSED
        counts = {
            **change.counts, "real_bad_called": int(bool(row.real_name and row.contacts)),
            "closed": int(closed), "closed_in_time": int(closed and bool(row.closed_in_time)),
        }  # fmt: skip
        day = row.submitted_at.astimezone(clock.LOCAL).date()
        yield figures.place_of(codes[row.code_id], row.channel, day), Change(counts, change.tags)


def _finished_matters(codes: Iterable[Any]) -> Iterator[tuple[Place, Change]]:
    for code in codes:
        if code.kind == PER_MATTER and code.generated_at is not None and code.status != DISABLED:
            day = code.generated_at.astimezone(clock.LOCAL).date()
            yield figures.place_of(code, channel_of(code.kind, code.filing_id), day), Change({"matters": 1})
