"""Conditions as data: when an item, a section or a rule applies.

    {"item": NAME, "in": [values]}   the item's value (for a list: any of its values) is one of these
    {"all": [conditions]}   {"any": [conditions]}   {"not": condition}

NAME is an item of the form (inside a group also an item of the same row) or `problems_found`. An item that
is not given, is invisible or has a faulty value equals nothing, so that only `not` can be true of it.
Values are true and false for a boolean and for `problems_found`, texts for everything else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from core.errors import Fault
from core.forms.definitions.outline import Outline
from core.forms.items.item import PROBLEMS_FOUND, Item

Env = Mapping[str, Any]

_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Condition:
    """`test` answers for the values of an environment; `names` are the items it asks about."""

    test: Callable[[Env], bool]
    names: frozenset[str]


def read_condition(raw: Any, at: str, known: Mapping[str, Item], faults: list[Fault]) -> Condition | None:
    """Compile a condition; what is wrong with it is appended to `faults` (and the answer is None)."""
    return _read(raw, at, known, faults, 0)


def _read(raw: Any, at: str, known: Mapping[str, Item], faults: list[Fault], depth: int) -> Condition | None:
    shape = frozenset(raw) if isinstance(raw, Mapping) else frozenset()
    if depth > _MAX_DEPTH:
        faults.append(Fault(at, "too_deep", "条件嵌套过深，请简化"))
    elif shape == {"item", "in"}:
        return _leaf(raw, at, known, faults)
    elif shape == {"not"}:
        inner = _read(raw["not"], f"{at}/not", known, faults, depth + 1)
        return None if inner is None else _negated(inner)
    elif shape in ({"all"}, {"any"}):
        key = next(iter(shape))
        parts = raw[key]
        if isinstance(parts, list) and parts:
            read = [_read(part, f"{at}/{key}/{index}", known, faults, depth + 1) for index, part in enumerate(parts)]
            found = [part for part in read if part is not None]
            return _joined(key, found) if len(found) == len(read) else None
        faults.append(Fault(f"{at}/{key}", "bad_condition", "all 和 any 须为非空的条件列表"))
    else:
        faults.append(Fault(at, "bad_condition", "条件须为 {item, in}、{all}、{any} 或 {not} 之一"))
    return None


def _leaf(raw: Mapping[str, Any], at: str, known: Mapping[str, Item], faults: list[Fault]) -> Condition | None:
    name, values = raw["item"], raw["in"]
    derived = name == PROBLEMS_FOUND
    item = known.get(name) if isinstance(name, str) else None
    before = len(faults)
    if item is None and not derived:
        faults.append(Fault(f"{at}/item", "unknown_item", "条件中的项不存在，请核对序号或字段名"))
    elif item is not None and (not item.definition.comparable or getattr(item.definition, "is_worked_out", False)):
        faults.append(Fault(f"{at}/item", "bad_condition", "这一类型的项不能用作条件"))
    if not isinstance(values, list) or not values:
        faults.append(Fault(f"{at}/in", "bad_condition", "in 须为非空的值列表"))
        return None
    boolean = derived or (item is not None and item.type == "boolean")
    offered = item.definition.values if item is not None else None
    for index, value in enumerate(values):
        fits = isinstance(value, bool) if boolean else isinstance(value, str)
        if fits and not boolean and offered is not None:
            fits = value in offered
        if not fits:
            wanted = "true 或 false" if boolean else "该项的选项之一（文字）"
            faults.append(Fault(f"{at}/in/{index}", "unknown_value", f"条件中的值须为{wanted}"))
    if len(faults) > before:
        return None
    accepted = frozenset(values)

    def test(env: Env) -> bool:
        value = env.get(name)
        if type(value) is list:
            return not accepted.isdisjoint(value)
        return value in accepted

    return Condition(test, frozenset((name,)))


def _negated(inner: Condition) -> Condition:
    return Condition(lambda env: not inner.test(env), inner.names)


def _joined(key: str, parts: list[Condition]) -> Condition:
    tests = tuple(part.test for part in parts)
    names = frozenset(name for part in parts for name in part.names)
    if key == "all":
        return Condition(lambda env: all(test(env) for test in tests), names)
    return Condition(lambda env: any(test(env) for test in tests), names)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The conditions of one item, read."""

    visible: Condition | None
    required: Condition | None
    owed: Condition | None


@dataclass(slots=True)
class Conditions:
    """All conditions of a form, and `order`: the names of items in an order in which their visibility can
    be decided (an item after those its visibility asks about), with `problems_found` where it is known."""

    rulings: dict[str, Ruling]  # by the item's `source`
    sections: dict[str, Condition]  # by the section's `source`; sections without a condition are absent
    rules: dict[str, Condition | None]  # by the rule's pointer
    order: list[str]
    row_orders: dict[str, list[str]]  # by the `source` of the group


def read_conditions(outline: Outline) -> Conditions:
    """Read every condition of a form; faults are appended to the outline's."""
    faults = outline.faults
    known = {item.name: item for item in outline.items}
    found = Conditions({}, {}, {}, [], {})
    for section in outline.sections:
        for raw in section.visible_when:
            at = f"{section.source}/visible_when"
            if (read := read_condition(raw, at, known, faults)) is not None:
                found.sections[section.source] = read
        for item in section.items:
            _rule(item, known, found, faults)
    for at, raw in outline.rules:
        found.rules[at] = None
        if "visible_when" in raw:
            found.rules[at] = read_condition(raw["visible_when"], f"{at}/visible_when", known, faults)
        for index, name in enumerate(raw["any_of"] if isinstance(raw.get("any_of"), list) else ()):
            if isinstance(name, str) and name not in known:
                faults.append(Fault(f"{at}/any_of/{index}", "unknown_item", "规则中的项不存在"))
    _sort(outline, found)
    return found


def _rule(item: Item, known: Mapping[str, Item], found: Conditions, faults: list[Fault]) -> None:
    """Read the conditions of an item and of those in its rows, which may ask about their row and all around it."""
    found.rulings[item.source] = _ruling(item, known, faults)
    for inner in item.items:
        _rule(inner, {**known, **item.inner}, found, faults)


def _ruling(item: Item, known: Mapping[str, Item], faults: list[Fault]) -> Ruling:
    read = {
        key: read_condition(getattr(item.definition, key), f"{item.source}/{key}", known, faults)
        for key in ("visible_when", "required_when", "owed_when")
        if key in item.definition.model_fields_set
    }
    return Ruling(read.get("visible_when"), read.get("required_when"), read.get("owed_when"))


def _sort(outline: Outline, found: Conditions) -> None:
    """Fill `order` and `row_orders`, or report the circle (循环) that forbids it."""
    asks: dict[str, set[str]] = {}
    detecting: set[str] = set()
    for section in outline.sections:
        shared = found.sections.get(section.source)
        for item in section.items:
            asks[item.name] = (set(shared.names) if shared else set()) | _asked_by(item, found, outline.faults)
            if item.detects:
                detecting.add(item.name)
    asks[PROBLEMS_FOUND] = detecting
    found.order = _line_up(asks, outline.items, outline.faults)


def _asked_by(item: Item, found: Conditions, faults: list[Fault]) -> set[str]:
    """The names around an item that its visibility, and that of the items in its rows, asks about; orders the rows."""
    names = set(_names(found.rulings[item.source].visible))
    if item.items:
        inside = {inner.name: _asked_by(inner, found, faults) for inner in item.items}
        rows = {name: asked & item.inner.keys() for name, asked in inside.items()}
        found.row_orders[item.source] = _line_up(rows, item.items, faults)
        names |= {name for asked in inside.values() for name in asked - item.inner.keys()}
    return names


def _names(condition: Condition | None) -> frozenset[str]:
    return condition.names if condition else frozenset()


def _line_up(asks: Mapping[str, set[str]], items: Iterable[Item], faults: list[Fault]) -> list[str]:
    try:
        return list(TopologicalSorter(asks).static_order())
    except CycleError as circle:
        names = set(circle.args[1])
        message = "显示条件互相依赖，形成循环：" + " → ".join(circle.args[1])
        if PROBLEMS_FOUND in names:
            message = "用于判定问题的项，其显示条件不能依赖 problems_found"
        at = next((item.source for item in items if item.name in names), "")
        faults.append(Fault(at, "cycle", message))
        return []
