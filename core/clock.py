"""The one place that asks the time.

Tests move it with `time_machine`, which patches the standard library underneath.
"""

from datetime import UTC, date, datetime
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
