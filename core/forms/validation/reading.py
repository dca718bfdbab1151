"""Steps 1 and 2 of the validation (see `check.py`): a body is normalised and held against the schema."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, cast

from core.errors import Fault
from core.forms.items.base import WRONG, Refusal
from core.forms.items.groups import Group
from core.forms.items.item import Item
from core.forms.validation import json_schema, messages
from core.forms.validation.messages import answer_fault
from core.forms.validation.plan import Plan
from core.pointers import pointer, showable
from core.text import clean

Row = dict[str, Any]
Spot = tuple[str | int, ...]
"""The names and row numbers that lead to an item or a row: `("products",)`, `("products", 0)`,
`("products", 0, "qty")`.

Names are unique in a form, so that it does not begin with `answers` or `disposals`.
"""

MAX_UNKNOWN = 50
_PLACES = ("answers", "disposals")


class Reading:
    """What steps 1 and 2 made of a body.

    `instance` is the normalised body as the schema sees it; `faults` are kept by spot, `body_faults` are
    those of no item.
    """

    def __init__(self, plan: Plan, body: Mapping[str, Any]) -> None:
        self.plan = plan
        self.body_faults: list[Fault] = []
        self.faults: dict[Spot, list[Fault]] = {}
        self.instance: dict[str, Any] = {"answers": {}, "disposals": {}}
        self.read(body)
        self.apply_schema()
        self.body_faults.sort(key=lambda fault: fault.path)

    def read(self, body: Mapping[str, Any]) -> None:
        self.read_place("", body, self.instance)
        for place in _PLACES:
            inner = body.get(place)
            if isinstance(inner, dict):
                self.read_place(place, inner, self.instance[place])
            elif inner is not None:
                self.body_faults.append(Fault(pointer(place), "wrong_type", messages.NOT_AN_OBJECT))
                self.faults |= {(name,): [] for name in self.plan.places[place]}

    def read_place(self, place: str, body: Mapping[str, Any], into: dict[str, Any]) -> None:
        known = self.plan.places[place]
        unknown = 0
        for key, raw in body.items():
            item = known.get(key)
            if item is None:
                if (place or key not in _PLACES) and unknown < MAX_UNKNOWN:
                    unknown += 1
                    into[showable(key)] = None
            elif type(raw) is str and raw in item.offered:  # most answers
                into[key] = raw
            elif raw is None or key in self.plan.worked:
                continue
            else:
                self.read_item(item, raw, (key,), item.pointer, into)

    def read_item(self, item: Item, raw: Any, spot: Spot, at: str, into: dict[str, Any]) -> None:
        """Read what is given for an item, which stands at the pointer `at`."""
        if item.type == "group":
            self.read_rows(item, raw, spot, at, into)
        else:
            self.put(item, spot, at, item.normalize(raw), into)

    def put(self, item: Item, spot: Spot, at: str, value: Any, into: dict[str, Any]) -> None:
        if value is None:
            return
        if type(value) is Refusal:
            self.faults.setdefault(spot, []).append(answer_fault(item, value.code, at))
            return
        if type(value) is list:
            for index, entry in enumerate(value):
                if type(entry) is Refusal:
                    fault = answer_fault(item, entry.code, f"{at}/{index}")
                    self.faults.setdefault(spot, []).append(fault)
                    value[index] = None
        into[item.name] = value

    def read_rows(self, group: Item, raw: Any, spot: Spot, at: str, into: dict[str, Any]) -> None:
        if raw == [] or (isinstance(raw, str) and not clean(raw)):
            return
        if not isinstance(raw, list):
            into[group.name] = WRONG
        elif len(raw) > cast(Group, group.definition).max_items:
            self.put(group, spot, at, Refusal("too_many"), into)
        else:
            into[group.name] = [
                self.read_row(group, row, (*spot, index), f"{at}/{index}") for index, row in enumerate(raw)
            ]

    def read_row(self, group: Item, raw: Any, spot: Spot, at: str) -> Any:
        if not isinstance(raw, dict):
            return WRONG
        row: Row = {}
        unknown = 0
        for key, entry in raw.items():
            item = group.inner.get(key)
            if item is None:
                if unknown < MAX_UNKNOWN:
                    unknown += 1
                    row[showable(key)] = None
            elif entry is not None:
                self.read_item(item, entry, (*spot, key), at + item.pointer, row)
        return row

    def apply_schema(self) -> None:
        if self.plan.validator.is_valid(self.instance):
            return
        for path, code, unknown in json_schema.errors(self.plan.validator.iter_errors(self.instance)):
            outside = not path or (len(path) == 1 and path[0] in _PLACES)
            if unknown:
                faults = [Fault(pointer(*path, key), code, messages.UNKNOWN_ITEM) for key in sorted(unknown)]
                spot = None if outside else self.locate(path)[1]
                (self.body_faults if spot is None else self.faults.setdefault(spot, [])).extend(faults)
                continue
            item, spot = self.locate(path)
            at = pointer(*path)
            found = self.faults.setdefault(spot, [])
            # An option of the wrong type is also not offered, and a list of that type not a list: the
            # type alone is reported.
            same = [index for index, fault in enumerate(found) if fault.path == at]
            fault = answer_fault(item, item.definition.format_fault if code == "bad_format" else code, at)
            if not same:
                found.append(fault)
            elif code == "wrong_type":
                found[same[0]] = fault

    def locate(self, path: list[str | int]) -> tuple[Item, Spot]:
        """The item at a path of the body, of a row its group; and its spot."""
        place, steps = (str(path[0]), path[1:]) if path[0] in _PLACES else ("", path)
        item = self.plan.places[place][str(steps[0])]
        spot: list[str | int] = [str(steps[0])]
        # Behind the name of a group come the number of a row and a name in it; behind any other, the index of an entry.
        for row, name in zip_longest(steps[1::2], steps[2::2]):
            if item.type != "group":
                break
            spot.append(int(row))
            if name is not None:
                item = item.inner[str(name)]
                spot.append(str(name))
        return item, tuple(spot)

    def sound_values(self) -> dict[str, Any]:
        """The given values without fault, by name; blank entries of lists are left out."""
        sound: dict[str, Any] = {}
        for place in ("", *_PLACES):
            known = self.plan.places[place]
            holder = self.instance[place] if place else self.instance
            for name, value in holder.items():
                item = known.get(name)
                if item is None or (self.faults and (name,) in self.faults):
                    continue
                sound[name] = self.sound_value(item, (name,), value) if type(value) is list else value
        return sound

    def sound_value(self, item: Item, spot: Spot, value: list[Any]) -> list[Any]:
        """A list without its blank entries, or rows without faulty cells."""
        if item.type != "group":
            return [entry for entry in value if entry is not None]
        return [self.sound_row(item, (*spot, index), row) for index, row in enumerate(value)]

    def sound_row(self, group: Item, spot: Spot, row: Any) -> Row:
        if not isinstance(row, dict):
            return {}
        sound: Row = {}
        for inner in group.items:
            value = row.get(inner.name)
            if value is None or (self.faults and (*spot, inner.name) in self.faults):
                continue
            sound[inner.name] = self.sound_value(inner, (*spot, inner.name), value) if type(value) is list else value
        return sound

    def recorded(self) -> list[Fault]:
        """The faults of steps 1 and 2 in the order of the form."""
        faults: list[Fault] = []
        for item in self.plan.items if self.faults else ():
            self.record(item, (item.name,), self.instance.get(item.name), faults)
        return faults

    def record(self, item: Item, spot: Spot, value: Any, faults: list[Fault]) -> None:
        """Add the faults of an item, and of the rows that it holds."""
        faults += self.faults.get(spot, ())
        for index, row in enumerate(value if item.type == "group" and isinstance(value, list) else ()):
            faults += self.faults.get((*spot, index), ())
            for inner in item.items:
                held = row.get(inner.name) if isinstance(row, dict) else None
                self.record(inner, (*spot, index, inner.name), held, faults)
