"""Whether a .xlsx file can be parsed safely: it is a plain workbook and fits into memory."""

import re
import zipfile
from pathlib import Path

from assets.zip_bounds import Excess, find_excess

_MAX_UNPACKED = 512 * 1024 * 1024
# calamine stores every cell from the first to the last used one, empty ones too, and aborts the whole process when
# memory runs out; so the extent of each sheet is measured before.
_MAX_CELLS = 10_000_000
_CELL = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_CHUNK = 1024 * 1024
_LONGEST_CELL = 512


class SpreadsheetError(ValueError):
    """The file cannot be read as a table; the text is a Chinese sentence that says what to do."""


def check_workbook(path: Path) -> None:
    """Raise SpreadsheetError unless the file is a plain workbook that fits into memory."""
    with path.open("rb") as file:
        if file.read(4) == b"\xd0\xcf\x11\xe0":
            raise SpreadsheetError("文件已加密或是旧版 .xls 格式，请取消密码并另存为 .xlsx 后重试")
    damaged = "文件不是有效的 .xlsx 工作簿或已损坏，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试"
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            excess = find_excess(members, _MAX_UNPACKED)
            if excess is Excess.TOO_LARGE:
                raise SpreadsheetError("工作簿内容过大，请拆分后分次导入")
            if excess is Excess.REPEATED_NAME or not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
                raise SpreadsheetError(damaged)
            if any(name.endswith("vbaProject.bin") for name in names):
                raise SpreadsheetError("工作簿含有宏，请另存为不含宏的 .xlsx 后重试")
            if excess is Excess.RATIO:
                raise SpreadsheetError("工作簿压缩比异常，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试")
            for member in members:
                # Every member is measured, because only the workbook's content says which of them are sheets.
                _check_extent(archive, member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        # RuntimeError: a member is encrypted; NotImplementedError: an unknown compression method.
        raise SpreadsheetError(damaged) from error


def _check_extent(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    columns: set[bytes] = set()
    last_row = 0
    with archive.open(member) as content:
        tail = b""
        while chunk := content.read(_CHUNK):
            for column, row in _CELL.findall(tail + chunk):
                columns.add(column)
                last_row = max(last_row, int(row))
            tail = (tail + chunk)[-_LONGEST_CELL:]
    last_column = max((_column_number(column) for column in columns), default=0)
    if last_row * last_column > _MAX_CELLS:
        raise SpreadsheetError("工作表的有效区域过大，请删除数据区以外的空行空列，或将数据复制到新表后重试")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
