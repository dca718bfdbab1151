"""The one place that asks the time.

Tests move it with `time_machine`, which patches the standard library underneath.
"""

import math
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The current instant, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The current local date in Asia/Shanghai; all dates of the domain are local dates."""
    return datetime.now(LOCAL).date()


def rfc3339(moment: datetime) -> str:
    """An instant as the HTTP contract writes it, for example `2026-11-20T03:04:05.678901Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds_until(moment: datetime, since: datetime | None = None) -> int:
    """Whole seconds until a moment, rounded up, at least one; the value of `Retry-After`."""
    return max(1, math.ceil((moment - (since or now())).total_seconds()))


def first_midnight(moment: datetime) -> datetime:
    """The first local midnight that does not lie before the moment."""
    local = moment.astimezone(LOCAL)
    midnight = datetime.combine(local.date(), time(), LOCAL)
    return midnight if midnight == local else datetime.combine(local.date() + timedelta(days=1), time(), LOCAL)


class TimeLimit:
    """An instant some seconds from now, that several steps share: whoever takes longer leaves less to those after."""

    def __init__(self, seconds: float) -> None:
        self._at = monotonic() + seconds

    def left(self, most: float = math.inf) -> float:
        """Seconds until then, and no more than `most`; 0 when it is over."""
        return max(0.0, min(most, self._at - monotonic()))
