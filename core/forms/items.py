"""The typed parts of a form: items and sections, as `outline.py` reads them from a definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import jsonschema_rs

PROBLEMS_FOUND: Final = "problems_found"
DISPOSALS: Final = (("done", "是"), ("in_progress", "办理中"), ("na", "不适用"))

MAX_TEXT = 200
MAX_LISTED = 50
MAX_IDENTIFIER = 64
MAX_EMAIL = 100


@dataclass(frozen=True, slots=True)
class Item:
    """One item. `place` is the object of the body that holds it; `source` points into the definition;
    `pointer` says where it stands in a body or, for an item of a group, in its row."""

    name: str
    place: str  # "" (top level), "answers", "disposals", or the name of the group
    pointer: str
    order: int
    source: str
    raw: Mapping[str, Any]
    type: str
    text: str
    required: bool
    values: tuple[str, ...] | None
    offered: frozenset[str]  # the values of a single choice that are read as they stand
    max_length: int
    min_items: int
    max_items: int
    minimum: Decimal | None
    pattern: jsonschema_rs.Validator | None
    problem_values: frozenset[Any]
    sensitive: bool
    items: tuple["Item", ...] = ()

    @property
    def detects(self) -> bool:
        """Whether an answer to it (or in one of its rows) can be a problem."""
        return bool(self.problem_values) or any(inner.problem_values for inner in self.items)

    @property
    def repeat(self) -> bool:
        return self.raw.get("repeat") is True

    @property
    def scale(self) -> int:
        return int(self.raw.get("scale", 0))


@dataclass(frozen=True, slots=True)
class Section:
    source: str
    raw: Mapping[str, Any]
    items: tuple[Item, ...]
