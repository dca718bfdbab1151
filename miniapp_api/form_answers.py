"""A form definition (表单) as it is answered: what the phone renders and checks by (`core/forms/form.py`)."""

import functools
import operator
from collections.abc import Iterable
from datetime import date
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, cast, get_args

from pydantic import Field, create_model
from typing_extensions import TypeAliasType

from core.forms.items.base import ItemType
from core.forms.items.groups import Group
from core.forms.items.types import TYPES
from miniapp_api.http.answers import Answer, absent


class ItemCondition(Answer):
    """The item's value (of a list: any of its values) is one of these."""

    item: str = Field(description="number or field of an item, or `problems_found`")
    values: list[str | bool] = Field(alias="in")


class AllConditions(Answer):
    """All of them hold."""

    all: list["Condition"]


class AnyCondition(Answer):
    """One of them holds."""

    any: list["Condition"]


class NotCondition(Answer):
    """It does not hold."""

    negated: "Condition" = Field(alias="not")


Condition = TypeAliasType("Condition", ItemCondition | AllConditions | AnyCondition | NotCondition)


class FormOption(Answer):
    """What can be chosen."""

    value: str
    label: str


_SAID = {
    "no": "its number; the answer stands in `answers` or `disposals`",
    "field": "its name; the answer stands under this name at the top",
    "required": "required when visible",
    "sensitive": "personal data: encrypted at rest, masked where it is shown to others",
    "default_from": "what it is filled with beforehand: `enterprise.name`, `last_visit.contact_name`",
    "problem_when": "answers that are problems",
    "problem_text": "what the problem is called",
    "basis": "legal basis",
    "penalty": "what the law threatens",
    "options_from": "the dictionary whose entries are the options; instead of `options`",
    "max_length": "characters",
    "repeat": "several texts",
    "pattern": "regular expression over the whole text",
    "pattern_message": "what is said where the pattern does not fit",
    "suggest": "what was typed before is offered",
    "scale": "digits behind the point",
    "minimum": "a decimal number",
    "maximum": "a decimal number",
    "sum_of": "`products.qty`: the sum of a number in the rows of a group; worked out, never sent",
    "count_of": "`products`: how many rows a group has; worked out, never sent",
    "rows_when": "which rows are summed or counted; left out: all",
    "owed_when": "when it may be missing although it is required (容缺)",
    "owed_until": "the date that says the last day on which it may",
    "not_above": "another number, of the same row or around it, that this one must not exceed",
    "search": "the dictionary is searched at the server: `GET /catalogues/{catalogue}`",
    "from_entry": "what an entry of a dictionary says: `name` of the row's, `hs_code.name` of a searched choice's",
    "required_entry": "under which key the row's entry says whether an answer is required",
    "options_entry": "under which key the row's entry says which answers there are",
    "rows_from": "the dictionary that says which rows there are",
    "rows_of": "the choice below which those rows stand",
    "not_future": "today at the latest",
    "not_before": "another date, of the same row or outside of groups, that this one must not precede",
    "not_after": "another date that this one must not follow",
}


def _item_answer(kind: type[ItemType], types: dict[str, Any], name: str | None = None) -> type[Answer]:
    """The model of an item of that type: the keys that a definition may have, each left out where it is not given.

    `types` are those of keys that `core/forms/` reads by itself.
    """
    fields: dict[str, Any] = {}
    for key, declared in kind.model_fields.items():
        given = types.get(key, _without_null(declared.annotation))
        fields[key] = (given, Field(description=_SAID.get(key)) if declared.is_required() else absent(_SAID.get(key)))
    described: Any = create_model(f"{name or kind.__name__}Item", __base__=Answer, __doc__=kind.__doc__, **fields)
    return cast(type[Answer], described)


def _without_null(annotation: Any) -> Any:
    """A key is given or left out, never null."""
    if not isinstance(annotation, UnionType):
        return annotation
    return _union(one for one in get_args(annotation) if one is not NoneType)


def _union(types: Iterable[Any]) -> Any:
    return functools.reduce(operator.or_, types)


_CONDITIONS = ("visible_when", "required_when", "rows_when", "owed_when")
_KEYS: dict[str, Any] = {**dict.fromkeys(_CONDITIONS, Condition), "options": list[FormOption]}
_IN_ROWS = [_item_answer(kind, _KEYS) for kind in TYPES.values() if kind.allowed_in_groups and kind is not Group]
_INNER_GROUP = _item_answer(Group, {**_KEYS, "items": list[_union(_IN_ROWS)]}, "GroupInRows")  # type: ignore[misc]
_OUTER = {**_KEYS, "items": list[_union([*_IN_ROWS, _INNER_GROUP])]}  # type: ignore[misc]
_OTHERS = [_item_answer(kind, _OUTER) for kind in TYPES.values() if not kind.allowed_in_groups or kind is Group]
if TYPE_CHECKING:
    FormItem = Answer
else:
    FormItem = TypeAliasType("FormItem", _union([*_IN_ROWS, *_OTHERS]))
"""An item of the form, discriminated by `type`."""


class FormTab(Answer):
    """A page of the form (分页) with the sections that name it."""

    code: str
    title: str


class FormSection(Answer):
    """A part of the form."""

    code: str
    title: str
    tab: str = absent("the code of its tab, where the form has tabs")
    visible_when: Condition = absent()
    items: list[FormItem]


class FormRule(Answer):
    """One of several items must be given."""

    any_of: list[str]
    message: str
    visible_when: Condition = absent()


class FormDefinition(Answer):
    """A version of a form."""

    code: str
    version: int
    title: str
    kind: str
    accept_until: date | None = absent("until when answers to this version are taken although a newer one is out")
    tabs: list[FormTab] = absent("pages in their order; every section names one")
    sections: list[FormSection]
    rules: list[FormRule] = absent()


class FormSummary(Answer):
    """A form in the list: its newest version."""

    code: str
    version: int
    title: str
    kind: str
    accept_until: date | None
