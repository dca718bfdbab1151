"""Repeating groups of items."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from core.forms.items import keys
from core.forms.items.base import Counted, SubmissionFault


class Group(Counted):
    """Rows of `items`, from `min_items` to `max_items`; a row holds neither disposals nor groups.

    `validation/reading.py` normalises the rows.
    """

    type: Literal["group"]
    items: Annotated[list[Any], keys.PARTS]

    named_by: ClassVar[Literal["no", "field"] | None] = "field"
    label: ClassVar[str] = "组（group）"
    allowed_in_groups: ClassVar[bool] = False

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        row = {"type": "object", "properties": rows, "additionalProperties": False}
        return {"type": "array", "maxItems": self.max_items, "items": row}

    def submission_faults(self, value: Any, today: date) -> Iterator[SubmissionFault]:
        if len(value) < self.min_items:
            yield SubmissionFault("too_few")
