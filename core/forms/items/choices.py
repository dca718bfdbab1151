"""Items whose answers are chosen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

from core import text
from core.forms.items import cells, keys
from core.forms.items.base import WRONG, Counted, ItemType
from core.forms.items.keys import Key

DISPOSALS: Final = (("done", "是"), ("in_progress", "办理中"), ("na", "不适用"))


class _Chosen(ItemType):
    verb: ClassVar[str] = "选择"
    comparable: ClassVar[bool] = True


class Boolean(_Chosen):
    """True or false. `problem_when` is `[true]` or `[false]`; `problem_text` as for choices."""

    type: Literal["boolean"]
    problem_when: Annotated[Sequence[bool], Key(keys.nonempty, cells.BOOLEAN_ANSWERS)] = ()
    problem_text: Annotated[str | None, keys.text_key(300)] = None

    @property
    def problem_answers(self) -> frozenset[Any]:
        return frozenset(self.problem_when)

    def normalize(self, raw: Any) -> Any:
        if type(raw) is bool:
            return raw
        return None if type(raw) is str and not text.clean(raw) else WRONG

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "boolean"}

    @classmethod
    def key_conflicts(cls, raw: Mapping[str, Any], *, in_group: bool) -> Iterator[tuple[str, str, str]]:
        yield from _unknown_problems(raw, lambda value: isinstance(value, bool))
        yield from super().key_conflicts(raw, in_group=in_group)


class _OfOptions(_Chosen):
    """`options` (`[{value, label}]`), or `options_from`, the name of a dictionary.

    For a dictionary only the type is checked: the room that owns it resolves the values. With `search` it is searched
    at the server, and a submission refuses what it does not have (`core/forms/words.py`). `problem_when` lists the
    values that count as a problem (问题); `problem_text` states the problem for those who did not ask the question
    (“未建立销售台账” for “是否建立销售台账”).
    """

    options: Annotated[list[dict[str, str]] | None, Key(keys.options, cells.OPTIONS)] = None
    options_from: Annotated[str | None, Key(keys.shaped(r"[a-z][a-z0-9_]{0,39}", "须为词典的代码"), cells.TEXT)] = None
    search: Annotated[bool, keys.FLAG] = False
    problem_when: Annotated[Sequence[str], Key(keys.nonempty, cells.ANSWERS)] = ()
    problem_text: Annotated[str | None, keys.text_key(300)] = None

    @property
    def longest(self) -> int:
        return 100

    @property
    def values(self) -> tuple[str, ...] | None:
        return _values(self.options)

    @property
    def problem_answers(self) -> frozenset[Any]:
        return frozenset(self.problem_when)

    @classmethod
    def key_conflicts(cls, raw: Mapping[str, Any], *, in_group: bool) -> Iterator[tuple[str, str, str]]:
        if ("options" in raw) == ("options_from" in raw):
            yield "options", "no_options", "须写明选项（options 或 options_from，只能有其一）"
        if raw.get("search") is True and ("options_from" not in raw or not (in_group or "field" in raw)):
            yield "search", "bad_value", "只有选项取自词典（options_from）的字段（field）可以检索（search）"
        offered = set(_values(raw.get("options")) or ())
        yield from _unknown_problems(raw, lambda value: isinstance(value, str) and value in offered)
        yield from super().key_conflicts(raw, in_group=in_group)


class Choice(_OfOptions):
    """One of several options."""

    type: Literal["choice"]

    @property
    def offered(self) -> frozenset[str]:
        return _clean_ones(self.values)


class Multi(_OfOptions, Counted):
    """Several of several options, from `min_items` to `max_items`."""

    type: Literal["multi"]

    def normalize(self, raw: Any) -> Any:
        return self.listed(raw, self.one_text)

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        return self.list_schema(super().json_schema(rows))


class Disposal(_Chosen):
    """A disposal (处置项): `done` 是, `in_progress` 办理中, `na` 不适用."""

    type: Literal["disposal"]
    named_by: ClassVar[Literal["no", "field"] | None] = "no"
    label: ClassVar[str] = "处置项（disposal）"
    allowed_in_groups: ClassVar[bool] = False
    sentences: ClassVar[Mapping[str, str]] = {
        "disposal_without_problem": "未发现问题，“{item.text}”不能填“是”或“办理中”，请改为“不适用”或核对检查结果",
    }

    @property
    def values(self) -> tuple[str, ...] | None:
        return tuple(value for value, _ in DISPOSALS)

    @property
    def offered(self) -> frozenset[str]:
        return _clean_ones(self.values)


def _values(options: Any) -> tuple[str, ...] | None:
    """The values of options, which may be faulty."""
    if not isinstance(options, list):
        return None
    return tuple(o["value"] for o in options if isinstance(o, Mapping) and isinstance(o.get("value"), str))


def _clean_ones(values: tuple[str, ...] | None) -> frozenset[str]:
    return frozenset(value for value in values or () if text.clean(value) == value)


def _unknown_problems(raw: Mapping[str, Any], known: Callable[[Any], bool]) -> Iterator[tuple[str, str, str]]:
    listed = raw.get("problem_when")
    for index, value in enumerate(listed if isinstance(listed, list) else ()):
        if not known(value):
            yield f"problem_when/{index}", "unknown_value", "问题答案须是本项的选项之一"
