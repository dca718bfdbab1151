"""What a phone could not send (导出未发送): the key it is encrypted to, and its import by an officer of its office."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from accounts.verbs import Verb
from assets.files.storage import unavailable
from core.actor import Actor
from core.clock import rfc3339
from core.errors import invalid
from inspection.outbox_imports import importing, keys
from inspection.outbox_imports.archive import MOST_FILES, Export
from inspection.outbox_imports.importing import MOST_RECORDS, ExportedFile, ExportedRecord, sentence_of
from miniapp_api.http.answers import Answer, answers, receives
from miniapp_api.http.gates import gate
from miniapp_api.http.multipart import received_file
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("outbox_imports", __name__, tag="Inspection")


class ImportForm(BaseModel):
    """The parts of an import."""

    file: Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})] = Field(
        description="the file that the phone exported, at most 20 MiB"
    )


class ContentsForm(ImportForm):
    """The same, to be looked into only."""


class ExportKey(Answer):
    """The key to which phones encrypt what they export."""

    recipient: str = Field(description="age v1, X25519: `age1…`")
    key_id: str = Field(description="changes with the key")


class RefusedRecord(Answer):
    """A record of the export that was not imported."""

    id: UUID = Field(description="as the export names it")
    code: str
    message: str = Field(description="Chinese sentence a user can act on")


class RecordResult(Answer):
    """A record of the export, and what became of it."""

    id: UUID
    result: Literal["accepted", "repeated", "refused"]
    message: str | None = Field(description="why it was refused: Chinese sentence a user can act on")


class ExportedRecordAnswer(Answer):
    """A record of an export, as its own body says."""

    id: UUID
    what: str = Field(description="检查, 监督抽查, 处置情况, 生产产品, 检验项目")
    title: str | None = Field(description="the enterprise, or the word")
    day: str | None
    photos: int = Field(description="files that belong to it, here or on the server already")


class ExportContents(Answer):
    """What an export holds, before it is imported."""

    username: str = Field(description="who filled in its records")
    operator_name: str | None
    part: int | None = Field(description="of several files, which one it is")
    parts: int | None
    exported_at: datetime | None
    records: list[ExportedRecordAnswer]


class ImportedExport(Answer):
    """What became of the records of an export."""

    accepted: int
    repeated: int = Field(description="records that were there already")
    refused: list[RefusedRecord]
    records: list[RecordResult] = Field(description="all of them, in their order")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Author(_Part):
    id: UUID
    operator_name: str | None = Field(None, max_length=30)


class _File(_Part):
    id: UUID
    purpose: str = Field(max_length=60)
    name: str = Field(max_length=255)
    sha256: str = Field(pattern="^[0-9a-fA-F]{64}$")


class _Record(_Part):
    id: UUID
    method: str = Field(max_length=10)
    path: str = Field(max_length=200)
    body: dict[str, Any]
    files: list[UUID] = Field(default_factory=list, max_length=MOST_FILES)


class _Manifest(_Part):
    format: Literal["gongpin-outbox"]
    version: Literal[1]
    part: int | None = None
    parts: int | None = None
    exported_at: datetime | None = None
    author: _Author
    records: list[_Record] = Field(max_length=MOST_RECORDS)
    files: list[_File] = Field(max_length=MOST_FILES)


@bp.get("/outbox-imports/key")
@gate(transaction=False)
@answers(ExportKey, 200, 304)
def read_export_key(actor: Actor) -> Response:
    """The public key of this installation, which a phone keeps so that it can export without a network."""
    recipient = keys.recipient(wiring().database)
    key_id = hashlib.sha256(recipient.encode()).hexdigest()[:16]
    answer = jsonify({"recipient": recipient, "key_id": key_id})
    answer.set_etag(key_id)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.make_conditional(request)
    return answer


@bp.post("/outbox-imports/contents")
@gate(Verb.INSPECTION_WRITE, transaction=False)
@answers(ExportContents)
@receives("multipart/form-data", ContentsForm)
def read_outbox_export(actor: Actor) -> dict[str, Any]:
    """What a phone of the own office exported; nothing is imported. Refused like the import itself."""
    services = wiring()
    try:
        with received_file(services.uploads.incoming) as (source, *_), services.places.uploads.one():
            manifest, author, _ = _opened(actor, source.read_bytes())
    except OSError as error:  # of our disk
        raise unavailable(error) from error
    return {
        "username": author.username,
        "operator_name": author.operator_name,
        "part": manifest.part,
        "parts": manifest.parts,
        "exported_at": rfc3339(manifest.exported_at) if manifest.exported_at else None,
        "records": [{"id": str(one.id), **asdict(importing.described(one))} for one in _records(manifest)],
    }


@bp.post("/outbox-imports")
@gate(Verb.INSPECTION_WRITE, transaction=False)
@answers(ImportedExport, 201)
@receives("multipart/form-data", ImportForm)
def import_outbox(actor: Actor) -> tuple[dict[str, Any], int]:
    """Import what a phone of the own office exported; each record keeps its author, who may send it later as well.

    422 `not_an_export`, `other_office`, `too_new` for the file as a whole. Sent again, records are `repeated`.
    """
    services = wiring()
    try:
        with received_file(services.uploads.incoming) as (source, *_), services.places.uploads.one():
            manifest, author, export = _opened(actor, source.read_bytes())
            files = [ExportedFile(one.id, one.purpose, one.name, one.sha256) for one in manifest.files]
            records = _records(manifest)
            imported = importing.import_export(
                services.database, services.tools, services.uploads, author, export, files, records
            )
    except OSError as error:  # of our disk
        raise unavailable(error) from error
    refused = {one.id: sentence_of(one.problem) for one in imported.refused}
    repeated = set(imported.repeated)
    return {
        "accepted": len(imported.accepted),
        "repeated": len(imported.repeated),
        "records": [
            {
                "id": str(one.id),
                "result": "refused" if one.id in refused else "repeated" if one.id in repeated else "accepted",
                "message": refused.get(one.id),
            }
            for one in records
        ],
        "refused": [
            {"id": str(one.id), "code": one.problem.code, "message": sentence_of(one.problem)}
            for one in imported.refused
        ],
    }, 201


def _opened(actor: Actor, content: bytes) -> tuple[_Manifest, Actor, Export]:
    """The manifest of an export, its author as the officer may import for them, and the file itself."""
    with wiring().database.read() as session:
        export = Export(content, keys.identities(session))
        manifest = _manifest(export.manifest())
        author = importing.author_of(session, actor, manifest.author.id, manifest.author.operator_name)
    return manifest, author, export


def _records(manifest: _Manifest) -> list[ExportedRecord]:
    return [ExportedRecord(one.id, one.method, one.path, one.body, one.files) for one in manifest.records]


def _manifest(content: bytes) -> _Manifest:
    try:
        written = current_app.json.loads(content)
    except ValueError as error:
        raise invalid("/file", "not_an_export", "导出文件的清单无法读取，请在手机上重新导出") from error
    if isinstance(written, Mapping) and isinstance(written.get("version"), int) and written["version"] > 1:
        raise invalid("/file", "too_new", "这个文件由更新版本的手机端导出，请先升级服务器，或让手机联网后自行发送")
    try:
        return _Manifest.model_validate(written)
    except ValidationError as error:
        raise invalid("/file", "not_an_export", "导出文件的清单不完整，请在手机上重新导出") from error
