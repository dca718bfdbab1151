"""Publication (评价公开): what is masked, what a person must read first, and who decides (spec/b_rating §7)."""

import re
import unicodedata
from functools import cache
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from core import receipts
from core.actor import Actor
from core.errors import Problem, not_found
from feedback.kinds import HIDDEN, PENDING, SHOWN
from feedback.models import Rating
from feedback.queries import visible
from feedback.workflows import RATING

DECISIONS = {"publish": SHOWN, "hide": HIDDEN}

# Full-width forms are one character each like what they stand for, so places in the text stay the same.
_HALF_WIDTH = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x3000: 0x20}
_CHINESE_DIGITS = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
# Telephone, identity and account numbers, however they are spaced: seven digits or more.
_LONG_NUMBER = re.compile(r"(?<!\d)\d(?:[\s.·_*/-]{0,2}\d){6,}[Xx]?")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_DATE = re.compile(r"(?:19|20)\d{2}[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])(?!\d)")


def mask(text: str, name: str) -> str:
    """Text for the public: numbers of seven digits or more, e-mail addresses and the rater's own name as `*`."""
    plain = text.translate(_HALF_WIDTH).translate(_CHINESE_DIGITS)
    spans = [match.span() for pattern in (_LONG_NUMBER, _EMAIL) for match in pattern.finditer(plain)]
    dates = {match.span() for match in _DATE.finditer(plain)}
    characters = list(text)
    for start, end in spans:
        if (start, end) not in dates:
            characters[start:end] = "*" * (end - start)
    masked = "".join(characters)
    own = name.strip()
    return masked.replace(own, "*" * len(own)) if len(own) > 1 else masked


class _Words:
    own: Path | None = None


def install(own: Path | None) -> None:
    """Name a further list of words (one a line, UTF-8) of this installation; raises OSError when it cannot be read."""
    _Words.own = own
    _words.cache_clear()
    _words()


@cache
def _words() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Words in Latin letters, which count whole ("sb" is no part of "usb"), and all others, found anywhere."""
    paths = [Path(__file__).with_name("words.txt"), *([_Words.own] if _Words.own else [])]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    bare = {_bare(line) for line in lines if line.strip() and not line.startswith("#")} - {""}
    latin, others = ([re.escape(w) for w in sorted(bare) if w.isascii() == ascii] for ascii in (True, False))
    never = "(?!)"
    return (
        re.compile(rf"(?<![a-z])(?:{'|'.join(latin)})(?![a-z])" if latin else never),
        re.compile("|".join(others) if others else never),
    )


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def is_clean(*texts: str | None) -> bool:
    """Whether nothing in the texts needs to be read by a person before it is shown."""
    latin, others = _words()
    for text in texts:
        if text:
            folded = unicodedata.normalize("NFKC", text).casefold()
            if latin.search(folded) or others.search(_bare(text)):
                return False
    return True


def first_publicity(comment: str | None) -> str:
    """Of a good rating: shown at once unless a person must read it."""
    return SHOWN if is_clean(comment) else PENDING


def decide(session: Session, actor: Actor, rating_id: UUID, decision: str, version: int) -> Rating:
    """`publish` or `hide` a closed rating; a repetition changes nothing.

    Raises 404, 403, 409 `wrong_status` or `stale_version`.
    """
    rating = visible(session, actor, rating_id)
    if decision not in DECISIONS:
        raise not_found()
    receipt = receipts.key(actor.user_id, f"ratings.{decision}", rating_id, {"version": version})
    if not receipts.take(session, receipt):
        return session.get_one(Rating, rating_id, populate_existing=True)
    RATING.step(decision, rating.status, actor)
    if version != rating.version:
        raise Problem("stale_version", current_version=rating.version)
    RATING.move(session, actor, rating, decision, {"publicity": DECISIONS[decision]})
    return session.get_one(Rating, rating_id, populate_existing=True)
