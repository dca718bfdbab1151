"""Law enforcement papers (执法文书): written, approved on the phone, issued with a number, served, printed."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field, WithJsonSchema
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.database.paging import whole
from core.errors import not_found
from inspection.enforcement import officers, operations, printing, queries
from inspection.enforcement.kinds import RECEIPT_FORM, kinds
from inspection.enforcement.workflows import STATUSES
from miniapp_api.http.answers import FORM_DATA, Answer, AnswerValue, Page, answers, one_of, refuses, sends
from miniapp_api.http.bodies import AsSent, PageQuery
from miniapp_api.http.gates import gate
from miniapp_api.http.papers import PDF, WORD, as_pdf, as_word
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("enforcement", __name__, tag="Enforcement")

_Data = Annotated[dict[str, Any], WithJsonSchema({**FORM_DATA, "description": "the answers of the form of its kind"})]


class EnforcementKind(Answer):
    """A kind of paper."""

    code: str
    title: str
    form: str = Field(description="code of its form: `GET /forms/{code}`")
    approved: bool = Field(description="somebody in charge approves it; else it is issued at once")
    receipt_form: str | None = Field(description="code of the form of its 送达回证, where it is served")


class EnforcementOffice(Answer):
    """The office that made it."""

    id: UUID
    name: str


class EnforcementRow(Answer):
    """A paper in a list."""

    about = "enforcement_paper"
    id: UUID
    kind: str
    title: str
    status: Annotated[str, one_of(STATUSES)]
    status_label: str
    version: int
    number: str | None = Field(description="from when it is in force")
    org_name: str | None
    office: EnforcementOffice
    inspection_id: UUID | None = Field(description="the check that it belongs to")
    due_on: date | None = Field(description="until when something is to be corrected")
    issued_on: date | None
    updated_at: datetime
    actions: list[str] = Field(description="what the caller may do now")


class ApprovalDecision(Answer):
    """Who approved or rejected it, and with which opinion."""

    at: datetime
    by: str
    office: str
    approved: bool
    opinion: str | None


class OfferedStep(Answer):
    """A step that the caller may take now: its words, and what it asks for."""

    action: str
    label: str
    comment: Literal["none", "optional", "required"]
    comment_label: str | None = Field(description="what is asked for in words")
    hint: str | None = Field(description="what follows from the step, in a sentence")
    form: str | None = Field(description="code of the form whose answers are its `data`")
    asks: bool = Field(description="it is asked about before it is taken")
    danger: bool = Field(description="it cannot be undone")


class PrintOfPaper(Answer):
    """What can be printed: where it is answered as PDF, and as editable Word."""

    title: str
    pdf: str
    word: str


class FormOfReceipt(Answer):
    """The form that a 送达回证 answers."""

    code: str
    version: int


class WholeEnforcementPaper(EnforcementRow):
    """A whole paper; `steps` in the order in which they are offered, the first one is next."""

    steps: list[OfferedStep]
    standing: str = Field(description="where it stands and what comes next, in a sentence")
    prints: list[PrintOfPaper]

    form_code: str
    form_version: int
    data: dict[str, AnswerValue]
    receipt: dict[str, AnswerValue] | None = Field(description="the 送达回证, once it was served")
    receipt_form: FormOfReceipt | None
    decided: ApprovalDecision | None
    operator_name: str | None


class Officer(Answer):
    """An officer of the own office, with the 执法证号."""

    name: str
    certificate_no: str


class EnforcementQuery(PageQuery):
    """Filters of the list; `q` is a fragment of the enterprise's name."""

    kind: str | None = Field(None, max_length=40)
    status: Literal["draft", "pending", "issued", "served", "voided"] | None = None
    inspection_id: UUID | None = Field(None, strict=False)
    q: str | None = Field(None, max_length=100)


class EnforcementBody(AsSent):
    """A draft: its kind (once), its answers, the check that it belongs to."""

    kind: str = Field(max_length=40)
    data: _Data = Field(default={})
    inspection_id: UUID | None = Field(None, strict=False)
    version: int | None = None


class EnforcementActionBody(AsSent):
    """A step: `comment` is the opinion or reason, `data` the 送达回证 where it is served."""

    version: int
    comment: str | None = Field(None, max_length=1000)
    data: _Data = Field(default={})


class OfficerBody(AsSent):
    """An officer and the 执法证号; the later number of a name holds."""

    name: str = Field(max_length=30)
    certificate_no: str = Field(max_length=40)


@bp.get("/enforcement-paper-kinds")
@gate(*queries.READERS, transaction=False)
@answers(Page[EnforcementKind])
def list_enforcement_kinds(actor: Actor) -> dict[str, Any]:
    """The kinds of papers, those of the own forms included."""
    found = kinds(wiring().forms).values()
    return whole([
        {
            "code": one.code, "title": one.title, "form": one.form, "approved": one.approved,
            "receipt_form": RECEIPT_FORM if one.served else None,
        }
        for one in found
    ])  # fmt: skip


@bp.get("/enforcement-papers")
@gate(*queries.READERS)
@answers(Page[EnforcementRow])
@bp.input(EnforcementQuery, location="query", arg_name="query")
def list_enforcement_papers(session: Session, actor: Actor, query: EnforcementQuery) -> dict[str, Any]:
    """Papers of the own office and of those below, what was worked on last first; drafts of the own office only."""
    page = queries.papers(
        session, actor, query.kind, query.status, query.inspection_id, query.q, query.request()
    )  # fmt: skip
    return page.as_json(lambda row: queries.row_answer(wiring().forms, actor, row.EnforcementPaper))


@bp.get("/enforcement-papers/<uuid:paper_id>")
@gate(*queries.READERS)
@answers(WholeEnforcementPaper)
def read_enforcement_paper(session: Session, actor: Actor, paper_id: UUID) -> dict[str, Any]:
    """One whole paper."""
    return queries.whole_answer(wiring().forms, actor, queries.get_readable(session, actor, paper_id))


@bp.put("/enforcement-papers/<uuid:paper_id>")
@gate(Verb.INSPECTION_WRITE)
@answers(WholeEnforcementPaper, 200, 201)
@refuses(409)
@bp.input(EnforcementBody, arg_name="body")
def save_enforcement_paper(
    session: Session, actor: Actor, paper_id: UUID, body: EnforcementBody
) -> tuple[dict[str, Any], int]:
    """Write a draft, or change one."""
    paper, new = operations.save(session, wiring().forms, actor, paper_id, body.model_dump(exclude_defaults=True))
    return queries.whole_answer(wiring().forms, actor, paper), 201 if new else 200


@bp.post("/enforcement-papers/<uuid:paper_id>/actions/<string:action>")
@gate(Verb.INSPECTION_WRITE, Verb.INSPECTION_APPROVE)
@answers(WholeEnforcementPaper)
@refuses(409)
@bp.input(EnforcementActionBody, arg_name="body")
def act_on_enforcement_paper(
    session: Session, actor: Actor, paper_id: UUID, action: str, body: EnforcementActionBody
) -> dict[str, Any]:
    """Submit, withdraw, approve, reject, issue, serve, void or delete a paper."""
    if action not in operations.ACTIONS:
        raise not_found()
    sent = body.model_dump(exclude_defaults=True)
    paper = operations.act(session, wiring().forms, actor, paper_id, action, sent)
    return queries.whole_answer(wiring().forms, actor, paper)


@bp.get("/enforcement-papers/<uuid:paper_id>/record.pdf")
@gate(*queries.READERS, transaction=False)
@sends(PDF, about="enforcement_paper")
def print_enforcement_paper(actor: Actor, paper_id: UUID) -> Response:
    """The paper as PDF; one in force has a code, any other says across what it is."""
    return _printed(actor, paper_id, receipt=False)


@bp.get("/enforcement-papers/<uuid:paper_id>/receipt.pdf")
@gate(*queries.READERS, transaction=False)
@sends(PDF, about="enforcement_paper")
def print_service_receipt(actor: Actor, paper_id: UUID) -> Response:
    """The 送达回证 of a paper that was served."""
    return _printed(actor, paper_id, receipt=True)


def _printed(actor: Actor, paper_id: UUID, *, receipt: bool) -> Response:
    services = wiring()
    with services.database.write() as session:
        paper = queries.get_readable(session, actor, paper_id)
        url = services.settings.resolved_public_url
        printed = printing.prepared(session, services.forms, paper, url, receipt=receipt)
    return as_pdf(printed)


@bp.get("/enforcement-papers/<uuid:paper_id>/record.docx")
@gate(*queries.READERS, transaction=False)
@sends(WORD, about="enforcement_paper")
def write_enforcement_paper(actor: Actor, paper_id: UUID) -> Response:
    """The paper as editable Word, which has no code."""
    return _written(actor, paper_id, receipt=False)


@bp.get("/enforcement-papers/<uuid:paper_id>/receipt.docx")
@gate(*queries.READERS, transaction=False)
@sends(WORD, about="enforcement_paper")
def write_service_receipt(actor: Actor, paper_id: UUID) -> Response:
    """The 送达回证 as editable Word."""
    return _written(actor, paper_id, receipt=True)


def _written(actor: Actor, paper_id: UUID, *, receipt: bool) -> Response:
    services = wiring()
    with services.database.read() as session:
        paper = queries.get_readable(session, actor, paper_id)
        written = printing.prepared(session, services.forms, paper, None, receipt=receipt)
    return as_word(written)


@bp.get("/enforcement-officers")
@gate(*queries.READERS)
@answers(Page[Officer])
@bp.input(PageQuery, location="query", arg_name="query")
def list_enforcement_officers(session: Session, actor: Actor, query: PageQuery) -> dict[str, Any]:
    """The officers of the own office, by name."""
    page = officers.officers(session, actor, query.request())
    return page.as_json(
        lambda row: {
            "name": row.EnforcementOfficer.name, "certificate_no": row.EnforcementOfficer.certificate_no,
        }
    )  # fmt: skip


@bp.put("/enforcement-officers")
@gate(Verb.INSPECTION_WRITE)
@answers(Officer)
@bp.input(OfficerBody, arg_name="body")
def keep_enforcement_officer(session: Session, actor: Actor, body: OfficerBody) -> dict[str, Any]:
    """Keep the 执法证号 of an officer of the own office: papers that name the officer get it."""
    officers.keep(session, actor, body.name, body.certificate_no)
    return {"name": body.name, "certificate_no": body.certificate_no}


@bp.delete("/enforcement-officers/<string:name>")
@gate(Verb.INSPECTION_WRITE)
@answers(Officer)
def forget_enforcement_officer(session: Session, actor: Actor, name: str) -> dict[str, Any]:
    """Take an officer from the list; papers stay as they are."""
    officers.forget(session, actor, name)
    return {"name": name, "certificate_no": ""}
