"""The deadlines of all rooms that an outage (系统故障) moves."""

from collections.abc import Mapping

from core.deadlines.outage_recounts import Recounting
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.many import postponing as filings
from enterprise.systems import KINDS
from feedback.follow_ups import recounting as ratings


def recountings(kinds: Mapping[str, FilingKind] | None = None) -> tuple[Recounting, ...]:
    """Their systems. A mark that is stored counts them, so that a further one is added at the end."""
    of_all = {kind.code: kind for kind in KINDS} if kinds is None else kinds
    return filings.recounting(of_all), ratings.outages(), filings.of_clocks(of_all)
