"""The working calendar (工作日历) of a year, by which deadlines are counted, and whether it is known or guessed."""

from datetime import date, timedelta
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core import clock
from core.actor import Actor
from core.deadlines import clocks
from miniapp_api.http.answers import Answer, answers
from miniapp_api.http.bodies import Query
from miniapp_api.http.gates import gate

bp = APIBlueprint("calendar", __name__, tag="People")

_SATURDAY = 5


class CalendarQuery(Query):
    """Which year; the current one by default."""

    year: int | None = Field(None, ge=2000, le=2999)


class CalendarDay(Answer):
    """A day that differs from Monday to Friday."""

    day: date
    working: bool


class WorkingCalendar(Answer):
    """A year as deadlines are counted by it."""

    year: int
    known: bool = Field(description="false: its holidays are not loaded, so that working days are guessed")
    note: str | None = Field(description="what this means, where it is not known")
    days: list[CalendarDay]


@bp.get("/calendar")
@gate()
@answers(WorkingCalendar)
@bp.input(CalendarQuery, location="query", arg_name="query")
def read_calendar(session: Session, actor: Actor, query: CalendarQuery) -> dict[str, Any]:
    """The days of a year that differ from Monday to Friday, as the caller's office counts them."""
    year = query.year or clock.today().year
    calendar = clocks.working_calendar(session, actor.chain)
    note_of = clocks.warning_of if Verb.SYSTEM_CONFIGURE in actor.verbs else clocks.guess_of
    first, known = date(year, 1, 1), calendar.knows(year)
    days = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
    found = [(day, calendar.is_workday(day)) for day in days]
    return {
        "year": year,
        "known": known,
        "note": None if known else note_of(year),
        "days": [
            {"day": day.isoformat(), "working": worked}
            for day, worked in found
            if worked != (day.weekday() < _SATURDAY)
        ],
    }
