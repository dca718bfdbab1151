"""Items of numbers and dates."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from core.forms.items import cells, keys
from core.forms.items.base import WRONG, FromEntry, ItemType, Refusal, SubmissionFault
from core.forms.items.identities import half_width
from core.forms.items.keys import Key

_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_MAX_NUMBER_TEXT = 400
_MAX_INTEGRAL = 15
_DECIMAL_TEXT = r"-?[0-9]{1,15}(\.[0-9]{1,6})?"
_DECIMAL = Key(keys.shaped(_DECIMAL_TEXT, '须为写成文字的数，例如 "0"'), cells.DECIMAL)
_NAME = r"[a-z][a-z0-9_]{0,39}"


def _is_decimal(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(_DECIMAL_TEXT, value, re.ASCII) is not None


def worked_out(number: Decimal) -> str | None:
    """A number that was worked out, as it is kept; None where it has more than 15 digits before the point."""
    if abs(number) >= 10**_MAX_INTEGRAL:
        return None
    written = format(number, "f")
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return "0" if written in ("", "-0") else written


class Number(FromEntry):
    """A number; a decimal string or a JSON number is accepted, a decimal string without needless zeros is kept.

    `"007.50"`, `7.5` and `"７.5"` are all `"7.5"`. `scale` is the most decimals, `minimum` and `maximum` are decimal
    strings, included; `not_above` names another number that it must not exceed. With `sum_of` or `count_of` it is
    worked out from rows (`definitions/relations.py`).
    """

    type: Literal["number"]
    scale: Annotated[int, Key(keys.whole(0, 6), cells.WHOLE)] = 0
    unit: Annotated[str | None, keys.text_key(20)] = None
    minimum: Annotated[str | None, _DECIMAL] = None
    maximum: Annotated[str | None, _DECIMAL] = None
    not_above: Annotated[str | None, Key(keys.line(40), cells.TEXT)] = None
    sum_of: Annotated[
        str | None, Key(keys.shaped(rf"{_NAME}\.[^\s.]+", "须写成“组.项”的形式，例如 products.qty"), cells.TEXT)
    ] = None
    count_of: Annotated[str | None, Key(keys.shaped(_NAME, "须为组的字段名"), cells.TEXT)] = None
    rows_when: Annotated[Any, keys.CONDITION] = None

    comparable: ClassVar[bool] = True
    sentences: ClassVar[Mapping[str, str]] = {
        "bad_number": "“{item.text}”须为数字，请重新填写",
        "too_precise": "“{item.text}”最多保留{item.scale}位小数，请重新填写",
        "out_of_range": "“{item.text}”的整数部分不能超过15位，请核对",
        "too_small": "“{item.text}”不能小于{item.minimum}，请核对",
        "too_large": "“{item.text}”不能大于{item.maximum}，请核对",
    }

    def normalize(self, raw: Any) -> Any:
        if type(raw) is int:
            if abs(raw) >= 10**_MAX_INTEGRAL:
                return Refusal("out_of_range")
            written = str(raw)
        elif type(raw) is float:
            if raw != raw or raw in (float("inf"), float("-inf")):
                return Refusal("bad_number")
            written = format(Decimal(repr(raw)), "f")
        elif type(raw) is str:
            if len(raw) > _MAX_NUMBER_TEXT:
                return Refusal("bad_number")
            written = half_width(raw)
            if not written:
                return None
        else:
            return WRONG
        match = _NUMBER.fullmatch(written)
        if match is None:
            return Refusal("bad_number")
        sign, integral, fraction = match[1], match[2].lstrip("0") or "0", (match[3] or "").rstrip("0")
        if len(integral) > _MAX_INTEGRAL:
            return Refusal("out_of_range")
        if len(fraction) > self.scale:
            return Refusal("too_precise")
        number = f"{integral}.{fraction}" if fraction else integral
        return f"-{number}" if sign == "-" and number != "0" else number

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        fraction = f"(\\.[0-9]{{1,{self.scale}}})?" if self.scale else ""
        return {"type": "string", "pattern": f"^-?(0|[1-9][0-9]{{0,14}}){fraction}$"}

    @property
    def is_worked_out(self) -> bool:
        """Whether it is worked out from rows instead of being filled in."""
        return self.sum_of is not None or self.count_of is not None

    @property
    def has_submission_rules(self) -> bool:
        return self.minimum is not None or self.maximum is not None

    def submission_faults(self, value: Any, today: date) -> Iterator[SubmissionFault]:
        if self.minimum is not None and Decimal(value) < Decimal(self.minimum):
            yield SubmissionFault("too_small")
        if self.maximum is not None and Decimal(value) > Decimal(self.maximum):
            yield SubmissionFault("too_large")

    @classmethod
    def key_conflicts(cls, raw: Mapping[str, Any], *, in_group: bool) -> Iterator[tuple[str, str, str]]:
        yield from super().key_conflicts(raw, in_group=in_group)
        least, most = (raw[key] if _is_decimal(raw.get(key)) else None for key in ("minimum", "maximum"))
        if least is not None and most is not None and Decimal(least) > Decimal(most):
            yield "minimum", "bad_value", "最小值不能大于最大值"
        if "sum_of" in raw and "count_of" in raw:
            yield "count_of", "bad_value", "合计（sum_of）与行数（count_of）只能用其一"
        if not ("sum_of" in raw or "count_of" in raw):
            if "rows_when" in raw:
                yield "rows_when", "bad_value", "rows_when 只用于合计（sum_of）或行数（count_of）"
            return
        for key in ("required", "required_when", "default_from"):
            if raw.get(key):
                yield key, "bad_value", "由各行计算得出的数不由人填写，不能设必填或预填"


class Date(ItemType):
    """A day, `2026-11-20`; with `not_future` not after today.

    `not_before` and `not_after` name another date (`definitions/relations.py`); the same day is in order.
    """

    type: Literal["date"]
    not_future: Annotated[bool, keys.FLAG] = False
    not_before: Annotated[str | None, Key(keys.line(40), cells.TEXT)] = None
    not_after: Annotated[str | None, Key(keys.line(40), cells.TEXT)] = None

    verb: ClassVar[str] = "选择"
    comparable: ClassVar[bool] = True
    format_fault: ClassVar[str] = "bad_date"
    sentences: ClassVar[Mapping[str, str]] = {
        "bad_date": "“{item.text}”不是有效的日期，请按“2026-11-20”的形式填写",
        "future_date": "“{item.text}”不能晚于今天，请核对",
        "date_order": "“{item.text}”与其他日期的先后不对，请核对",
    }

    def normalize(self, raw: Any) -> Any:
        cleaned = self.one_text(raw)
        return (half_width(cleaned) or None) if type(cleaned) is str else cleaned

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        # The year 0000 is a date for RFC 3339 but not for the calendar of Python; and the format alone lets
        # `202--11-20` and `2024-0+-29` pass.
        return {"type": "string", "format": "date", "pattern": "^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"}

    @property
    def has_submission_rules(self) -> bool:
        return self.not_future

    def submission_faults(self, value: Any, today: date) -> Iterator[SubmissionFault]:
        if self.not_future and date.fromisoformat(value) > today:
            yield SubmissionFault("future_date")
