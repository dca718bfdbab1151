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


def bigrams(text: str) -> set[str]:
    """All pairs of neighbouring characters of the folded text; a single character stands alone."""
    folded = fold(text)
    if len(folded) == 1:
        return {folded}
    return {folded[i : i + 2] for i in range(len(folded) - 1)}


def like_pattern(fragment: str) -> str:
    r"""A LIKE pattern for a substring of a folded name, with `%`, `_` and `\` taken literally (ESCAPE '\')."""
    folded = fold(fragment)
    escaped = folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
