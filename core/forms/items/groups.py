"""Repeating groups of items."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from core.forms.items import cells, keys
from core.forms.items.base import MAX_LISTED, Counted, SubmissionFault
from core.forms.items.keys import Key

MAX_DEPTH = 2
"""Groups in rows of a group, and no deeper: a phone shows each in a page of its own."""
MAX_ROWS = 2000
MAX_ROWS_WITHIN = 5000
"""Rows that the rows of a group may have in all, by their declarations."""
_ROWS = Key(keys.whole(1, MAX_ROWS), cells.WHOLE)


class Group(Counted):
    """Rows of `items`, from `min_items` to `max_items`; a row holds no disposals, and groups whose rows hold none.

    With `rows_from` it has one row for each entry of a dictionary, below the entry that `rows_of` names where that is
    said; the cell with `from_entry: "code"` tells which row is which (`validation/proposing.py`).
    `validation/reading.py` normalises the rows.
    """

    type: Literal["group"]
    items: Annotated[list[Any], keys.PARTS]
    min_items: Annotated[int, _ROWS] = 0
    max_items: Annotated[int, _ROWS] = MAX_LISTED
    rows_from: Annotated[str | None, Key(keys.shaped(r"[a-z][a-z0-9_]{0,39}", "须为词典的代码"), cells.TEXT)] = None
    rows_of: Annotated[str | None, Key(keys.line(40), cells.TEXT)] = None

    named_by: ClassVar[Literal["no", "field"] | None] = "field"
    label: ClassVar[str] = "组（group）"

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        row = {"type": "object", "properties": rows, "additionalProperties": False}
        return {"type": "array", "maxItems": self.max_items, "items": row}

    def submission_faults(self, value: Any, today: date) -> Iterator[SubmissionFault]:
        if len(value) < self.min_items:
            yield SubmissionFault("too_few")
