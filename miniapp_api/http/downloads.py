"""Tables as files to download, streamed."""

import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from flask import Response

from assets.tables.writing import Sheet, write_csv, write_xlsx
from core import clock

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Row = TypeVar("Row")


def begun(rows: Iterator[Row]) -> Iterator[Row]:
    """The same rows with the first one fetched now, so that a refusal is still a problem document.

    After the first byte of a download there is no way to refuse.
    """
    first = next(rows, None)
    return iter(()) if first is None else chain((first,), rows)


def _attachment(title: str, ending: str) -> dict[str, str]:
    name = urllib.parse.quote(f"{title}-{clock.today():%Y%m%d}.{ending}")
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}


def as_csv(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """CSV (UTF-8 with BOM)."""
    return Response(write_csv(columns, rows), mimetype=CSV, headers=_attachment(title, "csv"))


def as_xlsx(title: str, *sheets: Sheet) -> Response:
    """An Excel workbook."""
    file = write_xlsx(*sheets)
    response = Response(iter(partial(file.read, 65536), b""), mimetype=XLSX, headers=_attachment(title, "xlsx"))
    response.call_on_close(file.close)
    return response
