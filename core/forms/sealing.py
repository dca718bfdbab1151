"""Personal data in the answers of a form: encrypted at rest, clear or masked when answered.

`where` is the place of the answers (`core.privacy.place`): each value is bound to it and to its field, so that it opens
in its own row and field only. Answers that are copied into another row are sealed anew for it (`moved`).
"""

from collections.abc import Mapping
from typing import Any

from core.forms.form import Form
from core.masking import mask_phone, mask_resident_id
from core.privacy import Unopened, is_sealed, seal_for, unseal_for


def sealed(form: Form, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values as they are stored: texts of sensitive fields encrypted."""
    return {
        name: seal_for(value, f"{where}/{name}")
        if name in form.sensitive and isinstance(value, str) and value
        else value
        for name, value in values.items()
    }


def readable(form: Form, stored: Mapping[str, Any], where: str, *, clear: bool) -> dict[str, Any]:
    """The stored values as they are answered: decrypted, and masked unless `clear`."""
    shown = dict(stored)
    for name in form.sensitive & stored.keys():
        if isinstance(stored[name], str):
            text = unseal_for(stored[name], f"{where}/{name}")
            shown[name] = text if clear else masked(text)
    return shown


def opened(stored: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The stored values with all that is sealed in clear, for a digest of what they say."""
    return {
        name: _opened(value, f"{where}/{name}") if isinstance(value, str) and is_sealed(value) else value
        for name, value in stored.items()
    }


def _opened(text: str, where: str) -> str:
    # Somebody may have typed a text that looks as if it was sealed, and what is damaged stays as it is.
    try:
        return unseal_for(text, where)
    except Unopened:
        return text


def moved(stored: Mapping[str, Any], where: str, target: str) -> dict[str, Any]:
    """Stored values for another row: what is sealed is sealed for its place."""
    clear = opened(stored, where)
    return {
        name: seal_for(clear[name], f"{target}/{name}") if clear[name] != text else text
        for name, text in stored.items()
    }


def unmasked(form: Form, stored: Mapping[str, Any], where: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent; a value that comes back masked, as it was read, stands for the stored one."""
    clear = {
        name: unseal_for(stored[name], f"{where}/{name}")
        for name in form.sensitive & stored.keys()
        if isinstance(stored[name], str)
    }
    return {**sent, **{name: text for name, text in clear.items() if sent.get(name) == masked(text)}}


def masked(text: str) -> str | None:
    """A resident ID or a telephone number, masked."""
    return mask_resident_id(text) if len(text) in (15, 18) else mask_phone(text)
