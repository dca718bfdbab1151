"""Conditions as a person types them into a cell, and back.

    unable in (false)
    field_kind in (circulation) and not(no_sample_reason in (stopped, "other, see remark"))

`and` binds closer than `or`; parentheses group. true and false are booleans; a text that is not one word,
or is a word of this syntax, stands in quotes (`\\"` and `\\\\` inside). Full-width brackets, commas and
quotes are accepted as well. An `all` or `any` of a single condition comes back as that condition.
"""

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>"(?:[^"\\]|\\.)*"|“[^”]*”)
      | (?P<word>[0-9A-Za-z_\u4e00-\u9fff.~/-]+)
      | (?P<mark>[(),（），])
      | (?P<wrong>\S)
    )""",
    re.VERBOSE,
)
_WORD = re.compile(r"[0-9A-Za-z_\u4e00-\u9fff.~/-]+")
_MARKS = {"（": "(", "）": ")", "，": ","}
_KEYWORDS = {"and", "or", "not", "in", "true", "false"}
_MAX_DEPTH = 20


class ConditionSyntax(Exception):
    """The text is no condition; the message is a Chinese sentence."""


def parse_condition(text: str) -> dict[str, Any]:
    """The condition that a text means; raises ConditionSyntax."""
    return _Parser(text).whole()


def write_condition(condition: Mapping[str, Any]) -> str:
    """A condition as text; `parse_condition` reads it back."""
    if "item" in condition:
        return f"{condition['item']} in ({', '.join(_written(value) for value in condition['in'])})"
    if "not" in condition:
        return f"not({write_condition(condition['not'])})"
    key, word = ("all", " and ") if "all" in condition else ("any", " or ")
    return word.join(
        f"({write_condition(part)})" if "all" in part or "any" in part else write_condition(part)
        for part in condition[key]
    )


def _written(value: str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if _WORD.fullmatch(value) and value not in _KEYWORDS:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, int]] = []  # kind, text, place (from 1)
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            found, place = match[kind], match.start(kind) + 1
            if kind == "wrong":
                raise ConditionSyntax(f"条件第{place}个字符“{found}”无法识别")
            self.tokens.append((kind, _MARKS.get(found, found), place))
        self.tokens.append(("end", "", len(text) + 1))
        self.at = 0
        self.depth = 0

    def whole(self) -> dict[str, Any]:
        condition = self.either()
        if self.tokens[self.at][0] != "end":
            self.expected("and、or 或结尾")
        return condition

    def either(self) -> dict[str, Any]:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ConditionSyntax("条件嵌套过深，请简化")
        parts = [self.both()]
        while self.accept("word", "or"):
            parts.append(self.both())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else {"any": parts}

    def both(self) -> dict[str, Any]:
        parts = [self.single()]
        while self.accept("word", "and"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else {"all": parts}

    def single(self) -> dict[str, Any]:
        negated = self.accept("word", "not")
        if negated or self.tokens[self.at][:2] == ("mark", "("):
            self.must("mark", "(")
            inner = self.either()
            self.must("mark", ")")
            return {"not": inner} if negated else inner
        kind, name, _ = self.tokens[self.at]
        if kind != "word" or name in _KEYWORDS:
            self.expected("项的序号或字段名")
        self.at += 1
        self.must("word", "in")
        self.must("mark", "(")
        values = [self.value()]
        while self.accept("mark", ","):
            values.append(self.value())
        self.must("mark", ")")
        return {"item": name, "in": values}

    def value(self) -> str | bool:
        kind, text, _ = self.tokens[self.at]
        if kind == "quoted":
            self.at += 1
            inner = text[1:-1]
            return re.sub(r"\\(.)", r"\1", inner) if text[0] == '"' else inner
        if kind != "word" or text in _KEYWORDS - {"true", "false"}:
            self.expected("值")
        self.at += 1
        return text == "true" if text in ("true", "false") else text

    def accept(self, kind: str, text: str) -> bool:
        if self.tokens[self.at][:2] != (kind, text):
            return False
        self.at += 1
        return True

    def must(self, kind: str, text: str) -> None:
        if not self.accept(kind, text):
            self.expected(f"“{text}”")

    def expected(self, what: str) -> None:
        raise ConditionSyntax(
            f"条件第{self.tokens[self.at][2]}个字符处应为{what}，例如：unable in (false) and not(4.1 in (no))"
        )
