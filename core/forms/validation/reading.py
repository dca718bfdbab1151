"""Steps 1 and 2 of the validation (see `check.py`): a body is normalised and held against the schema."""

from collections.abc import Mapping
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
# (item, row, item of the row): row -1 outside groups, an empty third name for the row itself.
Spot = tuple[str, int, str]

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
                self.faults |= {(name, -1, ""): [] for name in self.plan.places[place]}

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
            elif item.type == "group":
                self.read_rows(item, raw)
            else:
                self.put(item, (key, -1, ""), item.pointer, item.normalize(raw), into)

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

    def read_rows(self, group: Item, raw: Any) -> None:
        if raw is None or raw == [] or (isinstance(raw, str) and not clean(raw)):
            return
        if not isinstance(raw, list):
            self.instance[group.name] = WRONG
            return
        if len(raw) > cast(Group, group.definition).max_items:
            self.put(group, (group.name, -1, ""), group.pointer, Refusal("too_many"), self.instance)
            return
        rows: list[Any] = []
        known = self.plan.places[group.name]
        for index, row in enumerate(raw):
            if not isinstance(row, dict):
                rows.append(WRONG)
                continue
            read: Row = {}
            unknown = 0
            for key, entry in row.items():
                item = known.get(key)
                if item is None:
                    if unknown < MAX_UNKNOWN:
                        unknown += 1
                        read[showable(key)] = None
                elif entry is not None:
                    spot, at = (group.name, index, item.name), f"{group.pointer}/{index}{item.pointer}"
                    self.put(item, spot, at, item.normalize(entry), read)
            rows.append(read)
        self.instance[group.name] = rows

    def apply_schema(self) -> None:
        if self.plan.validator.is_valid(self.instance):
            return
        for path, code, unknown in json_schema.errors(self.plan.validator.iter_errors(self.instance)):
            outside = not path or (len(path) == 1 and path[0] in _PLACES)
            if unknown:
                faults = [Fault(pointer(*path, key), code, messages.UNKNOWN_ITEM) for key in sorted(unknown)]
                spot = None if outside else (str(path[0]), int(path[1]), "")
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
        first = str(path[0])
        if first in _PLACES:
            return self.plan.places[first][str(path[1])], (str(path[1]), -1, "")
        item = self.plan.places[""][first]
        if item.type != "group" or len(path) == 1:
            return item, (first, -1, "")
        row = int(path[1])
        if len(path) == 2:
            return item, (first, row, "")
        return self.plan.places[first][str(path[2])], (first, row, str(path[2]))

    def sound_values(self) -> dict[str, Any]:
        """The given values without fault, by name; blank entries of lists are left out."""
        sound: dict[str, Any] = {}
        for place in ("", *_PLACES):
            known = self.plan.places[place]
            holder = self.instance[place] if place else self.instance
            for name, value in holder.items():
                item = known.get(name)
                if item is None or (self.faults and (name, -1, "") in self.faults):
                    continue
                if type(value) is list:
                    if item.type == "group":
                        value = [self.sound_row(item, index, row) for index, row in enumerate(value)]
                    else:
                        value = [entry for entry in value if entry is not None]
                sound[name] = value
        return sound

    def sound_row(self, group: Item, index: int, row: Any) -> Row:
        if not isinstance(row, dict):
            return {}
        return {
            inner.name: _without_blanks(row[inner.name])
            for inner in group.items
            if inner.name in row and (group.name, index, inner.name) not in self.faults
        }

    def recorded(self) -> list[Fault]:
        """The faults of steps 1 and 2 in the order of the form."""
        faults: list[Fault] = []
        for item in self.plan.items if self.faults else ():
            faults += self.faults.get((item.name, -1, ""), ())
            rows = self.instance.get(item.name) if item.type == "group" else None
            for index in range(len(rows) if isinstance(rows, list) else 0):
                for name in ("", *(inner.name for inner in item.items)):
                    faults += self.faults.get((item.name, index, name), ())
        return faults


def _without_blanks(value: Any) -> Any:
    return [entry for entry in value if entry is not None] if type(value) is list else value
