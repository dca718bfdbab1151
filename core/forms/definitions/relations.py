"""What an item says of other items: dates in their order, and numbers that are worked out from the rows of a group.

    "not_before": NAME   "not_after": NAME     of a date: another date of the same row, or one around it
    "owed_until": NAME                         of a file that may be owed: such a date, the last day
    "not_above": NAME                          of a number: another number of the same row, or one around it
    "from_entry": "NAME.KEY"                   of a text or number: what the entry of a searched choice says
    "rows_of": NAME                            of a group with `rows_from`: the choice below which its rows stand
    "sum_of": "GROUP.NAME"                     of a number: the sum of a number in the rows
    "count_of": "GROUP"                        of a number: how many rows there are
    "rows_when": CONDITION                     of the rows that are summed or counted; left out: all of them

A number that is worked out stands outside of groups and is never sent: what a body says of it is passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.errors import Fault
from core.forms.definitions.conditions import Condition, read_condition
from core.forms.definitions.outline import Outline
from core.forms.items.groups import Group
from core.forms.items.item import Item
from core.forms.items.quantities import Date, Number


@dataclass(frozen=True, slots=True)
class Order:
    """That a date is `not_before` or `not_after` another one, or a number `not_above` one; `text` is its wording."""

    relation: Literal["not_before", "not_after", "not_above"]
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Worked:
    """A number that is worked out: the sum of `summed` in the rows of `group`, or (None) how many rows there are."""

    item: Item
    group: str
    summed: str | None
    rows_when: Condition | None


@dataclass(frozen=True, slots=True)
class Relations:
    """`orders` by the `source` of the date."""

    orders: Mapping[str, tuple[Order, ...]]
    worked: tuple[Worked, ...]


_NO_ROWS = Group.model_construct(rows_from=None)


def read_relations(outline: Outline) -> Relations:
    """Read them; faults are appended to the outline's."""
    known = {item.name: item for item in outline.items}
    orders: dict[str, tuple[Order, ...]] = {}
    worked: list[Worked] = []
    for item in outline.items:
        _refuse_entryless(item, _NO_ROWS, outline.faults)
        definition = item.definition
        if isinstance(definition, Number) and definition.is_worked_out:
            one = _worked(item, definition, known, outline.faults)
            worked += [one] if one is not None else []
        _read_orders(item, known, orders, outline.faults)
    return Relations(orders, tuple(worked))


def _read_orders(
    item: Item, known: Mapping[str, Item], orders: dict[str, tuple[Order, ...]], faults: list[Fault]
) -> None:
    """The orders of a date, and of those in the rows of a group, which may name dates of their row and around it."""
    if isinstance(item.definition, Date) and (found := _orders(item, item.definition, known, faults)):
        orders[item.source] = found
    above = getattr(item.definition, "not_above", None)
    if above is not None:
        other = known.get(above)
        if other is None or other is item or not isinstance(other.definition, Number):
            faults.append(Fault(f"{item.source}/not_above", "unknown_item", f"本表没有另一个数“{above}”可供比较"))
        else:
            orders[item.source] = (Order("not_above", above, other.text),)
    _read_entries(item, known, faults)
    until = getattr(item.definition, "owed_until", None)
    if until is not None and not _is_date(known.get(until)):
        faults.append(Fault(f"{item.source}/owed_until", "unknown_item", f"本表没有日期“{until}”可作补交期限"))
    for inner in item.items:
        if isinstance(inner.definition, Number) and inner.definition.is_worked_out:
            faults.append(Fault(inner.source, "nested", "组内不能有由其他行计算得出的数"))
        _read_orders(inner, {**known, **item.inner}, orders, faults)


def _read_entries(item: Item, known: Mapping[str, Item], faults: list[Fault]) -> None:
    """Refuse what cannot be taken from a dictionary."""
    definition = item.definition
    if isinstance(definition, Group):
        if definition.rows_from is None:
            if definition.rows_of is not None:
                faults.append(Fault(f"{item.source}/rows_of", "bad_value", "rows_of 只用于取自词典（rows_from）的组"))
        elif sum(getattr(one.definition, "from_entry", None) == "code" for one in item.items) != 1:
            message = '取自词典的组须有且只有一项带出条目的代码（"from_entry": "code"）'
            faults.append(Fault(f"{item.source}/items", "bad_value", message))
        elif definition.rows_of is not None and getattr(known.get(definition.rows_of), "type", None) != "choice":
            message = f"本表没有单选项“{definition.rows_of}”，不能据以取词典的条目"
            faults.append(Fault(f"{item.source}/rows_of", "unknown_item", message))
        for inner in item.items:
            _refuse_entryless(inner, definition, faults)
    name = (getattr(definition, "from_entry", None) or "").rpartition(".")[0]
    if name and not getattr(getattr(known.get(name), "definition", None), "search", False):
        faults.append(Fault(f"{item.source}/from_entry", "unknown_item", f"本表没有可检索的选择项“{name}”"))


def _refuse_entryless(inner: Item, group: Group, faults: list[Fault]) -> None:
    if group.rows_from is not None:
        return
    for key in ("from_entry", "required_entry", "options_entry"):
        said = getattr(inner.definition, key, None)
        if said is not None and "." not in said:
            faults.append(Fault(f"{inner.source}/{key}", "bad_value", "只有取自词典（rows_from）的组，其行才有条目"))


def _is_date(item: Item | None) -> bool:
    return item is not None and isinstance(item.definition, Date)


def _orders(item: Item, definition: Date, known: Mapping[str, Item], faults: list[Fault]) -> tuple[Order, ...]:
    found: list[Order] = []
    relations: tuple[Literal["not_before", "not_after"], ...] = ("not_before", "not_after")
    for relation in relations:
        name = getattr(definition, relation)
        if name is None:
            continue
        other = known.get(name)
        if other is None or other is item or not _is_date(other):
            faults.append(Fault(f"{item.source}/{relation}", "unknown_item", f"本表没有另一个日期“{name}”可供比较"))
        else:
            found.append(Order(relation, name, other.text))
    return tuple(found)


def _worked(item: Item, definition: Number, known: dict[str, Item], faults: list[Fault]) -> Worked | None:
    key = "sum_of" if definition.sum_of is not None else "count_of"
    name, _, summed = (definition.sum_of or definition.count_of or "").partition(".")
    group = known.get(name)
    if group is None or group.type != "group":
        faults.append(Fault(f"{item.source}/{key}", "unknown_item", f"本表没有组“{name}”"))
        return None
    inside = dict(group.inner)
    before = len(faults)
    if key == "sum_of":
        addend = inside.get(summed)
        if addend is None or not isinstance(addend.definition, Number):
            faults.append(Fault(f"{item.source}/sum_of", "unknown_item", f"组“{name}”中没有数“{summed}”可供求和"))
        elif addend.definition.scale > definition.scale:
            faults.append(Fault(f"{item.source}/scale", "bad_value", "合计的小数位数不能少于各行的小数位数"))
    rows_when = None
    if "rows_when" in definition.model_fields_set:
        rows_when = read_condition(definition.rows_when, f"{item.source}/rows_when", known | inside, faults)
    return None if len(faults) > before else Worked(item, name, summed or None, rows_when)
