"""Values as they come from the phone, brought into the form that is judged and stored.

`read_value` answers the normalised value, None for what counts as not given (null, blank text, an empty
list), `WRONG` for a JSON type that the item cannot have, or a `Refusal`. Text is cleaned (`core/text.py`).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from core import identifiers
from core import text as text_rules
from core.forms.items import Item

WRONG: Final = 0  # no item takes a bare number after normalisation, so the schema refuses it everywhere


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that cannot be normalised; `code` names the fault."""

    code: str


_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_MAX_NUMBER_TEXT = 400
_MAX_INTEGRAL = 15


def read_value(item: Item, raw: Any) -> Any:
    """The normalised value of an item (not of a group); a list may hold None and Refusals."""
    if raw is None:
        return None
    return _READERS[item.type](item, raw)


def clean(text: str) -> str | None:
    """Cleaned text (`core/text.py`); None when nothing is left."""
    return text_rules.clean(text) or None


def _one_text(item: Item, raw: Any) -> Any:
    if type(raw) is not str:
        return WRONG
    if item.is_person:
        return text_rules.clean_person(raw) or None
    if item.is_certificate_no:
        return identifiers.normalise_certificate_no(raw) or None
    return (text_rules.clean(raw) if item.multiline else text_rules.clean_line(raw)) or None


def _listed(each: Callable[[Item, Any], Any]) -> Callable[[Item, Any], Any]:
    def read(item: Item, raw: Any) -> Any:
        if type(raw) is str and clean(raw) is None:
            return None
        if type(raw) is not list:
            return WRONG
        if len(raw) > item.max_items:
            return Refusal("too_many")
        values = [None if entry is None else each(item, entry) for entry in raw]
        return values if any(value is not None for value in values) else None

    return read


_text_list = _listed(_one_text)


def _text(item: Item, raw: Any) -> Any:
    return _text_list(item, raw) if item.repeat else _one_text(item, raw)


def _boolean(item: Item, raw: Any) -> Any:
    if type(raw) is bool:
        return raw
    return None if type(raw) is str and clean(raw) is None else WRONG


def _number(item: Item, raw: Any) -> Any:
    """A decimal string without needless zeros: `"007.50"`, `7.5` and `"７.5"` are all `"7.5"`."""
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
        written = _half_width(raw)
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
    if len(fraction) > item.scale:
        return Refusal("too_precise")
    number = f"{integral}.{fraction}" if fraction else integral
    return f"-{number}" if sign == "-" and number != "0" else number


def _normalised(normalise: Callable[[str], str]) -> Callable[[Item, Any], Any]:
    def read(item: Item, raw: Any) -> Any:
        text = _one_text(item, raw)
        return (normalise(text) or None) if type(text) is str else text

    return read


def _tel(text: str) -> str:
    mobile = identifiers.normalise_mobile(text)
    if identifiers.is_mobile(mobile):
        return mobile
    return text_rules.fold(text)


def _half_width(text: str) -> str:
    return text_rules.clean_line(unicodedata.normalize("NFKC", text_rules.clean(text)))


_file = _normalised(str.lower)

_READERS: dict[str, Callable[[Item, Any], Any]] = {
    "text": _text,
    "number": _number,
    "date": _normalised(_half_width),
    "boolean": _boolean,
    "choice": _one_text,
    "multi": _listed(_one_text),
    "disposal": _one_text,
    "mobile": _normalised(identifiers.normalise_mobile),
    "tel": _normalised(_tel),
    "resident_id": _normalised(identifiers.normalise_resident_id),
    "uscc": _normalised(identifiers.normalise_uscc),
    "email": _normalised(_half_width),
    "region": _normalised(_half_width),
    "photos": _listed(_file),
    "signature": _file,
    "file": _file,
}
