"""What a form definition (表单定义) may say, and the reading of one into typed items.

A definition is JSON:

    {"code", "version", "title", "kind", "accept_until"?, "sections": [SECTION], "rules"?: [RULE]}
    SECTION  {"code", "title", "visible_when"?, "items": [ITEM]}
    RULE     {"any_of": [NAME], "message", "visible_when"?}    at least one of these must be given
    ITEM     {"no" or "field", "text", "type", …}

An item with `field` is a top-level key of the body; one with `no` is a key of `disposals` when its type
is `disposal`, else of `answers`. Names of items are unique in the whole form; inside a group they are
unique in that group and differ from the names outside it.

Keys of every item: `text` (the printed wording), `type`, `required` (when visible), `readonly`,
`default_from` ("enterprise.name"), `sensitive` (personal data; one text in a top-level field only),
`roles`, `visible_when`, `required_when`, `basis` and `penalty` (the law, as the paper prints it),
`help`, `placeholder`. Further keys by type:

    text         max_length (default 200), multiline, pattern + pattern_message; with repeat: true a list of
                 distinct texts with min_items and max_items; suggest: what the own office typed there before
                 is offered again
    number       scale (decimals, 0 to 6, default 0), unit, minimum (decimal string); a decimal string or
                 a JSON number is accepted, a decimal string is kept
    date         not_future (not after today)
    boolean      problem_when: [true] or [false], problem_text
    choice       options [{value, label}] or options_from (name of a dictionary), problem_when [values],
                 problem_text
    multi        the same, and min_items, max_items (default 50)
    disposal     (处置项) `done` 是, `in_progress` 办理中, `na` 不适用
    mobile, tel (mobile or landline), resident_id, uscc, email, region (six digits)
    photos       ids of uploaded pictures, min_items, max_items;  file, signature: one id
    group        (repeating) items, min_items, max_items; rows hold neither disposals nor groups

`options_from`: a form only checks that the values are texts; the room that owns the dictionary resolves them.
`problem_when` lists the answers that count as a problem (问题), `problem_text` states it for those who did not
ask the question (“未建立销售台账” for “是否建立销售台账”); the derived name `problems_found` may be used in
conditions (see `definitions/conditions.py`). What is written beside item `1.1` (存在问题) is an item of its own,
`1.1.problem`.
"""

import copy
from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from core.errors import Fault
from core.forms.definitions.conditions import read_conditions
from core.forms.definitions.outline import accept_until, read
from core.forms.items.item import Item
from core.forms.items.texts import Text
from core.forms.validation import json_schema
from core.forms.validation.check import Checked, validate
from core.forms.validation.plan import Plan, make_plan


class BrokenForm(Exception):
    """A definition that cannot be used; `faults` are all of them, with pointers into the definition."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.path}: {fault.code}: {fault.message}" for fault in faults))


class Form:
    """One version of a form, compiled once. Nothing changes after that, so threads may share it.

    `definition` is the JSON as it was given (do not change it), `schema` the JSON Schema of a normalised
    body, `sensitive` the top-level fields whose text is personal data, `files` the items that hold ids of uploads
    (photos, signature, file) and the groups that have such items, `suggested` the wording of those with
    `suggest`, by field.
    """

    code: str
    version: int
    title: str
    kind: str
    accept_until: date | None
    definition: dict[str, Any]
    schema: dict[str, Any]
    sensitive: frozenset[str]
    files: tuple[Item, ...]
    suggested: Mapping[str, str]
    _plan: Plan

    @classmethod
    def compile(cls, definition: Mapping[str, Any]) -> Self:
        """Read and check a definition; raises BrokenForm with all its faults."""
        outline = read(definition)
        conditions = read_conditions(outline)
        if outline.faults:
            raise BrokenForm(sorted(outline.faults, key=_in_the_order_of_the_document))
        form = cls()
        form.definition = copy.deepcopy(dict(definition))
        form.code = definition["code"]
        form.version = definition["version"]
        form.title = definition["title"]
        form.kind = definition["kind"]
        form.accept_until = accept_until(definition)
        form.schema = json_schema.form_schema(outline.items)
        form.sensitive = frozenset(item.name for item in outline.items if item.definition.is_sensitive)
        form.files = tuple(item for item in outline.items if item.holds_files)
        form.suggested = {
            item.name: item.text
            for item in outline.items
            if isinstance(item.definition, Text) and item.definition.suggest
        }
        form._plan = make_plan(outline, conditions, json_schema.validator(form.schema))
        return form

    def check(self, body: Mapping[str, Any], *, submit: bool, today: date) -> Checked:
        """Validate a body, in the order of `validation/check.py`. Any JSON value may be a body; nothing is raised."""
        return validate(self._plan, body, submit=submit, today=today)

    def __repr__(self) -> str:
        return f"<Form {self.code} v{self.version}>"


def _in_the_order_of_the_document(fault: Fault) -> list[tuple[int, str]]:
    tokens = fault.path.split("/")
    return [(int(token), "") if token.isdecimal() and len(token) < 9 else (0, token) for token in tokens]
