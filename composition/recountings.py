"""The deadlines of all rooms that an outage (系统故障) moves."""

from core.deadlines.outage_recounts import Recounting
from enterprise.filings import postponing as filings
from feedback.follow_ups import recounting as ratings


def recountings() -> tuple[Recounting, ...]:
    """Their systems. A mark that is stored counts them, so that a further one is added at the end."""
    return filings.recounting(), ratings.outages()
