"""Search by a fragment of a Chinese name.

A fragment is usually two characters, which SQLite's trigram index silently answers with nothing
and pg_trgm does not help with. So names are kept as bigrams, one row a pair of neighbouring
characters, the same on both databases. The table narrows the candidates; `like_pattern` then
checks the substring itself.
"""

import unicodedata


def fold(text: str) -> str:
    """The form in which names are compared: NFKC, lower case, no white space."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def fold_to_fit(text: str, limit: int = 100) -> str:
    """The folded text as far as its column holds it: some characters become several (㍿ → 株式会社)."""
    return fold(text)[:limit]


def bigrams(text: str) -> set[str]:
    """All pairs of neighbouring characters of the folded text; a single character stands alone."""
    folded = fold(text)
    if len(folded) == 1:
        return {folded}
    return {folded[i : i + 2] for i in range(len(folded) - 1)}


def like_pattern(fragment: str) -> str:
    r"""A LIKE pattern for a substring of a folded name, with `%`, `_` and `\` taken literally (ESCAPE '\')."""
    return f"%{_escaped(fold(fragment))}%"


def typed_pattern(fragment: str) -> str:
    """The same for a column that keeps names as they were typed, compared by SQL's `lower`: only the case is folded."""
    return f"%{_escaped(fragment.strip().lower())}%"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
