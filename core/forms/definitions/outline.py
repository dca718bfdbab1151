"""The reading of a definition (`form.py` says what it may contain) into typed items.

Everything that is wrong with it is collected, so that the author of a form sees all faults at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from pydantic import ValidationError

from core.errors import Fault
from core.forms.definitions.parts import FormKeys, RuleKeys, SectionKeys
from core.forms.items.base import ItemType
from core.forms.items.groups import MAX_DEPTH, MAX_ROWS_WITHIN, Group
from core.forms.items.item import PROBLEMS_FOUND, Item, Section
from core.forms.items.keys import Keys
from core.forms.items.types import ITEM, TYPES, UNTYPED
from core.pointers import pointer, showable

Part = TypeVar("Part", bound=Keys)
Scopes = tuple[set[str], ...]

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NO = re.compile(r"[0-9A-Za-z\u4e00-\u9fff._~/-]{1,30}")
_RESERVED = {"answers", "disposals", PROBLEMS_FOUND, "and", "or", "not", "in", "true", "false"}
# Keys of a request that belong to the request itself: a field of that name would never reach the form.
_ENVELOPE = {"kind", "product_code", "form_version", "version", "confirm_duplicate", "confirm_name", "reason"}
# What is kept of a faulty item, so that its conditions are read all the same.
_KEPT = ("visible_when", "required_when", "owed_when", "options", "options_from")


@dataclass(slots=True)
class Outline:
    """A definition that has been read; conditions are still raw (`conditions.py` reads them)."""

    sections: list[Section] = field(default_factory=list)
    rules: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        """All items; those of groups stand in their group."""
        return [item for section in self.sections for item in section.items]


def read(definition: Any) -> Outline:
    """Read a definition of any JSON shape; what is wrong with it is in `faults`."""
    return _Reading().form(definition)


class _Reading:
    def __init__(self) -> None:
        self.outline = Outline()
        self.names: set[str] = set()
        self.uploads: dict[str, str] = {}
        self.inner_names: list[tuple[str, str, Scopes]] = []

    def fault(self, at: str, code: str, message: str) -> None:
        self.outline.faults.append(Fault(at, code, message))

    def form(self, definition: Any) -> Outline:
        if not isinstance(definition, Mapping):
            self.fault("", "wrong_type", "表单定义须为对象")
            return self.outline
        said = self.keys(definition, "", FormKeys)
        until = definition.get("accept_until")
        if isinstance(until, str) and accept_until(definition) is None:
            self.fault("/accept_until", "bad_value", "截止日期须写成“2026-12-31”的形式")
        codes: set[str] = set()
        for at, raw in self.objects(definition, "", "sections", "节"):
            self.section(at, raw, codes)
        if said is not None and (said.tabs or any(section.tab for section in self.outline.sections)):
            self.tabs([tab["code"] for tab in said.tabs or ()])
        for at, raw in self.objects(definition, "", "rules", "规则"):
            self.keys(raw, at, RuleKeys)
            self.outline.rules.append((at, raw))
        for name, at, around in self.inner_names:
            if any(name in names for names in (self.names, *around)):
                self.fault(at, "duplicate", f"组内的项“{name}”与组外的项重名")
        items = self.outline.items
        if any(item.type == "disposal" for item in items) and not any(item.detects for item in items):
            self.fault("/sections", "no_problem_items", "有处置项的表单须有能发现问题的项（problem_when）")
        return self.outline

    def tabs(self, codes: list[str]) -> None:
        """Refuse sections that stand on no tab, or apart from the others of theirs; and tabs without a section."""
        last = 0
        for section in self.outline.sections:
            at = f"{section.source}/tab"
            if section.tab is None:
                self.fault(at, "missing", "有分页的表单，每一节须写明所在的分页（tab）")
            elif section.tab not in codes:
                self.fault(at, "unknown_tab", f"没有分页“{section.tab}”，请在 tabs 中写明或更正")
            elif codes.index(section.tab) < last:
                self.fault(at, "tab_order", "各节须按分页的先后排列，同一分页的节须相连")
            else:
                last = codes.index(section.tab)
        used = {section.tab for section in self.outline.sections}
        for index, code in enumerate(codes):
            if code not in used:
                self.fault(f"/tabs/{index}", "empty_tab", "该分页没有任何一节，请删除或补充")

    def objects(self, holder: Mapping[str, Any], at: str, key: str, what: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The objects of a list with their pointers; `keys` reports a list that is missing."""
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

    def keys(self, raw: Mapping[str, Any], at: str, part: type[Part]) -> Part | None:
        """The keys of an object, each without complaint; None and faults otherwise."""
        known = {key: value for key, value in raw.items() if key in part.model_fields}
        for key in raw.keys() - known.keys():
            self.fault(at + pointer(showable(key)), "unknown_key", "不认识的属性，请删除或更正")
        try:
            # By way of the union, so that an item is read by the rules of its own type.
            read: Any = ITEM.validate_python(known) if part in TYPES.values() else part.model_validate(known)
        except ValidationError as refused:
            for error in refused.errors(include_url=False):
                key = str(error["loc"][-1])
                if error["type"] == "missing":
                    self.fault(at + pointer(key), "missing", f"缺少属性 {key}")
                else:
                    self.fault(at + pointer(key), "bad_value", error["msg"])
            return None
        return read if len(known) == len(raw) else None

    def section(self, at: str, raw: Mapping[str, Any], codes: set[str]) -> None:
        self.keys(raw, at, SectionKeys)
        code = raw.get("code")
        if isinstance(code, str):
            if code in codes:
                self.fault(f"{at}/code", "duplicate", f"节的代码“{code}”重复")
            codes.add(code)
        items = [self.item(*found) for found in self.objects(raw, at, "items", "项")]
        visible = (raw["visible_when"],) if "visible_when" in raw else ()
        tab = raw.get("tab")
        section = Section(at, visible, tuple(item for item in items if item), tab if isinstance(tab, str) else None)
        self.outline.sections.append(section)

    def item(self, at: str, raw: Mapping[str, Any], group: str | None = None, scopes: Scopes = ()) -> Item | None:
        """An item; `scopes` are the names of the rows that it stands in, those of its own row last."""
        kind = raw.get("type")
        typed = TYPES.get(kind) if isinstance(kind, str) else None
        if typed is None:
            self.fault(f"{at}/type", "unknown_type", "不认识的类型，可用的有：" + "、".join(TYPES))
        before = len(self.outline.faults)
        definition = self.keys(raw, at, typed or UNTYPED)
        name = self.name(at, raw, typed, scopes)
        self.match(at, raw, typed or UNTYPED, depth=len(scopes))
        inner: list[Item] = []
        if typed is Group:
            within, rows = (*scopes, set[str]()), self.objects(raw, at, "items", "项")
            inner = [item for found in rows if (item := self.item(*found, name or "", within)) is not None]
            self.bound(definition, inner)
        if name is None or typed is None:
            return None
        if typed.is_upload and self.uploads.setdefault(name, typed.__name__) != typed.__name__:
            self.fault(f"{at}/type", "duplicate", f"各组中同名的附件项“{name}”须为同一类型")
        if definition is None or len(self.outline.faults) > before:
            # Nothing but its conditions is read of a faulty item, so that their faults are reported at once as well.
            kept = {key: raw[key] for key in _KEPT if key in raw and key in typed.model_fields}
            naming = {key: raw[key] for key in ("no", "field") if key in raw}
            definition = typed.model_construct(text="", type=kind, **kept, **naming)
        return _item(name, group, at, definition, tuple(inner))

    def bound(self, definition: ItemType | None, inner: list[Item]) -> None:
        """Refuse groups whose rows could have more rows than a body should carry."""
        if not isinstance(definition, Group):
            return
        for item in inner:
            if (
                isinstance(item.definition, Group)
                and definition.max_items * item.definition.max_items > MAX_ROWS_WITHIN
            ):
                message = f"组内的组合计最多 {MAX_ROWS_WITHIN} 行，请减少最多项数（max_items）"
                self.fault(f"{item.source}/max_items", "bad_value", message)

    def name(self, at: str, raw: Mapping[str, Any], typed: type[ItemType] | None, scopes: Scopes) -> str | None:
        if ("no" in raw) == ("field" in raw):
            self.fault(at, "bad_name", "每一项须有 no（序号）或 field（字段名），且只能有其一")
            return None
        key = "no" if "no" in raw else "field"
        name = raw[key]
        rule = _NO if key == "no" else _FIELD
        reserved = _RESERVED | _ENVELOPE if key == "field" and not scopes else _RESERVED
        if isinstance(name, str) and name in reserved:
            self.fault(f"{at}/{key}", "bad_name", f"“{name}”是保留字，请换一个名称")
            return None
        if not isinstance(name, str) or not rule.fullmatch(name):
            allowed = "小写字母开头的小写字母、数字、下划线"
            if key == "no":
                allowed = "30个以内的数字、字母、汉字或 . _ ~ / -"
            self.fault(f"{at}/{key}", "bad_name", f"名称不可用，只能用{allowed}")
            return None
        taken = scopes[-1] if scopes else self.names
        if name in taken:
            self.fault(f"{at}/{key}", "duplicate", f"“{name}”重复，每一项的序号或字段名只能用一次")
        taken.add(name)
        if scopes:
            self.inner_names.append((name, f"{at}/{key}", scopes[:-1]))
        if typed is not None and typed.named_by not in (None, key) and (not scopes or typed is Group):
            wanted = "field（字段名）" if typed.named_by == "field" else "no（序号）"
            self.fault(f"{at}/{key}", "bad_name", f"{typed.label}须用 {wanted}")
        return name

    def match(self, at: str, raw: Mapping[str, Any], typed: type[ItemType], *, depth: int) -> None:
        """What several keys of an item must say together; `depth`: in the rows of how many groups it stands."""
        if depth and not typed.allowed_in_groups:
            self.fault(f"{at}/type", "nested", "组内不能有处置项")
        if typed is Group and depth >= MAX_DEPTH:
            self.fault(f"{at}/type", "nested", f"组最多嵌套 {MAX_DEPTH} 层")
        for key, code, message in typed.key_conflicts(raw, in_group=depth > 0):
            self.fault(f"{at}/{key}", code, message)


def accept_until(definition: Mapping[str, Any]) -> date | None:
    """The last day on which answers to earlier versions are accepted; the newest version says it for all of them."""
    text = definition.get("accept_until")
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _item(name: str, group: str | None, at: str, definition: ItemType, inner: tuple[Item, ...]) -> Item:
    place = group if group is not None else ""
    if group is None and definition.no is not None:
        place = "disposals" if definition.type == "disposal" else "answers"
    return Item(
        name=name,
        place=place,
        pointer=pointer(place, name) if place and group is None else pointer(name),
        source=at,
        definition=definition,
        normalize=definition.normalize,
        type=definition.type,
        text=definition.text,
        required=definition.required,
        offered=definition.offered,
        problem_answers=definition.problem_answers,
        items=inner,
        inner={one.name: one for one in inner},
        sealed=definition.is_sensitive or any(one.sealed for one in inner),
    )
