"""The validation of a body against a compiled form: the same rules, in the same order, as on the phone.

0.  What dictionaries say is filled in (`proposing.py`), where they are known.
1.  Read: every known item is normalised (`items/`); null, blank text and empty lists are not given.
2.  Schema: types, options, lengths, unknown keys (`json_schema.py`). An item with a fault from steps 1 and 2
    is given, but conditions see it as not given; so are all items of `answers` or `disposals` when that is
    not an object, which is one fault. At most 50 unknown keys are reported for one object.
3.  Visibility: items are decided one after the other, each after those its condition asks about. An item
    is visible when its section is and its own `visible_when` holds; an invisible item is not given for
    the conditions after it. `problems_found` is known once every item with `problem_when` is decided: it is
    true when a visible one has one of its problem answers.
    Then the numbers that are worked out from rows are worked out, from visible values without fault; what was sent of
    them is passed over.
4.  Draft mode ends here: the faults of steps 1 and 2 and all normalised values, nothing pruned.
5.  Submit mode, for visible items: the faults of steps 1 and 2; `required` when not given and required
    (`required`, or `required_when` holds), but for an upload that may be owed (容缺), which is `overdue` from the day
    after its last one; else, for a value without fault: numbers of entries,
    duplicates (names compared folded), check digits, formats, marks alone where words are demanded, dates in the
    future or against their order, minimum, maximum.
    Faults of invisible items are dropped.
6.  Rules whose `visible_when` holds: one of their visible items must be given.
7.  Disposals: when no problem was found, `done` and `in_progress` of visible ones are refused
    (`disposal_without_problem`) and every disposal becomes `na`.
8.  Values of invisible items are pruned, also inside the rows of groups; a draft keeps them, so that they are there
    again when the answer that hides them is taken back. `dropped` names what was given and pruned, but for false and
    `na`, which say no more than that nothing is there.

Faults come in this order: unknown keys and containers of a wrong type, by their pointers; then item by item
in the order of the form (a group row by row); then rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from core.errors import Fault
from core.forms.definitions.conditions import Env
from core.forms.items.base import SubmissionFault
from core.forms.items.item import PROBLEMS_FOUND, Item
from core.forms.items.quantities import worked_out
from core.forms.validation import messages
from core.forms.validation.messages import answer_fault
from core.forms.validation.of_rows import faults_by_entry, total_of
from core.forms.validation.plan import Plan
from core.forms.validation.proposing import Proposed, propose
from core.forms.validation.reading import Reading, Row, Spot
from core.forms.words import Entry, Words


@dataclass
class Checked:
    """The outcome: `values` in the layout of the body, without faulty values; `faults` are all of them; `dropped` is
    the pointer and printed text of what a submission leaves out because it is invisible, `owed` those of the required
    uploads that it owes (容缺)."""

    values: dict[str, Any]
    faults: list[Fault]
    problems_found: bool
    dropped: dict[str, str] = field(default_factory=dict, compare=False)
    owed: dict[str, str] = field(default_factory=dict)


def validate(plan: Plan, body: Any, *, submit: bool, today: date, words: Words | None = None) -> Checked:
    """Steps 0 to 8; without `words` no dictionary is known. Any JSON value may be a body; nothing is raised for it."""
    if not isinstance(body, Mapping):
        return Checked({"answers": {}, "disposals": {}}, [Fault("", "wrong_type", messages.NOT_AN_OBJECT)], False)
    proposed = Proposed(body) if words is None or not plan.proposing else propose(plan.proposing, body, words)
    validation = _Validation(plan, proposed, today)
    return validation.as_submission() if submit else validation.as_draft()


def warnings_of(values: Mapping[str, Any], problems_found: bool) -> list[dict[str, str]]:
    """Warnings (`code`, `path`, `message`) that follow from submitted values: a repeated answer carries the same."""
    disposals = values.get("disposals") or {}
    if problems_found and disposals and set(disposals.values()) == {"na"}:
        return [{"code": "all_not_applicable", "path": "/disposals", "message": messages.ALL_NOT_APPLICABLE}]
    return []


class _Validation:
    def __init__(self, plan: Plan, proposed: Proposed, today: date) -> None:
        self.plan = plan
        self.today = today
        self.proposed = proposed
        self.reading = Reading(plan, proposed.body)
        self.faults = self.reading.faults
        self.given = self.reading.sound_values()
        self.env: dict[str, Any] = {PROBLEMS_FOUND: False, **self.given}
        self.owed: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.hidden_inside: set[Spot] = set()
        self.decide(self.env)
        self.work_out(self.env)
        self.problems_found = bool(self.env[PROBLEMS_FOUND])

    def as_draft(self) -> Checked:
        faults = self.reading.body_faults + self.reading.recorded()
        return Checked(self.layout(self.given), faults, self.problems_found)

    def as_submission(self) -> Checked:
        faults = self.reading.body_faults + self.submission(self.env)
        if not self.problems_found:
            self.env |= dict.fromkeys(self.plan.places["disposals"], "na")
        return Checked(self.layout(self.env), faults, self.problems_found, self.dropped(), self.owed)

    def decide(self, env: dict[str, Any]) -> None:
        """Fill `hidden` and `hidden_inside`, take what is invisible out of `env`, find the problems."""
        sections: dict[str, bool] = {}
        for step in self.plan.steps:
            item = step.item
            if item is None:
                env[PROBLEMS_FOUND] = any(_has_problem(it, env.get(it.name)) for it in self.plan.detecting)
                continue
            shown = True
            if step.section_visible is not None:
                if step.section not in sections:
                    sections[step.section] = step.section_visible(env)
                shown = sections[step.section]
            if shown and step.visible is not None:
                shown = step.visible(env)
            if not shown:
                self.hidden.add(item.name)
                env.pop(item.name, None)
            elif item.source in self.plan.row_orders and item.name in env:
                env[item.name] = self.decide_rows(item, (item.name,), env[item.name], env)

    def work_out(self, env: Row) -> None:
        """Fill in the numbers that follow from rows."""
        for name, worked in self.plan.worked.items():
            if name in self.hidden:
                continue
            value = worked_out(total_of(worked, env))
            if value is None:
                self.faults[(name,)] = [answer_fault(worked.item, "out_of_range", worked.item.pointer)]
            else:
                env[name] = self.given[name] = value

    def decide_rows(self, group: Item, spot: Spot, rows: list[Row], env: Env) -> list[Row]:
        return [self.decide_row(group, (*spot, index), row, env) for index, row in enumerate(rows)]

    def decide_row(self, group: Item, spot: Spot, row: Row, env: Env) -> Row:
        row_env = {**env, **row}
        shown = dict(row)
        for item, test in self.plan.row_orders[group.source]:
            name = item.name
            if test is not None and not test(row_env):
                self.hidden_inside.add((*spot, name))
                row_env.pop(name, None)
                shown.pop(name, None)
            elif name in shown and item.source in self.plan.row_orders:
                shown[name] = row_env[name] = self.decide_rows(item, (*spot, name), shown[name], row_env)
        return shown

    def submission(self, env: Row) -> list[Fault]:
        faults: list[Fault] = []
        for item in self.plan.items:
            if item.name in self.hidden:
                continue
            if item.type == "disposal" and not self.problems_found:
                if self.given.get(item.name) in ("done", "in_progress"):
                    faults.append(answer_fault(item, "disposal_without_problem", item.pointer))
            else:
                value = env.get(item.name)
                if value is None or item.source in self.plan.with_rules or self.faults or self.proposed.unknown:
                    faults += self.item_faults(item, (item.name,), item.pointer, env, value)
                if item.type == "group":
                    faults += self.row_faults(item, (item.name,), item.pointer, value, env)
        for rule in self.plan.rules:
            if rule.visible is not None and not rule.visible(env):
                continue
            shown = [name for name in rule.names if name not in self.hidden]
            if shown and not any(name in env or (name,) in self.faults for name in shown):
                faults.append(Fault(self.plan.pointers[shown[0]], "any_of", rule.message))
        return faults

    def dropped(self) -> dict[str, str]:
        """Pointer and printed text of what was given and is invisible, in the order of the form."""
        found: dict[str, str] = {}
        for item in self.plan.items:
            if item.name in self.hidden:
                if self.given.get(item.name) not in (None, False, "na") or (item.name,) in self.faults:
                    found[item.pointer] = item.text
            elif item.type == "group" and self.hidden_inside:
                self.dropped_inside(item, (item.name,), item.pointer, self.given.get(item.name), found)
        return found

    def dropped_inside(self, group: Item, spot: Spot, at: str, rows: Any, found: dict[str, str]) -> None:
        """Add what was given and is invisible in the rows of a group."""
        for index, row in enumerate(rows or ()):
            for inner in group.items:
                within, place = (*spot, index, inner.name), f"{at}/{index}{inner.pointer}"
                value = row.get(inner.name)
                if within in self.hidden_inside:
                    if value not in (None, False, "na"):
                        found[place] = inner.text
                elif inner.type == "group":
                    self.dropped_inside(inner, within, place, value, found)

    def item_faults(self, item: Item, spot: Spot, at: str, env: Env, value: Any) -> list[Fault]:
        if self.faults and spot in self.faults:
            return self.faults[spot]
        if self.proposed.unknown and (unknown := self.not_in_dictionary(item, spot, at)):
            return unknown
        said = self.entry_of(spot)
        if said is not None and (found_by_entry := faults_by_entry(item, said, at, value)):
            return found_by_entry
        if value is not None:
            if item.source not in self.plan.with_rules:
                return []
            found = [*item.definition.submission_faults(value, self.today), *self.order_faults(item, env, value)]
            return [answer_fault(item, fault.code, at + fault.within, fault.sentence) for fault in found]
        test = self.plan.required.get(item.source)
        if not item.required and (test is None or not test(env)):
            return []
        may_be_owed = self.plan.owed.get(item.source)
        if may_be_owed is None or not may_be_owed(env):
            return [answer_fault(item, "required", at)]
        until = env.get(getattr(item.definition, "owed_until", None) or "")
        if until is not None and self.today.isoformat() > until:
            return [answer_fault(item, "overdue", at)]
        self.owed[at] = item.text
        return []

    def not_in_dictionary(self, item: Item, spot: Spot, at: str) -> list[Fault]:
        """That the dictionary of a searched choice does not have what was chosen, for a list each of those."""
        if spot in self.proposed.unknown:
            return [answer_fault(item, "unknown_option", at)]
        if item.type != "multi":
            return []
        places = sorted(one[-1] for one in self.proposed.unknown if one[:-1] == spot and isinstance(one[-1], int))
        return [answer_fault(item, "unknown_option", f"{at}/{index}") for index in places]

    def entry_of(self, spot: Spot) -> Entry | None:
        """The entry of the row that a cell stands in, where a dictionary proposes the rows."""
        if len(spot) < 3 or not self.proposed.entries:
            return None
        entries, index = self.proposed.entries.get(spot[:-2]), spot[-2]
        return entries[index] if entries is not None and isinstance(index, int) else None

    def order_faults(self, item: Item, env: Env, value: Any) -> list[SubmissionFault]:
        faults = []
        for order in self.plan.orders.get(item.source, ()):
            other = env.get(order.name)
            if other is None:
                continue
            if order.relation == "not_above":
                if Decimal(value) > Decimal(other):
                    sentence = f"“{item.text}”不能大于“{order.text}”（{other}），请核对"
                    faults.append(SubmissionFault("too_large", "", sentence))
                continue
            # Days that are written alike are in the order of their texts.
            if value == other or (value > other) == (order.relation == "not_before"):
                continue
            wrong = "早于" if order.relation == "not_before" else "晚于"
            faults.append(SubmissionFault("date_order", "", f"“{item.text}”不能{wrong}“{order.text}”，请核对"))
        return faults

    def row_faults(self, group: Item, spot: Spot, at: str, rows: Any, env: Env) -> list[Fault]:
        faults: list[Fault] = []
        for index, row in enumerate(rows or ()):
            broken = self.faults.get((*spot, index), [])
            faults += broken
            if any(fault.code == "wrong_type" for fault in broken):
                continue
            row_env = {**env, **row}
            for inner in group.items:
                within, place = (*spot, index, inner.name), f"{at}/{index}{inner.pointer}"
                if within not in self.hidden_inside:
                    value = row.get(inner.name)
                    faults += self.item_faults(inner, within, place, row_env, value)
                    if inner.type == "group":
                        faults += self.row_faults(inner, within, place, value, row_env)
        return faults

    def layout(self, env: Env) -> dict[str, Any]:
        laid: dict[str, Any] = {}
        inside: dict[str, dict[str, Any]] = {"answers": {}, "disposals": {}}
        for item in self.plan.items:
            if item.name in env:
                (inside[item.place] if item.place else laid)[item.name] = env[item.name]
        return {**laid, **inside}


def _has_problem(item: Item, value: Any) -> bool:
    if value is None:
        return False
    if item.type == "group":
        return any(_has_problem(inner, row.get(inner.name)) for row in value for inner in item.items)
    if type(value) is list:
        return not item.problem_answers.isdisjoint(value)
    return value in item.problem_answers
