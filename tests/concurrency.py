"""Calls made at the same moment, and what has to hold after them."""

from collections import Counter
from collections.abc import Callable

from sqlalchemy import func, select

from core.db import Database
from core.models import HistoryEntry, Todo
from core.workflows import history
from inspection.models import Inspection
from inspection.statistics import tallies
from tests.people import Person
from tests.records import Json

Answer = tuple[int, Json]
Call = tuple[Person, str, str, Json | None]


AtOnce = Callable[[list[Call]], list[Answer]]


def put(person: Person, path: str, body: Json) -> Call:
    return person, "PUT", path, body


def post(person: Person, path: str, body: Json) -> Call:
    return person, "POST", path, body


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(status for status, _ in answers)


def refusals(answers: list[Answer]) -> set[str]:
    return {body["code"] for status, body in answers if status >= 400}


def everything_holds(database: Database, records: int, rows: int) -> None:
    """So many records and rows of history; tallies and chains are right; no to-do is open twice."""
    with database.write() as session:
        assert session.scalar(select(func.count()).select_from(Inspection)) == records
        of_records = HistoryEntry.subject_type.in_(["inspection", "spot_check"])
        assert session.scalar(select(func.count()).select_from(HistoryEntry).where(of_records)) == rows
        found = tallies.reconcile(session)
        assert (found.mended, found.added, found.emptied) == (0, 0, 0)
        assert list(history.verify(session)) == []
        open_todos = session.execute(select(Todo.subject_id, Todo.kind).where(Todo.closed_at.is_(None))).all()
        assert len(open_todos) == len(set(open_todos))
