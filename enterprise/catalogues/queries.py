"""Reading catalogues (目录词典). Each answer is short and costs the same however many entries there are."""

import re
from collections.abc import Collection
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from core.database.name_search import having, like_pattern, rarest_pair
from core.errors import invalid
from core.text import clean_line, fold
from enterprise.catalogues.models import CatalogueBigram, CatalogueEntry

PAGE: Final = 20
"""Entries of one answer of a search, at the most."""
MOST_ROWS: Final = 2000
"""Entries below one parent: as many as a group has rows."""
MOST_CODES: Final = 500
_RARE_ENOUGH = 3000
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")
_LAST = "\U0010ffff"


def valid_on(day: date) -> ColumnElement[bool]:
    """That an entry may be chosen on a day; its first and last day are among them."""
    begun = CatalogueEntry.valid_from.is_(None) | (CatalogueEntry.valid_from <= day)
    return begun & (CatalogueEntry.valid_to.is_(None) | (CatalogueEntry.valid_to >= day))


def search(
    session: Session, catalogue: str, fragment: str, day: date, *, parent: str = "", after: str | None = None
) -> tuple[list[CatalogueEntry], str | None]:
    """A page of entries in the order of their codes, and the code behind which the next one begins.

    `fragment`: the beginning of a code (`8415`), or at least two characters of a name (空调); empty: all. 422
    `too_short` for one character of a name, which leads nowhere.
    """
    where: list[ColumnElement[bool]] = [
        CatalogueEntry.catalogue == catalogue, CatalogueEntry.parent == parent, valid_on(day)
    ]  # fmt: skip
    if after is not None:
        where.append(CatalogueEntry.code > after)
    fragment = clean_line(fragment)
    if fragment and _CODE.fullmatch(fragment):
        where += [CatalogueEntry.code >= fragment, CatalogueEntry.code < fragment + _LAST]
    elif fragment:
        if len(fold(fragment)) < 2:
            raise invalid("/q", "too_short", "请至少输入名称中的两个字，或从头输入编码")
        where += _named(session, catalogue, fragment)
    asked: Select[Any] = select(CatalogueEntry).where(*where).order_by(CatalogueEntry.code).limit(PAGE + 1)
    found = list(session.scalars(asked))
    return found[:PAGE], found[PAGE - 1].code if len(found) > PAGE else None


def _named(session: Session, catalogue: str, fragment: str) -> list[ColumnElement[bool]]:
    """Conditions for a fragment of a name: a pair of its characters that few names have leads to them."""
    like = CatalogueEntry.folded_name.like(like_pattern(fragment), escape="\\")
    pair, count = rarest_pair(session, CatalogueBigram, fragment, [catalogue], _RARE_ENOUGH)
    if count > _RARE_ENOUGH:
        # So many that the first page is found soon in the order of the codes.
        return [like]
    ids = select(CatalogueBigram.entry_id).where(*having(CatalogueBigram, pair, [catalogue]))
    return [CatalogueEntry.id.in_(ids), like]


def is_filled(session: Session, catalogue: str) -> bool:
    """Whether anything was imported into a catalogue."""
    any_of_it = select(CatalogueEntry.id).where(CatalogueEntry.catalogue == catalogue).limit(1)
    return session.scalar(any_of_it) is not None


def by_codes(session: Session, catalogue: str, codes: Collection[str], day: date) -> list[CatalogueEntry]:
    """Those of the codes that may be chosen on a day."""
    wanted = sorted(codes)
    found: list[CatalogueEntry] = []
    for first in range(0, len(wanted), MOST_CODES):
        some = CatalogueEntry.code.in_(wanted[first : first + MOST_CODES])
        asked = select(CatalogueEntry).where(CatalogueEntry.catalogue == catalogue, some, valid_on(day))
        found += session.scalars(asked)
    return found


def below(session: Session, catalogue: str, parents: Collection[str], day: date) -> list[CatalogueEntry]:
    """The entries below these parents on a day, by parent and in their order; of each at most `MOST_ROWS`."""
    found: list[CatalogueEntry] = []
    order = (CatalogueEntry.position, CatalogueEntry.code)
    for parent in sorted(parents):
        here = (CatalogueEntry.catalogue == catalogue) & (CatalogueEntry.parent == parent)
        found += session.scalars(select(CatalogueEntry).where(here, valid_on(day)).order_by(*order).limit(MOST_ROWS))
    return found
