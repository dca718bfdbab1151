"""A form version as JSON Schema 2020-12, and its errors as faults.

The schema describes normalised values (see `values.py`): types, options, lengths and unknown keys, what
draft mode wants. The rest (required, visible, problems, check digits) is judged in `check.py`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema_rs

from core.forms.items import Item

Kinds = jsonschema_rs.ValidationErrorKind

# The year 0000 is a date for RFC 3339 but not for the calendar of Python.
_DATE = {"type": "string", "format": "date", "pattern": "^[1-9]"}
_FILE = {"type": "string", "format": "uuid"}
_FORMATS = {"date": "bad_date", "region": "bad_region", "photos": "bad_file", "file": "bad_file"}
_FORMATS["signature"] = "bad_file"


def form_schema(items: Iterable[Item]) -> dict[str, Any]:
    """The schema of a body."""
    properties: dict[str, Any] = {"answers": _object({}), "disposals": _object({})}
    for item in items:
        holder = properties[item.place]["properties"] if item.place else properties
        holder[item.name] = _item_schema(item)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object(properties)}


def validator(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """Compile; nothing is ever fetched."""
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _item_schema(item: Item) -> dict[str, Any]:
    match item.type:
        case "boolean":
            return {"type": "boolean"}
        case "date":
            return _DATE
        case "number":
            fraction = f"(\\.[0-9]{{1,{item.scale}}})?" if item.scale else ""
            return {"type": "string", "pattern": f"^-?(0|[1-9][0-9]{{0,14}}){fraction}$"}
        case "region":
            return {"type": "string", "pattern": "^[0-9]{6}$"}
        case "signature" | "file":
            return _FILE
        case "photos":
            return _list(item, _FILE)
        case "multi":
            return _list(item, _text(item))
        case "group":
            rows = _object({inner.name: _item_schema(inner) for inner in item.items})
            return {"type": "array", "maxItems": item.max_items, "items": rows}
        case _:
            return _list(item, _text(item)) if item.repeat else _text(item)


def _text(item: Item) -> dict[str, Any]:
    if item.values is not None:
        return {"type": "string", "enum": list(item.values)}
    return {"type": "string", "minLength": 1, "maxLength": item.max_length}


def _list(item: Item, entry: dict[str, Any]) -> dict[str, Any]:
    """Null stands for a blank entry, so that faults keep the index the phone knows."""
    nullable = {**entry, "type": ["string", "null"]}
    if "enum" in entry:
        nullable["enum"] = [*entry["enum"], None]
    return {"type": "array", "maxItems": item.max_items, "items": nullable}


def errors(
    found: Iterator[jsonschema_rs.ValidationError],
) -> Iterator[tuple[list[str | int], str, list[str]]]:
    """Each error as (path in the body, code, unknown keys); the code is `unknown_item` where there are some.

    The code `bad_format` still has to be made that of the item's type (`format_code`).
    """
    for error in found:
        kind, path = error.kind, error.instance_path
        if isinstance(kind, Kinds.AdditionalProperties):
            yield path, "unknown_item", kind.unexpected
        elif isinstance(kind, Kinds.Enum):
            yield path, "unknown_option", []
        elif isinstance(kind, Kinds.MaxLength):
            yield path, "too_long", []
        elif isinstance(kind, Kinds.MaxItems):
            yield path, "too_many", []
        elif isinstance(kind, Kinds.Format | Kinds.Pattern):
            yield path, "bad_format", []
        else:
            yield path, "wrong_type", []


def format_code(item: Item) -> str:
    return _FORMATS.get(item.type, "bad_format")
