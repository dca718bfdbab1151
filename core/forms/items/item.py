"""An item of a compiled form: its type with the place where it stands in a body."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.forms.items.base import ItemType

PROBLEMS_FOUND: Final = "problems_found"


@dataclass(frozen=True, slots=True)
class Item:
    """`place` is the object of the body that holds it; `source` points into the definition; `pointer` says where it
    stands in a body or, for an item of a group, in its row. What is asked often is kept beside the definition."""

    name: str
    place: str  # "" (top level), "answers", "disposals", or the name of the group
    pointer: str
    source: str
    definition: ItemType
    normalize: Callable[[Any], Any]
    type: str
    text: str
    required: bool
    offered: frozenset[str]
    problem_answers: frozenset[Any]
    items: tuple["Item", ...] = ()
    inner: Mapping[str, "Item"] = field(default_factory=dict)
    """The items of a group's rows by name; `items` has them in the order of the form."""
    sealed: bool = False
    """Whether its text, or one in its rows, is personal data."""

    @property
    def detects(self) -> bool:
        """Whether an answer to it (or in one of its rows) can be a problem."""
        return bool(self.problem_answers) or any(inner.detects for inner in self.items)

    @property
    def is_upload(self) -> bool:
        """Whether it holds ids of uploads itself."""
        return self.definition.is_upload

    @property
    def holds_files(self) -> bool:
        """Whether it, or an item of its rows, holds ids of uploads."""
        return self.is_upload or any(inner.holds_files for inner in self.items)

    def with_rows(self) -> Iterator["Item"]:
        """The item, and those of its rows, in the order of the form."""
        yield self
        for inner in self.items:
            yield from inner.with_rows()


@dataclass(frozen=True, slots=True)
class Section:
    """`visible_when` is the raw condition, in a list of its own: empty where the section has none."""

    source: str
    visible_when: tuple[Any, ...]
    items: tuple[Item, ...]
    tab: str | None = None
