"""Which uploads may stand in the items of a form that hold files: `photos`, `signature` and `file`."""

from collections.abc import Iterable

from assets.files.file_types import FROM_PHONES, MIB
from assets.files.purposes import Category, FilePurpose
from core.forms.form import Form
from core.forms.items.item import Item

PHOTO = FilePurpose("photo", "现场照片", (".jpg", ".jpeg", ".png", *FROM_PHONES), 10 * MIB)
SIGNATURE = FilePurpose("signature", "签名", (".png",), 2 * MIB)
LICENCE_DOCUMENT = FilePurpose(
    "licence_document", "许可证材料", (".pdf", ".jpg", ".jpeg", ".png", *FROM_PHONES, ".doc", ".docx")
)

PURPOSES = (PHOTO, SIGNATURE, LICENCE_DOCUMENT)
PURPOSES_OF_ITEMS = {
    "photos": frozenset({PHOTO}),
    "signature": frozenset({SIGNATURE}),
    "file": frozenset({PHOTO, LICENCE_DOCUMENT}),
}
"""By the type of the item."""


def allowed_in_rows(form: Form) -> dict[str, Category]:
    """The categories of a form's files by the names of their items, each with as many as all rows may hold."""
    found: dict[str, Category] = {}
    _add(form.files, 1, found)
    return found


def _add(items: Iterable[Item], rows: int, found: dict[str, Category]) -> None:
    for item in items:
        most = rows * getattr(item.definition, "max_items", 1)
        if not item.is_upload:
            _add(item.items, most, found)
            continue
        before = found[item.name].max_count if item.name in found else 0
        found[item.name] = Category(item.name, item.text, PURPOSES_OF_ITEMS[item.type], before + most)
