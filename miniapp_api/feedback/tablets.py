"""A service hall's tablet (大厅平板), on which one person rates after another: nothing typed may stay for the next.

With `?mode=tablet` pages have large type, are not cached, and lead back to an empty form: after the thanks, after a
refusal, and after a minute without a touch. The address of the thanks holds an encrypted, time-limited mark instead of
the query code, so that going back does not show the query code of the person before.
"""

import base64
from dataclasses import dataclass
from urllib.parse import quote

from core import clock, privacy

IDLE_SECONDS = 60
"""Without a touch for this time the form is cleared."""
WITHOUT_SCRIPT_SECONDS = 180
"""The same without JavaScript, where typing cannot be noticed; the page says so."""
THANKS_SECONDS = 20
_GOOD_FOR = THANKS_SECONDS + 4
_USE = "thanks on a tablet"


@dataclass(frozen=True, slots=True)
class Thanks:
    """Values of the template of the thanks on a tablet."""

    query_code: str
    next_step: str | None


def clean_form(token: str) -> str:
    """The address of an empty form; with `again` opening it is not counted as a scan."""
    return f"/r/{quote(token, safe='')}?mode=tablet&again=1"


def thanks_at(token: str, query_code: str) -> str:
    """The address of the thanks; it works for `THANKS_SECONDS` and a little longer."""
    content = f"{clock.now().timestamp():.0f} {query_code}".encode()
    mark = base64.urlsafe_b64encode(privacy.encrypt(content, _USE)).decode()
    return f"/r/{quote(token, safe='')}?mode=tablet&thanks={quote(mark, safe='')}"


def query_code_of(mark: str) -> str | None:
    """The query code in a mark of `thanks_at`; None if it is faulty or has expired."""
    try:
        content = privacy.decrypt(base64.urlsafe_b64decode(mark[:400]), _USE)
        moment, _, query_code = content.decode().partition(" ")
        age = clock.now().timestamp() - float(moment)
    except ValueError:
        return None
    return query_code if -1 <= age <= _GOOD_FOR else None
