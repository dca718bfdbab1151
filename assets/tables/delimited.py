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
# A first line that names the separator to Excel.
_SEPARATOR_LINE = re.compile(r"\"?sep=([,;\t|])\"?\r?\n", re.IGNORECASE)


def delimited_rows(path: Path) -> list[list[object]]:
    """The rows of a .csv: UTF-8, UTF-16 with BOM or GB18030; separated by commas, semicolons or tabs."""
    text = _text(path.read_bytes())
    named = _SEPARATOR_LINE.match(text)
    if named:
        # An empty line stays in its place, so that rows have the numbers that Excel shows.
        separator, text = named[1], "\n" + text[named.end() :]
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
    """How many cells of the first rows stand in rows of the same width; the separator that gives most is the file's."""
    try:
        widths = Counter(len(row) for row in islice(_reader(text, separator, strict=False), _SAMPLED_ROWS))
    except csv.Error:
        return 0
    return max((rows * width for width, rows in widths.items() if width > 1), default=0)


def _unescaped(cell: str) -> str:
    """Without the apostrophe that our own exports put before a text that looks like a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
