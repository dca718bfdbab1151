"""Asking the administrators for the holidays of a year whose working days would be guessed."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from core import clock
from core.db import Database
from core.deadlines import clocks
from core.jobs.scheduler import RareJob
from core.models import Todo
from core.workflows import todos

TODO_KIND = "calendar_year"


def ask(database: Database) -> int:
    """Open a to-do for each year that is asked for now, from November on the next; close those that are known since."""
    with database.write() as session:
        calendar = clocks.working_calendar(session)
        asked = session.scalars(select(Todo.subject_id).where(Todo.kind == TODO_KIND, Todo.closed_at.is_(None))).all()
        known = [one for one in asked if calendar.knows(one.int)]
        for subject_id in known:
            todos.close(session, subject_id, TODO_KIND)
        wanted = [UUID(int=year) for year in calendar.unknown_years(clock.today())]
        for subject_id in wanted:
            title = f"请录入{subject_id.int}年放假和调休安排，录入前期限均为暂定"
            todos.open_for_administrators(session, TODO_KIND, title, (todos.CALENDAR_YEAR, subject_id))
        return len(known) + len(set(wanted) - set(asked))


def job() -> RareJob:
    """For the scheduler."""
    return RareJob("next year's calendar", ask, every=timedelta(hours=1))
