"""Importing what a phone could not send (导出未发送): by an officer of its office, each record as its author.

Author → files → records, each record in a transaction of its own and by the same function as the phone's own call. So
what the phone sends itself afterwards is a repetition, and the other way round. The history names who imported.
"""

import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from accounts.models import User, UserStatus
from accounts.queries import actor_of
from accounts.verbs import Verb
from assets.files import uploading
from assets.files.uploads import Uploads
from core.actor import Actor
from core.db import Database
from core.errors import CATALOGUE, Problem, invalid
from core.text import clean_line, clean_person
from inspection.corrections import disposals
from inspection.dictionaries import entries
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from inspection.dictionaries.models import DictionaryEntry
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import Inspection
from inspection.outbox_imports.archive import Export
from inspection.records import access
from inspection.submissions import submitting
from inspection.submissions.validation import Tools
from inspection.workflows import SUBMITTED, VOIDED

MOST_RECORDS = 200


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export, and what the phone says of it."""

    id: UUID
    purpose: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportedRecord:
    """A write that waited on the phone: its own id, the call with its body, and the files that the body names."""

    id: UUID
    method: str
    path: str
    body: Mapping[str, Any]
    files: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that was not imported, and why."""

    id: UUID
    problem: Problem


@dataclass(slots=True)
class Imported:
    """What became of the records of an export: their ids, in their order."""

    accepted: list[UUID] = field(default_factory=list)
    repeated: list[UUID] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Described:
    """A record of an export for who is to import it, as far as its body says; nothing of it has been validated."""

    what: str
    title: str | None
    day: str | None
    photos: int


def described(record: ExportedRecord) -> Described:
    """What a record is (检查、监督抽查、处置情况、词条), and about whom."""
    noun = next((found[1] for pattern, _ in _CALLS if (found := _call(pattern, record)) is not None), None)
    ends_with = record.path.rpartition("/")[2]
    what = "处置情况" if ends_with == "disposals" else _NOUNS.get(noun or "", "其他")

    def said(*names: str) -> str | None:
        texts = (record.body.get(name) for name in names)
        return next((clean_line(text)[:100] for text in texts if isinstance(text, str) and text.strip()), None)

    day = said("check_date", "sampled_on")
    return Described(what, said("org_name", "name"), day, len(record.files))


def _call(pattern: "re.Pattern[str]", record: ExportedRecord) -> "tuple[re.Match[str], str] | None":
    found = pattern.fullmatch(record.path.removeprefix("/api/v1"))
    return (found, found["noun"]) if found and record.method == "PUT" else None


def author_of(session: Session, officer: Actor, author_id: UUID, operator_name: str | None) -> Actor:
    """The author of an export, who must belong to the officer's own office: 422 `other_office`."""
    author = actor_of(session, author_id, clean_person(operator_name or "") or None, officer.session_id)
    if author is None or author.office_id not in officer.offices:
        raise invalid("/file", "other_office", "这个文件的填报人不属于本单位，请由填报人所在单位导入")
    user = session.get_one(User, author_id)
    if user.status not in (UserStatus.ACTIVE, UserStatus.DISABLED) or Verb.INSPECTION_WRITE not in author.verbs:
        raise invalid("/file", "other_office", "这个文件的填报人没有填报检查的权限，请联系上级管理员")
    return replace(author, imported_by=officer.username)


def import_export(
    database: Database, tools: Tools, uploads: Uploads, author: Actor, export: Export,
    files: Sequence[ExportedFile], records: Sequence[ExportedRecord],
) -> Imported:  # fmt: skip
    """Store the files and apply the records in their order, as their author."""
    failed = {file.id: problem for file in files if (problem := _store(database, uploads, author, export, file))}
    imported = Imported()
    for record in records:
        try:
            without = next((failed[one] for one in record.files if one in failed), None)
            if without is not None:
                raise without
            is_new = _apply(database, tools, author, record)
        except Problem as problem:
            imported.refused.append(Refused(record.id, problem))
            continue
        (imported.accepted if is_new else imported.repeated).append(record.id)
    return imported


def _store(database: Database, uploads: Uploads, author: Actor, export: Export, file: ExportedFile) -> Problem | None:
    """Store a file as its author's; why it could not be stored, if so."""
    content = export.file(file.id)
    if content is None or hashlib.sha256(content).hexdigest() != file.sha256.lower():
        return invalid("/files", "damaged_file", f"附件“{file.name}”在导出文件中缺失或已损坏，请在手机上重新导出")
    try:
        with tempfile.NamedTemporaryFile(dir=uploads.incoming, prefix="upload-", delete=False) as written:
            written.write(content)
        source = Path(written.name)
        try:
            sent = uploading.Upload(source, file.name, file.purpose, file.id)
            uploading.upload(database, uploads, author, sent)
        finally:
            source.unlink(missing_ok=True)  # the storage may have moved it
    except Problem as problem:
        return problem
    return None


def _apply(database: Database, tools: Tools, author: Actor, record: ExportedRecord) -> bool:
    """Whether it is new; raises what the phone's own call would be refused with."""
    for pattern, write in _CALLS:
        if (found := _call(pattern, record)) is not None:
            with database.alone, database.write() as session:
                return write(session, tools, author, found[0], record.body)
    raise Problem("not_importable")


Write = Callable[[Session, Tools, Actor, "re.Match[str]", Mapping[str, Any]], bool]
_TYPES = {"inspections": CHECK, "spot-checks": SPOT_CHECK}


def _submit(session: Session, tools: Tools, author: Actor, found: "re.Match[str]", body: Mapping[str, Any]) -> bool:
    record_id = UUID(found["id"])
    before = session.get(Inspection, record_id)
    was_submitted = before is not None and before.status in (SUBMITTED, VOIDED)
    submitting.submit(session, tools, author, _TYPES[found["noun"]], record_id, body)
    return not was_submitted


def _dispose(session: Session, _tools: Tools, author: Actor, found: "re.Match[str]", body: Mapping[str, Any]) -> bool:
    record_type, record_id = _TYPES[found["noun"]], UUID(found["id"])
    # As the typed body of the call is written: without what is null, texts without blanks at their ends.
    sent = {
        name: value.strip() if isinstance(value, str) else value for name, value in body.items() if value is not None
    }
    if not isinstance(sent.get("version"), int) or not isinstance(sent.get("reason", ""), str):
        raise invalid("/version", "required", "请写明所依据的版本")
    before = access.get_readable(session, author, record_type, record_id).version
    return disposals.move_disposals(session, author, record_type, record_id, sent).version != before


def _add(session: Session, _tools: Tools, author: Actor, found: "re.Match[str]", body: Mapping[str, Any]) -> bool:
    entry_id, name, regulation_type = UUID(found["id"]), body.get("name"), body.get("regulation_type")
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise invalid("/name", "required", "请填写名称（100字以内）")
    if regulation_type not in (None, "licence", "ccc", "other"):
        raise invalid("/regulation_type", "unknown_option", "监管类型无效，请重新选择")
    known = session.get(DictionaryEntry, entry_id) is not None
    dictionary = PRODUCT_ITEMS if found["noun"] == "items" else TEST_ITEMS
    regulation_type = regulation_type if dictionary == PRODUCT_ITEMS else None
    entries.add(session, author, dictionary, found["code"], entry_id, name, regulation_type)
    return not known


_ID = r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_CALLS: tuple[tuple["re.Pattern[str]", Write], ...] = (
    (re.compile(rf"/(?P<noun>inspections|spot-checks)/{_ID}/submission"), _submit),
    (re.compile(rf"/(?P<noun>inspections)/{_ID}/disposals"), _dispose),
    (re.compile(rf"/products/(?P<code>[0-9]{{2}})/(?P<noun>items|test-items)/{_ID}"), _add),
)


_NOUNS = {"inspections": "检查", "spot-checks": "监督抽查", "items": "生产产品", "test-items": "检验项目"}


def sentence_of(problem: Problem) -> str:
    """What a refusal says to people, in one text."""
    said = [fault.message for fault in problem.errors]
    return "；".join(said) or problem.detail or CATALOGUE[problem.code][1]
