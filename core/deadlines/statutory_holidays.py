"""What is certain of a year's holidays before its arrangement is announced (全国年节及纪念日放假办法, since 2025).

These days are off under every arrangement; which Saturdays and Sundays are worked for them, and which further days are
off, only the yearly notice of the State Council says.
"""

import functools
from datetime import date, timedelta

from borax.calendars.lunardate import InvalidLunarDateError, LunarDate  # type: ignore[import-untyped]
from chinese_calendar import get_solar_terms  # type: ignore[import-untyped]

_FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
"""元旦, 劳动节, 国庆节."""
_DAY = timedelta(days=1)


@functools.lru_cache(maxsize=16)
def statutory_holidays(year: int) -> frozenset[date]:
    """The statutory days off of a year; without those of the lunar calendar after 2100, where its tables end."""
    days = {date(year, month, day) for month, day in _FIXED}
    try:
        spring = LunarDate(year, 1, 1).to_solar_date()
        days |= {spring + _DAY * n for n in (-1, 0, 1, 2)}  # 除夕 to 正月初三
        days |= {LunarDate(year, month, day).to_solar_date() for month, day in ((5, 5), (8, 15))}  # 端午, 中秋
        days |= {day for day, term in get_solar_terms(date(year, 4, 1), date(year, 4, 10)) if term == "清明"}
    except (InvalidLunarDateError, NotImplementedError):
        pass
    return frozenset(days)
