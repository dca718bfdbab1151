"""The endpoints that checks and spot checks have in common, made once for each type of record."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.tables.spreadsheets import Sheet
from core import history
from core.actor import Actor
from enterprise.products import PRODUCTS
from inspection.corrections import correcting, request_queries, returning, voiding
from inspection.corrections import requests as correction_requests
from inspection.kinds import resolve_kind_name
from inspection.models import Inspection
from inspection.records import access, exports, listing, queries
from inspection.statistics.totals import Filters
from inspection.submissions import read_only, submitting
from inspection.submissions.attachments import MOST_PHOTOS, MOST_SIGNATURES
from miniapp_api.http.answers import Untyped, answers, refuses, sends
from miniapp_api.http.bodies import (
    ID_FIELD,
    VERSION_FIELD,
    AsSent,
    AtOnceQuery,
    DescribedBody,
    PageQuery,
    choice_field,
    described,
    text_field,
)
from miniapp_api.http.downloads import CSV, XLSX, as_csv, as_xlsx
from miniapp_api.http.filters import Days, ProductCode
from miniapp_api.http.gates import AfterCommit, gate
from miniapp_api.http.wiring import wiring

_CHECKED: dict[str, Any] = {
    "kind": {
        "type": "string",
        "description": "`production`, `sales` or the code of a form of that kind; a spot check needs none",
    },
    "product_code": {"type": "string", "enum": list(PRODUCTS)},
    "form_version": {"type": "integer", "description": "the version of the form that was filled in"},
    "version": VERSION_FIELD,
    "answers": {"type": "object", "description": "by the numbers of the form's items", "examples": [{"1.1": "yes"}]},
    "disposals": {
        "type": "object",
        "additionalProperties": choice_field({"done": "是", "in_progress": "办理中", "na": "不适用"}),
        "examples": [{"7.1": "in_progress"}],
    },
    "photos": {
        "type": "array",
        "items": ID_FIELD,
        "maxItems": MOST_PHOTOS,
        "description": "files uploaded before; so many in all, with those beside single items of the form",
    },
    "signatures": {
        "type": "array",
        "items": ID_FIELD,
        "maxItems": MOST_SIGNATURES,
        "description": "files uploaded before",
    },
}

_CONFIRM_DUPLICATE = {"type": "boolean", "description": "although there is such a check of the same day"}
_CONFIRM_NAME = {
    "type": "boolean",
    "description": "although the register has another name for the code; nothing is told to that enterprise then",
}


class RecordBody(DescribedBody):
    """A record; its further fields are those of the form that it answers, which also judges it (see `GET /forms`)."""

    model_config = described(("product_code",), **_CHECKED)


class SubmissionBody(DescribedBody):
    """A record; its further fields are those of the form that it answers, which also judges it (see `GET /forms`)."""

    model_config = described(
        ("product_code",),
        **_CHECKED,
        confirm_duplicate=_CONFIRM_DUPLICATE,
        confirm_name=_CONFIRM_NAME,
    )


class CorrectionBody(DescribedBody):
    """The whole record as it should have been, and why; judged by the form that it answers (see `GET /forms`)."""

    model_config = described(
        ("product_code", "version", "reason"),
        **_CHECKED,
        reason=text_field(500),
        confirm_duplicate=_CONFIRM_DUPLICATE,
        confirm_name=_CONFIRM_NAME,
    )


_LISTS = {"draft": listing.drafts, "submitted": listing.submitted, "voided": listing.voided}


class CorrectionRequestBody(DescribedBody):
    """The whole record as it should have been, and why it is not; judged by the form that it answers."""

    model_config = described(
        ("product_code", "version", "reason"),
        **_CHECKED,
        reason=text_field(500),
        confirm_duplicate=_CONFIRM_DUPLICATE,
        confirm_name=_CONFIRM_NAME,
    )


class ReturnBody(AsSent):
    """What has to be mended."""

    opinion: str | None = Field(None, description="required; at most 500 characters")
    version: int | None = None


class VoidBody(AsSent):
    """Why a record should not be there."""

    reason: str | None = Field(None, description="required; at most 500 characters")
    version: int


class RecordsQuery(PageQuery, Days):
    """Filters of the lists; `from` and `to` are check dates, `own_office` leaves out the regions below."""

    status: Literal["draft", "submitted", "voided"] | None = None
    kind: str | None = Field(None, max_length=40)
    q: str | None = Field(None, max_length=100)
    product_code: ProductCode | None = None
    region: str | None = Field(None, max_length=6)
    problem: bool | None = None
    disposal: Literal["none", "in_progress", "done", "na"] | None = None
    unable: bool | None = None
    conclusion: Literal["pass", "fail", "not_judged"] | None = None
    sampled: bool | None = Field(None, description="of spot checks: whether there is a sample")
    own_office: bool | None = None

    def filters(self, record_type: str) -> Filters:
        """As the room takes them; a kind may be asked for by the code of its form, as bodies name it."""
        asked = self.filters_only()
        del asked["status"]
        filters = Filters(**asked)
        return (
            filters
            if filters.kind is None
            else replace(filters, kind=resolve_kind_name(wiring().forms, record_type, filters.kind))
        )


def record_blueprint(name: str, noun: str, record_type: str) -> APIBlueprint:
    """A blueprint with drafts, submission, correction, voiding, lists, exports and history under `/{noun}`."""
    bp = APIBlueprint(name, __name__, tag="Inspection")
    _writing(bp, noun, record_type)
    _amending(bp, noun, record_type)
    _reading(bp, noun, record_type)
    _exporting(bp, noun, record_type)
    return bp


def _answer(record: Inspection, actor: Actor) -> dict[str, Any]:
    return queries.record_answer(record, actor, wiring().forms)


def _accepted(record: Inspection, actor: Actor, body: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The record after a write of `body`, with what the writer is told of fields that only the server writes."""
    shown = _answer(record, actor)
    return {**shown, "warnings": shown["warnings"] + read_only.told(body, before, shown)}


def _writing(bp: APIBlueprint, noun: str, record_type: str) -> None:
    @bp.put(f"/{noun}/<uuid:record_id>", endpoint=f"{bp.name}_save_draft")
    @gate(Verb.INSPECTION_WRITE)
    @answers(Untyped, 200, 201)
    @bp.input(RecordBody, arg_name="body")
    def save_draft(session: Session, actor: Actor, record_id: UUID, body: RecordBody) -> tuple[dict[str, Any], int]:
        """Save a draft (暂存) under the phone's id."""
        before = read_only.read_before(session, actor, record_type, record_id, wiring().forms, body.root)
        record, new = submitting.save_draft(session, wiring().tools, actor, record_type, record_id, body.root)
        return _accepted(record, actor, body.root, before), 201 if new else 200

    @bp.put(f"/{noun}/<uuid:record_id>/submission", endpoint=f"{bp.name}_submit")
    @gate(Verb.INSPECTION_WRITE)
    @answers(Untyped, 200, 201)
    @bp.input(SubmissionBody, arg_name="body")
    def submit(session: Session, actor: Actor, record_id: UUID, body: SubmissionBody) -> AfterCommit:
        """Save and submit (提交) in one step, with or without a draft before."""
        before = read_only.read_before(session, actor, record_type, record_id, wiring().forms, body.root)
        record, new = submitting.submit(session, wiring().tools, actor, record_type, record_id, body.root)
        return AfterCommit(lambda: (_accepted(record, actor, body.root, before), 201 if new else 200))

    @bp.put(f"/{noun}/<uuid:record_id>/correction", endpoint=f"{bp.name}_correct")
    @gate(Verb.INSPECTION_WRITE)
    @bp.input(CorrectionBody, arg_name="body")
    def correct(session: Session, actor: Actor, record_id: UUID, body: CorrectionBody) -> dict[str, Any]:
        """Correct (更正) a submitted record, with a reason; the old version stays readable."""
        before = read_only.read_before(session, actor, record_type, record_id, wiring().forms, body.root)
        record = correcting.correct(session, wiring().tools, actor, record_type, record_id, body.root)
        return _accepted(record, actor, body.root, before)

    @bp.delete(f"/{noun}/<uuid:record_id>", endpoint=f"{bp.name}_delete_draft")
    @gate(Verb.INSPECTION_WRITE)
    @refuses(409)
    def delete_draft(session: Session, actor: Actor, record_id: UUID) -> dict[str, Any]:
        """Delete an own draft."""
        record = submitting.delete_draft(session, actor, record_type, record_id)
        return {"id": str(record.id), "status": record.status}


def _amending(bp: APIBlueprint, noun: str, record_type: str) -> None:
    @bp.post(f"/{noun}/<uuid:record_id>/void", endpoint=f"{bp.name}_void")
    @gate(Verb.INSPECTION_WRITE)
    @bp.input(VoidBody, arg_name="body")
    def void(session: Session, actor: Actor, record_id: UUID, body: VoidBody) -> dict[str, Any]:
        """Void (作废) a submitted record, with a reason: it stays readable, marked, and counts nowhere any more."""
        return _answer(voiding.void(session, actor, record_type, record_id, body.model_dump(exclude_none=True)), actor)

    @bp.post(f"/{noun}/<uuid:record_id>/return", endpoint=f"{bp.name}_return")
    @gate(Verb.INSPECTION_WRITE)
    @bp.input(ReturnBody, arg_name="body")
    def send_back(session: Session, actor: Actor, record_id: UUID, body: ReturnBody) -> dict[str, Any]:
        """Send a record back for correction (退回更正): a to-do for its owner, who may then correct it once."""
        return _answer(
            returning.send_back(session, actor, record_type, record_id, body.model_dump(exclude_none=True)), actor
        )

    @bp.post(f"/{noun}/<uuid:record_id>/correction-requests", endpoint=f"{bp.name}_ask_correction")
    @gate(Verb.INSPECTION_WRITE)
    @answers(Untyped, 200, 201)
    @bp.input(CorrectionRequestBody, arg_name="body")
    def ask_correction(
        session: Session, actor: Actor, record_id: UUID, body: CorrectionRequestBody
    ) -> tuple[dict[str, Any], int]:
        """Apply for a correction (更正申请) when the time in which the owner may correct is over."""
        asked, new = correction_requests.ask(session, wiring().tools, actor, record_type, record_id, body.root)
        return request_queries.request_answer(session, asked, actor, wiring().forms), 201 if new else 200


def _reading(bp: APIBlueprint, noun: str, record_type: str) -> None:
    @bp.get(f"/{noun}", endpoint=f"{bp.name}_list")
    @gate(Verb.INSPECTION_READ)
    @bp.input(RecordsQuery, location="query", arg_name="query")
    def list_records(session: Session, actor: Actor, query: RecordsQuery) -> dict[str, Any]:
        """Own drafts (`status=draft`, 信息暂存), or submitted records of the caller's regions (信息查看).

        What was voided (`status=voided`, 作废) stands in no other list.
        """
        read = _LISTS[query.status or "submitted"]
        return read(session, actor, record_type, query.filters(record_type), query.request()).as_json(
            queries.row_as_json
        )

    @bp.get(f"/{noun}/<uuid:record_id>", endpoint=f"{bp.name}_read")
    @gate(Verb.INSPECTION_READ)
    def read(session: Session, actor: Actor, record_id: UUID) -> dict[str, Any]:
        """One record, whole."""
        return _answer(access.get_readable(session, actor, record_type, record_id), actor)

    @bp.get(f"/{noun}/<uuid:record_id>/history", endpoint=f"{bp.name}_history")
    @gate(Verb.INSPECTION_READ)
    @bp.input(AtOnceQuery, location="query", arg_name="query")
    def read_history(session: Session, actor: Actor, record_id: UUID, query: AtOnceQuery) -> dict[str, Any]:
        """The moves of a record, oldest first."""
        record = access.get_readable(session, actor, record_type, record_id)
        return queries.history_of(session, record, query.request()).as_json(history.show_row)

    @bp.get(f"/{noun}/<uuid:record_id>/versions", endpoint=f"{bp.name}_versions")
    @gate(Verb.INSPECTION_READ)
    @bp.input(AtOnceQuery, location="query", arg_name="query")
    def versions(session: Session, actor: Actor, record_id: UUID, query: AtOnceQuery) -> dict[str, Any]:
        """The contents that corrections replaced, oldest first."""
        record = access.get_readable(session, actor, record_type, record_id)
        return queries.versions(session, record, query.request()).as_json(queries.version_row_as_json)

    @bp.get(f"/{noun}/<uuid:record_id>/versions/<int:number>", endpoint=f"{bp.name}_version")
    @gate(Verb.INSPECTION_READ)
    def version(session: Session, actor: Actor, record_id: UUID, number: int) -> dict[str, Any]:
        """What the record said before a correction."""
        record = access.get_readable(session, actor, record_type, record_id)
        return queries.version_answer(session, record, number, actor, wiring().forms)


def _exporting(bp: APIBlueprint, noun: str, record_type: str) -> None:
    title = "监督抽查" if record_type == "spot_check" else "企业检查"

    def cells(actor: Actor, query: RecordsQuery) -> Iterator[list[Any]]:
        status = query.status or "submitted"
        records = listing.export_rows(wiring().database, actor, record_type, status, query.filters(record_type))
        # The first row is fetched here, so that a refusal is still an answer of its own.
        first = next(records, None)
        shown = exports.cells(record_type, wiring().forms)
        return (shown(record) for record in (() if first is None else chain((first,), records)))

    @bp.get(f"/{noun}.csv", endpoint=f"{bp.name}_export_csv")
    @gate(Verb.INSPECTION_READ, transaction=False)
    @sends(CSV)
    @bp.input(RecordsQuery, location="query", arg_name="query")
    def export_csv(actor: Actor, query: RecordsQuery) -> Response:
        """The list as CSV (UTF-8 with BOM), with the same filters."""
        return as_csv(title, exports.columns(record_type), cells(actor, query))

    @bp.get(f"/{noun}.xlsx", endpoint=f"{bp.name}_export_xlsx")
    @gate(Verb.INSPECTION_READ, transaction=False)
    @sends(XLSX)
    @bp.input(RecordsQuery, location="query", arg_name="query")
    def export_xlsx(actor: Actor, query: RecordsQuery) -> Response:
        """The list as an Excel workbook, with the same filters."""
        return as_xlsx(title, Sheet(title, exports.columns(record_type), cells(actor, query)))
