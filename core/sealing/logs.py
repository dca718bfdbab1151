"""What is sealed: tables to which rows are only added, each row with a keyed digest of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, select
from sqlalchemy.orm import Session

from core.models import HistoryEntry, HistoryPayload
from core.workflows import history


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is wrong with a seal or with rows that nobody can name any more."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


Break = history.Broken | Missing


@dataclass(frozen=True, slots=True)
class Log:
    """One table.

    `rows` selects what `digest` needs, `checked` (from an id on, so many, in the order of ids) also what `faults` looks
    at, both with `id` and `key_id`. `faults` gets a session, rows, and ids that had lost something before the first
    seal: those that `bare` selects between two ids. A row that does not `last` may be deleted some time later.
    """

    name: str
    id: ColumnElement[int]
    rows: Select[Any]
    checked: Callable[[int, int], Select[Any]]
    digest: Callable[[Any], bytes]
    faults: Callable[[Session, Sequence[Any], frozenset[int]], Iterator[Break]]
    lasts: Callable[[Any], bool] = lambda _row: True
    bare: Callable[[int, int], Select[Any]] | None = None


_ENTRIES, _PAYLOADS = cast(Table, HistoryEntry.__table__), cast(Table, HistoryPayload.__table__)


def _without_payload(first: int, last: int) -> Select[Any]:
    there = select(_PAYLOADS.c.history_id).where(_PAYLOADS.c.history_id == _ENTRIES.c.id).exists()
    return select(_ENTRIES.c.id).where(_ENTRIES.c.id.between(first, last), ~there).order_by(_ENTRIES.c.id)


HISTORY = Log(
    name="history",
    id=_ENTRIES.c.id,
    rows=select(_ENTRIES.c.id, _ENTRIES.c.hash, _ENTRIES.c.key_id),
    checked=history.checked,
    digest=lambda row: cast(bytes, row.hash),
    faults=history.faults,
    bare=_without_payload,
)
