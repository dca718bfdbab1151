"""The working copy of a filing (data and documents that its enterprise may still change), and warnings of a body."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from assets.files import claiming
from assets.files.claiming import Claim
from assets.files.form_files import allowed_in_rows
from core import clock
from core.actor import Actor
from core.errors import Fault, Warned
from core.forms.sealing import readable, sealed
from core.forms.uploads import ids_in, uploads_in
from core.forms.validation.messages import UNKNOWN_ITEM
from core.identifiers import as_uuid, normalise_uscc
from core.pointers import pointer, showable
from core.read_only import warning, warnings_of
from enterprise.catalogues.words import CatalogueWords
from enterprise.filings.content import data_place
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.drafts.locks import changed, changed_documents, locked
from enterprise.filings.models import Filing, FilingStep, FilingVersion
from enterprise.filings.moves import overtaken

WRITABLE = frozenset(["kind", "uscc", "subject", "data", "documents", "version"])
"""Keys of a body that opens or saves a filing."""

READ_ONLY = {
    "id": "编号", "number": "办件编号",
    "title": "标题", "status": "状态", "status_label": "状态", "tag": "状态说明", "org_name": "企业名称",
    "summary": "摘要", "turn": "轮到谁办理", "office": "承办机关", "locks": "锁定的内容", "parties": "当事方",
    "certificates": "证书",
    "confirmations": "确认情况", "steps": "环节所填内容", "opinion": "审核意见", "due_on": "期限",
    "due_on_note": "期限说明", "colour": "期限颜色",
    "clocks": "时限", "late": "是否逾期", "sent": "提交次数", "created_at": "建立时间",
    "sent_at": "提交时间", "finished_at": "办结时间", "actions": "可执行的操作", "form": "表单", "warnings": "提示",
}  # fmt: skip
"""Keys that a filing has besides when it is read, with their labels; a client may send them back, they are ignored."""

_NEVER_CHANGED = {
    "id": "编号",
    "kind": "办件种类",
    "uscc": "统一社会信用代码",
    "subject": "所针对的记录",
    "title": "标题",
}
COMPARED = {**{name: label for name, label in READ_ONLY.items() if name != "warnings"}, **_NEVER_CHANGED}
"""Keys that are warned of when the body says otherwise than the filing."""


def read_only_warnings(
    engine: Filings, filing: Filing, body: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Warned]:
    """Warnings of an accepted body that says otherwise what only the server writes, or what was ordered (`fixed`).

    `before` and `after`: the filing as the sender read it (empty: it is new) and reads it now. A repetition carries an
    older version, so that only what never changes is compared.
    """
    if isinstance(uscc := body.get("uscc"), str):
        body = {**body, "uscc": normalise_uscc(uscc)}
    is_current = not before or before["version"] == body.get("version")
    found = warnings_of(body, COMPARED if is_current else _NEVER_CHANGED, before, after)
    data = body.get("data")
    if not isinstance(data, dict):
        return found
    named = engine.kind_of(filing).fixed & data.keys()
    if not named:
        return found
    sections = engine.forms.get(filing.form_code, filing.form_version).form.definition["sections"]
    texts = {item["field"]: item["text"] for section in sections for item in section["items"] if "field" in item}
    of_data = warnings_of(data, {name: texts[name] for name in named}, before.get("data", {}), after["data"])
    return [*found, *({**one, "path": f"/data{one['path']}"} for one in of_data)]


def due_date_warnings(filing: Filing, sent: str | None) -> list[Warned]:
    """The warning of a step that was taken with a new due date (`due_on`) which it cannot set."""
    stands = {day.isoformat() for day in (filing.due_on, filing.due_on_before_outage) if day}
    return [] if sent is None or sent in stands else [warning("/due_on", READ_ONLY["due_on"])]


def store(
    session: Session, kind: FilingKind, filing: Filing, values: dict[str, Any], documents: list[dict[str, str]]
) -> None:
    """Write the working copy. Saving is no step: the status stays, only the version is counted up."""
    result = session.execute(
        update(Filing)
        .where(Filing.id == filing.id, Filing.version == filing.version, Filing.status == filing.status)
        .values(data=values, documents=documents, saved=True, version=filing.version + 1, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    if getattr(result, "rowcount", 0) != 1:
        raise overtaken(session, kind, filing, "save")


def unknown_keys(body: Mapping[str, Any]) -> list[Fault]:
    """A fault for each key that no filing has: a misspelt one would otherwise be lost unnoticed."""
    unknown = (key for key in body if key not in WRITABLE and key not in READ_ONLY)
    return [Fault(pointer(showable(key)), "unknown_item", UNKNOWN_ITEM) for key in unknown]


def validate_data(
    session: Session, engine: Filings, kind: FilingKind, filing: Filing, body: Mapping[str, Any], *, submit: bool
) -> tuple[dict[str, Any], list[Fault]]:
    """The data of a body, validated by the form and sealed, and its faults; without any, what is stored.

    `submit`: whole, as for sending; else only the types are validated.
    """
    data = body.get("data")
    if data is None:
        return filing.data, []
    if not isinstance(data, dict):
        return {}, [Fault("/data", "wrong_type", "填报内容（data）的格式不正确，请更新后重试")]
    form = engine.forms.get(kind.form_code, filing.form_version).form
    checked = form.check(data, submit=submit, today=clock.today(), words=CatalogueWords(session))
    names = locked(kind, form, filing) if filing.saved else frozenset()
    clear = readable(form, filing.data, data_place(filing.id), clear=True) if names else {}
    of_locks = changed(names, clear, checked.values, form)
    values = sealed(form, checked.values, data_place(filing.id))
    values |= {name: filing.data[name] for name in names & filing.data.keys() if name not in values}
    if filing.data:
        kept = {name: filing.data[name] for name in kind.fixed & filing.data.keys()}
        values = {name: value for name, value in values.items() if name not in kind.fixed} | kept
    return values, [*(fault.under("/data") for fault in checked.faults), *of_locks]


def claim_files(
    session: Session,
    engine: Filings,
    actor: Actor,
    kind: FilingKind,
    filing: Filing,
    body: Mapping[str, Any],
    values: Mapping[str, Any],
) -> tuple[list[dict[str, str]], list[Fault]]:
    """Claim the files that the working copy names, as documents and in its data (`values`), and release those that
    neither it nor a version names.

    Returns the documents as they are stored, and the faults.
    """
    form = engine.forms.get(kind.form_code, filing.form_version).form
    in_data = [Claim(one.item.name, one.file_id, f"/data{one.path}") for one in uploads_in(form, values)]
    sent = body.get("documents")
    if sent is None and not (form.files and body.get("data") is not None):
        return filing.documents, []
    documents, faults = parse_documents(filing.documents if sent is None else sent)
    if faults:
        return [], faults
    named = [{"category": one.category, "file_id": str(one.file_id)} for one in documents]
    faults = changed_documents(locked(kind, form, filing), kind, filing.documents, named) if filing.saved else []
    if faults:
        return [], faults
    wanted, allowed = [*documents, *in_data], {**allowed_in_rows(form), **kind.allowed_documents()}
    faults = claiming.claim(session, actor.user_id, ("filing", filing.id), wanted, allowed)
    if not faults:
        release_all_but(session, filing.id, {one.file_id for one in wanted})
    return named, faults


def parse_documents(sent: Any) -> tuple[list[Claim], list[Fault]]:
    """The files that a list of documents names, and the faults of the list itself."""
    if not isinstance(sent, list) or len(sent) > 100:
        return [], [Fault("/documents", "wrong_type", "材料（documents）应为文件列表，最多100个，请删减后重试")]
    wanted: list[Claim] = []
    faults: list[Fault] = []
    for place, one in enumerate(sent):
        path = f"/documents/{place}/file_id"
        category, file_id = (one.get("category"), one.get("file_id")) if isinstance(one, dict) else (None, None)
        found = as_uuid(file_id)
        if found is not None:
            wanted.append(Claim(str(category), found, path))
        else:
            faults.append(Fault(path, "unknown_file", "该材料的文件不存在或已过期，请重新上传"))
    return wanted, faults


def release_all_but(session: Session, filing_id: UUID, named: set[UUID]) -> None:
    """Release a filing's files but those named and those that were sent."""
    claiming.release(session, ("filing", filing_id), named | kept_files(session, filing_id))


def kept_files(session: Session, filing_id: UUID) -> set[UUID]:
    """Files that a version or a step refers to: they are never released."""
    said = select(FilingStep.documents, FilingStep.data).where(FilingStep.filing_id == filing_id)
    steps = session.execute(said).all()
    documents = {UUID(one["file_id"]) for row in steps for one in row.documents}
    return sent_files(session, filing_id) | documents.union(*(ids_in(row.data) for row in steps))


def sent_files(session: Session, filing_id: UUID) -> set[UUID]:
    """Files that a version refers to, which an office may fetch."""
    sent = select(FilingVersion.documents, FilingVersion.data).where(FilingVersion.filing_id == filing_id)
    versions = session.execute(sent).all()
    documents = {UUID(one["file_id"]) for row in versions for one in row.documents}
    return documents.union(*(ids_in(row.data) for row in versions))
