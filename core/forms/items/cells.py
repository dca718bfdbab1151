"""How the cells of a form's Excel sheet are read and written, for each kind of content.

Readers get the value as the file reader found it (text, number, boolean, date) and raise CellFault.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.forms.items.condition_text import ConditionSyntax, parse_condition, write_condition
from core.text import clean


class CellFault(Exception):
    """The cell cannot be read; the message is a Chinese sentence."""


@dataclass(frozen=True, slots=True)
class Cell:
    """How the cells of one column are read and written."""

    read: Callable[[object], Any]
    write: Callable[[Any], object]


_FLAGS = {"true": True, "false": False, "是": True, "否": False, "yes": True, "no": False}
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", "；": "\\；", "=": "\\=", "\n": "\\n"})


def is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not clean(value))


def _same(value: Any) -> object:
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        # Excel has turned 4.10 into the number 4.1, or a long code into 1.2E+17: what was typed is lost.
        raise CellFault("须为文本，请先把单元格格式设为“文本”再填写")
    return clean(value)


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _FLAGS:
        return _FLAGS[value.strip().lower()]
    raise CellFault("须填“是”或“否”（true 或 false）")


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return int(value)
    raise CellFault("须为整数")


def _decimal(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        written = format(Decimal(repr(value)), "f")
        return written.rstrip("0").rstrip(".") if "." in written else written
    return _text(value)


def _date(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else _text(value)


def _condition(value: object) -> dict[str, Any]:
    try:
        return parse_condition(_text(value))
    except ConditionSyntax as fault:
        raise CellFault(str(fault)) from fault


def split_list(text: str, separators: str = ";；\n") -> list[str]:
    """The stripped, non-blank parts of a list; a backslash takes the meaning from a separator."""
    parts = [""]
    characters = iter(text)
    for character in characters:
        if character == "\\":
            parts[-1] += character + next(characters, "")
        elif character in separators:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def _list(value: object) -> list[str]:
    return [_plain(part) for part in split_list(_text(value))]


def _write_list(values: list[str]) -> str:
    return "; ".join(value.translate(_ESCAPES) for value in values)


def _options(value: object) -> list[dict[str, str]]:
    options = []
    for part in split_list(_text(value)):
        halves = split_list(part, "=")
        if len(halves) != 2:
            raise CellFault("选项须写成“yes=是; no=否”的形式")
        options.append({"value": _plain(halves[0]), "label": _plain(halves[1])})
    return options


def _write_options(options: list[Mapping[str, str]]) -> str:
    pairs = ((option["value"].translate(_ESCAPES), option["label"].translate(_ESCAPES)) for option in options)
    return "; ".join(f"{value}={label}" for value, label in pairs)


def _tabs(value: object) -> list[dict[str, str]]:
    return [{"code": one["value"], "title": one["label"]} for one in _options(value)]


def _write_tabs(tabs: list[Mapping[str, str]]) -> str:
    return _write_options([{"value": tab["code"], "label": tab["title"]} for tab in tabs])


def _answers(value: object) -> list[str | bool]:
    return [value] if isinstance(value, bool) else list(_list(value))


def _write_answers(values: list[str | bool]) -> str:
    return _write_list([str(value).lower() if isinstance(value, bool) else value for value in values])


def _booleans(value: object) -> list[str | bool]:
    """true, false, 是 and 否 as booleans; anything else stays what it is and is refused later."""
    return [_FLAGS.get(one.lower(), one) if isinstance(one, str) else one for one in _answers(value)]


TEXT = Cell(_text, _same)
FLAG = Cell(_flag, lambda value: "true" if value else "false")
WHOLE = Cell(_whole, _same)
DECIMAL = Cell(_decimal, _same)
DATE = Cell(_date, _same)
CONDITION = Cell(_condition, write_condition)
LIST = Cell(_list, _write_list)
OPTIONS = Cell(_options, _write_options)
TABS = Cell(_tabs, _write_tabs)
ANSWERS = Cell(_answers, _write_answers)
BOOLEAN_ANSWERS = Cell(_booleans, _write_answers)
