"""Filings (办件): the same calls for every kind."""

import base64
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field, ValidationError, WithJsonSchema
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from accounts.sign_in.sessions import hash_token
from accounts.verbs import FILING_VERBS, Verb
from assets.paper import qr_codes
from core.actor import Actor
from core.database.paging import whole
from core.errors import not_found
from core.workflows import history
from enterprise.filings import operations, queries
from enterprise.filings.declaring import kind_answers
from enterprise.filings.drafts import sending
from enterprise.filings.drafts.working_copy import due_date_warnings, read_only_warnings
from enterprise.filings.reading import answers as filing_answers
from enterprise.filings.reading import lists, papers, receipts
from enterprise.filings.reading.lists import Filters
from enterprise.filings.sides.access import get_readable
from enterprise.filings.steps import actions
from enterprise.systems import KINDS
from miniapp_api.enterprise.filing_answers import (
    DeletedFiling,
    Filing,
    FilingCheck,
    FilingKind,
    FilingKindSummary,
    FilingMove,
    FilingReceipt,
    FilingRow,
    FilingVersion,
)
from miniapp_api.http.answers import FORM_DATA, Page, answers, refuses
from miniapp_api.http.bodies import (
    ID_FIELD,
    VERSION_FIELD,
    AsSent,
    AtOnceQuery,
    AwareMoment,
    DescribedBody,
    PageQuery,
    Query,
    described,
)
from miniapp_api.http.gates import AfterCommit, bearer_token, gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("filings", __name__, tag="Filings")


class FilingsQuery(PageQuery):
    """Filters of the list; `q` is a fragment of the enterprise's name.

    `status` also finds what lists show under it: 未阅 finds the reports that are being changed (修改中).
    """

    kind: str | None = Field(None, max_length=40)
    system: str | None = Field(None, max_length=40, description="the business system of the kinds")
    status: str | None = Field(None, max_length=30)
    turn: Literal["mine"] | None = Field(None, description="those in which the caller is awaited now")
    overdue: bool = Field(False, description="those whose due day is over (red), the oldest day first")
    q: str | None = Field(None, max_length=100)


class FilingBody(DescribedBody):
    """A filing to open, or its working copy to save; validated by its kind (see `GET /filing-kinds/{kind}`)."""

    model_config = described(
        kind={"type": "string", "enum": [kind.code for kind in KINDS], "description": "needed to open a filing"},
        uscc={"type": "string", "description": "for which enterprise, where an office opens the filing"},
        subject={
            "type": "object",
            "required": ["type", "id"],
            "properties": {"type": {"type": "string"}, "id": ID_FIELD},
            "additionalProperties": False,
            "description": "what a new filing is about, where its kind is about something",
        },
        data={**FORM_DATA, "description": "the answers of the form of its kind; left out they stay as they are"},
        documents={
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["category", "file_id"],
                "properties": {"category": {"type": "string"}, "file_id": ID_FIELD},
                "additionalProperties": False,
            },
            "description": "files uploaded before, all of them each time; left out they stay as they are",
        },
        version=VERSION_FIELD,
    )


class FilingVersionsQuery(AtOnceQuery):
    """A page of versions; without page parameters the first hundred, because each version is answered whole."""

    at_once = 100


class ReceiptQuery(Query):
    """Which sending; the last one by default."""

    sending: int | None = Field(None, ge=1)


class SentDocument(AsSent):
    """A file uploaded before, in a category of the step."""

    category: str = Field(max_length=40)
    file_id: str = Field(max_length=40)


class ActionBody(AsSent):
    """A step of the workflow: the version that the caller read, a comment where the step asks for one, and `data` and
    `documents` of the step's own form where it has one (see `GET /filing-kinds/{kind}`)."""

    version: int
    data: Annotated[dict[str, Any], WithJsonSchema({**FORM_DATA, "description": "of the step's own form"})] = Field(
        default={}
    )
    documents: list[SentDocument] = Field(default=[], max_length=100)
    comment: str | None = Field(None, max_length=1000)
    due_on: str | None = Field(None, max_length=10)
    first_tried_at: AwareMoment | None = Field(
        None, strict=False, description="when the phone first tried to send this; kept as what the phone says"
    )


@bp.get("/filing-kinds")
@gate(*FILING_VERBS, transaction=False, in_system=True)
@answers(Page[FilingKindSummary])
def list_filing_kinds(actor: Actor) -> dict[str, Any]:
    """All kinds of filings."""
    kinds = wiring().filings.kinds.values()
    return whole([kind_answers.summary(kind) for kind in kinds if actor.works_in(kind.system)])


@bp.get("/filing-kinds/<string:kind>")
@gate(*FILING_VERBS, transaction=False, by_query=True)
@answers(FilingKind)
def read_filing_kind(actor: Actor, kind: str) -> dict[str, Any]:
    """Form, documents and workflow of a kind."""
    found = wiring().filings.kinds.named(kind)
    if found is None:
        raise not_found()
    return kind_answers.kind_answer(found, wiring().forms, actor.verbs)


@bp.get("/filings")
@gate(*FILING_VERBS, in_system=True)
@answers(Page[FilingRow])
@bp.input(FilingsQuery, location="query", arg_name="query")
def list_filings(session: Session, actor: Actor, query: FilingsQuery) -> dict[str, Any]:
    """Filings, newest first (overdue ones by their day); each with what the caller may do now."""
    engine = wiring().filings
    filters = Filters(query.kind, query.status, query.q, query.system, query.turn == "mine", query.overdue)
    page = lists.filings(session, engine, actor, filters, query.request())
    return filing_answers.page_answer(session, engine, actor, page)


@bp.get("/filings/<uuid:filing_id>")
@gate(*FILING_VERBS, by_query=True)
@answers(Filing)
def read_filing(session: Session, actor: Actor, filing_id: UUID) -> dict[str, Any]:
    """One whole filing. Reading it never changes its status."""
    engine = wiring().filings
    return filing_answers.whole_answer(session, engine, actor, get_readable(session, engine, actor, filing_id))


@bp.put("/filings/<uuid:filing_id>")
@gate(*FILING_VERBS, by_query=True)
@answers(Filing, 200, 201)
@bp.input(FilingBody, arg_name="body")
def save_filing(session: Session, actor: Actor, filing_id: UUID, body: FilingBody) -> AfterCommit:
    """Open a filing, or save its working copy."""
    engine = wiring().filings
    before = filing_answers.answer_before(session, engine, actor, filing_id, body.root)
    filing, new = operations.save(session, engine, actor, filing_id, body.root)
    prepared = filing_answers.prepare_answer(session, engine, actor, filing)
    stale = papers.stale_prints(session, engine, filing)

    def answer() -> tuple[dict[str, Any], int]:
        after = prepared(stale)
        after["warnings"] += read_only_warnings(engine, filing, body.root, before, after)
        return after, 201 if new else 200

    return AfterCommit(answer)


@bp.post("/filings/<uuid:filing_id>/actions/<string:action>")
@gate(*FILING_VERBS, by_query=True)
@answers(Filing)
@bp.input(ActionBody, arg_name="body")
def act_on_filing(session: Session, actor: Actor, filing_id: UUID, action: str, body: ActionBody) -> AfterCommit:
    """Take a step of the filing's workflow.

    Reading is one too (`read`), and so is handing back what cannot be read (`return`, with the reason as its
    comment), or giving up a correction (`cancel`): the filing is again what was sent. Which there are is said by
    `GET /filing-kinds/{kind}`.
    """
    engine = wiring().filings
    wiring().tries.read_in(session, filing_id)
    filing = actions.act(session, engine, actor, filing_id, action, body.model_dump(exclude_defaults=True))
    prepared = filing_answers.prepare_answer(session, engine, actor, filing)
    warnings = due_date_warnings(filing, body.due_on)
    return AfterCommit(lambda: prepared(warnings))


@bp.after_request
def _keep_its_time(response: Response) -> Response:
    """Note a sending that reached the server and could not be taken, so that its sender is not made late by it."""
    arguments = request.view_args or {}
    if response.status_code < 500 or request.endpoint != "filings.act_on_filing":
        return response
    services, token = wiring(), bearer_token()
    sends = {step.action for kind in services.filings.kinds.values() for step in kind.steps if step.sends}
    if token is not None and arguments["action"] in sends:
        try:
            body = ActionBody.model_validate(request.get_json())
        except (ValidationError, HTTPException):
            return response
        kept = body.model_dump(exclude_defaults=True, exclude={"first_tried_at"})
        services.tries.note(hash_token(token), arguments["filing_id"], arguments["action"], kept)
    return response


@bp.get("/filings/<uuid:filing_id>/check")
@gate(*FILING_VERBS, by_query=True)
@answers(FilingCheck)
@refuses(409)
def check_filing(session: Session, actor: Actor, filing_id: UUID) -> dict[str, Any]:
    """What sending would say now of what is saved; changes nothing."""
    faults, owed = sending.check_sending(session, wiring().filings, actor, filing_id)
    return {
        "errors": [fault.as_json() for fault in faults],
        "owed": [{"path": path, "text": wording} for path, wording in owed.items()],
    }


@bp.get("/filings/<uuid:filing_id>/receipt")
@gate(*FILING_VERBS, by_query=True)
@answers(FilingReceipt)
@bp.input(ReceiptQuery, location="query", arg_name="query")
def read_filing_receipt(session: Session, actor: Actor, filing_id: UUID, query: ReceiptQuery) -> dict[str, Any]:
    """The receipt (提交回执) of a sending: number, time, digests, and a QR code that leads to it."""
    services = wiring()
    found = receipts.receipt(
        session, services.filings, actor, filing_id, query.sending, services.settings.resolved_public_url
    )
    picture = base64.b64encode(qr_codes.png(found["url"])).decode()
    return {**found, "qr": f"data:image/png;base64,{picture}"}


@bp.delete("/filings/<uuid:filing_id>")
@gate(Verb.FILINGS_WRITE, in_system=True)
@answers(DeletedFiling)
@refuses(409)
def delete_filing(session: Session, actor: Actor, filing_id: UUID) -> dict[str, Any]:
    """Delete an own filing where its workflow allows that."""
    filing = operations.delete(session, wiring().filings, actor, filing_id)
    return {"id": str(filing.id), "status": filing.status}


@bp.get("/filings/<uuid:filing_id>/versions")
@gate(*FILING_VERBS, by_query=True)
@answers(Page[FilingVersion])
@bp.input(FilingVersionsQuery, location="query", arg_name="query")
def list_filing_versions(session: Session, actor: Actor, filing_id: UUID, query: FilingVersionsQuery) -> dict[str, Any]:
    """The versions that were sent, oldest first."""
    engine = wiring().filings
    filing = get_readable(session, engine, actor, filing_id)
    page = queries.versions(session, filing, query.request())
    return page.as_json(lambda row: filing_answers.version_answer(engine, filing, row))


@bp.get("/filings/<uuid:filing_id>/history")
@gate(*FILING_VERBS, by_query=True)
@answers(Page[FilingMove])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def list_filing_history(session: Session, actor: Actor, filing_id: UUID, query: AtOnceQuery) -> dict[str, Any]:
    """The moves of a filing, oldest first."""
    filing = get_readable(session, wiring().filings, actor, filing_id)
    return queries.history_of(session, filing, query.request()).as_json(history.as_json)
