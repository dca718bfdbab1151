"""The uploads that answers to a form name: in its items of the types `photos`, `signature` and `file`; rows too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.forms.form import Form
from core.forms.items.item import Item
from core.identifiers import as_uuid


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that is named; `path` is the pointer in the body at which its id stands."""

    item: Item
    file_id: UUID
    path: str


def uploads_in(form: Form, values: Mapping[str, Any]) -> Iterator[Upload]:
    """The uploads in the items of a form; values of any shape, what is no id is passed over."""
    for item in form.files:
        holder = values.get(item.place) if item.place else values
        if isinstance(holder, Mapping):
            yield from _of_item(item, holder.get(item.name), item.pointer)


def _of_item(item: Item, value: Any, at: str) -> Iterator[Upload]:
    if item.type == "group":
        for index, row in enumerate(value if isinstance(value, list) else ()):
            for inner in item.items if isinstance(row, Mapping) else ():
                if inner.holds_files:
                    yield from _of_item(inner, row.get(inner.name), f"{at}/{index}{inner.pointer}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            if file_id := as_uuid(one):
                yield Upload(item, file_id, f"{at}/{index}")
    elif file_id := as_uuid(value):
        yield Upload(item, file_id, at)


def items_of_uploads(form: Form) -> dict[str, Item]:
    """The items that hold uploads, by name. Those of one name in several groups are of one type (`outline.py`)."""
    return {one.name: one for item in form.files for one in item.with_rows() if one.is_upload}


def ids_in(stored: Any) -> Iterator[UUID]:
    """Whatever may be the id of an upload in stored answers whose form is not at hand."""
    if isinstance(stored, str):
        if len(stored) == 36 and (file_id := as_uuid(stored)):
            yield file_id
    elif isinstance(stored, Mapping | list):
        for inner in stored.values() if isinstance(stored, Mapping) else stored:
            yield from ids_in(inner)
