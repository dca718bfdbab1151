"""Import of a register of licences (生产许可证名录) from .xlsx or .csv; each licence opens its row 更新申报.

The same file again changes nothing, also when other data was declared and approved since. A column that the
file does not have leaves what is stored; an empty cell of a column that it has empties the field. The
enterprises must be in the register before.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assets.spreadsheets import cell_text
from core.db import Database
from core.errors import Problem
from enterprise.filings.engine import Filings
from enterprise.operations import Outcome
from enterprise.production.models import Licence
from enterprise.production.operations import LICENCE_STATUSES, LicenceFacts, last_imported, put_licence
from enterprise.register_rows import read_uscc
from enterprise.table_import import (
    CellFault,
    Faults,
    ImportReport,
    Progress,
    TableImport,
    TableLayout,
    Target,
    plain_text,
    read_cells,
)

LAYOUT = TableLayout(
    headings={
        "licence_no": ("证书编号", "许可证编号", "生产许可证编号"),
        "uscc": ("统一社会信用代码", "社会信用代码", "信用代码"),
        "product_class": ("产品类别",),
        "product_detail": ("产品明细", "产品单元"),
        "issued_on": ("发证日期",),
        "valid_to": ("有效期至",),
        "issuer": ("发证机关",),
        "status": ("状态",),
    },
    required=("licence_no", "uscc", "product_class", "product_detail"),
    marks=("licence_no", "uscc"),
)

# A row costs a filing with its history: batches are smaller than those of the register of enterprises.
_BATCH = 100

# spec/common §5.7: a licence of a province has its short name in front.
_LICENCE_NO = re.compile(r"(\([\u4e00-\u9fa5]\))?XK[0-9]{2}-[0-9]{3}-[0-9]{5}")
_DATE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{4})([0-9]{2})([0-9]{2})")
_STATUS_CODES = {label: code for code, label in LICENCE_STATUSES.items()}

LicenceRow = Mapping[str, Any]
"""The values of `LicenceFacts` that the file has columns for."""


def import_licences(
    database: Database, engine: Filings, path: str | Path, *, progress: Progress | None = None
) -> ImportReport:
    """Bring the licences in step with the file, in transactions of some rows.

    Raises SpreadsheetError, before anything is written, when the file cannot be used.
    """
    target: Target[LicenceRow] = Target(
        key="licence_no",
        key_of=lambda facts: str(facts["licence_no"]),
        read=read_licence,
        put=partial(_put, engine),
    )
    table: TableImport[LicenceRow] = TableImport(path, LAYOUT)
    return table.run(database, target, batch_size=_BATCH, progress=progress)


def _put(engine: Filings, session: Session, rows: list[LicenceRow]) -> Sequence[Outcome | Faults]:
    numbers = [row["licence_no"] for row in rows]
    stored = {one.licence_no: one for one in session.scalars(select(Licence).where(Licence.licence_no.in_(numbers)))}
    results: dict[str, Outcome | Faults] = {}
    # In the order of the enterprises, which are locked: two imports at once wait for each other instead of deadlocking.
    for row in sorted(rows, key=lambda row: str(row["uscc"])):
        results[row["licence_no"]] = _put_one(engine, session, row, stored.get(row["licence_no"]))
    return [results[number] for number in numbers]


def _put_one(engine: Filings, session: Session, row: LicenceRow, stored: Licence | None) -> Outcome | Faults:
    kept = asdict(last_imported(stored)) if stored else {}
    try:
        return put_licence(session, engine, LicenceFacts(**{**kept, **row}))[1]
    except Problem as problem:
        if not problem.errors:
            raise
        return {fault.path.removeprefix("/"): fault.message for fault in problem.errors}


def read_licence(cells: Mapping[str, object]) -> tuple[LicenceRow, Faults]:
    """The values of a row and its faults by field; with faults the values are incomplete."""
    values, faults = read_cells(cells, _READERS)
    issued_on, valid_to = values.get("issued_on"), values.get("valid_to")
    if issued_on and valid_to and valid_to < issued_on:
        faults["valid_to"] = "有效期至不能早于发证日期，请核对"
    return values, faults


def _read_number(cell: object) -> str:
    text = "".join(unicodedata.normalize("NFKC", cell_text(cell)).split()).upper()
    if not text:
        raise CellFault("证书编号为必填项，请填写生产许可证上的编号")
    if not _LICENCE_NO.fullmatch(text):
        raise CellFault(f"证书编号“{text}”格式不正确，应如“(苏)XK06-001-00001”，请核对")
    return text


def _read_needed(heading: str, longest: int, cell: object) -> str:
    text = plain_text(cell, longest)
    if not text:
        raise CellFault(f"{heading}为必填项，请填写")
    return text


def _read_date(cell: object) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = "".join(unicodedata.normalize("NFKC", cell_text(cell)).split())
    if not text:
        return None
    found = _DATE.fullmatch(text)
    try:
        year, month, day = (int(part) for part in found.groups() if part) if found else (0, 0, 0)
        return date(year, month, day)
    except ValueError:
        raise CellFault(f"日期“{text}”无法识别，请按“2026-11-21”的格式填写") from None


def _read_issuer(cell: object) -> str | None:
    return plain_text(cell, 100) or None


def _read_status(cell: object) -> str:
    text = cell_text(cell)
    if not text:
        return "valid"
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
    "issuer": _read_issuer,
    "status": _read_status,
}
