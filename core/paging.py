"""Pages of a list: 20 rows unless told, at most 100; counting stops at 10 000."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

COUNT_LIMIT = 10_000
DEEPEST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page; both count from 1."""

    page: int = 1
    page_size: int = 20

    @property
    def offset(self) -> int:
        """Rows before the page."""
        return (self.page - 1) * self.page_size


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page. `total` is exact, or 10 000 when there are more and `total_is_exact` is False."""

    items: Sequence[Any]
    request: PageRequest
    total: int
    total_is_exact: bool

    def as_json(self, show: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """The list as the HTTP contract writes it."""
        return {
            "items": [show(item) for item in self.items],
            "page": self.request.page,
            "page_size": self.request.page_size,
            "total": self.total,
            "total_is_exact": self.total_is_exact,
        }


def count_up_to(
    session: Session, column: ColumnElement[Any] | Any, *conditions: ColumnElement[bool]
) -> tuple[int, bool]:
    """How many rows match, looking no further than 10 000; and whether that is exact."""
    some = select(column).where(*conditions).limit(COUNT_LIMIT + 1).subquery()
    counted = session.execute(select(func.count()).select_from(some)).scalar_one()
    return min(counted, COUNT_LIMIT), counted <= COUNT_LIMIT


def fetch(
    session: Session,
    statement: "Select[*tuple[Any, ...]]",
    key: Any,
    request: PageRequest,
    *conditions: ColumnElement[bool],
) -> Page:
    """One page of `statement` (ordered, without LIMIT), counting rows by `key` under the same conditions."""
    rows = session.execute(statement.where(*conditions).limit(request.page_size).offset(request.offset)).all()
    if request.page == 1 and len(rows) < request.page_size:
        return Page(rows, request, len(rows), True)
    total, exact = count_up_to(session, key, *conditions)
    return Page(rows, request, total, exact)


def whole(items: Sequence[Any], limit: int | None = None) -> dict[str, Any]:
    """A list that is short by nature, in the same shape as a page of a long one.

    `limit` is where the reading of it stopped: with so many items there may be more, and `total` is not exact.
    """
    return {
        "items": list(items),
        "page": 1,
        "page_size": len(items),
        "total": len(items),
        "total_is_exact": limit is None or len(items) < limit,
    }
