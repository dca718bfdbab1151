"""Files: uploaded one at a time, fetched by those who may see the record that claims them."""

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

from assets.files import previews, queries, thumbnails, uploading
from assets.files.models import File
from assets.files.storage import StorageUnavailable, unavailable
from assets.files.uploading import Upload
from core.actor import Actor
from core.errors import Fault, Problem
from core.identifiers import as_uuid
from miniapp_api.http.answers import Answer, DecimalText, absent, answers, receives, refuses, sends
from miniapp_api.http.downloads import disposition
from miniapp_api.http.gates import gate
from miniapp_api.http.multipart import received_file
from miniapp_api.http.readings import reading
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("files", __name__, tag="Files")


class _RegisteredPurpose:
    """The enum of the purposes that kinds, forms and rooms have registered in this application."""

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": sorted(purpose.code for purpose in wiring().uploads.purposes)}


PurposeCode = Annotated[str, _RegisteredPurpose()]


class UploadForm(BaseModel):
    """The parts of an upload."""

    file: Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})] = Field(
        description="one file, at most 20 MiB; the part carries its name"
    )
    purpose: PurposeCode
    id: UUID = absent("made by the phone")


class UploadedFile(Answer):
    """A stored file."""

    id: UUID
    name: str
    purpose: PurposeCode
    size: int = Field(description="bytes")
    media_type: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    uploaded_at: datetime
    width: int = absent("pixels; pictures only")
    height: int = absent("pixels; pictures only")
    taken_at: datetime | None = absent("when the picture was taken; null where it does not say; pictures only")
    latitude: DecimalText | None = absent("where the picture was taken, in degrees (WGS 84); pictures only")
    longitude: DecimalText | None = absent("where the picture was taken, in degrees (WGS 84); pictures only")


class FileDetails(UploadedFile):
    """A stored file with what is needed to compare it with the phone's own."""

    about = "file"

    sent_sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="of the bytes as they were received; `sha256` is of those that are kept"
    )


@bp.post("/files")
@gate(transaction=False, by_query=True)
@answers(UploadedFile, 200, 201)
@receives("multipart/form-data", UploadForm)
def upload_file(actor: Actor) -> tuple[dict[str, Any], int]:
    """Upload a file (上传) under the id that is sent; the same id and bytes again: 200 with the file that is there.

    The same bytes under another id are another file. Without an id, the same bytes and name are the same file until a
    record claims it.
    """
    services = wiring()
    try:
        with _received(services.uploads.incoming) as sent, services.places.uploads.one():
            file, is_new = uploading.upload(services.database, services.uploads, actor, sent)
    except OSError as error:  # of our disk; a phone that hangs up raises no OSError
        raise unavailable(error) from error
    return queries.file_answer(file), 201 if is_new else 200


@contextmanager
def _received(incoming: Path) -> Iterator[Upload]:
    """The upload that is being sent; its file is removed when the block ends. Raises 400, 413, 415, 422."""
    with received_file(incoming, _faults_of) as (source, filename, form):
        yield Upload(source, filename, form["purpose"], as_uuid(form.get("id")))


def _faults_of(form: Mapping[str, str]) -> list[Fault]:
    faults = []
    if not form.get("purpose"):
        faults.append(Fault("/purpose", "required", "请说明文件的用途"))
    if form.get("id") and as_uuid(form["id"]) is None:
        faults.append(Fault("/id", "bad_format", "文件编号（id）格式不正确，请重新选择文件上传"))
    return faults


def in_a_place(view: Callable[..., Response]) -> Callable[..., Response]:
    """A download holds a place (`FilePlaces.downloads`) until its answer is sent."""

    @functools.wraps(view)
    def placed(*args: Any, **kwargs: Any) -> Response:
        places = wiring().places.downloads
        places.take()
        try:
            response = view(*args, **kwargs)
        except BaseException:
            places.give_back()
            raise
        response.response = places.until_sent(response.iter_encoded())
        return response

    return placed


@bp.get("/files/<uuid:file_id>")
@gate(transaction=False, by_query=True)
@sends("*/*", about="file")
@in_a_place
def download_file(actor: Actor, file_id: UUID) -> Response:
    """The file itself, as a download; 404 for all who may not see the record that claims it."""
    return download_of(_get_readable(actor, file_id))


def download_of(file: File) -> Response:
    """A file that the caller may fetch, as a download."""
    return _answer(file.stored_key, file.media_type, file.original_name)


@bp.get("/files/<uuid:file_id>/details")
@gate(transaction=False, by_query=True)
@answers(FileDetails)
def read_details(actor: Actor, file_id: UUID) -> dict[str, Any]:
    """When and where a picture was taken, and the digests of a file; 404 for all who may not fetch it."""
    return queries.details_answer(_get_readable(actor, file_id))


@bp.get("/files/<uuid:file_id>/thumbnail")
@gate(transaction=False, by_query=True)
@sends("image/jpeg", about="file")
@in_a_place
def download_thumbnail(actor: Actor, file_id: UUID) -> Response:
    """A small picture (at most 320 pixels a side), made when first asked for; 404 for files that are no pictures."""
    services = wiring()
    file = _get_readable(actor, file_id)
    missing = file.thumbnail_key is None
    content: bytes | None = None
    try:
        key = thumbnails.get_or_make_key(services.database, services.uploads, file)
    except Problem as problem:
        if problem.code != "disk_full":
            raise
        key, content = "", thumbnails.make_without_saving(services.uploads, file)
    if missing:
        _get_readable(actor, file_id)  # the caller may have lost the right meanwhile
    return _answer(key, "image/jpeg", os.path.splitext(file.original_name)[0] + ".jpg", content=content)


@bp.get("/files/<uuid:file_id>/preview")
@gate(transaction=False, by_query=True)
@sends("*/*", about="file")
@refuses(409)
@in_a_place
def preview_file(actor: Actor, file_id: UUID) -> Response:
    """The file to look at (预览): PDF and pictures as they are, office documents as PDF.

    409 `no_preview` for other types, and for office documents where no converter is configured: the
    download can be opened with `wx.openDocument` or a program of the phone.
    """
    services = wiring()
    shown = previews.get_preview(services.uploads, _get_readable(actor, file_id))
    if shown is None:
        previews.make(services.database, services.uploads, file_id)
        # Asked again: the caller may have lost the right while the document was converted.
        shown = previews.get_preview(services.uploads, _get_readable(actor, file_id))
    if shown is None:
        raise Problem("not_ready", retry_after=1)
    return _answer(shown.stored_key, shown.media_type, shown.name, "inline")


def _get_readable(actor: Actor, file_id: UUID) -> File:
    services = wiring()
    # The session ends before bytes are sent, so that a slow phone holds no database connection.
    with services.database.read() as session:
        file = queries.get_readable(session, actor, services.subjects, file_id)
    if file.claimed_type is not None and file.claimed_id is not None:
        reading().record(file.claimed_type, file.claimed_id, file=str(file_id))
    return file


def _stored(key: str) -> tuple[int, Iterator[bytes]]:
    try:
        return wiring().uploads.storage.chunks(key)
    except StorageUnavailable as error:
        raise unavailable(error) from error


def _answer(key: str, media_type: str, name: str, kind: str = "attachment", content: bytes | None = None) -> Response:
    """The stored object as a response, or the content that is given instead."""
    size, chunks = _stored(key) if content is None else (len(content), iter([content]))
    # In pieces and not by the server's file wrapper, because Python's sendfile has no timeout for a silent phone.
    return Response(
        chunks,
        mimetype=media_type,
        headers={
            "Content-Length": str(size),
            "Content-Disposition": disposition(kind, name),
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
