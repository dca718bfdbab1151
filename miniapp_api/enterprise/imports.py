"""Registers from a spreadsheet (名录导入): uploaded and looked at, then brought in, by the code of the command line."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, Field, WithJsonSchema
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.files.storage import StorageUnavailable, unavailable
from assets.tables.writing import Sheet
from core.actor import Actor
from core.clock import rfc3339
from core.errors import Fault
from core.long_jobs.models import STATUSES, LongJob
from enterprise.imports.table_import import REPORT_COLUMNS, Change, Refusal, report_rows
from enterprise.imports.uploads import staging
from enterprise.imports.uploads.models import UploadedImport
from enterprise.systems import REGISTERS, registers
from miniapp_api.enterprise.steps_for_many import JobBegun
from miniapp_api.http.answers import Answer, Page, answers, one_of, receives, refuses, sends
from miniapp_api.http.bodies import PageQuery, Query
from miniapp_api.http.downloads import CSV, as_csv
from miniapp_api.http.gates import gate
from miniapp_api.http.multipart import received_file
from miniapp_api.http.readings import reading
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("imports", __name__, tag="Enterprises")

SHOWN = 200
"""Lines that an answer lists of each; the others are paged, and stand in the report."""


_STATUSES = {"staged": "待导入", **STATUSES}


class UploadForm(BaseModel):
    """The parts of an upload."""

    file: Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})] = Field(
        description=".xlsx or .csv, at most 20 MiB and 20 000 rows"
    )
    id: UUID | None = Field(None, description="made by the client; sent again with the same file it is the same import")
    sheet: str | None = Field(None, max_length=100, description="the sheet to read, where several have the headings")


class ChangedCell(Answer):
    """A stored value that the file would replace."""

    row: int = Field(description="as Excel numbers it")
    letter: str = Field(description="of the column")
    column: str = Field(description="its heading")
    field: str
    old: str
    new: str = Field(description="empty: the field is emptied (清空)")


class RefusedCell(Answer):
    """Why a row would not be brought in."""

    row: int = Field(description="as Excel numbers it")
    letter: str = Field(description="of the column")
    column: str = Field(description="its heading")
    value: str = Field(description="text of the cell")
    message: str = Field(description="Chinese sentence a user can act on")


class Counts(Answer):
    """Rows by what becomes of them."""

    added: int
    changed: int
    unchanged: int
    refused: int


class ImportRow(Answer):
    """An import in a list."""

    id: UUID
    register_code: Annotated[str, one_of(REGISTERS)] = Field(alias="register")
    register_label: str
    file_name: str
    status: Annotated[str, one_of(_STATUSES)]
    status_label: str
    rows: int = Field(description="rows with data")
    expected: Counts = Field(description="what the preview said")
    done: Counts | None = Field(description="what was done so far; null before it began. Refused: once it is over")
    progress: float = Field(description="share of the file that was brought in, 0 to 1")
    created_at: datetime
    applied_at: datetime | None
    kept_until: datetime


class SkippedRow(Answer):
    """A row without data."""

    row: int
    what: str = Field(description="合计, 重复的表头, …")


class Import(ImportRow):
    """An import with what its preview said, the first lines of each."""

    added: int
    changed: list[ChangedCell] = Field(description="the first 200; all by `/imports/{id}/lines`")
    refused: list[RefusedCell] = Field(description="the first 200; all by `/imports/{id}/lines`")
    skipped: list[SkippedRow] = Field(description="the first 200 rows without data")
    unknown_headers: list[str] = Field(description="columns that are not read")
    hidden_rows: list[int] = Field(description="the first 200 rows that are hidden in Excel and were read all the same")
    hidden_columns: list[str]


class LinesQuery(Query):
    """Which lines of a preview."""

    which: Literal["changed", "refused"] = "refused"
    first: int = Field(1, ge=1, le=200_000, description="the first line of the answer, counted from 1")
    count: int = Field(50, ge=1, le=200)


class Lines(Answer):
    """Some lines of a preview; those of the other kind are empty."""

    changed: list[ChangedCell]
    refused: list[RefusedCell]
    total: int


@bp.post("/imports/enterprises", endpoint="import_enterprises", defaults={"register": "enterprises"})
@bp.post("/imports/licences", endpoint="import_licences", defaults={"register": "licences"})
@gate(Verb.ENTERPRISES_MANAGE, transaction=False)
@answers(Import, 201, 200)
@refuses(409)
@receives("multipart/form-data", UploadForm)
def stage_import(actor: Actor, register: str) -> tuple[dict[str, Any], int]:
    """Upload a register and learn what it would change; nothing changes before it is applied.

    Rows of enterprises outside of the own jurisdiction are refused.
    """
    services = wiring()
    try:
        with received_file(services.uploads.incoming, _faults) as (received, name, form), services.places.uploads.one():
            import_id = UUID(form["id"]) if form.get("id") else uuid4()
            source = staging.named(received, name)
            try:
                staged, fresh = staging.stage(
                    services.database, services.uploads.storage, _registers(), actor, register, import_id, source, name,
                    form.get("sheet") or None,
                )  # fmt: skip
            finally:
                source.unlink(missing_ok=True)
    except (OSError, StorageUnavailable) as error:
        raise unavailable(error) from error
    with services.database.read() as session:
        return _shown(session, staged), 201 if fresh else 200


@bp.get("/imports")
@gate(Verb.ENTERPRISES_MANAGE)
@answers(Page[ImportRow])
@bp.input(PageQuery, location="query", arg_name="query")
def list_imports(session: Session, actor: Actor, query: PageQuery) -> dict[str, Any]:
    """The caller's own imports, the newest first; they are kept for three days."""
    return staging.listed(session, actor, query.request()).as_json(lambda row: _row(session, row.UploadedImport))


@bp.get("/imports/<uuid:import_id>")
@gate(Verb.ENTERPRISES_MANAGE)
@answers(Import)
def read_import(session: Session, actor: Actor, import_id: UUID) -> dict[str, Any]:
    """An own import: what its preview said, and how far it has come."""
    return _shown(session, staging.own(session, actor, import_id))


@bp.get("/imports/<uuid:import_id>/lines")
@gate(Verb.ENTERPRISES_MANAGE)
@answers(Lines)
@bp.input(LinesQuery, location="query", arg_name="query")
def read_import_lines(session: Session, actor: Actor, import_id: UUID, query: LinesQuery) -> dict[str, Any]:
    """The lines of a preview, some at a time."""
    staging.own(session, actor, import_id)
    chosen = _lines(import_id)[query.which]
    found: dict[str, list[dict[str, Any]]] = {which: [] for which in _SAID} | {
        query.which: chosen[query.first - 1 : query.first - 1 + query.count]
    }
    return {
        **{which: [said(one) for one in found[which]] for which, said in _SAID.items()},
        "total": len(chosen),
    }


@bp.get("/imports/<uuid:import_id>/report.csv")
@gate(Verb.ENTERPRISES_MANAGE)
@sends(CSV, about="import")
def read_import_report(session: Session, actor: Actor, import_id: UUID) -> Response:
    """Every change and every refused row with its reason, as a table."""
    staging.own(session, actor, import_id)
    found = _lines(import_id)
    reading().subjects.append(import_id)
    reading().rows = len(found["changed"]) + len(found["refused"])
    changes, refusals = ([_TYPES[which](**one) for one in found[which]] for which in ("changed", "refused"))
    return as_csv("导入报告", Sheet("导入报告", REPORT_COLUMNS, report_rows(changes, refusals)))


@bp.post("/imports/<uuid:import_id>/apply")
@gate(Verb.ENTERPRISES_MANAGE)
@answers(JobBegun, 202)
@refuses(409)
def apply_import(session: Session, actor: Actor, import_id: UUID) -> tuple[dict[str, Any], int]:
    """Bring in the rows that were not refused; followed at `GET /imports/{id}` or `GET /jobs/{job_id}`."""
    job = staging.apply(session, actor, import_id)
    return {"job_id": str(job.id), "total": job.total}, 202


_SAID: Mapping[str, Any] = {
    "changed": lambda one: one,
    "refused": lambda one: {"message" if name == "reason" else name: value for name, value in one.items()},
}
"""How a kept line is answered."""
_TYPES: Mapping[str, Any] = {"changed": Change, "refused": Refusal}


def _registers() -> staging.Registers:
    return registers(wiring().database, wiring().filings)


def _faults(form: Mapping[str, str]) -> list[Fault]:
    try:
        UUID(form.get("id") or "0" * 32)
    except ValueError:
        return [Fault("/id", "bad_id", "id 应为 UUID；不需要时请不要填写")]
    return []


def _lines(import_id: UUID) -> dict[str, list[dict[str, Any]]]:
    try:
        return staging.lines(wiring().uploads.storage, import_id)
    except StorageUnavailable as error:
        raise unavailable(error) from error


def _shown(session: Session, staged: UploadedImport) -> dict[str, Any]:
    found = _lines(staged.id)
    more = ("skipped", "unknown_headers", "hidden_rows", "hidden_columns")
    return {
        **_row(session, staged),
        "added": staged.added,
        **{which: [said(one) for one in found[which][:SHOWN]] for which, said in _SAID.items()},
        **{name: found[name][:SHOWN] for name in more},
    }


def _row(session: Session, staged: UploadedImport) -> dict[str, Any]:
    job = session.get(LongJob, staged.id, populate_existing=True) if staged.applied_at else None
    over = job is None or job.finished_at is not None
    done = (staged.done_added, staged.done_changed, staged.done_unchanged)
    status = "staged" if staged.applied_at is None else job.status if job else "done"
    return {
        "id": str(staged.id), "register": staged.register, "register_label": REGISTERS[staged.register],
        "file_name": staged.file_name, "status": status, "status_label": _STATUSES[status], "rows": staged.rows,
        "expected": _counts(staged.added, staged.changed, staged.unchanged, staged.refused),
        "done": _counts(*done, staged.rows - sum(done) if over else 0) if staged.applied_at else None,
        "progress": min(1.0, (staged.next_row - 1) / max(1, staged.last_row)),
        "created_at": rfc3339(staged.created_at),
        "applied_at": rfc3339(staged.applied_at) if staged.applied_at else None,
        "kept_until": rfc3339(staged.created_at + staging.KEPT),
    }  # fmt: skip


def _counts(added: int, changed: int, unchanged: int, refused: int) -> dict[str, int]:
    return {"added": added, "changed": changed, "unchanged": unchanged, "refused": refused}
