"""The reading of a definition (`definition.py` says what it may contain) into typed items.

Everything that is wrong with it is collected, so that the author of a form sees all faults at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from core.errors import Fault
from core.forms import keys
from core.forms.items import (
    DISPOSALS,
    MAX_EMAIL,
    MAX_IDENTIFIER,
    MAX_LISTED,
    MAX_TEXT,
    PROBLEMS_FOUND,
    Item,
    Section,
)
from core.forms.pointers import pointer, showable
from core.forms.values import clean

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NO = re.compile(r"[0-9A-Za-z\u4e00-\u9fff._~/-]{1,30}")
_RESERVED = {"answers", "disposals", PROBLEMS_FOUND, "and", "or", "not", "in", "true", "false"}
# Keys that stand beside the form's own in a request; a field of that name would never reach the form.
_ENVELOPE = {"kind", "product_code", "form_version", "version", "confirm_duplicate"}
_SEALABLE = {"text", "tel", "mobile", "resident_id", "email"}


@dataclass(slots=True)
class Outline:
    """A definition that has been read; conditions are still raw (`conditions.py` reads them)."""

    sections: list[Section] = field(default_factory=list)
    rules: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        return [item for section in self.sections for item in section.items]


def read(definition: Any) -> Outline:
    """Read a definition of any JSON shape; what is wrong with it is in `faults`."""
    return _Reading().form(definition)


class _Reading:
    def __init__(self) -> None:
        self.outline = Outline()
        self.names: set[str] = set()
        self.names_of_rows: set[str] = set()
        self.inner_names: list[tuple[str, str]] = []
        self.order = 0

    def fault(self, at: str, code: str, message: str) -> None:
        self.outline.faults.append(Fault(at, code, message))

    def form(self, definition: Any) -> Outline:
        if not isinstance(definition, Mapping):
            self.fault("", "wrong_type", "表单定义须为对象")
            return self.outline
        self.keys(definition, "", keys.FORM, keys.FORM_REQUIRED)
        until = definition.get("accept_until")
        if isinstance(until, str) and accept_until(definition) is None:
            self.fault("/accept_until", "bad_value", "截止日期须写成“2026-12-31”的形式")
        codes: set[str] = set()
        for at, raw in self.objects(definition, "", "sections", "节"):
            self.section(at, raw, codes)
        for at, raw in self.objects(definition, "", "rules", "规则"):
            self.keys(raw, at, keys.RULE, keys.RULE_REQUIRED)
            self.outline.rules.append((at, raw))
        for name, at in self.inner_names:
            if name in self.names:
                self.fault(at, "duplicate", f"组内的项“{name}”与组外的项重名")
        items = self.outline.items
        if any(item.type == "disposal" for item in items) and not any(item.detects for item in items):
            self.fault("/sections", "no_problem_items", "有处置项的表单须有能发现问题的项（problem_when）")
        return self.outline

    def objects(self, holder: Mapping[str, Any], at: str, key: str, what: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The objects of a list with their pointers; a missing list is the business of `keys`."""
        if key not in holder:
            return []
        value, at = holder[key], f"{at}/{key}"
        if not isinstance(value, list) or not value:
            self.fault(at, "bad_value", f"须为至少含一个{what}的列表")
            return []
        found = []
        for index, raw in enumerate(value):
            if isinstance(raw, Mapping):
                found.append((f"{at}/{index}", raw))
            else:
                self.fault(f"{at}/{index}", "wrong_type", f"{what}须为对象")
        return found

    def keys(self, raw: Mapping[str, Any], at: str, known: Mapping[str, keys.Judge], required: tuple[str, ...]) -> None:
        for key, value in raw.items():
            if key not in known:
                self.fault(at + pointer(showable(key)), "unknown_key", "不认识的属性，请删除或更正")
            elif complaint := known[key](value):
                self.fault(at + pointer(key), "bad_value", complaint)
        for key in required:
            if key not in raw:
                self.fault(at + pointer(key), "missing", f"缺少属性 {key}")

    def section(self, at: str, raw: Mapping[str, Any], codes: set[str]) -> None:
        self.keys(raw, at, keys.SECTION, keys.SECTION_REQUIRED)
        code = raw.get("code")
        if isinstance(code, str):
            if code in codes:
                self.fault(f"{at}/code", "duplicate", f"节的代码“{code}”重复")
            codes.add(code)
        items = [self.item(*found) for found in self.objects(raw, at, "items", "项")]
        self.outline.sections.append(Section(at, raw, tuple(item for item in items if item)))

    def item(self, at: str, raw: Mapping[str, Any], group: str | None = None) -> Item | None:
        kind = raw.get("type")
        if not isinstance(kind, str) or kind not in keys.TYPES:
            self.fault(f"{at}/type", "unknown_type", "不认识的类型，可用的有：" + "、".join(keys.TYPES))
            kind = None
        known = keys.ITEM | keys.TYPES[kind] if kind else keys.ITEM | keys.EVERY_TYPE
        before = len(self.outline.faults)
        self.keys(raw, at, known, keys.ITEM_REQUIRED)
        name = self.name(at, raw, kind, group)
        self.match(at, raw, kind, group)
        order = self.order = self.order + 1
        inner: list[Item] = []
        if kind == "group":
            self.names_of_rows = set()
            rows = self.objects(raw, at, "items", "项")
            inner = [item for found in rows if (item := self.item(*found, group=name or "")) is not None]
            if "items" not in raw:
                self.fault(f"{at}/items", "missing", "组须有 items")
        if name is None or kind is None:
            return None
        # The conditions of a faulty item are still read, so that they too are reported at once.
        sound = len(self.outline.faults) == before
        return _item(name, kind, group, order, at, raw if sound else _harmless(raw, kind), tuple(inner))

    def name(self, at: str, raw: Mapping[str, Any], kind: str | None, group: str | None) -> str | None:
        if ("no" in raw) == ("field" in raw):
            self.fault(at, "bad_name", "每一项须有 no（序号）或 field（字段名），且只能有其一")
            return None
        key = "no" if "no" in raw else "field"
        name = raw[key]
        rule = _NO if key == "no" else _FIELD
        reserved = _RESERVED | _ENVELOPE if key == "field" and group is None else _RESERVED
        if not isinstance(name, str) or not rule.fullmatch(name) or name in reserved:
            allowed = "小写字母开头的小写字母、数字、下划线"
            if key == "no":
                allowed = "30个以内的数字、字母、汉字或 . _ ~ / -"
            self.fault(f"{at}/{key}", "bad_name", f"名称不可用，只能用{allowed}，且不能是保留字")
            return None
        taken = self.names if group is None else self.names_of_rows
        if name in taken:
            self.fault(f"{at}/{key}", "duplicate", f"“{name}”重复，每一项的序号或字段名只能用一次")
        taken.add(name)
        if group is not None:
            self.inner_names.append((name, f"{at}/{key}"))
        elif kind in ("group", "disposal") and (kind == "group") != (key == "field"):
            wanted = "field（字段名）" if kind == "group" else "no（序号）"
            self.fault(f"{at}/{key}", "bad_name", f"{keys.TYPE_NAMES[kind]}须用 {wanted}")
        return name

    def match(self, at: str, raw: Mapping[str, Any], kind: str | None, group: str | None) -> None:
        """What several keys of an item must say together."""
        if group is not None and kind in ("group", "disposal"):
            self.fault(f"{at}/type", "nested", "组内不能再有组或处置项")
        if kind in ("choice", "multi") and ("options" in raw) == ("options_from" in raw):
            self.fault(f"{at}/options", "no_options", "须写明选项（options 或 options_from，只能有其一）")
        if "problem_when" in raw and isinstance(raw["problem_when"], list):
            offered: Any = {True, False} if kind == "boolean" else set(_values(raw) or ())
            for index, value in enumerate(raw["problem_when"]):
                known = isinstance(value, bool if kind == "boolean" else str) and value in offered
                if kind in ("boolean", "choice", "multi") and not known:
                    self.fault(f"{at}/problem_when/{index}", "unknown_value", "问题答案须是本项的选项之一")
        personal = raw.get("sensitive") is True or kind in ("mobile", "resident_id")
        sealable = kind in _SEALABLE and not raw.get("repeat") and group is None and "field" in raw
        if personal and kind and not sealable:
            where = "sensitive" if "sensitive" in raw else "type"
            message = "个人信息只能填在表头的单个文本字段（field）中，以便加密保存"
            self.fault(f"{at}/{where}", "unprotected", message)
        if raw.get("suggest") is True and (personal or group is not None or "field" not in raw):
            message = "只有表头的文本字段（field）可以提供历史内容（suggest），个人信息除外"
            self.fault(f"{at}/suggest", "bad_value", message)
        least, most = raw.get("min_items"), raw.get("max_items", MAX_LISTED)
        if type(least) is int and type(most) is int and least > most:
            self.fault(f"{at}/min_items", "bad_value", "最少项数不能多于最多项数")
        if kind == "text" and raw.get("repeat") is not True:
            for key in ("min_items", "max_items"):
                if key in raw:
                    self.fault(f"{at}/{key}", "bad_value", "只有可填多项（repeat）的文本才有项数")


def accept_until(definition: Mapping[str, Any]) -> date | None:
    """The last day on which answers to this version are taken although a newer one is out."""
    text = definition.get("accept_until")
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _values(raw: Mapping[str, Any]) -> tuple[str, ...] | None:
    options = raw.get("options")
    if not isinstance(options, list):
        return None
    return tuple(o["value"] for o in options if isinstance(o, Mapping) and isinstance(o.get("value"), str))


def _harmless(raw: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A faulty item without what cannot be read, for the reading of conditions only."""
    kept = {"visible_when", "required_when", "options", "options_from"}
    return {key: value for key, value in raw.items() if key in kept} | {"text": "", "type": kind}


def _item(
    name: str,
    kind: str,
    group: str | None,
    order: int,
    at: str,
    raw: Mapping[str, Any],
    inner: tuple[Item, ...],
) -> Item:
    place = group if group is not None else ""
    if group is None and "no" in raw:
        place = "disposals" if kind == "disposal" else "answers"
    lengths = {"text": MAX_TEXT, "email": MAX_EMAIL, "choice": 100, "multi": 100}
    problems = raw.get("problem_when", ())
    values = tuple(value for value, _ in DISPOSALS) if kind == "disposal" else _values(raw)
    return Item(
        name=name,
        place=place,
        pointer=pointer(place, name) if place and group is None else pointer(name),
        order=order,
        source=at,
        raw=raw,
        type=kind,
        text=raw["text"],
        required=raw.get("required") is True,
        values=values,
        offered=frozenset(v for v in values or () if kind in ("choice", "disposal") and clean(v) == v),
        max_length=raw.get("max_length", lengths.get(kind, MAX_IDENTIFIER)),
        min_items=raw.get("min_items", 0),
        max_items=raw.get("max_items", MAX_LISTED),
        minimum=Decimal(raw["minimum"]) if "minimum" in raw else None,
        pattern=keys.linear_pattern(raw["pattern"]) if "pattern" in raw else None,
        problem_values=frozenset(problems),
        sensitive=raw.get("sensitive") is True or kind in ("mobile", "resident_id"),
        items=inner,
    )
