"""Reading .csv files as Excel, WPS and their users save them: encodings, separators, quotes."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from assets.tables.workbook_checks import SpreadsheetError

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = ",;\t"
_SAMPLED_ROWS = 20
# A first line with which Excel is told the separator.
_TOLD = re.compile(r"\"?sep=([,;\t|])\"?\r?\n", re.IGNORECASE)


def delimited_rows(path: Path) -> list[list[object]]:
    """The rows of a .csv: UTF-8, UTF-16 with BOM or GB18030; separated by commas, semicolons or tabs."""
    text = _text(path.read_bytes())
    told = _TOLD.match(text)
    if told:
        # The line keeps its place, so that rows have the numbers that Excel shows.
        separator, text = told[1], "\n" + text[told.end() :]
    else:
        separator = max(_SEPARATORS, key=lambda one: _evenness(text, one))
    rows: list[list[object]] = []
    try:
        for cells in _reader(text, separator, strict=True):
            rows.append([_unescaped(cell) for cell in cells])
    except csv.Error as error:
        message = f"CSV 文件第{len(rows) + 1}行格式有误，请检查引号是否成对，或另存为 .xlsx 后重试"
        raise SpreadsheetError(message) from error
    return rows


def _text(content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise SpreadsheetError("文件内容是 Excel 工作簿而不是 CSV，请将扩展名改为 .xlsx 或另存为 CSV 后重试")
    encodings = [encoding for bom, encoding in _BOMS if content.startswith(bom)] or ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            raise SpreadsheetError("文件不是文本格式的 CSV，请另存为“CSV UTF-8”格式后重试")
        return text
    raise SpreadsheetError("无法识别文件的文字编码，请另存为“CSV UTF-8”格式后重试")


def _reader(text: str, separator: str, *, strict: bool) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)


def _evenness(text: str, separator: str) -> int:
    """How much of the first rows a separator divides into as many cells each; commas win where all are equal."""
    try:
        widths = Counter(len(row) for row in islice(_reader(text, separator, strict=False), _SAMPLED_ROWS))
    except csv.Error:
        return 0
    return max((rows * width for width, rows in widths.items() if width > 1), default=0)


def _unescaped(cell: str) -> str:
    """Without the apostrophe that keeps our own exports' text from being a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
