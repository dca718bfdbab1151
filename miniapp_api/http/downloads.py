"""Files to download: their names, and tables that are streamed."""

import os
import re
import urllib.parse
from functools import partial
from itertools import chain

from flask import Response

from assets.tables.writing import Sheet, write_csv, write_xlsx
from core import clock

CSV = "text/csv"
_PLAIN = re.compile(r"[A-Za-z0-9._ -]+")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def disposition(kind: str, name: str) -> str:
    """The value of `Content-Disposition`, which takes no Chinese by itself; `kind`: `inline` or `attachment`."""
    plain = name if _PLAIN.fullmatch(name) else f"file{os.path.splitext(name)[1]}"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{urllib.parse.quote(name, safe='')}"


def _attachment(title: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": disposition("attachment", f"{title}-{clock.today():%Y%m%d}.{ending}")}


def as_csv(title: str, sheet: Sheet) -> Response:
    """CSV (UTF-8 with BOM), sent while its rows are read; the name of the sheet stands nowhere.

    The first row is fetched now: after the first byte of a download there is no way to refuse.
    """
    rows = iter(sheet.rows)
    first = next(rows, None)
    begun = () if first is None else chain((first,), rows)
    return Response(write_csv(sheet.columns, begun), mimetype=CSV, headers=_attachment(title, "csv"))


def as_xlsx(title: str, *sheets: Sheet) -> Response:
    """An Excel workbook, written whole before its first byte is sent: how it ends says where everything stands."""
    file = write_xlsx(*sheets)
    response = Response(iter(partial(file.read, 65536), b""), mimetype=XLSX, headers=_attachment(title, "xlsx"))
    response.call_on_close(file.close)
    return response
