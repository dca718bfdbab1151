"""Looking up entries of the dictionaries by the ids that a record names, kept in memory for some seconds."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inspection.dictionaries.entries import chain_of
from inspection.dictionaries.models import DictionaryEntry

REFRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class CachedEntry:
    """What a record needs to know of an entry: the id that holds, its name and regulation type, and since when."""

    id: UUID
    product_code: str
    name: str
    regulation_type: str | None
    area1: str
    former_types: tuple[tuple[str, date], ...]
    retired_on: date | None

    def types_on(self, day: date) -> set[str | None]:
        """Its regulation type, and those that it had on that day."""
        return {self.regulation_type, *(kind for kind, until in self.former_types if day <= until)}

    def is_retired_on(self, day: date) -> bool:
        """Whether it may no longer be used for what happened on that day."""
        return self.retired_on is not None and day > self.retired_on


class Dictionary:
    """Look-up of entries by id, kept per process for some seconds: a keeper's change is seen by every worker soon,
    by the one that made it at once."""

    KEPT = 20_000

    def __init__(self) -> None:
        self._kept: dict[tuple[str, UUID], CachedEntry] = {}
        self._since = float("-inf")

    def forget(self) -> None:
        """Read everything anew."""
        self._kept = {}

    def resolve(self, session: Session, dictionary: str, ids: Iterable[UUID], area1: str) -> dict[UUID, CachedEntry]:
        """The entries behind those ids (other names resolved); unknown ids, and those added in
        another province than `area1`, are left out."""
        if len(self._kept) > self.KEPT or time.monotonic() - self._since > REFRESH_SECONDS:
            self._kept, self._since = {}, time.monotonic()
        kept, wanted = self._kept, list(ids)
        found = {i: kept[dictionary, i] for i in wanted if (dictionary, i) in kept}
        missing = [i for i in wanted if i not in found]
        if missing:
            statement = select(DictionaryEntry).where(
                DictionaryEntry.dictionary == dictionary, DictionaryEntry.id.in_(missing)
            )
            for row in session.scalars(statement.execution_options(populate_existing=True)).all():
                found[row.id] = kept[dictionary, row.id] = _known(chain_of(session, row))
        return {i: entry for i, entry in found.items() if entry.area1 in ("", area1)}


def _known(chain: list[DictionaryEntry]) -> CachedEntry:
    holds = chain[-1]
    former = tuple((kind, date.fromisoformat(until)) for one in chain for kind, until in one.former_types)
    return CachedEntry(
        holds.id, holds.product_code, holds.name, holds.regulation_type, holds.area1, former, holds.retired_on
    )
