"""A form compiled into what the validation of a body needs, in the order in which it needs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from core.forms.definitions.conditions import Condition, Conditions, Env
from core.forms.definitions.outline import Outline
from core.forms.definitions.relations import Order, Relations, Worked
from core.forms.items.item import PROBLEMS_FOUND, Item
from core.forms.validation.proposing import asks

Test = Callable[[Env], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of step 3. `item` is None for `problems_found`."""

    item: Item | None
    section: str
    section_visible: Test | None
    visible: Test | None


RowOrder = tuple[tuple[Item, Test | None], ...]
"""What is decided in a row, in order: an item with its condition, or (None) a group in whose rows something is."""


@dataclass(frozen=True, slots=True)
class Rule:
    names: tuple[str, ...]
    message: str
    visible: Test | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled form. Tests are looked up by the item's `source`; what has none is absent."""

    items: tuple[Item, ...]
    places: Mapping[str, Mapping[str, Item]]  # "", "answers", "disposals": name -> item
    pointers: Mapping[str, str]
    steps: tuple[Step, ...]
    detecting: tuple[Item, ...]  # items with `problem_when`, and groups that have such items
    row_orders: Mapping[str, RowOrder]  # groups in whose rows something is decided
    required: Mapping[str, Test]
    owed: Mapping[str, Test]  # uploads that may be owed
    with_rules: frozenset[str]  # sources of the items in whose values submit mode may find faults
    rules: tuple[Rule, ...]
    proposing: tuple[Item, ...]  # items that take something from a dictionary, and groups that have such items
    orders: Mapping[str, tuple[Order, ...]]
    worked: Mapping[str, Worked]  # by the name of the number that is worked out
    validator: jsonschema_rs.Validator


def make_plan(
    outline: Outline, conditions: Conditions, relations: Relations, validator: jsonschema_rs.Validator
) -> Plan:
    """Bring a definition without faults into the shape that the validation of bodies wants."""
    items = tuple(outline.items)
    places = {place: {i.name: i for i in items if i.place == place} for place in ("", "answers", "disposals")}
    every = tuple(one for item in items for one in item.with_rows())
    row_orders: dict[str, RowOrder] = {}
    for item in items:
        _order_rows(item, conditions, row_orders)
    required = {
        one.source: needed.test for one in every if (needed := conditions.rulings[one.source].required) is not None
    }
    owed = {one.source: when.test for one in every if (when := conditions.rulings[one.source].owed) is not None}
    return Plan(
        items=items,
        places=places,
        pointers={item.name: item.pointer for item in items},
        steps=_steps(outline, conditions, row_orders),
        detecting=tuple(item for item in items if item.detects),
        row_orders=row_orders,
        required=required,
        owed=owed,
        with_rules=frozenset(
            one.source for one in every if one.definition.has_submission_rules or one.source in relations.orders
        ),
        proposing=tuple(item for item in items if asks(item)),
        orders=relations.orders,
        worked={one.item.name: one for one in relations.worked},
        rules=tuple(_rule(raw, conditions.rules[at]) for at, raw in outline.rules),
        validator=validator,
    )


def _order_rows(item: Item, conditions: Conditions, row_orders: dict[str, RowOrder]) -> None:
    """Fill in what is decided in the rows of a group, those of the groups in them first."""
    order: list[tuple[Item, Test | None]] = []
    for inner in item.items:
        _order_rows(inner, conditions, row_orders)
    for name in conditions.row_orders.get(item.source, ()):
        inner, visible = item.inner[name], conditions.rulings[item.inner[name].source].visible
        if visible is not None or inner.source in row_orders:
            order.append((inner, visible.test if visible is not None else None))
    if order:
        row_orders[item.source] = tuple(order)


def _rule(raw: Mapping[str, Any], visible: Condition | None) -> Rule:
    return Rule(tuple(raw["any_of"]), raw["message"], visible.test if visible else None)


def _steps(outline: Outline, conditions: Conditions, row_orders: Mapping[str, RowOrder]) -> tuple[Step, ...]:
    """The decisions in order; items that are always visible need none."""
    possible = {PROBLEMS_FOUND: Step(None, "", None, None)}
    for section in outline.sections:
        shared = conditions.sections.get(section.source)
        for item in section.items:
            own = conditions.rulings[item.source].visible
            if shared or own or item.source in row_orders:
                tests = (shared.test if shared else None, own.test if own else None)
                possible[item.name] = Step(item, section.source, *tests)
    return tuple(possible[name] for name in conditions.order if name in possible)
