"""What follows from rows: totals, and what the entry of a dictionary demands of an answer in its row."""

from decimal import Decimal
from typing import Any

from core.errors import Fault
from core.forms.definitions.conditions import Env
from core.forms.definitions.relations import Worked
from core.forms.items.item import Item
from core.forms.items.texts import Text
from core.forms.validation.messages import answer_fault
from core.forms.words import Entry


def faults_by_entry(item: Item, entry: Entry, at: str, value: Any) -> list[Fault]:
    """What the entry of a row refuses: no answer where one is required, or one that is none of its options."""
    definition = item.definition
    if not isinstance(definition, Text):
        return []
    if value is None:
        required = definition.required_entry is not None and entry.value(definition.required_entry) is True
        return [answer_fault(item, "required", at)] if required else []
    options = entry.value(definition.options_entry) if definition.options_entry is not None else None
    return [answer_fault(item, "unknown_option", at)] if options and value not in options else []


def total_of(worked: Worked, env: Env) -> Decimal:
    """The sum, or the number of rows, of those rows that count."""
    rows = env.get(worked.group) or ()
    if worked.rows_when is not None:
        rows = [row for row in rows if worked.rows_when.test({**env, **row})]
    if worked.summed is None:
        return Decimal(len(rows))
    return sum((Decimal(row[worked.summed]) for row in rows if worked.summed in row), Decimal(0))
