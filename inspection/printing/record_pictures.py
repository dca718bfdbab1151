"""The pictures on the paper of a record: who signed (签名), and the photos (照片) beside the items they belong to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from assets.files.models import File
from core.forms.form import Form
from core.forms.uploads import uploads_in
from inspection.submissions.attachments import named

_SIGNED_BY = re.compile(r"^签名-(.+)\.[a-z]+$")
"""How the phone names a signature: after who signed."""


@dataclass(frozen=True, slots=True)
class RecordPictures:
    """`signatures`: `[{name, file}]`, the name "" where it is not known; `photos`: `[{label, files}]`.

    The files are names, whose keys of the storage stand in the two others.
    """

    signatures: list[dict[str, str]]
    photos: list[dict[str, Any]]
    signature_keys: Mapping[str, str]
    photo_keys: Mapping[str, str]


def pictures_of(session: Session, form: Form, data: Mapping[str, Any]) -> RecordPictures:
    """What the record names, in its order; files that are gone are left out."""
    found = {file.id: file for file in session.scalars(select(File).where(File.id.in_(named(form, data))))}
    signatures: list[dict[str, str]] = []
    keys: dict[str, str] = {}
    for one in _files(found, data.get("signatures")):
        name = f"signature-{len(keys) + 1}.{one.extension.lstrip('.')}"
        keys[name] = one.stored_key
        signed_by = _SIGNED_BY.match(one.original_name)
        signatures.append({"name": signed_by[1] if signed_by else "", "file": name})
    photos: dict[str, list[str]] = {}
    photo_keys: dict[str, str] = {}
    for label, one in _photos(found, form, data):
        name = f"photo-{len(photo_keys) + 1}.{one.extension.lstrip('.')}"
        photo_keys[name] = one.stored_key
        photos.setdefault(label, []).append(name)
    return RecordPictures(
        signatures, [{"label": label, "files": files} for label, files in photos.items()], keys, photo_keys
    )


def _photos(found: Mapping[UUID, File], form: Form, data: Mapping[str, Any]) -> list[tuple[str, File]]:
    of_items = [
        (_label(one.item.name, one.item.text), found[one.file_id])
        for one in uploads_in(form, data)
        if one.file_id in found and one.item.type == "photos"
    ]
    beside = [] if any(item.name == "photos" for item in form.files) else _files(found, data.get("photos"))
    return [*of_items, *(("现场照片", one) for one in beside)]


def _label(name: str, text: str) -> str:
    number = name.rpartition(".")[0]
    return f"{number} {text}" if number else text


def _files(found: Mapping[UUID, File], ids: Any) -> list[File]:
    return [found[one] for text in ids or [] if (one := UUID(text)) in found]
