"""The typed parts of a form: items and sections, as `outline.py` reads them from a definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import jsonschema_rs

PROBLEMS_FOUND: Final = "problems_found"
DISPOSALS: Final = (("done", "是"), ("in_progress", "办理中"), ("na", "不适用"))

PERSONS: Final = frozenset(["inspectors", "samplers", "escort", "legal_representative", "contact_name", "filled_by"])
"""Fields that hold names of persons. By name, because published versions of forms never change."""
CERTIFICATES: Final = frozenset(["licence_no", "ccc_nos", "licence_or_ccc_no"])
"""Fields that hold numbers of licences or certificates, which are one number however their brackets were typed."""
ORGANISATIONS: Final = frozenset(["org_name", "nominal_producer"])

FILES: Final = frozenset(["photos", "signature", "file"])
"""Types of items that hold ids of uploads."""

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
    def multiline(self) -> bool:
        return self.raw.get("multiline") is True

    @property
    def is_person(self) -> bool:
        return self.name in PERSONS

    @property
    def is_certificate_no(self) -> bool:
        return self.name in CERTIFICATES

    @property
    def demands_words(self) -> bool:
        """Whether marks alone are no answer: a name or an explanation that must be given. (A `/` for “none” is one
        where a number or a model is asked.)"""
        demanded = self.required or "required_when" in self.raw
        return demanded and self.type == "text" and (self.multiline or self.name in PERSONS | ORGANISATIONS)

    @property
    def holds_files(self) -> bool:
        """Whether it, or an item of its rows, holds ids of uploads."""
        return self.type in FILES or any(inner.type in FILES for inner in self.items)

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
