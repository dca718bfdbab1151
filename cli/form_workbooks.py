"""Writing a form definition as an Excel workbook, in the layout that `core/forms/sheet.py` reads back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from assets.tables.workbook_checks import SpreadsheetError
from core.forms.sheet import rows_from_definition


def write_form_workbook(path: Path, definition: Mapping[str, Any]) -> None:
    """Write the workbook. Raises SpreadsheetError when the file cannot be written.

    Text cells have the number format "text": without it Excel turns item 4.10 into the number 4.1 on editing.
    """
    workbook = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    text = workbook.add_format({"num_format": "@"})
    heading = workbook.add_format({"num_format": "@", "bold": True, "bottom": 1})
    for name, rows in rows_from_definition(definition).items():
        sheet = workbook.add_worksheet(name)
        sheet.set_column(0, 40, 16, text)
        if name != "form":
            sheet.freeze_panes(1, 0)
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                if isinstance(value, int) and not isinstance(value, bool):
                    sheet.write_number(y, x, value)
                elif value is not None:
                    sheet.write_string(y, x, str(value), heading if y == 0 and name != "form" else text)
    try:
        workbook.close()
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise SpreadsheetError(f"无法写入文件“{path}”，请检查目录是否存在、是否有写入权限") from error
