"""A hall's tablet (大厅平板), on which one person rates after another: nothing stays for the next.

`?mode=tablet` makes the type large, keeps nothing in the browser, and comes back to a clean form: after the thanks,
after a refusal, and when nobody has touched the screen for a minute. The thanks are shown by a mark that is good for
little longer than they stand there, so that going back shows nobody the query code of the person before.
"""

from dataclasses import dataclass
from urllib.parse import quote

from cryptography.exceptions import InvalidTag

from core import clock, privacy

IDLE_SECONDS = 60
"""After so long without a touch what was typed is cleared."""
WITHOUT_SCRIPT_SECONDS = 180
"""Without JavaScript nobody can tell whether somebody types; so the page waits longer, and says so."""
THANKS_SECONDS = 20
_GOOD_FOR = THANKS_SECONDS + 4


@dataclass(frozen=True, slots=True)
class Thanks:
    """What the thanks on a tablet need."""

    query_code: str
    next_step: str | None


def clean_form(token: str) -> str:
    """The address of an empty form; `again` says that nobody scanned the code for it."""
    return f"/r/{quote(token, safe='')}?mode=tablet&again=1"


def thanks_at(token: str, query_code: str) -> str:
    """The address of the thanks, for the next moments only."""
    mark = privacy.seal(f"{clock.now().timestamp():.0f} {query_code}").removeprefix(privacy.SEALED)
    return f"/r/{quote(token, safe='')}?mode=tablet&thanks={quote(mark, safe='')}"


def query_code_of(mark: str) -> str | None:
    """The query code of a mark that is still good."""
    try:
        moment, _, query_code = privacy.unseal(privacy.SEALED + mark[:400]).partition(" ")
        age = clock.now().timestamp() - float(moment)
    except (InvalidTag, ValueError):
        return None
    return query_code if -1 <= age <= _GOOD_FOR else None
