"""How long a rating keeps its rater: name, number and own words go some time after it is over (已办结、已剔除).

Level, tags, what the office did and what was published stay: figures and histories need them. With the rater's words
goes what the first row of the history carried, whose digest was over them (`integrity.py`).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.privacy import in_row
from core.retention.running import Rule, keys_behind
from core.workflows import erasure
from feedback.models import Rating

_WITH_RATER = Rating.mobile_tail != ""


def _over_long_ago(session: Session, limit: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    return keys_behind(session, Rating.id, after, most, Rating.closed_at < limit, _WITH_RATER)


def _forget_raters(session: Session, limit: datetime, ids: Sequence[UUID]) -> int:
    forgotten = 0
    for one in ids:
        due = select(Rating.id).where(Rating.id == one, Rating.closed_at < limit, _WITH_RATER).with_for_update()
        if session.scalar(due) is None:
            continue
        gone = {"rater_name": "", "mobile": "", "mobile_tail": "", "comment": None, "address_key": "", "user_agent": ""}
        session.execute(
            update(Rating)
            .where(Rating.id == one)
            .values(in_row(Rating, gone, id=one))
            .execution_options(synchronize_session=False)
        )
        erasure.erase(session, one, [1], {"reason": "保存期限届满"})
        forgotten += 1
    return forgotten


RULES = (Rule("keep_rating_persons_days", _over_long_ago, _forget_raters),)
