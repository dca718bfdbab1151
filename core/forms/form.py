"""What a form definition (表单定义) may say, and the reading of one into typed items.

A definition is JSON:

    {"code", "version", "title", "kind", "accept_until"?, "tabs"?: [TAB], "sections": [SECTION], "rules"?: [RULE]}
    TAB      {"code", "title"}    a page of its own (分页), with the sections that name it
    SECTION  {"code", "title", "tab"?, "visible_when"?, "items": [ITEM]}
    RULE     {"any_of": [NAME], "message", "visible_when"?}    at least one of these must be given
    ITEM     {"no" or "field", "text", "type", …}

An item with `field` is a top-level key of the body; one with `no` is a key of `disposals` when its type
is `disposal`, else of `answers`. Names of items are unique in the whole form; inside a group they are
unique in that group and differ from the names around it. A row may hold groups, whose rows hold none
(`items/groups.py`).

Keys of every item: `text` (the printed wording), `type`, `required` (when visible), `readonly`,
`default_from` ("enterprise.name", "last_visit.contact_name": `validation/presets.py`), `sensitive` (personal
data; one text in a top-level field or in a row), `roles`, `visible_when`, `required_when`, `basis` and `penalty`
(the law, as the paper prints it), `help`, `placeholder`. The types and their further keys stand in `items/`, one class
a type:

    items/texts.py        text
    items/quantities.py   number, date; what they say of other items: `definitions/relations.py`
    items/choices.py      boolean, choice, multi, disposal
    items/identities.py   mobile, tel, resident_id, uscc, email, region
    items/uploads.py      photos, signature, file
    items/groups.py       group

The derived name `problems_found` may be used in conditions (see `definitions/conditions.py`). What is written beside
item `1.1` (存在问题) is an item of its own, `1.1.problem`.
"""

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Self

from core.errors import Fault
from core.forms.definitions.carried import check_carried
from core.forms.definitions.conditions import read_conditions
from core.forms.definitions.outline import accept_until, read
from core.forms.definitions.relations import read_relations
from core.forms.items.item import Item
from core.forms.items.texts import Text
from core.forms.validation import json_schema
from core.forms.validation.check import Checked, validate
from core.forms.validation.plan import Plan, make_plan
from core.forms.validation.presets import Presets, presets
from core.forms.words import Words


class BrokenForm(Exception):
    """A definition that cannot be used; `faults` are all of them, with pointers into the definition."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.path}: {fault.code}: {fault.message}" for fault in faults))


class Form:
    """One version of a form, compiled once. Nothing changes after that, so threads may share it.

    `definition` is the JSON as it was given (do not change it), `items` all items, those of groups in
    theirs, `schema` the JSON Schema of a normalised
    body, `sensitive` the top-level fields whose text is personal data, `sealed` those and the groups that have such
    items in their rows, `files` the items that hold ids of uploads (photos, signature, file) and the groups that have
    such items, `suggested` the wording of those with `suggest`, by field; `tabs` the titles of tabs by the names of the
    items that stand on them, empty for a form without tabs.
    """

    code: str
    version: int
    title: str
    kind: str
    accept_until: date | None
    definition: dict[str, Any]
    items: tuple[Item, ...]
    schema: dict[str, Any]
    sensitive: frozenset[str]
    sealed: Mapping[str, Item]
    files: tuple[Item, ...]
    suggested: Mapping[str, str]
    tabs: Mapping[str, str]
    _plan: Plan

    @classmethod
    def compile(cls, definition: Mapping[str, Any]) -> Self:
        """Read and check a definition; raises BrokenForm with all its faults."""
        outline = read(definition)
        conditions = read_conditions(outline)
        check_carried(outline)
        relations = read_relations(outline)
        if outline.faults:
            raise BrokenForm(sorted(outline.faults, key=_in_the_order_of_the_document))
        form = cls()
        form.definition = copy.deepcopy(dict(definition))
        form.code = definition["code"]
        form.version = definition["version"]
        form.title = definition["title"]
        form.kind = definition["kind"]
        form.items = tuple(outline.items)
        form.accept_until = accept_until(definition)
        form.schema = json_schema.form_schema(outline.items)
        form.sensitive = frozenset(item.name for item in outline.items if item.definition.is_sensitive)
        form.sealed = {item.name: item for item in outline.items if item.sealed}
        form.files = tuple(item for item in outline.items if item.holds_files)
        form.suggested = {
            item.name: item.text
            for item in outline.items
            if isinstance(item.definition, Text) and item.definition.suggest
        }
        titles = {tab["code"]: tab["title"] for tab in definition.get("tabs") or ()}
        form.tabs = {
            item.name: titles[section.tab] for section in outline.sections if section.tab for item in section.items
        }
        form._plan = make_plan(outline, conditions, relations, json_schema.validator(form.schema))
        return form

    def check(self, body: Mapping[str, Any], *, submit: bool, today: date, words: Words | None = None) -> Checked:
        """Validate a body, in the order of `validation/check.py`. Any JSON value may be a body; nothing is raised.

        `words`: where dictionaries are looked up; without it what comes from one is taken as it was sent.
        """
        checked = validate(self._plan, body, submit=submit, today=today, words=words)
        if self.tabs and checked.faults:
            checked.faults = [replace(fault, tab=self.tab_of(fault.path)) for fault in checked.faults]
        return checked

    def tab_of(self, path: str) -> str | None:
        """The title of the tab on which a place of the body stands; None for a place of no item."""
        first, *rest = [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]] or [""]
        return self.tabs.get(rest[0] if rest and first in ("answers", "disposals") else first)

    def presets(self, body: Mapping[str, Any], sources: Mapping[str, Any]) -> Presets:
        """What is filled in beforehand, by the rules of `validation/presets.py`."""
        return presets(self._plan, body, sources)

    def __repr__(self) -> str:
        return f"<Form {self.code} v{self.version}>"


def _in_the_order_of_the_document(fault: Fault) -> list[tuple[int, str]]:
    tokens = fault.path.split("/")
    return [(int(token), "") if token.isdecimal() and len(token) < 9 else (0, token) for token in tokens]
