"""Implausible dates and quantities: warnings, never refusals, because papers do say unusual things.

One table of rules over the validated answers of a record and the day on which it was submitted (of a draft: today).
Each warning names the field to check. What a form refuses (a day in the future, no quantity) is still refused.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from core.text import fold

LICENCE_YEARS = 5
"""How many years a production licence (生产许可证) is valid."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a record, as the rules read them; `day` is the day of its submission."""

    kind: str
    data: Mapping[str, Any]
    day: date

    def date(self, field: str) -> date | None:
        """The day in a field; None where there is none, or what a draft holds is no day yet."""
        value = self.data.get(field)
        try:
            return date.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            return None

    def amount(self, field: str) -> Decimal | None:
        """The quantity in a field."""
        value = self.data.get(field)
        try:
            return Decimal(value) if isinstance(value, str) else None
        except InvalidOperation:
            return None

    def unit(self, field: str) -> str:
        """The unit beside a quantity, as it is compared."""
        value = self.data.get(f"{field}_unit")
        return fold(value) if isinstance(value, str) else ""

    def answered(self, no: str, value: str) -> bool:
        """Whether an item has that answer."""
        given = self.data.get("answers")
        return isinstance(given, dict) and given.get(no) == value


@dataclass(frozen=True, slots=True)
class Rule:
    """A warning: the field to check, and when it is implausible."""

    field: str
    code: str
    message: str
    holds: Callable[[Answers], bool]


def years_after(day: date, years: int) -> date:
    """The same day so many years later (earlier when negative); 29 February becomes the 28th."""
    year = min(max(day.year + years, date.min.year), date.max.year)
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def _older(field: str, years: int) -> Callable[[Answers], bool]:
    return lambda answers: (day := answers.date(field)) is not None and day < years_after(answers.day, -years)


def _before(field: str, other: str) -> Callable[[Answers], bool]:
    def holds(answers: Answers) -> bool:
        day, limit = answers.date(field), answers.date(other)
        return day is not None and limit is not None and day < limit

    return holds


def _after(field: str, other: str) -> Callable[[Answers], bool]:
    return _before(other, field)


def _expired_but_licensed(answers: Answers) -> bool:
    """Whether the licence ended before the check (its last day counts); of a seller, item 3.1 is about the licence."""
    fine = answers.answered("1.1", "yes") if answers.kind == "production" else answers.answered("3.1", "no")
    return fine and _before("licence_valid_to", "check_date")(answers)


def _too_long_valid(answers: Answers) -> bool:
    ends, checked = answers.date("licence_valid_to"), answers.date("check_date")
    return ends is not None and checked is not None and ends > years_after(checked, LICENCE_YEARS)


def _zero(field: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.amount(field) == 0


def _exceeds_base(*fields: str) -> Callable[[Answers], bool]:
    """Whether quantities together are more than the base; what is measured in another unit is not compared."""

    def holds(answers: Answers) -> bool:
        base, amounts = answers.amount("sampling_base"), [answers.amount(field) for field in fields]
        known = [amount for amount in amounts if amount is not None]
        if base is None or len(known) < len(fields):
            return False
        return {answers.unit(field) for field in fields} == {answers.unit("sampling_base")} and sum(known) > base

    return holds


def _only_together(answers: Answers) -> bool:
    return _exceeds_base("sample_qty", "reserve_qty")(answers) and not _exceeds_base("sample_qty")(answers)


RULES = (
    Rule("check_date", "long_ago", "检查日期距今已超过一年，请核对年份", _older("check_date", 1)),
    Rule("sampled_on", "long_ago", "抽样日期距今已超过一年，请核对年份", _older("sampled_on", 1)),
    Rule("report_date", "long_ago", "检验报告日期距今已超过一年，请核对年份", _older("report_date", 1)),
    Rule("production_date", "long_ago", "生产日期距今已超过十年，请核对年份", _older("production_date", 10)),
    Rule("licence_valid_to", "long_ago", "许可证有效期距今已过二十年，请核对年份", _older("licence_valid_to", 20)),
    Rule(
        "licence_valid_to",
        "licence_expired",
        "检查当日许可证已过有效期，而证照项目所填为符合要求，请核对有效期和该项目",
        _expired_but_licensed,
    ),
    Rule("licence_valid_to", "licence_too_long", "许可证有效期超过检查日期后五年，请核对年份", _too_long_valid),
    Rule(
        "production_date",
        "produced_after_sampling",
        "生产日期晚于抽样日期，请核对两个日期",
        _after("production_date", "sampled_on"),
    ),
    Rule(
        "report_date",
        "reported_before_sampling",
        "检验报告日期早于抽样日期，请核对两个日期",
        _before("report_date", "sampled_on"),
    ),
    Rule("sampling_base", "zero_amount", "抽样基数为 0，请核对", _zero("sampling_base")),
    Rule("sample_qty", "zero_amount", "抽样数量为 0，请核对", _zero("sample_qty")),
    Rule("reserve_qty", "zero_amount", "备样数量为 0，未备样的请留空", _zero("reserve_qty")),
    Rule("sample_qty", "sample_exceeds_base", "抽样数量大于抽样基数，请核对", _exceeds_base("sample_qty")),
    Rule("reserve_qty", "sample_exceeds_base", "抽样数量与备样数量之和大于抽样基数，请核对", _only_together),
)


def plausibility_warnings(answers: Answers) -> Iterator[dict[str, str]]:
    """A warning for each rule that holds, with the path of its field."""
    for rule in RULES:
        if rule.holds(answers):
            yield {"code": rule.code, "path": f"/{rule.field}", "message": rule.message}
