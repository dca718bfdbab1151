"""A form version as JSON Schema 2020-12, and its errors as faults.

The schema describes normalised values (see `items/`): types, options, lengths and unknown keys, what
draft mode wants. The rest (required, visible, problems, check digits) is left to `check.py`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema_rs

from core.forms.items.item import Item

Kinds = jsonschema_rs.ValidationErrorKind


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
    return item.definition.json_schema({inner.name: _item_schema(inner) for inner in item.items})


def errors(
    found: Iterator[jsonschema_rs.ValidationError],
) -> Iterator[tuple[list[str | int], str, list[str]]]:
    """Each error as (path in the body, code, unknown keys); the code is `unknown_item` where there are some.

    The code `bad_format` stands for that of the item's type (`ItemType.format_fault`).
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
