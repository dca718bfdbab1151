"""To-dos (待办): opened and closed by workflow moves; yellow until due, red after (seed 000)."""

from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Date, Executable, Table, and_, bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.db import insert_into
from core.models import Todo
from core.paging import Order, Page, PageRequest, fetch
from core.prepared import Prepared

_TODOS = cast(Table, Todo.__table__)
_NEVER = date(9999, 12, 31)


def _opening(dialect: str, _names: tuple[str, ...]) -> Executable:
    return insert_into(dialect, _TODOS).on_conflict_do_nothing()


_OPEN = Prepared(_opening)
_CLOSE = Prepared(
    update(_TODOS)
    .where(
        _TODOS.c.subject_id == bindparam("subject"),
        _TODOS.c.kind == bindparam("of_kind"),
        _TODOS.c.closed_at.is_(None),
    )
    .values(closed_at=bindparam("at", type_=_TODOS.c.closed_at.type))
)

_CLOSE_ALL = Prepared(
    update(_TODOS)
    .where(_TODOS.c.subject_id == bindparam("subject"), _TODOS.c.closed_at.is_(None))
    .values(closed_at=bindparam("at", type_=_TODOS.c.closed_at.type))
)


def open_for_office(
    session: Session,
    kind: str,
    title: str,
    subject: tuple[str, UUID],
    *,
    verb: str,
    office_id: UUID,
    due_on: date | None = None,
    urgent: bool = False,
) -> None:
    """Open a to-do for everyone who holds `verb` at that office; opening it twice changes nothing."""
    _open(session, kind, title, subject, verb=verb, office_id=office_id, due_on=due_on, urgent=urgent)


def open_for_user(session: Session, kind: str, title: str, subject: tuple[str, UUID], *, user_id: UUID) -> None:
    """Open a to-do for one user name; opening it twice changes nothing."""
    _open(session, kind, title, subject, user_id=user_id)


def open_for_region(
    session: Session,
    kind: str,
    title: str,
    subject: tuple[str, UUID],
    *,
    verb: str,
    area1: str,
    area2: str | None,
    area3: str | None = None,
) -> None:
    """Open a to-do for everyone who holds `verb` at an office that covers the region."""
    _open(session, kind, title, subject, verb=verb, area1=area1, area2=area2, area3=area3)


def _open(session: Session, kind: str, title: str, subject: tuple[str, UUID], **values: Any) -> None:
    given = {
        "kind": kind, "title": title[:200], "subject_type": subject[0], "subject_id": subject[1],
        "opened_at": clock.now(), "urgent": False,
    }  # fmt: skip
    _OPEN.rows(session, given | values)


def close(session: Session, subject_id: UUID, kind: str) -> None:
    """Close the open to-do of that kind, if there is one."""
    _CLOSE.rows(session, {"subject": subject_id, "of_kind": kind, "at": clock.now()})


def close_all(session: Session, subject_id: UUID) -> None:
    """Close whatever is open of a subject of which nothing is wanted any more."""
    _CLOSE_ALL.rows(session, {"subject": subject_id, "at": clock.now()})


def mine(session: Session, actor: Actor, request: PageRequest) -> Page:
    """The open to-dos of the actor, overdue (red) and urgent ones first, then by their day, then the newest.

    Rows for `show_row`.
    """
    over_region = and_(Todo.office_id.is_(None), Todo.area1.is_not(None))
    if not actor.reach.national:
        over_region = and_(over_region, actor.reach.condition(Todo))
    addressed = or_(
        Todo.user_id == actor.user_id,
        and_(Todo.verb.in_(sorted(actor.verbs)), or_(Todo.office_id.in_(actor.offices), over_region)),
    )
    # A list that is read on after midnight goes on in the order in which it was begun.
    order = _pressing_first(_pressing_first(clock.today()).begun_on(request))
    return fetch(session, select(Todo), order, request, Todo.closed_at.is_(None), addressed)


def _pressing_first(day: date) -> Order:
    """In the query, so that an overdue one is not crowded out by newer ones."""
    pressing = case((Todo.due_on < day, 0), (Todo.urgent, 1), else_=2)
    soonest = func.coalesce(Todo.due_on, _NEVER, type_=Date)
    return Order("todos", ((pressing, False), (soonest, False), (Todo.opened_at, True), (Todo.id, True)))


def show_row(row: Any) -> dict[str, Any]:
    """A to-do in the list; `colour` is red once its day is over."""
    todo: Todo = row.Todo
    return {
        "kind": todo.kind,
        "title": todo.title,
        "link": f"/{todo.subject_type}s/{todo.subject_id}".replace("_", "-"),
        "due_on": todo.due_on.isoformat() if todo.due_on else None,
        "colour": "red" if todo.due_on and todo.due_on < clock.today() else "yellow",
        "urgent": todo.urgent,
    }
