"""Where lines of Chinese text may break: anywhere, but not before closing punctuation or after an opening one."""

import re
import unicodedata
from collections.abc import Callable

Measure = Callable[[str], float]

_NEVER_FIRST = frozenset("、，。．；：？！）】》」』〕〉”’…—·～％‰℃,.;:?!)]}>%/-")
_NEVER_LAST = frozenset("（【《「『〔〈“‘([{<#￥$")
# Latin words and numbers stay whole.
_PIECES = re.compile(r"[0-9A-Za-z_@&+=~.'’-]*[0-9A-Za-z_]|\s+|.", re.DOTALL)
# Ends after closing punctuation or before an opening bracket, as long as a closing bracket follows at once.
_CLAUSES = re.compile(
    r"[（【《「『〔“]?[^（【《「『〔“，。；、？！）】》」』〕”]*[，。；、？！）】》」』〕”]*", re.DOTALL
)
ELLIPSIS = "…"


def printable(text: str) -> str:
    """The text without what has no shape (control and format characters, variation selectors), spaces made single."""
    shaped = (" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))
    kept = (c for c in shaped if unicodedata.category(c) not in ("Cc", "Cf", "Cs") and not _is_selector(c))
    return re.sub(" +", " ", "".join(kept)).strip()


def _is_selector(character: str) -> bool:
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """The text in lines of at most `width`, by what `measure` says of a piece of text."""
    return _filled(_units(text, width, measure), width, measure)


def wrap_evenly(text: str, width: float, measure: Measure) -> list[str]:
    """As few lines as `wrap` gives, broken at punctuation if that will do, else of about the same length.

    So a name is not torn apart where it need not be, and no single character is left for the last line.
    """
    lines = wrap(text, width, measure)
    if len(lines) < 2:
        return lines
    clauses = _glued([clause for clause in _CLAUSES.findall(text) if clause])
    if all(measure(clause.rstrip()) <= width for clause in clauses):
        by_clause = _evenly(clauses, lines, width, measure)
        if len(by_clause) == len(lines):
            return by_clause
    return _evenly(_units(text, width, measure), lines, width, measure)


def _evenly(units: list[str], lines: list[str], width: float, measure: Measure) -> list[str]:
    """Lines made of whole units in the smallest width that needs no more lines than there are."""
    best = _filled(units, width, measure)
    narrow, wide = 0.0, width
    while wide - narrow > width / 200:
        middle = (narrow + wide) / 2
        tried = _filled(units, middle, measure)
        if len(tried) > len(lines) or any(measure(line) > middle for line in tried):
            narrow = middle
        else:
            wide, best = middle, tried
    return best


def _filled(units: list[str], width: float, measure: Measure) -> list[str]:
    lines: list[str] = []
    line = ""
    for unit in units:
        if line and measure((line + unit).rstrip()) > width:
            lines.append(line.rstrip())
            line = unit.lstrip()
        else:
            line += unit
    return [*lines, line.rstrip()] if line.strip() else lines


def shorten(lines: list[str], most: int, width: float, measure: Measure) -> list[str]:
    """At most so many lines; what is left out is shown by an ellipsis."""
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and measure(last + ELLIPSIS) > width:
        last = last[:-1]
    return [*lines[: most - 1], last + ELLIPSIS]


def _units(text: str, width: float, measure: Measure) -> list[str]:
    """What must not be torn apart, as far as it fits on a line at all."""
    units: list[str] = []
    for unit in _glued(_PIECES.findall(text)):
        units.extend([unit] if measure(unit.rstrip()) <= width else _glued(list(unit)))
    return units


def _glued(pieces: list[str]) -> list[str]:
    units: list[str] = []
    for piece in pieces:
        if units and piece.lstrip()[:1] in _NEVER_FIRST:
            # Blanks before a closing mark would be left out where the line breaks, and the mark come first.
            while len(units) > 1 and units[-1].isspace():
                blank = units.pop()
                units[-1] += blank
            units[-1] += piece
        elif units and (units[-1].rstrip() or units[-1])[-1] in _NEVER_LAST:
            units[-1] += piece
        else:
            units.append(piece)
    return units
