"""Personal data in the answers of a form: encrypted at rest, clear or masked when answered.

`where` is the place of the answers (`core.privacy.place`): each value is bound to it, to its field and to its row, so
that it opens there only. Answers that are copied into another row of a table are sealed anew for it (`moved`).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.forms.form import Form
from core.forms.items.item import Item
from core.masking import mask_phone, mask_resident_id
from core.privacy import Unopened, is_sealed, seal_for, unseal_for, walked


def sealed(form: Form, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values as they are stored: texts of sensitive items encrypted."""
    return _changed(form.sealed, values, where, lambda text, place: seal_for(text, place) if text else text)


def readable(form: Form, stored: Mapping[str, Any], where: str, *, clear: bool) -> dict[str, Any]:
    """The stored values as they are answered: decrypted, and masked unless `clear`."""

    def read(text: str, place: str) -> str | None:
        opened_text = unseal_for(text, place)
        return opened_text if clear else masked(opened_text)

    return _changed(form.sealed, stored, where, read)


def sealed_row(group: Item, row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A row of a group as it is stored by itself, in a row of a table."""
    return _changed(group.inner, row, where, lambda text, place: seal_for(text, place) if text else text)


def readable_row(group: Item, stored: Mapping[str, Any], where: str, *, clear: bool) -> dict[str, Any]:
    """The same as it is answered."""

    def read(text: str, place: str) -> str | None:
        opened_text = unseal_for(text, place)
        return opened_text if clear else masked(opened_text)

    return _changed(group.inner, stored, where, read)


def _changed(
    items: Mapping[str, Item], values: Mapping[str, Any], where: str, change: Callable[[str, str], str | None]
) -> dict[str, Any]:
    """The values with `change(text, place)` for each text of a sensitive item."""
    changed = dict(values)
    for name, item in items.items():
        value = values.get(name)
        if not item.sealed or value is None:
            continue
        if isinstance(value, str):
            changed[name] = change(value, f"{where}/{name}")
        elif isinstance(value, list):
            changed[name] = [
                _changed(item.inner, row, f"{where}/{name}/{index}", change) if isinstance(row, dict) else row
                for index, row in enumerate(value)
            ]
    return changed


def opened(stored: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The stored values with all that is sealed in clear, for a digest of what they say."""
    return walked(stored, where, _opened)


def _opened(text: str, place: str) -> str:
    # Somebody may have typed a text that looks as if it was sealed, and what is damaged stays as it is.
    try:
        return unseal_for(text, place)
    except Unopened:
        return text


def moved(stored: Mapping[str, Any], where: str, target: str) -> dict[str, Any]:
    """Stored values for another row of a table: what is sealed is sealed for its place."""

    def move(text: str, place: str) -> str:
        if not is_sealed(text):
            return text
        clear = _opened(text, place)
        return seal_for(clear, target + place.removeprefix(where)) if clear != text else text

    return walked(stored, where, move)


def unmasked(form: Form, stored: Mapping[str, Any], where: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent; a value that comes back masked, as it was read, stands for the stored one.

    Rows may have been added, removed or moved since: a masked value in a row stands for what that mask stood for
    anywhere in the group. Where it stood for several, and rows came or went, it stays masked and is refused.
    """
    return _unmasked(form.sealed, readable(form, stored, where, clear=True), sent)


def _unmasked(items: Mapping[str, Item], clear: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(sent)
    for name, item in items.items():
        before, value = clear.get(name), sent.get(name)
        if not item.sealed or before is None or value is None:
            continue
        if isinstance(value, str):
            found[name] = before if value == masked(before) else value
        elif isinstance(value, list) and isinstance(before, list):
            found[name] = [
                _unmasked(item.inner, _row_for(item, row, index, before, len(value)), row)
                if isinstance(row, dict)
                else row
                for index, row in enumerate(value)
            ]
    return found


def _row_for(group: Item, row: Mapping[str, Any], index: int, before: list[Any], count: int) -> dict[str, Any]:
    """What the masks in a row that was sent stand for."""
    same = before[index] if count == len(before) and isinstance(before[index], dict) else {}
    meant: dict[str, Any] = {}
    for inner in group.items:
        value = row.get(inner.name)
        if not inner.sealed or value is None:
            continue
        if inner.type == "group":
            meant[inner.name] = same.get(inner.name) or list(_all_rows(before, inner.name))
            continue
        texts = {text for one in before if isinstance(one, dict) and isinstance(text := one.get(inner.name), str)}
        texts = {text for text in texts if masked(text) == value}
        own = same.get(inner.name)
        if own in texts:
            meant[inner.name] = own
        elif len(texts) == 1:
            meant[inner.name] = texts.pop()
    return meant


def _all_rows(rows: list[Any], name: str) -> Iterator[Any]:
    """The rows of a group in all rows of the group around it."""
    for row in rows:
        held = row.get(name) if isinstance(row, dict) else None
        yield from held if isinstance(held, list) else ()


def masked(text: str) -> str | None:
    """A resident ID or a telephone number, masked."""
    return mask_resident_id(text) if len(text) in (15, 18) else mask_phone(text)
