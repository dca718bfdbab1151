"""Personal data in the answers of a form: encrypted at rest, clear or masked when shown."""

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
    """The stored values as they are shown: decrypted, and masked unless `clear`."""
    shown = dict(stored)
    for name in form.sensitive & stored.keys():
        if isinstance(stored[name], str):
            text = unseal(stored[name])
            shown[name] = text if clear else _masked(text)
    return shown


def _masked(text: str) -> str | None:
    return mask_resident_id(text) if len(text) in (15, 18) else mask_phone(text)
