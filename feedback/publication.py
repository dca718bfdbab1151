"""Publication (评价公开): what a person must read first, and who decides (spec/b_rating §7)."""

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import receipts
from core.actor import Actor
from core.errors import not_found
from feedback import integrity
from feedback.kinds import HIDDEN, PENDING, SHOWN
from feedback.masking import hides_a_mobile
from feedback.models import Rating, RatingFollowUp
from feedback.queries import refuse_stale, visible
from feedback.workflows import RATING

DECISIONS = {"publish": SHOWN, "hide": HIDDEN}


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
            if hides_a_mobile(text):
                return False
            folded = unicodedata.normalize("NFKC", text).casefold()
            if latin.search(folded) or others.search(_bare(text)):
                return False
    return True


def first_publicity(comment: str | None) -> str:
    """Of a good rating: shown at once unless a person must read it."""
    return SHOWN if is_clean(comment) else PENDING


def decide(session: Session, actor: Actor, rating_id: UUID, decision: str, version: Any) -> Rating:
    """`publish` or `hide` a closed rating; a repetition changes nothing.

    Raises 404, 403, 409 `wrong_status` or `stale_version`, 422 when the version is no whole number.
    """
    rating = visible(session, actor, rating_id)
    if decision not in DECISIONS:
        raise not_found()
    receipt = receipts.key(actor.user_id, f"ratings.{decision}", rating_id, {"version": version})
    if not receipts.take(session, receipt):
        return session.get_one(Rating, rating_id, populate_existing=True)
    RATING.step(decision, rating.status, actor)
    refuse_stale(rating, version)
    follow_up = session.get(RatingFollowUp, rating_id, populate_existing=True)
    handled = None if follow_up is None else integrity.columns_of(follow_up)
    changes = {"publicity": DECISIONS[decision]}
    payload = {"standing": integrity.standing_after(rating, actor, decision, changes, handled)}
    RATING.move(session, actor, rating, decision, changes, payload)
    return session.get_one(Rating, rating_id, populate_existing=True)
