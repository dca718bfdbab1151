"""What stands in a cell: text, numbers, dates, and what a workbook says beside them (errors, merged cells).

Excel keeps numbers as doubles, so a code of 18 digits that was typed into a cell of numbers has lost its last
digits by the time it is read. Who imports a table asks `has_lost_digits` and refuses such a cell: the column must be
formatted as text.
"""

import re
from datetime import date, datetime, timedelta

from core.text import clean, fold

_EXACT_DIGITS = 15
# What Excel and WPS show where a formula has no value; pasted as a value, or saved as .csv, it is plain text.
_ERROR = re.compile(r"#(N/A( N/A)?|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|BUSY!|#+)")
_DATE = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:t?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.0+)?)?)?"
    r"|([0-9]{4})([0-9]{2})([0-9]{2})"
)
_SERIAL = re.compile(r"[0-9]{5}(\.[0-9]+)?")
# 1954 to 2099 counted from 1900, 1958 to 2103 from 1904: no amount or year is taken for a day by mistake.
_SERIALS = range(20_000, 73_051)
SINCE_1900, SINCE_1904 = date(1899, 12, 30), date(1904, 1, 1)


class ErrorCell(str):
    """A cell without a value: the error it shows (`#N/A`), or "" for a formula that was never calculated."""

    __slots__ = ()


class AcrossCell(str):
    """A cell that is merged with cells on its left, where the value stands; the text is the letter of that column.

    Which column the value belongs to cannot be known.
    """

    __slots__ = ()


def error_of(cell: object) -> ErrorCell | None:
    """The error that a cell shows, also as text (`#N/A` pasted as a value); None for any other cell."""
    if isinstance(cell, ErrorCell):
        return cell
    return ErrorCell(cell.strip()) if isinstance(cell, str) and _ERROR.fullmatch(cell.strip()) else None


def no_value(cell: object) -> str | None:
    """Why nobody knows what a cell says, as a Chinese sentence that says what to do; None where it says something."""
    if isinstance(cell, AcrossCell):
        return f"与左侧{cell}列的单元格合并在一起，无法判断内容属于哪一列，请取消合并后分别填写"
    if (error := error_of(cell)) is None:
        return None
    if error:
        return f"单元格显示公式错误“{error}”，请改为正确内容，或留空"
    return "公式没有计算结果，请用 Excel 或 WPS 打开并保存后重试，或改为填写内容"


def has_lost_digits(cell: object) -> bool:
    """Whether a cell is a number too long for Excel to have kept exactly (more than 15 digits)."""
    return isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) >= 10**_EXACT_DIGITS


def cell_text(cell: object) -> str:
    """A cell as one would type it: no blanks around it, whole numbers without `.0`, dates as 2026-11-20."""
    if cell is None or isinstance(cell, AcrossCell):
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.isoformat()
    return clean(str(cell))


def cell_date(cell: object, since: date = SINCE_1900) -> date | None:
    """The day that a cell of a column of days stands for; None for a cell that is no day.

    Besides cells of dates: 2026-1-5, 2026/1/5 0:00, 2026.1.5, 2026年1月5日, 20260105, and the number of days
    `since` that Excel shows where a cell of a date is not formatted as one.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = fold(cell_text(cell))
    if _SERIAL.fullmatch(text) and int(float(text)) in _SERIALS:
        return since + timedelta(days=int(float(text)))
    if (found := _DATE.fullmatch(text)) is None:
        return None
    year, month, day = (int(part) for part in found.groups() if part)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def column_letters(place: int) -> str:
    """The letters over a column, counted from 0: A, Z, AA."""
    letters, place = "", place + 1
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
