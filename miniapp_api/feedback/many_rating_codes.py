"""Many rating codes at once: from a table of windows, printed, disabled; and for which offices codes are made."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.database.paging import whole
from core.errors import invalid
from feedback.codes import many, own_offices, tables
from feedback.queries import CodeFilters
from miniapp_api.enterprise.steps_for_many import JobBegun
from miniapp_api.feedback.rating_code_answers import CodeKind, CodeStatus
from miniapp_api.http.answers import Answer, Page, answers, receives, refuses, sends
from miniapp_api.http.bodies import AsSent, Body
from miniapp_api.http.downloads import XLSX, as_xlsx
from miniapp_api.http.gates import gate
from miniapp_api.http.received_tables import CellFault, TableUpload, received_table
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("many_rating_codes", __name__, tag="Ratings")

_JOB_ID = Field(None, strict=False, description="made by the client; sent again it begins no second job")


class RatedOffice(Answer):
    """An office for which the caller makes rating codes."""

    id: UUID
    name: str


class CodeRow(Answer):
    """A row of a table of which a code can be made."""

    row: int = Field(description="as Excel counts")
    kind: CodeKind
    kind_label: str
    matter_name: str
    window: str | None
    matter_ref: str | None
    office_id: UUID
    org_name: str
    known: bool = Field(description="such a code is in use already")


class CodesPreview(Answer):
    """What a table says: rows of which codes can be made, and what is wrong with the others. Nothing is stored."""

    rows: list[CodeRow]
    refused: list[CellFault]


class NewCode(Body):
    """A code to be made; the same rules as for `POST /rating-codes`, which refuse a row by itself."""

    id: UUID = Field(strict=False, description="made by the client, so that a repetition makes no second code")
    kind: CodeKind
    matter_name: str = Field(min_length=1, max_length=200)
    office_id: UUID | None = Field(None, strict=False)
    window: str | None = Field(None, max_length=50)
    matter_ref: str | None = Field(None, max_length=64)


class MakeBody(Body):
    """The codes to be made."""

    job_id: UUID | None = _JOB_ID
    codes: list[NewCode] = Field(min_length=1, max_length=many.MOST)


class DisableCodesBody(AsSent):
    """The codes to be disabled, and why."""

    job_id: UUID | None = _JOB_ID
    ids: list[Annotated[UUID, Field(strict=False)]] = Field(min_length=1, max_length=many.MOST)
    reason: str | None = Field(None, max_length=200)


class CodeFilter(AsSent):
    """The filters of `GET /rating-codes`."""

    kind: CodeKind | None = None
    status: CodeStatus | None = None
    q: str | None = Field(None, max_length=100)


class CodePrintsBody(AsSent):
    """Whose papers are printed: `ids`, or all that the list shows with `filter`; one PDF, or a zip of PDFs."""

    job_id: UUID | None = _JOB_ID
    ids: list[Annotated[UUID, Field(strict=False)]] | None = Field(None, min_length=1, max_length=many.MOST)
    filter: CodeFilter | None = None
    paper: Literal["poster", "sign"] = "poster"
    format: Literal["pdf", "zip"] = "pdf"


@bp.get("/rating-codes/offices")
@gate(Verb.RATINGS_GENERATE)
@answers(Page[RatedOffice])
def list_rated_offices(session: Session, actor: Actor) -> dict[str, Any]:
    """The own office and the stations (市场监管所) directly below it."""
    return whole([{"id": str(one.id), "name": one.name} for one in own_offices.offices_of(session, actor)])


@bp.get("/rating-codes/table.xlsx")
@gate(Verb.RATINGS_GENERATE, transaction=False)
@sends(XLSX)
def read_code_table(actor: Actor) -> Response:
    """The table of windows to fill in."""
    return as_xlsx("评价二维码模板", tables.template())


@bp.post("/rating-codes/tables")
@gate(Verb.RATINGS_GENERATE, transaction=False)
@answers(CodesPreview)
@receives("multipart/form-data", TableUpload)
def read_filled_code_table(actor: Actor) -> dict[str, Any]:
    """Read a filled table (导入预览): of which rows codes can be made, and what is wrong. Nothing is stored.

    Whoever agrees sends the rows to `POST /rating-codes/actions/make`.
    """
    with received_table() as table, wiring().database.read() as session:
        found = tables.read(session, actor, table)
    rows = [{**row, "office_id": str(row["office_id"])} for row in found.rows]
    refused = [
        {"row": one.row, "letter": one.letter, "column": one.column, "message": one.message} for one in found.refused
    ]
    return {"rows": rows, "refused": refused}


@bp.post("/rating-codes/actions/make")
@gate(Verb.RATINGS_GENERATE)
@answers(JobBegun, 202)
@refuses(409)
@bp.input(MakeBody, arg_name="body")
def make_rating_codes(session: Session, actor: Actor, body: MakeBody) -> tuple[dict[str, Any], int]:
    """Make and generate many codes, each by itself; the job says which were refused and why."""
    sent = [one.model_dump(mode="json", exclude_none=True) for one in body.codes]
    job = many.begin_making(session, actor, body.job_id or uuid4(), sent)
    return {"job_id": str(job.id), "total": job.total}, 202


@bp.post("/rating-codes/actions/disable")
@gate(Verb.RATINGS_GENERATE)
@answers(JobBegun, 202)
@refuses(409)
@bp.input(DisableCodesBody, arg_name="body")
def disable_rating_codes(session: Session, actor: Actor, body: DisableCodesBody) -> tuple[dict[str, Any], int]:
    """Disable (停用) many codes, each by itself."""
    job = many.begin_disabling(session, actor, body.job_id or uuid4(), body.ids, body.reason)
    return {"job_id": str(job.id), "total": job.total}, 202


@bp.post("/rating-codes/prints")
@gate(Verb.RATINGS_READ)
@answers(JobBegun, 202)
@refuses(409)
@bp.input(CodePrintsBody, arg_name="body")
def print_rating_codes(session: Session, actor: Actor, body: CodePrintsBody) -> tuple[dict[str, Any], int]:
    """Print the posters (海报) or table signs (台签) of many codes; the file is at `GET /jobs/{job_id}/result`."""
    if (body.ids is None) == (body.filter is None):
        raise invalid("/ids", "required", "请选择二维码（ids），或给出筛选条件（filter），二者只能用其一")
    chosen = body.ids if body.ids is not None else CodeFilters(**body.filter.model_dump()) if body.filter else []
    job = many.begin_printing(session, actor, body.job_id or uuid4(), chosen, body.paper, body.format)
    return {"job_id": str(job.id), "total": job.total}, 202
