"""A table of windows (窗口) of which rating codes are made: the one to fill in, and what a filled one says.

Nothing is stored: whoever agrees sends the rows on (`many.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assets.tables.cells import cell_text, column_letters, has_lost_digits, no_value
from assets.tables.reading import Table, read_tables
from assets.tables.workbook_checks import SpreadsheetError
from assets.tables.writing import Sheet
from core.actor import Actor
from core.text import clean_line, fold
from feedback.codes import operations
from feedback.codes.kinds import KINDS, PER_VISIT
from feedback.models import RatingCode
from feedback.workflows import ACTIVE, NOT_GENERATED

MOST = 500
"""Rows of one table."""
COLUMNS = {
    "kind": "评价类型", "matter_name": "事项名称", "window": "窗口", "org_name": "承办单位", "matter_ref": "办件编号",
}  # fmt: skip
_HEADINGS_WITHIN = 20
_LOST_DIGITS = "数字过长，末尾数字已丢失，请将整列设置为“文本”格式后重新填写"


@dataclass(frozen=True, slots=True)
class Refused:
    """A cell that cannot be taken: the row as Excel counts, the letter and heading of its column, and why."""

    row: int
    letter: str
    column: str
    message: str


@dataclass
class ReadCodes:
    """The rows of which codes can be made, and what is wrong with the others; `known` has a code already."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def template() -> Sheet:
    """The table to fill in."""
    headings = [f"{title}*" if name == "matter_name" else title for name, title in COLUMNS.items()]
    return Sheet("评价二维码", headings, [], as_text=True)


def read(session: Session, actor: Actor, path: Path) -> ReadCodes:
    """What a filled table says, each row held against what `operations.create` demands.

    Raises SpreadsheetError for a file that is no such table.
    """
    table = read_tables(path)[0]
    places, first = _headings(table)
    found = ReadCodes()
    seen: dict[tuple[Any, ...], int] = {}
    for number, cells in table.rows():
        if number <= first or not any(cell_text(cell) or no_value(cell) for cell in cells):
            continue
        if len(found.rows) + len({one.row for one in found.refused}) >= MOST:
            raise SpreadsheetError(f"一次最多制作{MOST}个二维码，请拆分后分次上传")
        sent, refused = _row(number, cells, places)
        if not refused:
            wanted, faults = operations.check(session, actor, sent)
            refused = [_of_fault(number, places, fault.path[1:], fault.message) for fault in faults]
            key = _key(wanted)
            if not refused and key in seen:
                what = f"与第{seen[key]}行相同，请删除其中一行"
                refused = [_of_fault(number, places, "matter_name", what)]
            seen.setdefault(key, number)
        found.refused += refused
        if not refused:
            found.rows.append({"row": number, **wanted, "kind_label": KINDS[wanted["kind"]]})
    _mark_known(session, found.rows)
    return found


def _headings(table: Table) -> tuple[dict[int, str], int]:
    """The name of each column, and the number of the row of headings."""
    wanted = {fold(title): name for name, title in COLUMNS.items()}
    for number, cells in table.rows():
        found: dict[int, str] = {}
        for place, cell in enumerate(cells):
            name = wanted.get(fold(cell_text(cell)).rstrip("*"))
            if name is not None and name in found.values():
                raise SpreadsheetError(f"有两列的列名都是“{COLUMNS[name]}”，请只保留一列")
            if name is not None:
                found[place] = name
        if "matter_name" in found.values():
            return found, number
        if number > _HEADINGS_WITHIN:
            break
    raise SpreadsheetError("未找到“事项名称”一列，请下载模板，按模板填写后上传")


def _row(number: int, cells: list[object], places: Mapping[int, str]) -> tuple[dict[str, Any], list[Refused]]:
    sent: dict[str, Any] = {}
    refused: list[Refused] = []
    kinds = {fold(label): kind for kind, label in KINDS.items()}
    for place, name in places.items():
        cell = cells[place] if place < len(cells) else ""
        message = no_value(cell) or (_LOST_DIGITS if has_lost_digits(cell) else None)
        text = clean_line(cell_text(cell))
        if message is None and name == "kind" and text and fold(text) not in kinds:
            message = f"评价类型应为{'或'.join(KINDS.values())}，请改正，或留空（一次一评）"
        if message is not None:
            refused.append(Refused(number, column_letters(place), COLUMNS[name], message))
        elif text:
            sent[name] = kinds[fold(text)] if name == "kind" else text
    return {"kind": PER_VISIT, **sent}, refused


def _of_fault(number: int, places: Mapping[int, str], name: str, message: str) -> Refused:
    name = "org_name" if name == "office_id" else name
    place = next((place for place, known in places.items() if known == name), None)
    return Refused(number, "" if place is None else column_letters(place), COLUMNS.get(name, ""), message)


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two codes the same to whoever stands before them."""
    folded = (fold(str(row.get(name) or "")) for name in ("matter_name", "window", "matter_ref"))
    return row.get("office_id"), row.get("kind"), *folded


def _mark_known(session: Session, rows: list[dict[str, Any]]) -> None:
    """Marks the rows that have a code in use already: a table that is uploaded again makes nothing twice by mistake."""
    offices = {row["office_id"] for row in rows}
    names = {row["matter_name"] for row in rows}
    there = select(
        RatingCode.office_id, RatingCode.kind, RatingCode.matter_name, RatingCode.window, RatingCode.matter_ref
    ).where(
        RatingCode.office_id.in_(offices), RatingCode.matter_name.in_(names),
        RatingCode.status.in_((NOT_GENERATED, ACTIVE)),
    )  # fmt: skip
    known = {_key(one._asdict()) for one in session.execute(there)} if rows else set()
    for row in rows:
        row["known"] = _key(row) in known
