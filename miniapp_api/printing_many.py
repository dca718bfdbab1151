"""Printing many papers at once (批量打印): begun here, followed at `GET /jobs/{id}`, fetched at `/jobs/{id}/result`."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.verbs import FILING_VERBS, Verb
from assets.files.storage import StorageUnavailable
from assets.paper import print_jobs
from core.actor import Actor
from core.errors import Problem, invalid, not_found
from core.long_jobs import operations
from core.long_jobs.asked import params_of
from core.long_jobs.models import DONE, OK, LongJobRow
from enterprise.filings.many import printing_many as filing_prints
from feedback.codes import many as many_codes
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.printing import printing_many as record_prints
from miniapp_api.enterprise.steps_for_many import FilingFilter, JobBegun
from miniapp_api.http.answers import answers, refuses, sends
from miniapp_api.http.bodies import AsSent
from miniapp_api.http.gates import gate
from miniapp_api.http.readings import reading
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.record_addresses import OF_CHECKS, OF_SPOT_CHECKS
from miniapp_api.inspection.records import RecordsQuery

bp = APIBlueprint("printing_many", __name__, tag="Jobs")

_BYTES = "application/octet-stream"
_SUBJECTS = {CHECK: "inspection", SPOT_CHECK: "spot_check", None: "filing"}
"""By the type of record; rating codes say nothing of persons."""
_JOBS = {record_prints.JOB, filing_prints.JOB, many_codes.PRINT}


class PrintBody(AsSent):
    """What is printed: `ids`, or all that the list shows the caller, at most 2000; one PDF, or a zip of PDFs."""

    job_id: UUID | None = Field(
        None, strict=False, description="made by the client; sent again it begins no second job; left out: a new one"
    )
    ids: list[Annotated[UUID, Field(strict=False)]] | None = Field(None, min_length=1, max_length=2000)
    format: Literal["pdf", "zip"] = "pdf"


class RecordPrintBody(PrintBody):
    """The same; `of_list`: all that the list shows with the filters of the address."""

    of_list: bool = False


class FilingPrintBody(PrintBody):
    """The same; `filter` has the filters of `GET /filings`."""

    filter: FilingFilter | None = None


@bp.post("/inspections/prints", endpoint="inspections_prints", defaults=OF_CHECKS)
@bp.post("/spot-checks/prints", endpoint="spot_checks_prints", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ)
@answers(JobBegun, 202)
@refuses(409)
@bp.input(RecordsQuery, location="query", arg_name="query")
@bp.input(RecordPrintBody, arg_name="body")
def print_records(
    session: Session, actor: Actor, record_type: str, query: RecordsQuery, body: RecordPrintBody
) -> tuple[dict[str, Any], int]:
    """Print many records: `ids`, or the submitted ones that the list shows with the filters of the address."""
    if (body.ids is None) != body.of_list:
        raise invalid("/ids", "required", "请选择记录（ids），或选择打印列表中的全部记录（of_list），二者只能用其一")
    chosen = body.ids if body.ids is not None else query.filters(record_type)
    job = record_prints.begin(session, actor, body.job_id or uuid4(), record_type, chosen, body.format)
    return {"job_id": str(job.id), "total": job.total}, 202


@bp.post("/filings/prints")
@gate(*FILING_VERBS)
@answers(JobBegun, 202)
@refuses(409)
@bp.input(FilingPrintBody, arg_name="body")
def print_filings(session: Session, actor: Actor, body: FilingPrintBody) -> tuple[dict[str, Any], int]:
    """Print many filings of kinds that declare a paper; the others are refused by row."""
    if (body.ids is None) == (body.filter is None):
        raise invalid("/ids", "required", "请选择办件（ids），或给出筛选条件（filter），二者只能用其一")
    chosen = body.ids if body.ids is not None else body.filter.filters() if body.filter else []
    job = filing_prints.begin(session, wiring().filings, actor, body.job_id or uuid4(), chosen, body.format)
    return {"job_id": str(job.id), "total": job.total}, 202


@bp.get("/jobs/<uuid:job_id>/result")
@gate(transaction=False)
@sends(_BYTES, about="job")
@refuses(409)
def read_result(actor: Actor, job_id: UUID) -> Response:
    """The file of an own printing job (PDF or zip), for a day after its end; 409 before."""
    services = wiring()
    with services.database.read() as session:
        job = operations.own(session, actor, job_id)
        params = params_of(session, job)
        if job.kind not in _JOBS or params is None:
            raise not_found()
        if job.status != DONE:
            raise Problem("wrong_status", "尚未打印完成，请稍后再取", current_status=job.status)
        printed = select(LongJobRow.subject_id).where(LongJobRow.job_id == job_id, LongJobRow.outcome == OK)
        ids = session.scalars(printed.order_by(LongJobRow.position)).all()
    try:
        size, chunks = print_jobs.result(services.uploads.storage, job_id)
    except StorageUnavailable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise Problem("not_found", "打印好的文件只保留一天，请重新打印") from error
        raise Problem("storage_unavailable", retry_after=10) from error
    if job.kind != many_codes.PRINT:
        reading().subjects.extend(ids)
        reading().subject_type = _SUBJECTS[params.get("record_type")]
        reading().rows = len(ids)
    response = Response(chunks, mimetype=_BYTES)
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = f'attachment; filename="{job_id}.{params["format"]}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
