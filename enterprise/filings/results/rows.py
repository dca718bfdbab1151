"""Rows of a filing in its system's table (`declaring/row_tables.py`): written when it is sent, paged, referred to."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Date, Integer, Numeric, delete, insert, literal_column, or_, select
from sqlalchemy.orm import Session

from core import privacy
from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import Page, PageRequest, ascending, fetch
from core.errors import Fault, not_found
from core.forms.form import Form
from core.forms.items.item import Item
from core.forms.sealing import readable_row, sealed_row
from core.identifiers import as_uuid
from core.text import fold
from enterprise.filings.declaring.declarations import Move
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.declaring.row_tables import Refers, Rows
from enterprise.filings.models import Filing

_OF_COPY = ascending("filing_rows", literal_column("number", Integer))


def group_of(form: Form, name: str) -> Item:
    """The group of that name; 404 where the form has none."""
    item = next((one for one in form.items if one.name == name and one.type == "group"), None)
    if item is None:
        raise not_found()
    return item


def row_place(rows: Rows, row_id: UUID) -> str:
    """The place to which the data of a row are sealed."""
    return privacy.place(rows.table.__tablename__, "data", row_id)


def key_hash(rows: Rows, key: str) -> str:
    """The keyed hash of a row's key."""
    return privacy.keyed_hash(f"row {rows.table.__tablename__}", key)


def follow(move: Move, kind: FilingKind) -> None:
    """Let the tables have what a filing says that was just sent; `move.data` holds it in clear.

    The rows of its former sending go. Whoever calls has written the filing before, and so holds its lock.
    """
    if not kind.rows:
        return
    form = move.engine.forms.get(move.filing.form_code, move.filing.form_version).form
    for declared in kind.rows:
        item, table = group_of(form, declared.group), declared.table
        move.session.execute(delete(table).where(table.filing_id == move.filing.id))
        written = [
            _written(declared, item, move.filing.id, number, row)
            for number, row in enumerate(move.data.get(declared.group) or [])
        ]
        if written:
            move.session.execute(insert(table), written)


def _written(declared: Rows, item: Item, filing_id: UUID, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    columns = expected(declared, filing_id, number, row)
    return {**columns, "data": sealed_row(item, row, row_place(declared, columns["id"]))}


def expected(declared: Rows, filing_id: UUID, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row that was sent, but for its sealed data."""
    hashed = key_hash(declared, str(row[declared.key])) if declared.key is not None and declared.key in row else None
    row_id = uuid5(filing_id, f"{declared.group}/{hashed or number}")
    types = declared.table.__table__.columns
    columns = {name: _typed(types[name].type, row.get(of)) for name, of in declared.columns.items()}
    return {"id": row_id, "filing_id": filing_id, "number": number, "key_hash": hashed, **columns}


def _typed(kind: Any, value: Any) -> Any:
    """A value of a row as its column takes it."""
    if value is None:
        return None
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Integer):
        return int(value)
    return Decimal(str(value)) if isinstance(kind, Numeric) else value


def faults(move: Move, kind: FilingKind) -> list[Fault]:
    """What sending refuses of rows: a key that stands twice, and a reference to what is no row of the applicant's."""
    return [*_repeated(move, kind), *(fault for refers in kind.refers for fault in _unknown(move, refers))]


def _repeated(move: Move, kind: FilingKind) -> Iterator[Fault]:
    for declared in kind.rows:
        seen: set[str] = set()
        for number, row in enumerate(move.data.get(declared.group) or []):
            key = row.get(declared.key) if declared.key is not None else None
            if key is not None and str(key) in seen:
                said = "该行与前面的一行重复，请删去其中一行"
                yield Fault(f"/data/{declared.group}/{number}/{declared.key}", "duplicate", said)
            seen.add(str(key))


def _unknown(move: Move, refers: Refers) -> Iterator[Fault]:
    named = list(_named(move.data, refers.name))
    ids = {found for _, value in named if (found := as_uuid(value)) is not None}
    table, known = refers.rows.table, set[UUID]()
    if ids:
        known = set(
            move.session.scalars(
                select(table.id)
                .join(Filing, Filing.id == table.filing_id)
                .where(
                    table.id.in_(ids), Filing.enterprise_id == move.filing.enterprise_id, Filing.kind == refers.kind,
                    Filing.status.in_(refers.statuses),
                )
            )
        )  # fmt: skip
    for path, value in named:
        if as_uuid(value) not in known:
            yield Fault(f"/data/{path}", "unknown_row", refers.message)


def _named(data: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """The values of a field, or of a field in the rows of a group, with their places."""
    group, _, inner = name.rpartition("/")
    if not group:
        if data.get(name) is not None:
            yield name, data[name]
        return
    for number, row in enumerate(data.get(group) or []):
        if row.get(inner) is not None:
            yield f"{group}/{number}/{inner}", row[inner]


def referred(session: Session, engine: Filings, refers: Refers, row_id: UUID) -> dict[str, Any] | None:
    """The row to which a field refers, in clear, for the hooks of a kind; None where there is none."""
    table = refers.rows.table
    found = session.execute(
        select(table.data, Filing.form_code, Filing.form_version)
        .join(Filing, Filing.id == table.filing_id)
        .where(table.id == row_id)
    ).first()
    if found is None:
        return None
    form = engine.forms.get(found.form_code, found.form_version).form
    return readable_row(group_of(form, refers.rows.group), found.data, row_place(refers.rows, row_id), clear=True)


def page_of_table(
    session: Session, declared: Rows, item: Item, filing: Filing, q: str | None, request: PageRequest, *, clear: bool
) -> dict[str, Any]:
    """A page of the rows of a filing as they were sent. `q`: a fragment of what is searched, or a whole key."""
    table = declared.table
    conditions = [table.filing_id == filing.id]
    if q:
        hits = [getattr(table, name).like(like_pattern(q), escape="\\") for name in declared.search]
        if declared.key is not None:
            hits.append(table.key_hash == key_hash(declared, q.strip().upper()))
        conditions.append(or_(*hits) if hits else literal_column("1") == literal_column("0"))
    page = fetch(session, select(table), ascending("filing_rows", table.number), request, *conditions)

    def answer(found: Any) -> dict[str, Any]:
        row = found[0]
        data = readable_row(item, row.data, row_place(declared, row.id), clear=clear)
        return {"id": str(row.id), "number": row.number, "data": data}

    return page.as_json(answer)


def page_of_copy(rows: Sequence[Mapping[str, Any]], q: str | None, request: PageRequest) -> dict[str, Any]:
    """A page of the rows of a working copy, or of a group without a table; `q` is a fragment of any of their texts."""
    wanted = fold(q) if q else ""
    found = [
        (number, row)
        for number, row in enumerate(rows)
        if not wanted or any(isinstance(value, str) and wanted in fold(value) for value in row.values())
    ]
    seen = _OF_COPY.seen(request)
    begins = request.offset if seen is None else sum(number <= seen[0] for number, _ in found)
    shown = found[begins : begins + request.page_size]
    more = begins + len(shown) < len(found)
    mark = _OF_COPY.mark([shown[-1][0]], _OF_COPY.begun_on(request)) if more and shown else None
    page = Page(shown, request, len(found), True, mark)
    return page.as_json(lambda one: {"id": None, "number": one[0], "data": dict(one[1])})


def forget(session: Session, kind: FilingKind, filing_id: UUID) -> None:
    """A filing that was deleted has no rows."""
    for declared in kind.rows:
        session.execute(delete(declared.table).where(declared.table.filing_id == filing_id))


def declared_for(kind: FilingKind, group: str) -> Rows | None:
    """The table of a group, if it has one."""
    return next((one for one in kind.rows if one.group == group), None)


def reads_table(kind: FilingKind, filing: Filing, group: str, actor: Actor) -> Rows | None:
    """The table that somebody reads a group from: not its own side while it changes what it is about to send."""
    declared = declared_for(kind, group)
    own = actor.enterprise_id is not None and filing.status in kind.editable
    return declared if declared is not None and filing.sent > 0 and not own else None
