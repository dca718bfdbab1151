"""Personal data in the answers of a form: encrypted at rest, clear or masked when answered."""

from collections.abc import Mapping
from typing import Any

from core.forms.form import Form
from core.privacy import mask_phone, mask_resident_id, seal, unseal


def sealed(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored: texts of sensitive fields encrypted."""
    return {
        name: seal(value) if name in form.sensitive and isinstance(value, str) and value else value
        for name, value in values.items()
    }


def readable(form: Form, stored: Mapping[str, Any], *, clear: bool) -> dict[str, Any]:
    """The stored values as they are answered: decrypted, and masked unless `clear`."""
    shown = dict(stored)
    for name in form.sensitive & stored.keys():
        if isinstance(stored[name], str):
            text = unseal(stored[name])
            shown[name] = text if clear else masked(text)
    return shown


def unmasked(form: Form, stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent; a value that comes back masked, as it was read, stands for the stored one."""
    clear = {name: unseal(stored[name]) for name in form.sensitive & stored.keys() if isinstance(stored[name], str)}
    return {**sent, **{name: text for name, text in clear.items() if sent.get(name) == masked(text)}}


def masked(text: str) -> str | None:
    """A resident ID or a telephone number, masked."""
    return mask_resident_id(text) if len(text) in (15, 18) else mask_phone(text)
