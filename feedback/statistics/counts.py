"""What is counted of ratings, and the tables that keep the counts.

Statistics must cost the same at ten thousand and at a million ratings, and ratings must not wait for each other at the
row of a counter. So every change of a figure appends a row to `rating_deltas` in its own transaction, and
`tallies.fold` adds them to the tallies. Statistics read the tallies and the rows not yet folded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import JSON, Index, Integer, String, Table, Uuid, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database.prepared import Prepared
from core.db import Base
from core.models import SERIAL

COUNTED = (
    "n1", "n2", "n3", "n4", "n5", "from_staff", "real_bad", "real_bad_called", "closed", "closed_in_time", "matters",
)  # fmt: skip
"""`n1..n5` ratings by level; `real_bad` bad ones (差评) under a real name, `real_bad_called` those called back;
`closed` bad ones closed; `matters` finished matters (一事一评) that could be rated."""

ALL, MONTH, DAY = "all", "month", "day"
BEGINNING = date(2000, 1, 1)
"""The start of the tally of all time."""


class _Counts:
    n1: Mapped[int] = mapped_column(Integer, default=0)
    n2: Mapped[int] = mapped_column(Integer, default=0)
    n3: Mapped[int] = mapped_column(Integer, default=0)
    n4: Mapped[int] = mapped_column(Integer, default=0)
    n5: Mapped[int] = mapped_column(Integer, default=0)
    from_staff: Mapped[int] = mapped_column(Integer, default=0)
    real_bad: Mapped[int] = mapped_column(Integer, default=0)
    real_bad_called: Mapped[int] = mapped_column(Integer, default=0)
    closed: Mapped[int] = mapped_column(Integer, default=0)
    closed_in_time: Mapped[int] = mapped_column(Integer, default=0)
    matters: Mapped[int] = mapped_column(Integer, default=0)


class RatingDelta(_Counts, Base):
    """A change of figures that is not folded yet. `tags` maps codes of tags to the number they change by.

    `day` is the local day of the rating (for `matters`: of the code), not the day of the change.
    """

    __tablename__ = "rating_deltas"

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    day: Mapped[date]
    office_id: Mapped[UUID] = mapped_column(Uuid)
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    channel: Mapped[str] = mapped_column(String(10))
    matter: Mapped[str] = mapped_column(String(200))
    code_id: Mapped[UUID] = mapped_column(Uuid)
    tags: Mapped[dict[str, int]] = mapped_column(JSON)


def _kept_indexes(table: str, *also: str) -> tuple[Index, ...]:
    """One row for each key, and an index for each level of region."""
    areas = (Index(f"ix_{table}_{area}", "grain", area, "matter", "start") for area in ("area1", "area2", "area3"))
    return Index(f"uq_{table}_key", "grain", "office_id", "matter", "channel", "start", *also, unique=True), *areas


class _Kept:
    """The key of kept figures: office, channel and matter (`""`: all matters), over a `grain` from `start` on."""

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    grain: Mapped[str] = mapped_column(String(5))
    start: Mapped[date]
    office_id: Mapped[UUID] = mapped_column(Uuid)
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    channel: Mapped[str] = mapped_column(String(10))
    matter: Mapped[str] = mapped_column(String(200))


class RatingTally(_Kept, _Counts, Base):
    """Kept figures over a day, a month, or all time."""

    __tablename__ = "rating_tallies"
    __table_args__ = _kept_indexes(__tablename__)


class RatingTagTally(_Kept, Base):
    """How often a tag (评价标签) was chosen, kept like `RatingTally`."""

    __tablename__ = "rating_tag_tallies"
    __table_args__ = _kept_indexes(__tablename__, "tag")

    tag: Mapped[int] = mapped_column(Integer)
    n: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True, slots=True)
class Place:
    """The day, office, region, channel and matter that a figure belongs to."""

    day: date
    office_id: UUID
    area1: str
    area2: str | None
    area3: str | None
    channel: str
    matter: str
    code_id: UUID


def place_of(code: Any, channel: str, day: date) -> Place:
    """The place of a code's figures on a day."""
    return Place(day, code.office_id, code.area1, code.area2, code.area3, channel, code.matter_name, code.id)


@dataclass(frozen=True, slots=True)
class Change:
    """By how much figures change; names as in `COUNTED`, tags by their codes."""

    counts: Mapping[str, int]
    tags: Mapping[int, int] = field(default_factory=dict)


def of_rating(level: int, *, real_name: bool, from_staff: bool, tags: Iterable[int]) -> Change:
    """The change by a new rating."""
    bad_by_name = level <= 2 and real_name
    counts = {f"n{level}": 1, "from_staff": int(from_staff), "real_bad": int(bad_by_name)}
    return Change({name: by for name, by in counts.items() if by}, dict.fromkeys(tags, 1))


def negative(change: Change) -> Change:
    """The change that undoes another one."""
    return Change({n: -by for n, by in change.counts.items()}, {tag: -by for tag, by in change.tags.items()})


_APPEND = Prepared(insert(cast(Table, RatingDelta.__table__)))


def append(session: Session, place: Place, change: Change) -> None:
    """Store a change of figures, by one statement."""
    values: dict[str, Any] = {
        "day": place.day, "office_id": place.office_id, "area1": place.area1, "area2": place.area2,
        "area3": place.area3, "channel": place.channel, "matter": place.matter, "code_id": place.code_id,
        "tags": {str(tag): by for tag, by in change.tags.items()},
    }  # fmt: skip
    _APPEND.rows(session, {**values, **dict.fromkeys(COUNTED, 0), **change.counts})
