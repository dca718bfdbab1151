"""A small table that somebody filled in (.xlsx or .csv), sent as the one file of a body and read at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

from assets.tables.workbook_checks import SpreadsheetError
from core.errors import Fault, Problem
from miniapp_api.http.answers import Answer
from miniapp_api.http.multipart import received_file
from miniapp_api.http.wiring import wiring

LARGEST = 1024 * 1024
"""Bytes of a table of rows: 2 000 rows have room in a fraction of it, and what it unpacks to stays small."""


class TableUpload(BaseModel):
    """The part of an upload of a table."""

    file: Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})] = Field(
        description="one .xlsx or .csv; the part carries its name"
    )


class CellFault(Answer):
    """What is wrong in a table."""

    row: int = Field(description="as Excel counts; 0: the table as a whole")
    letter: str = Field(description="of the column; empty: the row")
    column: str = Field(description="its heading")
    message: str = Field(description="Chinese sentence a user can act on")


@contextmanager
def received_table() -> Iterator[Path]:
    """The table on disk while the block runs, named by its type. Raises 400, 413, 415, and 422 for what is no table."""
    services = wiring()
    with received_file(services.uploads.incoming) as (source, name, _fields), services.places.uploads.one():
        if source.stat().st_size > LARGEST:
            raise Problem("invalid", errors=[Fault("/file", "too_large", "表格不能超过 1M，请分次上传")])
        named = source.with_name(f"{source.name}.{'csv' if name.lower().endswith('.csv') else 'xlsx'}")
        source.rename(named)
        try:
            yield named
        except SpreadsheetError as error:
            raise Problem("invalid", errors=[Fault("/file", "bad_file", str(error))]) from error
        finally:
            named.unlink(missing_ok=True)
