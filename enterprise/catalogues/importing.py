"""Import of a catalogue (目录词典) from .xlsx or .csv: good rows are stored, the others told with their place.

Importing the same file again changes nothing. A new year's file sets 有效期止 of what has ended: entries are never
deleted, because what was chosen keeps its meaning.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Table, delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from assets.tables.cells import cell_text, has_lost_digits
from core import clock
from core.database.name_search import bigrams
from core.db import Database
from core.text import fold
from enterprise.catalogues.declared import Catalogue, Detail
from enterprise.catalogues.models import CatalogueBigram, CatalogueEntry
from enterprise.imports.table_cells import CellFault, Faults, plain_text, read_cells
from enterprise.imports.table_import import TableImport, Target
from enterprise.imports.table_layout import TableLayout
from enterprise.operations import Effect, Outcome

CatalogueFacts = dict[str, Any]
"""A row as it was read: `code`, `parent`, `name`, `position`, `valid_from`, `valid_to`, and the keys of details."""

_BATCH = 500
_LONGEST_CODE, _LONGEST_NAME = 64, 500
_BETWEEN = re.compile(r"[、;；]\s*")
_FLAGS = {"是": True, "否": False, "true": True, "false": False, "1": True, "0": False}
_COLUMNS = ("name", "position", "valid_from", "valid_to")


def open_catalogue(
    database: Database, path: str | Path, catalogue: Catalogue, *, sheet: str | None = None
) -> TableImport[CatalogueFacts]:
    """Open a file of entries for preview and import. Raises SpreadsheetError when it cannot be used."""
    layout = _layout(catalogue)
    target: Target[CatalogueFacts] = Target(
        key="code",
        key_of=lambda facts: f"{facts.get('parent', '')}\x1f{facts['code']}",
        read=partial(_read, catalogue, layout),
        plan=partial(_put, catalogue, write=False),
        put=partial(_put, catalogue, write=True),
        show=lambda _field, value: "" if value is None else str(value),
    )
    return TableImport(database, path, layout, target, batch_size=_BATCH, sheet=sheet)


def _layout(catalogue: Catalogue) -> TableLayout:
    headings: dict[str, tuple[str, ...]] = {
        "code": ("代码", "编码", "商品编码", "hs编码", "序号"),
        "name": ("名称", "商品名称", "考核要点"),
    }
    if catalogue.below:
        headings["parent"] = ("上级代码",)
    headings |= {"position": ("顺序",), "valid_from": ("有效期起",), "valid_to": ("有效期止",)}
    headings |= {detail.key: (detail.heading,) for detail in catalogue.details}
    required = ("code", "name", "parent") if catalogue.below else ("code", "name")
    cleared = dict.fromkeys(("valid_from", "valid_to", *(detail.key for detail in catalogue.details)))
    return TableLayout(headings, required, ("code", "name"), frozenset({"valid_from", "valid_to"}), cleared)


def _read(catalogue: Catalogue, layout: TableLayout, cells: Mapping[str, object]) -> tuple[CatalogueFacts, Faults]:
    readers: dict[str, Callable[[object], Any]] = {
        "code": _code, "parent": _code, "name": partial(_needed, longest=_LONGEST_NAME), "position": _position,
        "valid_from": _day, "valid_to": _day, **{one.key: partial(_detail, one) for one in catalogue.details},
    }  # fmt: skip
    facts, faults = read_cells(layout, cells, readers)
    first, last = facts.get("valid_from"), facts.get("valid_to")
    if first and last and first > last:
        faults["valid_to"] = f"有效期止（{last}）早于有效期起（{first}），请核对"
    return facts, faults


def _needed(cell: object, longest: int) -> str:
    text = plain_text(cell, longest)
    if not text:
        raise CellFault("不能为空，请填写")
    return text


def _code(cell: object) -> str:
    if has_lost_digits(cell):
        raise CellFault("数字过长，末尾数字已丢失，请将整列设置为“文本”格式后重新填写")
    return _needed(cell, _LONGEST_CODE)


def _position(cell: object) -> int:
    text = plain_text(cell, 20)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise CellFault(f"“{text}”不是顺序号，请填写整数")
    return int(text)


def _day(cell: object) -> date:
    if not isinstance(cell, date):
        raise CellFault(f"“{cell_text(cell)}”不是日期，请按“2026-1-5”的形式填写")
    return cell


def _detail(detail: Detail, cell: object) -> Any:
    text = plain_text(cell, 1000)
    if detail.kind == "flag":
        if fold(text) not in _FLAGS:
            raise CellFault(f"“{text}”无法识别，请填“是”或“否”")
        return _FLAGS[fold(text)]
    if detail.kind == "list":
        return [part for part in _BETWEEN.split(text) if part]
    if detail.kind == "number":
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise CellFault(f"“{text}”不是数字，请核对") from error
        if not number.is_finite():
            raise CellFault(f"“{text}”不是数字，请核对")
        return format(number.normalize(), "f")
    return text


def _put(
    catalogue: Catalogue, session: Session, batch: Sequence[CatalogueFacts], *, write: bool
) -> list[Effect | Faults]:
    """Store entries by parent and code in one transaction; the effect of each. Without `write` nothing is stored."""
    keys = [(facts.get("parent", ""), facts["code"]) for facts in batch]
    asked = select(CatalogueEntry).where(
        CatalogueEntry.catalogue == catalogue.code, tuple_(CatalogueEntry.parent, CatalogueEntry.code).in_(keys)
    )
    stored = {(row.parent, row.code): row for row in session.scalars(asked)}
    effects: list[Effect | Faults] = []
    new: list[dict[str, Any]] = []
    for key, facts in zip(keys, batch, strict=True):
        row = stored.get(key)
        if row is None:
            new.append(_row(catalogue, key, facts))
            effects.append(Effect(Outcome.CREATED))
            continue
        changes = _changes(catalogue, row, facts)
        effects.append(Effect(Outcome.UPDATED if changes else Outcome.UNCHANGED, changes))
        if changes and write:
            _update(session, row, catalogue, changes)
    if new and write:
        session.execute(insert(CatalogueEntry), new)
        _write_pairs(session, catalogue.code, new)
    return effects


def _row(catalogue: Catalogue, key: tuple[str, str], facts: CatalogueFacts) -> dict[str, Any]:
    parent, code = key
    detail = {one.key: facts[one.key] for one in catalogue.details if facts.get(one.key) is not None}
    return {
        "id": uuid4(), "catalogue": catalogue.code, "parent": parent, "code": code, "name": facts["name"],
        "folded_name": fold(facts["name"]), "position": facts.get("position", 0), "detail": detail,
        "valid_from": facts.get("valid_from"), "valid_to": facts.get("valid_to"), "updated_at": clock.now(),
    }  # fmt: skip


def _changes(catalogue: Catalogue, row: CatalogueEntry, facts: CatalogueFacts) -> dict[str, tuple[Any, Any]]:
    """Old and new of what a row says otherwise than what is stored; a cell that was left empty says nothing."""
    before = {name: getattr(row, name) for name in _COLUMNS}
    before |= {one.key: row.detail.get(one.key) for one in catalogue.details}
    return {name: (before[name], new) for name, new in facts.items() if name in before and before[name] != new}


def _update(
    session: Session, row: CatalogueEntry, catalogue: Catalogue, changes: Mapping[str, tuple[Any, Any]]
) -> None:
    new = {name: value for name, (_, value) in changes.items()}
    columns = {name: new[name] for name in _COLUMNS if name in new}
    detail = {**row.detail, **{one.key: new[one.key] for one in catalogue.details if one.key in new}}
    columns["detail"] = {key: value for key, value in detail.items() if value is not None}
    if "name" in columns:
        columns["folded_name"] = fold(columns["name"])
        session.execute(delete(CatalogueBigram).where(CatalogueBigram.entry_id == row.id))
        _write_pairs(session, catalogue.code, [{"id": row.id, "name": columns["name"]}])
    session.execute(
        update(CatalogueEntry)
        .where(CatalogueEntry.id == row.id)
        .values(**columns, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _write_pairs(session: Session, catalogue: str, rows: Sequence[Mapping[str, Any]]) -> None:
    pairs = [
        {"bigram": pair, "catalogue": catalogue, "entry_id": row["id"]}
        for row in rows
        for pair in sorted(bigrams(row["name"]))
    ]
    if pairs:
        session.execute(insert(cast(Table, CatalogueBigram.__table__)), pairs)
