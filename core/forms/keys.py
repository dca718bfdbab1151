"""The keys that a definition may use, type by type, each with the judge of its value.

A judge answers what is wrong with a value, as a Chinese sentence, or None.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs

Judge = Callable[[Any], str | None]


def whole(least: int, most: int) -> Judge:
    def judge(value: Any) -> str | None:
        good = type(value) is int and least <= value <= most
        return None if good else f"须为 {least} 至 {most} 的整数"

    return judge


def line(limit: int) -> Judge:
    def judge(value: Any) -> str | None:
        if not isinstance(value, str) or not value.strip():
            return "须为非空文字"
        if value != value.strip():
            return "首尾不能有空格"
        return f"不能超过 {limit} 个字" if len(value) > limit else None

    return judge


def shaped(pattern: str, complaint: str) -> Judge:
    compiled = re.compile(pattern, re.ASCII)

    def judge(value: Any) -> str | None:
        return None if isinstance(value, str) and compiled.fullmatch(value) else complaint

    return judge


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "须为 true 或 false"


def condition(value: Any) -> str | None:
    """Conditions are judged when all items are known (see `conditions.py`)."""
    return None


def nonempty(value: Any) -> str | None:
    return None if isinstance(value, list) and value else "须为非空列表"


def lines(value: Any) -> str | None:
    each = line(100)
    good = isinstance(value, list) and value and not any(each(entry) for entry in value)
    return None if good else "须为非空的文字列表"


def options(value: Any) -> str | None:
    if not isinstance(value, list) or not value:
        return "须至少有一个选项"
    seen: set[str] = set()
    for option in value:
        if not isinstance(option, Mapping) or set(option) != {"value", "label"}:
            return "每个选项须有且只有 value 和 label"
        if line(50)(option["value"]) or line(100)(option["label"]):
            return "选项的 value 和 label 须为首尾无空格的非空文字"
        if option["value"] in seen:
            return f"选项“{option['value']}”重复"
        seen.add(option["value"])
    return None


def linear_pattern(pattern: str) -> jsonschema_rs.Validator:
    """A pattern as a validator that runs in time linear in the text, whoever wrote the form.

    Look-around and back-references are refused (ValueError), which also keeps patterns portable to the phone.
    """
    schema = {"type": "string", "pattern": pattern}
    return jsonschema_rs.Draft202012Validator(
        schema, pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20), offline=True
    )


def pattern(value: Any) -> str | None:
    if complaint := line(500)(value):
        return complaint
    if not (value.startswith("^") and value.endswith("$")):
        return "正则表达式须以 ^ 开头、以 $ 结尾"
    try:
        linear_pattern(value)
    except ValueError:
        return "正则表达式有误，或使用了不支持的写法（如前后断言、反向引用）"
    return None


FORM: dict[str, Judge] = {
    "code": shaped(r"[a-z][a-z0-9-]{1,39}", "须为小写字母、数字、短横组成的代码"),
    "version": whole(1, 9999),
    "title": line(100),
    "kind": shaped(r"[a-z][a-z0-9_]{1,29}", "须为小写字母、数字、下划线组成的代码"),
    "accept_until": lambda value: None if value is None or isinstance(value, str) else "须为日期",
    "sections": condition,
    "rules": condition,
}
FORM_REQUIRED = ("code", "version", "title", "kind", "sections")

SECTION: dict[str, Judge] = {
    "code": shaped(r"[0-9a-z][0-9a-z_]{0,29}", "须为小写字母、数字、下划线组成的代码"),
    "title": line(100),
    "visible_when": condition,
    "items": condition,
}
SECTION_REQUIRED = ("code", "title", "items")

RULE: dict[str, Judge] = {"any_of": lines, "message": line(200), "visible_when": condition}
RULE_REQUIRED = ("any_of", "message")

ITEM: dict[str, Judge] = {
    "no": condition,
    "field": condition,
    "text": line(300),
    "type": condition,
    "required": flag,
    "readonly": flag,
    "default_from": shaped(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+", "须写成“enterprise.name”的形式"),
    "sensitive": flag,
    "roles": lines,
    "visible_when": condition,
    "required_when": condition,
    "basis": line(1000),
    "penalty": line(1000),
    "help": line(500),
    "placeholder": line(200),
}
ITEM_REQUIRED = ("text", "type")

_COUNTS: dict[str, Judge] = {"min_items": whole(1, 500), "max_items": whole(1, 500)}
_OPTIONS: dict[str, Judge] = {
    "options": options,
    "options_from": shaped(r"[a-z][a-z0-9_]{0,39}", "须为词典的代码"),
    "problem_when": nonempty,
    "problem_text": line(300),
}

TYPES: dict[str, dict[str, Judge]] = {
    "text": {
        "max_length": whole(1, 10_000),
        "multiline": flag,
        "repeat": flag,
        "pattern": pattern,
        "pattern_message": line(200),
        "suggest": flag,
        **_COUNTS,
    },
    "number": {
        "scale": whole(0, 6),
        "unit": line(20),
        "minimum": shaped(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", '须为写成文字的数，例如 "0"'),
    },
    "date": {"not_future": flag},
    "boolean": {"problem_when": nonempty, "problem_text": line(300)},
    "choice": _OPTIONS,
    "multi": {**_OPTIONS, **_COUNTS},
    "disposal": {},
    "mobile": {},
    "tel": {},
    "resident_id": {},
    "uscc": {},
    "email": {},
    "region": {},
    "photos": _COUNTS,
    "signature": {},
    "file": {},
    "group": {"items": condition, **_COUNTS},
}
TYPE_NAMES = {"group": "组（group）", "disposal": "处置项（disposal）"}

# For an item whose type is not known, so that its keys are not reported as well.
EVERY_TYPE: dict[str, Judge] = {key: condition for judges in TYPES.values() for key in judges}
