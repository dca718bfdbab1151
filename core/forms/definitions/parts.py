"""The keys of a form, of its sections and of its rules; items have theirs in `items/`."""

from typing import Annotated, Any

from core.forms.items import cells, keys
from core.forms.items.keys import Key, Keys


def _text_or_null(value: Any) -> str | None:
    return None if value is None or isinstance(value, str) else "须为日期"


class FormKeys(Keys):
    """The form itself."""

    code: Annotated[str, Key(keys.shaped(r"[a-z][a-z0-9-]{1,39}", "须为小写字母、数字、短横组成的代码"), cells.TEXT)]
    version: Annotated[int, Key(keys.whole(1, 9999), cells.WHOLE)]
    title: Annotated[str, keys.text_key(100)]
    kind: Annotated[str, Key(keys.shaped(r"[a-z][a-z0-9_]{1,29}", "须为小写字母、数字、下划线组成的代码"), cells.TEXT)]
    accept_until: Annotated[str | None, Key(_text_or_null, cells.DATE)] = None
    sections: Annotated[list[Any], keys.PARTS]
    rules: Annotated[list[Any] | None, keys.PARTS] = None


class SectionKeys(Keys):
    """A section."""

    code: Annotated[
        str, Key(keys.shaped(r"[0-9a-z][0-9a-z_]{0,29}", "须为小写字母、数字、下划线组成的代码"), cells.TEXT)
    ]
    title: Annotated[str, keys.text_key(100)]
    visible_when: Annotated[Any, keys.CONDITION] = None
    items: Annotated[list[Any], keys.PARTS]


class RuleKeys(Keys):
    """A rule: at least one of the named items must be given."""

    any_of: Annotated[list[str], keys.LINES]
    message: Annotated[str, keys.text_key(200)]
    visible_when: Annotated[Any, keys.CONDITION] = None
