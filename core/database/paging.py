"""Pages of a list: 20 rows by default, at most 100; counting stops at 10 000.

A page is asked for by its number, or by the mark of what was seen last (`after`): that row's values
in the columns of the order. Page numbers skip or repeat rows while a list shrinks or grows, and cost more the deeper
they lie; going on behind a mark does neither.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, ColumnElement, Date, Integer, Select, Uuid, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from core import clock, privacy
from core.db import Database, UTCDateTime
from core.errors import Fault, Problem

COUNT_LIMIT = 10_000
DEEPEST_PAGE = 10_000
LONGEST_MARK = 1000
CHUNK = 1000
_SEAL = 8


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: its number, counted from 1, or the mark behind which it begins."""

    page: int = 1
    page_size: int = 20
    after: str | None = None

    @property
    def offset(self) -> int:
        """Rows before the page that are to be passed over."""
        return 0 if self.after else (self.page - 1) * self.page_size


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page. `total` is exact, or 10 000 when there are more and `total_is_exact` is False.

    `next_after` is the mark behind which the next page begins; None at the end of the list.
    """

    items: Sequence[Any]
    request: PageRequest
    total: int
    total_is_exact: bool
    next_after: str | None = None

    def as_json(self, row_json: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """The list as the HTTP contract writes it; a page that begins behind a mark has no number."""
        return {
            "items": [row_json(item) for item in self.items],
            "page": None if self.request.after else self.request.page,
            "page_size": self.request.page_size,
            "total": self.total,
            "total_is_exact": self.total_is_exact,
            "next_after": self.next_after,
        }


def _bad_mark() -> Problem:
    message = "续读标记（after）无效，请使用列表返回的 next_after，或从第一页重新读取"
    return Problem("invalid", errors=[Fault("/after", "invalid", message)])


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: columns, each with whether it descends; none is ever NULL and the last is unique.

    A mark is the values of a row in this order and the local day on which the list was begun (for orders that look at
    the day), sealed against damage; it is valid only in the list of the same `name`. It grants nothing: a made-up mark
    shows only what the list shows its caller anyway. `secret`: it is encrypted, because the list does not show the
    values of its order.
    """

    name: str
    columns: tuple[tuple[Any, bool], ...]
    secret: bool = False

    @property
    def key(self) -> Any:
        """The unique column."""
        return self.columns[-1][0]

    def clauses(self) -> list[ColumnElement[Any]]:
        """For ORDER BY."""
        return [column.desc() if falls else column.asc() for column, falls in self.columns]

    def begun_on(self, request: PageRequest) -> date:
        """The local day on which the list was begun: today, or the one in the mark."""
        return self._opened(request.after)[0] if request.after else clock.today()

    def mark(self, values: Sequence[Any], begun_on: date) -> str:
        """The mark of a row that has these values."""
        written = [v if isinstance(v, int | str) else str(v) if isinstance(v, UUID) else v.isoformat() for v in values]
        content = orjson.dumps([begun_on.isoformat(), *written])
        sealed = self._seal(content) + content
        return (
            base64.urlsafe_b64encode(privacy.encrypt(sealed, self.name) if self.secret else sealed)
            .rstrip(b"=")
            .decode()
        )

    def behind(self, request: PageRequest) -> list[ColumnElement[bool]]:
        """Conditions for what stands behind the request's mark; none where it has none. 422 for a bad mark."""
        if not request.after:
            return []
        found = self._opened(request.after)[1]
        places = [literal(value, column.type) for value, (column, _) in zip(found, self.columns, strict=True)]
        columns = [column for column, _ in self.columns]
        directions = {falls for _, falls in self.columns}
        if len(directions) == 1:
            # Compared as a row: an index in this order is entered at the mark.
            here, there = tuple_(*columns), tuple_(*places)
            return [here < there if directions == {True} else here > there]
        alternatives = []
        for number, (column, falls) in enumerate(self.columns):
            same = [columns[before] == places[before] for before in range(number)]
            alternatives.append(and_(*same, column < places[number] if falls else column > places[number]))
        return [or_(*alternatives)]

    def seen(self, request: PageRequest) -> list[Any] | None:
        """The values in the request's mark, for a list that stands in no table; None where it has none."""
        return self._opened(request.after)[1] if request.after else None

    def _seal(self, content: bytes) -> bytes:
        return hashlib.blake2b(self.name.encode() + b"\0" + content, digest_size=_SEAL).digest()

    def _opened(self, mark: str) -> tuple[date, list[Any]]:
        try:
            sealed = base64.b64decode(mark + "=" * (-len(mark) % 4), altchars=b"-_", validate=True)
            # The last character has unused bits: only the text that was given out is accepted.
            if base64.urlsafe_b64encode(sealed).rstrip(b"=").decode() != mark:
                raise _bad_mark()
            if self.secret:
                sealed = privacy.decrypt(sealed, self.name)
            seal, content = sealed[:_SEAL], sealed[_SEAL:]
            if seal != self._seal(content):
                raise _bad_mark()
            day, *written = orjson.loads(content)
            values = [_read(value, column) for value, (column, _) in zip(written, self.columns, strict=True)]
            return date.fromisoformat(day), values
        except (binascii.Error, ValueError, TypeError, OverflowError) as error:
            raise _bad_mark() from error


def _read(written: Any, column: Any) -> Any:
    """A value as its column takes it; ValueError, TypeError or OverflowError where it cannot be one."""
    kind = column.type
    if isinstance(kind, Integer):
        most = 2 ** (63 if isinstance(kind, BigInteger) else 31)
        if type(written) is not int or not -most <= written < most:
            raise ValueError("no number of a row")
        return written
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(written).astimezone(UTC)
    if isinstance(kind, Date):
        return date.fromisoformat(written)
    if isinstance(kind, Uuid):
        return UUID(written)
    if not isinstance(written, str) or "\0" in written:
        raise ValueError("no text of a row")
    return written


def newest_first(name: str, at: Any, key: Any) -> Order:
    """The order that most lists have: by an instant or a day, the latest first."""
    return Order(name, ((at, True), (key, True)))


def ascending(name: str, *columns: Any) -> Order:
    """The order of a list by name or number."""
    return Order(name, tuple((column, False) for column in columns))


def cut(
    session: Session,
    statement: "Select[*tuple[Any, ...]]",
    order: Order,
    request: PageRequest,
    *conditions: ColumnElement[bool],
) -> tuple[Sequence[Any], str | None]:
    """The rows of a page of `statement` (without ORDER BY and LIMIT) in that order, and the mark of the next page.

    The rows carry the values of the order behind their own columns.
    """
    chosen = statement.where(*conditions, *order.behind(request))
    chosen = chosen.add_columns(*(column.label(f"order_{n}") for n, (column, _) in enumerate(order.columns)))
    # One row more than the page holds: it shows whether there is a next page.
    chosen = chosen.order_by(*order.clauses()).limit(request.page_size + 1).offset(request.offset)
    rows = session.execute(chosen).all()
    if len(rows) <= request.page_size:
        return rows, None
    shown = rows[: request.page_size]
    return shown, order.mark(shown[-1][-len(order.columns) :], order.begun_on(request))


def count_up_to(
    session: Session, column: ColumnElement[Any] | Any, *conditions: ColumnElement[bool]
) -> tuple[int, bool]:
    """How many rows match, looking no further than 10 000; and whether that is exact."""
    some = select(column).where(*conditions).limit(COUNT_LIMIT + 1).subquery()
    counted = session.execute(select(func.count()).select_from(some)).scalar_one()
    return min(counted, COUNT_LIMIT), counted <= COUNT_LIMIT


def is_whole(request: PageRequest, rows: Sequence[Any], next_after: str | None) -> bool:
    """Whether a page is the whole list, which then needs no counting."""
    return request.page == 1 and not request.after and next_after is None and len(rows) <= request.page_size


def fetch(
    session: Session,
    statement: "Select[*tuple[Any, ...]]",
    order: Order,
    request: PageRequest,
    *conditions: ColumnElement[bool],
) -> Page:
    """One page of `statement` (without ORDER BY and LIMIT) in that order, counting rows under the same conditions."""
    rows, next_after = cut(session, statement, order, request, *conditions)
    if is_whole(request, rows, next_after):
        return Page(rows, request, len(rows), True)
    total, exact = count_up_to(session, order.key, *conditions)
    return Page(rows, request, total, exact, next_after)


def nothing(order: Order, request: PageRequest) -> Page:
    """The page of a list of which it is known that nothing is in it; a bad mark is refused here as elsewhere."""
    order.behind(request)
    return Page([], request, 0, True)


def walk(
    database: Database,
    statement: "Select[*tuple[Any, ...]]",
    order: Order,
    *conditions: ColumnElement[bool],
) -> Iterator[Any]:
    """All rows of a list, in chunks, so that neither memory nor a transaction is held."""
    request = PageRequest(page_size=CHUNK)
    while True:
        with database.read() as session:
            rows, next_after = cut(session, statement, order, request, *conditions)
        yield from rows
        if next_after is None:
            return
        request = PageRequest(page_size=CHUNK, after=next_after)


def whole(items: Sequence[Any]) -> dict[str, Any]:
    """A list that is short by nature, in the same shape as a page of a long one."""
    return {
        "items": list(items),
        "page": 1,
        "page_size": len(items),
        "total": len(items),
        "total_is_exact": True,
        "next_after": None,
    }
