"""What a form asks of dictionaries (词典) that are too large to stand in it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a dictionary; `detail` is what else it says, by key: a unit, stars, whether an answer is required."""

    code: str
    name: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    def value(self, key: str) -> Any:
        """What it says under a key: `code`, `name`, or one of `detail`; None where it says nothing."""
        return {"code": self.code, "name": self.name}.get(key, self.detail.get(key))


class Words(Protocol):
    """Where entries are looked up. None: this dictionary is not known here, so that nothing is refused for it."""

    def entries(self, dictionary: str, codes: Collection[str]) -> Mapping[str, Entry] | None:
        """Those of the codes that may be chosen, at most as many as were asked for."""

    def rows(self, dictionary: str, parents: Collection[str]) -> Mapping[str, Sequence[Entry]] | None:
        """By parent the entries that stand below it, in their order; those below none have the parent `""`."""
