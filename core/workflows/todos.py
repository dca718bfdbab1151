"""To-dos (待办): opened and closed by workflow moves; yellow until due, red after (seed 000)."""

from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Date, Executable, Table, and_, bindparam, case, func, or_, select, true, update
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.database.paging import Order, Page, PageRequest, fetch
from core.database.prepared import Prepared
from core.db import insert_into
from core.deadlines.notes import deadline_note
from core.models import Todo

CALENDAR_YEAR = "calendar_year"
"""Subject type of a year whose holidays are to be loaded; its id is the number of the year."""
DELIVERIES = "deliveries"
"""Subject type of what is wrong with deliveries (投递) as a whole."""
HISTORY, HISTORY_BROKEN = "history", "history_broken"
"""Subject type and kind of a to-do that a nightly verification opens; it leads to no page but the own to-dos."""
CONFIGURE = "system.configure"
"""The verb of the administrators of the installation, who get to-dos that concern no region."""

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
    provisional: bool = False,
    amber_on: date | None = None,
    before_outage: date | None = None,
    outage_reason: str | None = None,
    urgent: bool = False,
) -> None:
    """Open a to-do for everyone who holds `verb` at that office; opening it twice changes nothing.

    `provisional`: its day was counted on working days that are guessed. Until `amber_on` its light is green; without
    one it is yellow from the start. `before_outage`, `outage_reason`: an outage (系统故障) moved its day from that one.
    """
    _open(
        session, kind, title, subject, verb=verb, office_id=office_id, due_on=due_on, due_on_provisional=provisional,
        amber_on=amber_on, due_on_before_outage=before_outage, outage_reason=outage_reason, urgent=urgent,
    )  # fmt: skip


def open_for_administrators(
    session: Session, kind: str, title: str, subject: tuple[str, UUID], *, due_on: date | None = None
) -> None:
    """Open a to-do for the administrators of the installation (系统管理员), wherever their office."""
    _open(session, kind, title, subject, verb=CONFIGURE, due_on=due_on)


def open_for_user(
    session: Session, kind: str, title: str, subject: tuple[str, UUID], *, user_id: UUID, due_on: date | None = None,
    amber_on: date | None = None, before_outage: date | None = None, outage_reason: str | None = None,
) -> None:  # fmt: skip
    """Open a to-do for one user name; opening it twice changes nothing."""
    _open(
        session, kind, title, subject, user_id=user_id, due_on=due_on, amber_on=amber_on,
        due_on_before_outage=before_outage, outage_reason=outage_reason,
    )  # fmt: skip


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
    due_on: date | None = None,
    amber_on: date | None = None,
    before_outage: date | None = None,
    outage_reason: str | None = None,
) -> None:
    """Open a to-do for everyone who holds `verb` at an office that covers the region."""
    _open(
        session, kind, title, subject, verb=verb, area1=area1, area2=area2, area3=area3, due_on=due_on,
        amber_on=amber_on, due_on_before_outage=before_outage, outage_reason=outage_reason,
    )  # fmt: skip


def _open(session: Session, kind: str, title: str, subject: tuple[str, UUID], **values: Any) -> None:
    given = {
        "kind": kind, "title": title[:200], "subject_type": subject[0], "subject_id": subject[1],
        "opened_at": clock.now(), "urgent": False, "due_on_provisional": False,
    }  # fmt: skip
    _OPEN.rows(session, given | values)


def close(session: Session, subject_id: UUID, kind: str) -> None:
    """Close the open to-do of that kind, if there is one."""
    _CLOSE.rows(session, {"subject": subject_id, "of_kind": kind, "at": clock.now()})


def close_all(session: Session, subject_id: UUID) -> None:
    """Close whatever is open of a subject of which nothing is wanted any more."""
    _CLOSE_ALL.rows(session, {"subject": subject_id, "at": clock.now()})


def kinds_open_of(session: Session, subject_id: UUID) -> set[str]:
    """The kinds of the to-dos of a subject that are open."""
    return set(session.scalars(select(Todo.kind).where(Todo.subject_id == subject_id, Todo.closed_at.is_(None))))


def settle(session: Session, subject_id: UUID) -> None:
    """The day of a subject's open to-dos, counted on guessed days, was found to be right."""
    session.execute(
        update(Todo)
        .where(Todo.subject_id == subject_id, Todo.closed_at.is_(None))
        .values(due_on_provisional=False)
        .execution_options(synchronize_session=False)
    )


def redate_all(
    session: Session, subject_id: UUID, due_on: date | None, amber_on: date | None, before: date | None = None,
    reason: str | None = None,
) -> None:  # fmt: skip
    """The open to-dos of a subject have another day from now on: its deadline was extended, or counted anew.

    `before` and `reason`: where outages moved it from that day.
    """
    session.execute(
        update(Todo)
        .where(Todo.subject_id == subject_id, Todo.closed_at.is_(None))
        .values(due_on=due_on, amber_on=amber_on, due_on_before_outage=before, outage_reason=reason)
        .execution_options(synchronize_session=False)
    )


def redate(session: Session, subject_id: UUID, due_on: date, before: date | None, reason: str | None) -> None:
    """The day of a subject's dated open to-dos was moved by outages (from the day `before`), or back."""
    session.execute(
        update(Todo)
        .where(Todo.subject_id == subject_id, Todo.closed_at.is_(None), Todo.due_on.is_not(None))
        .values(due_on=due_on, due_on_before_outage=before, outage_reason=reason)
        .execution_options(synchronize_session=False)
    )


def mine(session: Session, actor: Actor, request: PageRequest, kind: str | None = None) -> Page:
    """The open to-dos of the actor, overdue (red) and urgent ones first, then by their day, then the newest.

    Only those of a `kind`, if one is named. Rows for `as_json`.
    """
    over_region = and_(Todo.office_id.is_(None), Todo.area1.is_not(None))
    if not actor.scope.national:
        over_region = and_(over_region, actor.scope.condition(Todo))
    addressed = or_(
        Todo.user_id == actor.user_id,
        and_(Todo.verb.in_(sorted(actor.verbs)), or_(Todo.office_id.in_(actor.offices), over_region)),
    )
    if CONFIGURE in actor.verbs:
        addressed = or_(addressed, Todo.verb == CONFIGURE)
    # A list that is read on after midnight goes on in the order in which it was begun.
    order = _pressing_first(_pressing_first(clock.today()).begun_on(request))
    of_kind = Todo.kind == kind if kind is not None else true()
    return fetch(session, select(Todo), order, request, Todo.closed_at.is_(None), addressed, of_kind)


def _pressing_first(day: date) -> Order:
    """In the query, so that an overdue one is not crowded out by newer ones."""
    pressing = case((Todo.due_on < day, 0), (Todo.urgent, 1), else_=2)
    soonest = func.coalesce(Todo.due_on, _NEVER, type_=Date)
    return Order("todos", ((pressing, False), (soonest, False), (Todo.opened_at, True), (Todo.id, True)))


def as_json(row: Any) -> dict[str, Any]:
    """A to-do in the list."""
    todo: Todo = row.Todo
    return {
        # Behind a colon stands for whom of several it is.
        "kind": todo.kind.partition(":")[0],
        "title": todo.title,
        "link": _link(todo),
        "due_on": todo.due_on.isoformat() if todo.due_on else None,
        "due_on_provisional": todo.due_on_provisional,
        "due_on_note": deadline_note(todo),
        "colour": light(todo.due_on, todo.amber_on) or "yellow",
        "urgent": todo.urgent,
    }


def light(due_on: date | None, amber_on: date | None) -> str | None:
    """The light (绿、黄、红灯) of a day: red once it is over, green until `amber_on`, else yellow."""
    if due_on is None:
        return None
    today = clock.today()
    return "red" if today > due_on else "green" if amber_on is not None and today < amber_on else "yellow"


def _link(todo: Todo) -> str:
    if todo.subject_type == CALENDAR_YEAR:
        return f"/calendar?year={todo.subject_id.int}"
    if todo.subject_type == DELIVERIES:
        return "/deliveries"
    if todo.subject_type == HISTORY:
        return "/todos"
    return f"/{todo.subject_type}s/{todo.subject_id}".replace("_", "-")
