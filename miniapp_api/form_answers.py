"""A form definition (表单) as it is answered: what the phone renders and checks by (`core/forms/definition.py`)."""

from datetime import date
from typing import Annotated

from pydantic import Field
from typing_extensions import TypeAliasType

from core.forms.keys import TYPES
from miniapp_api.http.answers import Answer, DecimalText, absent, one_of


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


class FormItem(Answer):
    """One item of the paper, called by its number (`no`) or by its field.

    `required` means: required when visible. What a type knows nothing of is left out.
    """

    no: str = absent("its number; the answer stands in `answers` or `disposals`")
    field: str = absent("its name; the answer stands under this name at the top")
    text: str
    type: Annotated[str, one_of(TYPES)]
    required: bool = absent()
    readonly: bool = absent()
    sensitive: bool = absent("personal data: encrypted at rest, masked where it is shown to others")
    default_from: str = absent("`enterprise.name`: what it is filled with beforehand")
    roles: list[str] = absent()
    visible_when: Condition = absent()
    required_when: Condition = absent()
    problem_when: list[str | bool] = absent("answers that are problems")
    problem_text: str = absent("what the problem is called")
    basis: str = absent("legal basis")
    penalty: str = absent("what the law threatens")
    help: str = absent()
    placeholder: str = absent()
    options: list[FormOption] = absent("`choice`, `multi`")
    options_from: str = absent("`choice`, `multi`: the dictionary whose entries are the options")
    min_items: int = absent()
    max_items: int = absent()
    max_length: int = absent("`text`: characters")
    multiline: bool = absent("`text`")
    repeat: bool = absent("`text`: several texts")
    pattern: str = absent("`text`: regular expression over the whole text")
    pattern_message: str = absent("`text`: what is said where the pattern does not fit")
    suggest: bool = absent("`text`: what was typed before is offered")
    scale: int = absent("`number`: digits behind the point")
    unit: str = absent("`number`")
    minimum: DecimalText = absent("`number`")
    not_future: bool = absent("`date`: today at the latest")
    items: list["FormItem"] = absent("`group`: the items of each row")


class FormSection(Answer):
    """A part of the form."""

    code: str
    title: str
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
    sections: list[FormSection]
    rules: list[FormRule] = absent()


class FormSummary(Answer):
    """A form in the list: its newest version."""

    code: str
    version: int
    title: str
    kind: str
    accept_until: date | None
