"""The keys of a form, of its sections and of its rules; items have theirs in `items/`."""

import re
from typing import Annotated, Any, Final

from core.forms.items import cells, keys
from core.forms.items.keys import Key, Keys

MAX_TABS: Final = 20


def _text_or_null(value: Any) -> str | None:
    return None if value is None or isinstance(value, str) else "须为日期"


_CODE = r"[0-9a-z][0-9a-z_]{0,29}"


def _tabs(value: Any) -> str | None:
    if not isinstance(value, list) or not value or len(value) > MAX_TABS:
        return f"须为 1 至 {MAX_TABS} 个分页的列表"
    for tab in value:
        if not isinstance(tab, dict) or set(tab) != {"code", "title"}:
            return "每个分页须有且只有 code 和 title"
        if not isinstance(tab["code"], str) or not re.fullmatch(_CODE, tab["code"], re.ASCII):
            return "分页的 code 须为小写字母、数字、下划线组成的代码"
        if complaint := keys.line(20)(tab["title"]):
            return f"分页的 title {complaint}"
    if len({tab["code"] for tab in value}) < len(value):
        return "分页的 code 重复"
    return None


class FormKeys(Keys):
    """The form itself."""

    code: Annotated[str, Key(keys.shaped(r"[a-z][a-z0-9-]{1,39}", "须为小写字母、数字、短横组成的代码"), cells.TEXT)]
    version: Annotated[int, Key(keys.whole(1, 9999), cells.WHOLE)]
    title: Annotated[str, keys.text_key(100)]
    kind: Annotated[str, Key(keys.shaped(r"[a-z][a-z0-9_]{1,29}", "须为小写字母、数字、下划线组成的代码"), cells.TEXT)]
    accept_until: Annotated[str | None, Key(_text_or_null, cells.DATE)] = None
    tabs: Annotated[list[dict[str, str]] | None, Key(_tabs, cells.TABS)] = None
    sections: Annotated[list[Any], keys.PARTS]
    rules: Annotated[list[Any] | None, keys.PARTS] = None


class SectionKeys(Keys):
    """A section."""

    code: Annotated[str, Key(keys.shaped(_CODE, "须为小写字母、数字、下划线组成的代码"), cells.TEXT)]
    title: Annotated[str, keys.text_key(100)]
    tab: Annotated[str | None, Key(keys.shaped(_CODE, "须为分页的 code"), cells.TEXT)] = None
    visible_when: Annotated[Any, keys.CONDITION] = None
    items: Annotated[list[Any], keys.PARTS]


class RuleKeys(Keys):
    """A rule: at least one of the named items must be given."""

    any_of: Annotated[list[str], keys.LINES]
    message: Annotated[str, keys.text_key(200)]
    visible_when: Annotated[Any, keys.CONDITION] = None
