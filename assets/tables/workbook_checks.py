"""Whether a .xlsx file can be parsed safely: it is a plain workbook and fits into memory."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from assets.xml_parts import XmlFault, read_part
from assets.zip_bounds import Excess, find_excess

_MAX_UNPACKED = 512 * 1024 * 1024
# calamine stores every cell from the first to the last used one, empty ones too, and aborts the whole process when
# memory runs out; so the extent of each sheet is measured before.
_MAX_CELLS = 10_000_000
_PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_PIECE = 1024 * 1024
_RELATIONS = "xl/_rels/workbook.xml.rels"


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
            names = {member.filename.lower() for member in members}
            excess = find_excess(members, _MAX_UNPACKED)
            if excess is Excess.TOO_LARGE:
                raise SpreadsheetError("工作簿内容过大，请拆分后分次导入")
            # Readers of workbooks do not tell capitals from small letters in the names of members.
            if excess in (Excess.REPEATED_NAME, Excess.UNSAFE_NAME) or len(names) != len(members):
                raise SpreadsheetError(damaged)
            if not {"[content_types].xml", "xl/workbook.xml"} <= names:
                raise SpreadsheetError(damaged)
            if any(name.endswith("vbaproject.bin") for name in names):
                raise SpreadsheetError("工作簿含有宏，请另存为不含宏的 .xlsx 后重试")
            if excess is Excess.RATIO:
                raise SpreadsheetError("工作簿压缩比异常，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试")
            related = _related(archive, members)
            for member in members:
                name = member.filename.lower()
                if name.endswith((".xml", ".rels")) or name in related:
                    _check_extent(archive, member)
    except (zipfile.BadZipFile, XmlFault, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        # RuntimeError: a member is encrypted; NotImplementedError: an unknown compression method.
        raise SpreadsheetError(damaged) from error


def _related(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> set[str]:
    """What the workbook may call a sheet, whatever the members are called."""
    targets: set[str] = set()

    def relation(_tag: str, attributes: dict[str, str]) -> None:
        target = attributes.get("Target", "").replace("\\", "/").lower()
        targets.update(posixpath.normpath(path).lstrip("/") for path in (target, f"xl/{target.lstrip('/')}"))

    for member in members:
        if member.filename.lower() == _RELATIONS:
            read_part(_pieces(archive, member), relation)
    return targets


def _check_extent(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    last_row = last_column = 0

    def cell(tag: str, attributes: dict[str, str]) -> None:
        nonlocal last_row, last_column
        if tag != "c" and not tag.endswith(":c"):
            return
        place = _PLACE.fullmatch(attributes.get("r", ""))
        if place is None:
            return
        last_row = max(last_row, int(place[2]))
        last_column = max(last_column, _column_number(place[1]))
        if last_row * last_column > _MAX_CELLS:
            raise SpreadsheetError("工作表的有效区域过大，请删除数据区以外的空行空列，或将数据复制到新表后重试")

    read_part(_pieces(archive, member), cell)


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as content:
        while piece := content.read(_PIECE):
            yield piece


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
