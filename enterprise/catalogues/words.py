"""Catalogues for the form engine (`core/forms/words.py`)."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.orm import Session

from core import clock
from core.forms.words import Entry
from enterprise.catalogues import queries
from enterprise.catalogues.models import CatalogueEntry


class CatalogueWords:
    """What may be chosen today. A catalogue into which nothing was imported is not known: nothing is refused for it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._today = clock.today()

    def entries(self, dictionary: str, codes: Collection[str]) -> Mapping[str, Entry] | None:
        """Those of the codes that may be chosen."""
        if not queries.is_filled(self._session, dictionary):
            return None
        found = queries.by_codes(self._session, dictionary, codes, self._today)
        return {one.code: _entry(one) for one in found}

    def rows(self, dictionary: str, parents: Collection[str]) -> Mapping[str, Sequence[Entry]] | None:
        """By parent the entries that stand below it."""
        if not queries.is_filled(self._session, dictionary):
            return None
        rows: dict[str, list[Entry]] = {parent: [] for parent in parents}
        for one in queries.below(self._session, dictionary, parents, self._today):
            rows[one.parent].append(_entry(one))
        return rows


def _entry(row: CatalogueEntry) -> Entry:
    return Entry(row.code, row.name, row.detail)
