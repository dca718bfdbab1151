"""Reading tables that people made in Excel or WPS (.xlsx and .csv), with what their merged cells and errors mean.

A cell merged over several rows has its value in each of them; what a cell merged with one on its left means cannot be
known (`AcrossCell`). A formula that shows an error has no value (`ErrorCell`), which is not the same as empty.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from assets.tables.cells import AcrossCell, column_letters
from assets.tables.delimited import delimited_rows
from assets.tables.marks import Marks, read_marks
from assets.tables.workbook_checks import SpreadsheetError, check_workbook

MAX_BYTES = 50 * 1024 * 1024
_MOST_MERGED_CELLS = 2_000_000

Row = tuple[int, list[object]]
"""A row with its number as Excel shows it. A cell is `str` (empty: `""`), `float`, `int`, `bool`, a date or time."""


@dataclass(frozen=True)
class Table:
    """One sheet. Rows can be read again and again; hidden ones are among them."""

    name: str
    total: int
    _cells: CalamineSheet | list[list[object]]
    _marks: Marks = field(default_factory=Marks)

    def rows(self) -> Iterator[Row]:
        """All rows from the first on, with merged cells filled in and errors as `ErrorCell`."""
        if not isinstance(self._cells, CalamineSheet):
            yield from enumerate(self._cells, start=1)
            return
        merged = _Merged(self._cells)
        # iter_rows counts from row 1 but leaves out empty columns on the left.
        left: list[object] = [""] * (self._cells.start[1] if self._cells.start else 0)
        for number, found in enumerate(self._cells.iter_rows()):
            cells = left + list(found)
            for place, error in self._marks.errors.get(number, {}).items():
                if place < len(cells):
                    cells[place] = error
            merged.fill(number, cells)
            yield number + 1, cells

    @property
    def dates_since(self) -> date:
        """The day from which cells of numbers count where they mean a day."""
        return self._marks.dates_since

    def is_hidden_row(self, number: int) -> bool:
        """Whether a row, by its number, is hidden or filtered away."""
        return number - 1 in self._marks.hidden_rows

    def is_hidden_column(self, place: int) -> bool:
        """Whether a column, counted from 0, is hidden."""
        return place in self._marks.hidden_columns


class _Merged:
    """The merged cells of a sheet, put into its rows as these go by."""

    def __init__(self, sheet: CalamineSheet) -> None:
        height, width = (sheet.end[0] + 1, sheet.end[1] + 1) if sheet.end else (0, 0)
        self._by_row: dict[int, list[tuple[int, int, int, int]]] = {}
        self._values: dict[tuple[int, int], object] = {}
        covered = 0
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
            bottom, right = min(bottom, height - 1), min(right, width - 1)
            if left > right:  # beyond what is filled
                continue
            covered += max(bottom - top + 1, 0) * (right - left + 1)
            if covered > _MOST_MERGED_CELLS:
                raise SpreadsheetError("合并单元格过多，请取消合并后重试")
            for row in range(top, bottom + 1):
                self._by_row.setdefault(row, []).append((top, left, bottom, right))

    def fill(self, row: int, cells: list[object]) -> None:
        for top, left, bottom, right in self._by_row.get(row, ()):
            if row == top:
                self._values[top, left] = cells[left]
            cells[left] = self._values[top, left]
            cells[left + 1 : right + 1] = [AcrossCell(column_letters(left))] * (right - left)
            if row == bottom:
                del self._values[top, left]


def read_tables(path: str | Path) -> list[Table]:
    """The sheets that are shown (all, if none is), or the one table of a .csv; SpreadsheetError if unusable."""
    path = Path(path)
    if _checked_suffix(path) == ".csv":
        rows = delimited_rows(path)
        return [Table(path.stem, len(rows), rows)]
    with _open_workbook(path) as workbook:
        sheets = [meta for meta in workbook.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
        if not sheets:
            raise SpreadsheetError("文件中没有工作表，请检查后重新选择文件")
        shown = [meta for meta in sheets if meta.visible == SheetVisibleEnum.Visible]
        return [_table(path, workbook, meta.name) for meta in shown or sheets]


def read_sheets(path: str | Path) -> Mapping[str, list[list[object]]]:
    """All sheets by name with all their rows; the first list is row 1."""
    path = Path(path)
    if _checked_suffix(path) == ".csv":
        return {table.name: [cells for _, cells in table.rows()] for table in read_tables(path)}
    with _open_workbook(path) as workbook:
        names = [meta.name for meta in workbook.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
        return {name: [cells for _, cells in _table(path, workbook, name).rows()] for name in names}


def _checked_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".xlsx", ".csv"):
        raise SpreadsheetError("不支持的文件格式，目前支持 .xlsx 和 .csv，请另存后重试")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SpreadsheetError(f"无法打开文件“{path.name}”，请检查文件是否存在、是否有读取权限") from error
    if size == 0:
        raise SpreadsheetError("文件是空的，请检查后重新选择文件")
    if size > MAX_BYTES:
        raise SpreadsheetError(f"文件不能超过{MAX_BYTES // 1024 // 1024}M，请拆分后分次导入")
    return suffix


def _open_workbook(path: Path) -> CalamineWorkbook:
    check_workbook(path)
    try:
        return CalamineWorkbook.from_path(path)
    except CalamineError as error:
        raise SpreadsheetError("无法读取该 Excel 文件，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试") from error


def _table(path: Path, workbook: CalamineWorkbook, name: str) -> Table:
    try:
        sheet = workbook.get_sheet_by_name(name)
    except CalamineError as error:
        raise SpreadsheetError(f"无法读取工作表“{name}”，请另存为新的 .xlsx 后重试") from error
    return Table(name, sheet.end[0] + 1 if sheet.end else 0, sheet, read_marks(path, name))
