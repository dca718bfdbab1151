"""What submit mode finds in a value that draft mode accepts (step 5 of `check.py`)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from core import identifiers
from core.errors import Fault
from core.forms.items import Item
from core.forms.messages import answer_fault
from core.text import fold, has_words


def is_judged(item: Item) -> bool:
    """Whether `submit_faults` has anything to say about this item; most answers are just chosen."""
    lists = ("multi", "photos", "group")
    conditional = item.pattern or item.minimum is not None or item.raw.get("not_future") or item.repeat
    return bool(conditional) or item.demands_words or item.type in (*lists, "uscc", *_GENUINE)


def submit_faults(item: Item, value: Any, at: str, today: date) -> Iterator[Fault]:
    """The faults of one normalised value; `at` is its pointer in the body."""
    if type(value) is list:
        if len(value) < item.min_items:
            yield answer_fault(item, "too_few", at)
        # Names in two spellings are one; ids and values of options are compared as they stand.
        if item.type != "group" and len({fold(one) if item.type == "text" else one for one in value}) < len(value):
            yield answer_fault(item, "duplicate", at)
        if item.demands_words:
            for index, one in enumerate(value):
                if not has_words(one):
                    yield answer_fault(item, "meaningless", f"{at}/{index}")
        return
    match item.type:
        case "text":
            if item.pattern is not None and not item.pattern.is_valid(value):
                yield answer_fault(item, "bad_format", at)
            elif item.demands_words and not has_words(value):
                yield answer_fault(item, "meaningless", at)
        case "date":
            if item.raw.get("not_future") is True and date.fromisoformat(value) > today:
                yield answer_fault(item, "future_date", at)
        case "number":
            if item.minimum is not None and Decimal(value) < item.minimum:
                yield answer_fault(item, "too_small", at)
        case "uscc":
            if complaint := identifiers.uscc_fault(value):
                reason = complaint.removeprefix("统一社会信用代码不正确：")
                yield answer_fault(item, "bad_uscc", at, f"“{item.text}”不正确：{reason}")
        case "mobile" | "tel" | "resident_id" | "email":
            if not _GENUINE[item.type](value):
                yield answer_fault(item, f"bad_{item.type}", at)


_GENUINE = {
    "mobile": identifiers.is_mobile,
    "tel": lambda text: identifiers.is_mobile(text) or identifiers.is_landline(text),
    "resident_id": identifiers.is_resident_id,
    "email": identifiers.is_email,
}
