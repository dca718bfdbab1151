"""By when a bad rating (差评) is answered (spec/b_rating §4)."""

from datetime import date

from sqlalchemy.orm import Session

from core.deadlines import clocks
from core.deadlines.clocks import Deadline, Place

WORKING_DAYS = 5
"""Working days (工作日) from the submission in which a bad rating is answered."""
EXTENDED_WORKING_DAYS = 15
"""The same once 限期整改 was decided."""


def deadline(session: Session, place: Place, submitted_on: date, *, extended: bool = False) -> Deadline:
    """The last day, as days are counted at the office that is rated (`place`: its chain of regions)."""
    days = EXTENDED_WORKING_DAYS if extended else WORKING_DAYS
    return clocks.working_deadline(session, place, submitted_on, days)
