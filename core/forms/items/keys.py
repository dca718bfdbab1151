"""The keys of a form definition: what each may hold, and how it is written in a cell of an Excel sheet.

A complaint answers what is wrong with a value, as a Chinese sentence, or None.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from core.forms.items import cells
from core.forms.items.cells import Cell

Complaint = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class Key:
    """Stands in `Annotated[…]` of a key: values must be without complaint; without a cell the sheet has no column."""

    complaint: Complaint
    cell: Cell | None = None

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Values are kept as they are; the type that is annotated is the one that the complaint leaves."""
        return core_schema.no_info_plain_validator_function(self.checked)

    def checked(self, value: Any) -> Any:
        """The value; raises `bad_value` with the complaint."""
        if sentence := self.complaint(value):
            raise PydanticCustomError("bad_value", "{sentence}", {"sentence": sentence})
        return value


class Keys(BaseModel):
    """Parent of whatever has keys in a definition: the form, its sections, rules and items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def cells(cls) -> dict[str, Cell]:
        """The cell of each key that stands in the sheet."""
        keys = ((name, one) for name, field in cls.model_fields.items() for one in field.metadata)
        return {name: one.cell for name, one in keys if isinstance(one, Key) and one.cell is not None}


def anything(_value: Any) -> str | None:
    """No complaint: what stands there is read elsewhere."""
    return None


def whole(least: int, most: int) -> Complaint:
    def complaint(value: Any) -> str | None:
        good = type(value) is int and least <= value <= most
        return None if good else f"须为 {least} 至 {most} 的整数"

    return complaint


def line(limit: int) -> Complaint:
    def complaint(value: Any) -> str | None:
        if not isinstance(value, str) or not value.strip():
            return "须为非空文字"
        if value != value.strip():
            return "首尾不能有空格"
        return f"不能超过 {limit} 个字" if len(value) > limit else None

    return complaint


def shaped(pattern: str, sentence: str) -> Complaint:
    compiled = re.compile(pattern, re.ASCII)

    def complaint(value: Any) -> str | None:
        return None if isinstance(value, str) and compiled.fullmatch(value) else sentence

    return complaint


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "须为 true 或 false"


def nonempty(value: Any) -> str | None:
    return None if isinstance(value, list) and value else "须为非空列表"


def _lines(value: Any) -> str | None:
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


NAME = Key(anything, cells.TEXT)
"""Names of items: which are allowed depends on the place (`definitions/outline.py`)."""
CONDITION = Key(anything, cells.CONDITION)
"""Conditions are read when all items are known (`definitions/conditions.py`)."""
FLAG = Key(_flag, cells.FLAG)
LINES = Key(_lines, cells.LIST)
COUNT = Key(whole(1, 500), cells.WHOLE)
PARTS = Key(anything)
"""Lists of parts that have keys of their own (`definitions/outline.py` reads them)."""


def text_key(limit: int) -> Key:
    """One line of text of at most so many characters, without blanks at its ends."""
    return Key(line(limit), cells.TEXT)
