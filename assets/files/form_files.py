"""Which uploads may stand in the items of a form that hold files: `photos`, `signature` and `file`."""

from assets.files.file_types import FROM_PHONES, MIB
from assets.files.purposes import FilePurpose

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
