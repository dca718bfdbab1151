"""Carrying a reorganisation (区划调整) out: regions, offices and rights at one moment, records after them in batches.

The order of steps keeps what people read right while the server goes on serving:

1. `begin`, one transaction: the region's place, offices, rights and users. From here on new records carry the new
   chain. Every office that gains the region may also read what still lies at its old place (`offices.arriving`), so
   nobody is refused an own record, and the superior that gains it counts all of it at once. The office that loses it
   can still read what has not moved yet.
2. Records follow table by table, in transactions of `BATCH` rows. A row is moved by its old chain alone, so that a
   batch done twice, or by two processes at once, changes nothing the second time: what was interrupted is simply
   begun again. On PostgreSQL rows that another transaction has locked are skipped, so that there is no deadlock.
3. A request that began before step 1 may still store a row with the old chain. So all tables are searched once more
   when `SETTLE` has passed, the rows found are moved, and `offices.arriving` is emptied (`finish`).
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import CursorResult, String, delete, insert, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from accounts import office_history, offices
from accounts.applications import TODO_DECIDE
from accounts.models import AccountApplication, Office, OfficeRegion, Region, Reorganisation, User
from accounts.regions import region_history
from accounts.regions.chain_tables import AREAS, ChainTable, Moving, chain_tables, keys_below
from accounts.regions.reorganisations import (
    MOVING,
    PLANNED,
    SETTLING,
    UNDER_WAY,
    Kind,
    bureaus,
    chain_of,
    validate,
    wanted_of,
)
from accounts.verbs import roles_after_move
from accounts.workflows import REORGANISATION, USER
from core import clock
from core.db import Database, dialect_of
from core.errors import Problem
from core.jobs.scheduler import Job
from core.models import Todo

log = structlog.get_logger()

BATCH = 200
PAGE = 5000
"""Keys that are looked up at once, and moved in transactions of `BATCH`."""

SETTLE = timedelta(minutes=10)
"""Longer than any request can take that began before the regions moved."""

Progress = Callable[[str, int], object]


def carry_out(database: Database, progress: Progress = lambda _table, _rows: None) -> int:
    """Do what is due: begin what is planned up to today, go on with what has begun; how many rows were moved.

    A job of the scheduler, and what the command does at once. A plan that cannot be carried out stays planned and
    keeps no other from being so.
    """
    moved = 0
    with database.read() as session:
        due = session.scalars(
            select(Reorganisation)
            .where(Reorganisation.status.in_((PLANNED, *UNDER_WAY)), Reorganisation.day <= clock.today())
            .order_by(Reorganisation.day, Reorganisation.planned_at)
        ).all()
    for number, record in enumerate(due):
        try:
            if record.status == PLANNED:
                if any(_touch(earlier, record) for earlier in due[:number]):
                    continue  # which must be over first
                with database.write() as session:
                    begin(session, record.id)
            moved += _go_on(database, record.id, progress)
        except Problem as problem:
            reasons = [fault.message for fault in problem.errors] or [problem.detail or problem.code]
            log.warning("reorganisation_refused", reorganisation=str(record.id), reasons=reasons)
    return moved


def job() -> Job:
    """`carry_out` as a job of the scheduler; two processes may run it at once."""
    return Job("reorganisations", carry_out)


def _touch(earlier: Reorganisation, later: Reorganisation) -> bool:
    """Whether the later one must wait until the earlier one is over; two regions merged into one need not."""
    places = {earlier.code, *(earlier.old_chain or ()), *(earlier.new_chain or (earlier.into_code,))}
    return later.code in places or earlier.code in (later.into_code, later.parent_code)


def _go_on(database: Database, reorganisation_id: UUID, progress: Progress) -> int:
    with database.read() as session:
        record = session.get_one(Reorganisation, reorganisation_id)
    moving = moving_of(record)
    moved = 0
    if record.status == MOVING:
        moved = move_records(database, record.id, moving, progress)
        with database.write() as session:
            REORGANISATION.move(session, None, record, "settle", {"swept_at": clock.now()})
    elif record.status == SETTLING and record.swept_at is not None and clock.now() - record.swept_at >= SETTLE:
        while more := move_records(database, record.id, moving, progress):
            moved += more
        with database.write() as session:
            finish(session, record.id)
    return moved


def moving_of(record: Reorganisation) -> Moving:
    """From where to where rows move, once the reorganisation has begun."""
    assert record.old_chain is not None
    assert record.new_chain is not None
    return Moving(tuple(record.old_chain), tuple(record.new_chain))


def begin(session: Session, reorganisation_id: UUID) -> Moving:
    """Step 1. Raises 422 when what was planned is not possible any more, 409 when somebody else has begun."""
    record = session.get_one(Reorganisation, reorganisation_id, populate_existing=True)
    wanted = wanted_of(record)
    moving = validate(session, wanted)
    chains = {"old_chain": list(moving.old), "new_chain": list(moving.new)}
    # First, so that of two processes that begin at once the second waits here and is refused.
    REORGANISATION.move(session, None, record, "begin", chains, chains)
    why = {"reorganisation": str(record.id)}
    with office_history.changing(session, "reorganise", why), region_history.changing(session, "reorganise", why):
        _begin(session, record, wanted.kind, moving)
    return moving


def _begin(session: Session, record: Reorganisation, kind: Kind, moving: Moving) -> None:
    closing = session.scalars(bureaus(record.code)).all() if kind == Kind.MERGED else []
    codes = _move_regions(session, record.name, record, moving)
    if closing:
        # Before they lie in that region themselves: `_close` looks for its bureau.
        _close(session, [office.id for office in closing], session.get_one(Region, moving.into), record)
    _move_offices(session, record, moving)
    covering = select(OfficeRegion.office_id).where(OfficeRegion.region_code.in_({*codes, *moving.new[1:]}))
    for office in session.scalars(select(Office).where(Office.id.in_(covering))).all():
        _derive_scope(session, office, moving)


def _move_regions(session: Session, name: str | None, record: Reorganisation, moving: Moving) -> set[str]:
    """The regions' own places; the codes of those that moved."""
    source = session.get_one(Region, moving.code)
    parent = session.get_one(Region, moving.new[-2])
    renamed = moving.into != moving.code
    if renamed and session.get(Region, moving.into) is None:
        areas = dict(zip(AREAS, (*moving.new, None, None), strict=False))
        session.add(
            Region(
                code=moving.into, name=name or source.name, level=source.level, parent_code=parent.code,
                depth=len(moving.new), valid_from=record.day, valid_to=None, **areas,
            )
        )  # fmt: skip
        session.flush()
    below = [getattr(Region, area) == code for area, code in zip(AREAS, moving.old, strict=False)]
    moved = {moving.into}
    for region in session.scalars(select(Region).where(*below)).all():
        if region is source and renamed:
            source.valid_to, source.successor_code = record.day, moving.into
            continue
        chain = (*moving.new, *chain_of(region)[len(moving.old) :], None, None)
        region.depth = sum(code is not None for code in chain)
        region.area1, region.area2, region.area3 = cast("tuple[str, str | None, str | None]", chain[:3])
        if region is source:
            region.parent_code = parent.code
        elif region.parent_code == moving.code:
            region.parent_code = moving.into
        moved.add(region.code)
    session.flush()
    return moved


def _move_offices(session: Session, record: Reorganisation, moving: Moving) -> None:
    """Where offices sit, what they cover and who stands above them."""
    source, target = session.get_one(Region, moving.code), session.get_one(Region, moving.into)
    if moving.into != moving.code:
        quiet = {"synchronize_session": False}
        old_name = offices.bureau_name(source)
        if record.kind == Kind.NEW_CODE:
            named = update(Office).where(Office.region_code == source.code, Office.name == old_name)
            session.execute(named.values(name=offices.bureau_name(target)), execution_options=quiet)
        session.execute(
            update(Office).where(Office.region_code == source.code).values(region_code=target.code),
            execution_options=quiet,
        )
        covered = select(OfficeRegion.office_id).where(OfficeRegion.region_code == source.code)
        both = select(OfficeRegion.office_id).where(OfficeRegion.region_code == target.code)
        for office_id in session.scalars(covered.where(OfficeRegion.office_id.not_in(both))).all():
            session.execute(insert(OfficeRegion).values(office_id=office_id, region_code=target.code))
        session.execute(delete(OfficeRegion).where(OfficeRegion.region_code == source.code), execution_options=quiet)
        session.expire_all()
    if moving.old[:-1] != moving.new[:-1]:
        former = select(Office.id).where(Office.region_code == moving.old[-2])
        superior = offices.bureau_of(session, session.get_one(Region, moving.new[-2]))
        session.execute(
            update(Office)
            .where(Office.region_code == moving.into, Office.parent_id.in_(former))
            .values(parent_id=superior),
            execution_options={"synchronize_session": False},
        )
        session.expire_all()


def _close(session: Session, closing: list[UUID], region: Region, record: Reorganisation) -> None:
    """The bureaus of the abolished region: their users and subordinates go to that of the region it became part of."""
    heir_id = offices.bureau_of(session, region)
    heir = session.get_one(Office, heir_id, populate_existing=True)
    absorbed = list(heir.absorbed)
    for office in session.scalars(select(Office).where(Office.id.in_(closing))).all():
        for user in session.scalars(select(User).where(User.office_id == office.id)).all():
            kept, dropped = roles_after_move(user.roles, offices.level_of(office), offices.level_of(heir))
            recorded = {
                "office": heir.name, "former_office": office.name, "reorganisation": str(record.id),
                "roles_dropped": dropped,
            }  # fmt: skip
            USER.move(session, None, user, "office_merged", {"office_id": heir_id, "roles": kept}, recorded)
        session.execute(
            update(Office).where(Office.parent_id == office.id).values(parent_id=heir_id),
            execution_options={"synchronize_session": False},
        )
        office.closed_on, office.parent_id = record.day, heir.parent_id
        absorbed += [str(office.id), *office.absorbed]
    heir.absorbed = absorbed
    session.flush()


def _derive_scope(session: Session, office: Office, moving: Moving) -> None:
    offices.derive_areas(session, office)
    scope = offices.scope_of(office)
    if scope.contains(*moving.new) and not scope.contains(*moving.old):
        office.arriving = [*office.arriving, [len(moving.old), moving.code]]


def move_records(database: Database, reorganisation_id: UUID, moving: Moving, progress: Progress) -> int:
    """Step 2: move every row that still lies in the old place; how many there were."""
    with database.read() as session:
        tables = chain_tables(session)
    moved = 0
    for one in tables:
        for keys in _keys(database, one, moving):
            for start in range(0, len(keys), BATCH):
                with database.write() as session:
                    rows = _move_batch(session, one, moving, keys[start : start + BATCH])
                    session.execute(
                        update(Reorganisation)
                        .where(Reorganisation.id == reorganisation_id)
                        .values(moved=Reorganisation.moved + rows),
                        execution_options={"synchronize_session": False},
                    )
                moved += rows
                progress(one.table.name, rows)
    with database.write() as session:
        _address_anew(session, moving)
    return moved


def _keys(database: Database, one: ChainTable, moving: Moving) -> Iterator[list[Any]]:
    with database.read() as session:
        yield from keys_below(session, one, moving.old, PAGE)


def _move_batch(session: Session, one: ChainTable, moving: Moving, keys: list[Any]) -> int:
    statement = update(one.table).where(one.key.in_(keys), one.lies_below(moving.old))
    if dialect_of(session) != "sqlite":
        free = select(one.key).where(one.key.in_(keys), one.lies_below(moving.old)).with_for_update(skip_locked=True)
        statement = statement.where(one.key.in_(free))
    result = session.execute(statement.values(one.after(moving)), execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def _address_anew(session: Session, moving: Moving) -> None:
    """To-dos of pending applications are addressed to the superior of their region, not to the region itself."""
    below = [getattr(AccountApplication, area) == code for area, code in zip(AREAS, moving.new, strict=False)]
    pending = select(AccountApplication).where(AccountApplication.status == "pending", *below)
    for application in session.scalars(pending).all():
        session.execute(
            update(Todo)
            .where(Todo.subject_id == application.id, Todo.kind == TODO_DECIDE, Todo.closed_at.is_(None))
            .values(area1=application.area1, area2=application.area2 if application.area3 else None, area3=None),
            execution_options={"synchronize_session": False},
        )


def finish(session: Session, reorganisation_id: UUID) -> None:
    """Step 3: nothing lies at the old place any more, so no office needs to read there."""
    record = session.get_one(Reorganisation, reorganisation_id, populate_existing=True)
    REORGANISATION.move(session, None, record, "finish", payload={"moved": record.moved})
    moving = moving_of(record)
    over = [len(moving.old), moving.code]
    looking = select(Office).where(sql_cast(Office.arriving, String) != "[]")
    with office_history.changing(session, "settle", {"reorganisation": str(record.id)}):
        for office in session.scalars(looking).all():
            office.arriving = [area for area in office.arriving if area != over]
