"""What has rows of its own (明细行): a group of the form while a draft, rows of its system's table once it is sent.

A system declares the table by `RowColumns` and says by `Rows` which group fills it; a field of a later filing may refer
to one of its rows by `Refers`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.declared_places import declared_at


class RowColumns:
    """The columns of every table of rows; its system adds what is filtered, dated or searched, and an index over
    `filing_id, number`.

    `id` follows from the filing and from the row's key, or its place where it has none, so that a row keeps it when
    the filing is sent again. `number` is its place in the group, from 0; `key_hash` the keyed hash of its key. `data`
    is the row as it was sent, personal data in it sealed.
    """

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    filing_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[int] = mapped_column(Integer)
    key_hash: Mapped[str | None] = mapped_column(String(64))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a `group` stand in `table` once the filing is sent.

    `columns`: which field of a row fills which column of the table besides; a personal number fills none, for there it
    would stand in clear. `search`: columns in which a fragment is looked for. `key`: the field that no two rows share
    and by which one is found, such as an identity number.
    """

    group: str
    table: Any
    columns: Mapping[str, str] = field(default_factory=dict)
    search: Sequence[str] = ()
    key: str | None = None
    place: str = field(default_factory=declared_at, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Refers:
    """A field holds the id of a row of the applicant's filings that stand in `statuses`.

    `name` is a field of the form, or `group/field` for each row of a group; `kind` is the code of the kind whose rows
    they are. `message` is what is answered for any other id.
    """

    name: str
    kind: str
    rows: Rows
    statuses: Sequence[str]
    message: str = "没有这条记录，请重新选择"
    place: str = field(default_factory=declared_at, compare=False, repr=False)
