"""What stands in a body because a dictionary says it, before anything else is read; the phone does the same.

- A group with `rows_from` has one row for each entry of that dictionary below what `rows_of` has chosen, in the
  dictionary's order. Rows that were sent are found by their code; those of other codes are passed over.
- A cell with `from_entry` holds what its entry says: that of its row (`name`), or of a searched choice
  (`hs_code.name`).

Where a dictionary is not known here the body stays as it was sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.forms.items.item import Item
from core.forms.words import Entry, Words
from core.text import clean_line

Spot = tuple[str | int, ...]


@dataclass(slots=True)
class Proposed:
    """`body` as it is read; `entries` of the rows of a group, by its spot; `unknown` the spots of searched choices that
    their dictionary does not have, for a list with the index of the entry."""

    body: Mapping[str, Any]
    entries: dict[Spot, Sequence[Entry]] = field(default_factory=dict)
    unknown: set[Spot] = field(default_factory=set)


def propose(items: Iterable[Item], body: Mapping[str, Any], words: Words) -> Proposed:
    """Fill in what dictionaries say; `items` are those of the form that ask for something (`asks`)."""
    wanted = _Wanted()
    items = tuple(items)
    wanted.collect(items, body, {})
    return _Proposing(wanted.look_up(words)).of(items, body)


@dataclass(slots=True)
class _Known:
    entries: dict[str, Mapping[str, Entry] | None]
    rows: dict[str, Mapping[str, Sequence[Entry]] | None]


class _Wanted:
    """All codes of a body, so that each dictionary is asked once."""

    def __init__(self) -> None:
        self.codes: dict[str, set[str]] = {}
        self.parents: dict[str, set[str]] = {}

    def collect(self, items: Iterable[Item], holder: Mapping[str, Any], around: Mapping[str, Any]) -> None:
        known = {**around, **holder}
        for item in items:
            if dictionary := searched(item):
                self.codes.setdefault(dictionary, set()).update(codes_in(holder.get(item.name)))
            if item.type != "group":
                continue
            if rows_from := getattr(item.definition, "rows_from", None):
                self.parents.setdefault(rows_from, set()).add(parent_of(item, known))
            rows = holder.get(item.name)
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, Mapping):
                    self.collect(item.items, row, known)

    def look_up(self, words: Words) -> _Known:
        return _Known(
            {dictionary: words.entries(dictionary, codes) for dictionary, codes in self.codes.items()},
            {dictionary: words.rows(dictionary, parents) for dictionary, parents in self.parents.items()},
        )


class _Proposing:
    def __init__(self, known: _Known) -> None:
        self.known = known
        self.entries: dict[Spot, Sequence[Entry]] = {}
        self.unknown: set[Spot] = set()

    def of(self, items: Iterable[Item], body: Mapping[str, Any]) -> Proposed:
        filled = self.holder(items, body, {}, (), None, {})
        return Proposed(filled, self.entries, self.unknown)

    def holder(
        self,
        items: Iterable[Item],
        holder: Mapping[str, Any],
        around: Mapping[str, Any],
        spot: Spot,
        entry: Entry | None,
        chosen: Mapping[str, Entry | None],
    ) -> dict[str, Any]:
        """A body or a row, filled in.

        `around` is what stands around it, `chosen` the entries that were chosen there (None: none, or no such); `entry`
        is that of the row, where its group takes its rows from a dictionary.
        """
        filled, known = dict(holder), {**around, **holder}
        chosen = {**chosen, **self.look(items, holder, spot)}
        for item in items:
            if path := getattr(item.definition, "from_entry", None):
                name, _, key = path.rpartition(".")
                said = chosen.get(name) if name else entry
                if said is not None or name in chosen:
                    filled[item.name] = as_value(said.value(key)) if said is not None else None
            elif item.type == "group":
                self.group(item, filled, known, (*spot, item.name), chosen)
        return filled

    def look(self, items: Iterable[Item], holder: Mapping[str, Any], spot: Spot) -> dict[str, Entry | None]:
        """The entries of searched choices whose dictionary is known here; notes what it does not have."""
        chosen: dict[str, Entry | None] = {}
        for item in items:
            dictionary = searched(item)
            entries = self.known.entries.get(dictionary) if dictionary else None
            if entries is None:
                continue
            held = holder.get(item.name)
            listed = isinstance(held, list)
            each: list[Any] = held if isinstance(held, list) else [held]
            for index, one in enumerate(each):
                if any(code not in entries for code in codes_in(one)):
                    self.unknown.add((*spot, item.name, index) if listed else (*spot, item.name))
            chosen[item.name] = next((entries[code] for code in codes_in(held) if code in entries), None)
        return chosen

    def group(
        self,
        group: Item,
        filled: dict[str, Any],
        known: Mapping[str, Any],
        spot: Spot,
        chosen: Mapping[str, Entry | None],
    ) -> None:
        rows = filled.get(group.name)
        proposed: Sequence[Entry | None] | None = None
        if rows_from := getattr(group.definition, "rows_from", None):
            by_parent = self.known.rows.get(rows_from)
            if by_parent is not None and (rows is None or isinstance(rows, list)):
                entries = by_parent.get(parent_of(group, known), ())
                self.entries[spot] = proposed = entries
                rows = _in_their_order(group, rows or [], entries)
        if not isinstance(rows, list):
            return
        filled[group.name] = [
            self.holder(group.items, row, known, (*spot, index), proposed[index] if proposed else None, chosen)
            if isinstance(row, Mapping)
            else row
            for index, row in enumerate(rows)
        ]


def searched(item: Item) -> str | None:
    """The dictionary in which the choices of an item are searched; None where they stand in the form."""
    definition = item.definition
    return getattr(definition, "options_from", None) if getattr(definition, "search", False) else None


def asks(item: Item) -> bool:
    """Whether an item, or one in its rows, takes something from a dictionary."""
    own = searched(item) or getattr(item.definition, "rows_from", None) or getattr(item.definition, "from_entry", None)
    return bool(own) or any(asks(inner) for inner in item.items)


def codes_in(value: Any) -> list[str]:
    """The codes that a value names, as they are kept."""
    values = value if isinstance(value, list) else [value]
    return [code for one in values if isinstance(one, str) and (code := clean_line(one))]


def parent_of(group: Item, known: Mapping[str, Any]) -> str:
    """Below which entry the rows of a group stand; `""` for those below none, where nothing is named by `rows_of`."""
    name = getattr(group.definition, "rows_of", None)
    return "" if name is None else next(iter(codes_in(known.get(name))), _NOTHING)


_NOTHING = "\x00"
"""The parent of no entry: nothing is chosen yet."""


def as_value(said: Any) -> Any:
    """What an entry says, as an item holds it."""
    return said if said is None or isinstance(said, str | bool) else str(said)


def _in_their_order(group: Item, rows: list[Any], entries: Sequence[Entry]) -> list[Any]:
    key = next(one.name for one in group.items if getattr(one.definition, "from_entry", None) == "code")
    sent: dict[str, Any] = {}
    for row in rows:
        for code in codes_in(row.get(key)) if isinstance(row, Mapping) else ():
            sent.setdefault(code, row)
    return [sent.get(entry.code, {}) for entry in entries]
