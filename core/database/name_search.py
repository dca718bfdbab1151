"""Search by a fragment of a Chinese name.

A fragment is usually two characters, which SQLite's trigram index silently answers with nothing
and pg_trgm does not help with. So names are kept as bigrams, one row per pair of adjacent
characters, the same on both databases. The table narrows the candidates; `like_pattern` then
checks the substring itself.

A table of pairs has the columns `bigram` and `area1` (the province of what bears the name), and its
primary key begins with them.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.text import clean_line, fold

# Few enough to look no further for a rarer pair, and how many pairs of a long fragment are tried.
_RARE, _PAIRS_TRIED = 50, 8


def bigrams(text: str) -> set[str]:
    """All pairs of adjacent characters of the folded text; the character itself if there is only one."""
    folded = fold(text)
    if len(folded) == 1:
        return {folded}
    return {folded[i : i + 2] for i in range(len(folded) - 1)}


def rarest_pair(
    session: Session, table: Any, fragment: str, provinces: Sequence[str] | None, most: int
) -> tuple[str, int]:
    """A pair of the fragment that few names of the provinces have (None: of the country), and how many have it.

    Counted to `most` + 1; then every pair is too common to lead anywhere, as is a single character.
    """
    best = ("", most + 1)
    if len(fold(fragment)) < 2:
        return best
    for pair in sorted(bigrams(fragment))[:_PAIRS_TRIED]:
        some = select(table.bigram).where(*having(table, pair, provinces)).limit(best[1]).subquery()
        count = session.execute(select(func.count()).select_from(some)).scalar_one()
        if count < best[1]:
            best = (pair, count)
        if count <= _RARE:
            break
    return best


def having(table: Any, pair: str, provinces: Sequence[str] | None) -> list[ColumnElement[bool]]:
    """Conditions over a table of pairs: the rows of that pair in those provinces (None: in the country)."""
    conditions: list[ColumnElement[bool]] = [table.bigram == pair]
    if provinces is not None:
        one = len(provinces) == 1
        conditions.append(table.area1 == provinces[0] if one else table.area1.in_(provinces))
    return conditions


def like_pattern(fragment: str) -> str:
    r"""A LIKE pattern for a substring of a folded name, with `%`, `_` and `\` taken literally (ESCAPE '\')."""
    return f"%{_escaped(fold(fragment))}%"


def typed_pattern(fragment: str) -> str:
    """The same for a column that keeps names as they were typed, compared by SQL's `lower`: only the case is folded."""
    return f"%{_escaped(clean_line(fragment).lower())}%"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
