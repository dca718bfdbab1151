"""Import of a register of licences (生产许可证名录) from .xlsx or .csv; each licence opens its row 更新申报.

The same file again changes nothing, also when other data was declared and approved since. A column that the file
does not have, and an empty cell, leave what is stored; the word 清空 empties the field. The enterprises must be in the
register before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assets.tables.cells import cell_date, cell_text
from core.actor import Scope
from core.db import Database
from core.errors import Problem
from core.identifiers import normalise_licence_no
from core.text import MEANINGLESS, has_words
from enterprise.filings.declaring.kinds import Filings
from enterprise.imports.jurisdiction import within
from enterprise.imports.register_rows import read_uscc
from enterprise.imports.table_cells import CellFault, Faults, name_text, read_cells, worded_text
from enterprise.imports.table_import import TableImport, Target
from enterprise.imports.table_layout import TableLayout
from enterprise.operations import Effect
from enterprise.production.models import Licence
from enterprise.production.operations import (
    LICENCE_STATUSES,
    LicenceFacts,
    last_imported,
    plan_licence,
    put_licence,
)

LAYOUT = TableLayout(
    headings={
        "licence_no": ("证书编号", "许可证编号", "生产许可证编号", "许可证号", "生产许可证号", "许可证证书编号"),
        "uscc": ("统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "企业统一社会信用代码"),
        "product_class": ("产品类别", "产品种类", "产品名称"),
        "product_detail": ("产品明细", "产品单元", "产品品种"),
        "issued_on": ("发证日期", "发证时间", "批准日期"),
        "valid_to": ("有效期至", "有效期截止", "有效期止", "有效期截止日期", "截止日期"),
        "issuer": ("发证机关", "发证部门", "发证单位"),
        "status": ("状态", "证书状态", "许可证状态"),
    },
    required=("licence_no", "uscc", "product_class", "product_detail"),
    marks=("licence_no", "uscc"),
    dates=frozenset({"issued_on", "valid_to"}),
    cleared={"issued_on": None, "valid_to": None, "issuer": None},
)

# A row costs a filing with its history: batches are smaller than those of the register of enterprises.
_BATCH = 100

_STATUS_CODES = {label: code for code, label in LICENCE_STATUSES.items()}

LicenceRow = Mapping[str, Any]
"""The values of `LicenceFacts` that the file has columns for."""


def open_licences(
    database: Database, engine: Filings, path: str | Path, *, sheet: str | None = None, scope: Scope | None = None
) -> TableImport[LicenceRow]:
    """A licence register, to be looked at and brought in, in transactions of some rows.

    With `scope` licences of enterprises elsewhere are refused. Raises SpreadsheetError when the file cannot be used.
    """
    target: Target[LicenceRow] = Target(
        key="licence_no",
        key_of=lambda facts: str(facts["licence_no"]),
        read=read_licence,
        plan=partial(_each, plan_licence),
        put=partial(_each, lambda session, facts: put_licence(session, engine, facts)[1]),
        show=_show,
    )
    if scope is not None:
        target = within(scope, target)
    return TableImport(database, path, LAYOUT, target, batch_size=_BATCH, sheet=sheet)


def _each(
    take: Callable[[Session, LicenceFacts], Effect], session: Session, rows: list[LicenceRow]
) -> Sequence[Effect | Faults]:
    numbers = [row["licence_no"] for row in rows]
    stored = {one.licence_no: one for one in session.scalars(select(Licence).where(Licence.licence_no.in_(numbers)))}
    results: dict[str, Effect | Faults] = {}
    # In the order of the enterprises, which are locked: two imports at once wait for each other instead of deadlocking.
    for row in sorted(rows, key=lambda row: str(row["uscc"])):
        licence = stored.get(row["licence_no"])
        kept = asdict(last_imported(licence)) if licence else {}
        try:
            results[row["licence_no"]] = take(session, LicenceFacts(**{**kept, **row}))
        except Problem as problem:
            if not problem.errors:
                raise
            results[row["licence_no"]] = {fault.path.removeprefix("/"): fault.message for fault in problem.errors}
    return [results[number] for number in numbers]


def _show(name: str, value: Any) -> str:
    if name == "status":
        return LICENCE_STATUSES[value]
    return value.isoformat() if isinstance(value, date) else value or ""


def read_licence(cells: Mapping[str, object]) -> tuple[LicenceRow, Faults]:
    """The values of a row and its faults by field; with faults the values are incomplete."""
    values, faults = read_cells(LAYOUT, cells, _READERS)
    issued_on, valid_to = values.get("issued_on"), values.get("valid_to")
    if issued_on and valid_to and valid_to < issued_on:
        faults["valid_to"] = "有效期至不能早于发证日期，请核对"
    return values, faults


def _read_number(cell: object) -> str:
    text = cell_text(cell)
    if not text:
        raise CellFault("证书编号为必填项，请填写生产许可证上的编号")
    number = normalise_licence_no(text)
    if number is None:
        raise CellFault(f"证书编号“{text}”格式不正确，应如“(苏)XK06-001-00001”，请核对")
    return number


def _read_needed(heading: str, longest: int, cell: object) -> str:
    text = worded_text(cell, longest)
    if not text:
        raise CellFault(f"{heading}为必填项，请填写")
    if not has_words(text):
        raise CellFault(f"{heading}{MEANINGLESS}")
    return text


def _read_date(cell: object) -> date:
    day = cell_date(cell)
    if day is None:
        raise CellFault(f"日期“{cell_text(cell)}”无法识别，请按“2026-11-21”的格式填写")
    return day


def _read_status(cell: object) -> str:
    text = cell_text(cell)
    if text not in _STATUS_CODES:
        raise CellFault(f"状态“{text}”无法识别，请填写：{'、'.join(_STATUS_CODES)}")
    return _STATUS_CODES[text]


_READERS: dict[str, Callable[[object], Any]] = {
    "licence_no": _read_number,
    "uscc": read_uscc,
    "product_class": partial(_read_needed, "产品类别", 60),
    "product_detail": partial(_read_needed, "产品明细", 2000),
    "issued_on": _read_date,
    "valid_to": _read_date,
    "issuer": lambda cell: name_text(cell, 100),
    "status": _read_status,
}
