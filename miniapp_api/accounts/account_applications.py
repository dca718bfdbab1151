"""Applications for accounts (账号申请) and their decision (用户审核)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from apiflask import APIBlueprint
from pydantic import Field

from accounts import applications, deciding_many, queries
from accounts.models import USERNAME
from accounts.verbs import Verb
from core.actor import Actor
from miniapp_api.accounts.regions import RegionName
from miniapp_api.enterprise.steps_for_many import JobBegun
from miniapp_api.http.answers import Answer, Page, answers, refuses
from miniapp_api.http.bodies import AsSent, Body, PageQuery, Password
from miniapp_api.http.gates import gate, public
from miniapp_api.http.limits import application_limit, per_origin
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("account_applications", __name__, tag="People")


class ApplicationBody(Body):
    """What an applicant fills in."""

    applicant_name: str = Field(min_length=1, max_length=30)
    unit_name: str = Field(min_length=1, max_length=100)
    region_code: str = Field(pattern=r"^[0-9]{6}$")
    mobile: str = Field(min_length=11, max_length=20)
    username: str = Field(pattern=USERNAME)
    password: Password
    reason: str | None = Field(None, max_length=500)


class ApproveBody(AsSent):
    """An approval may carry an opinion."""

    opinion: str | None = Field(None, max_length=500)


class RejectBody(AsSent):
    """A rejection must carry an opinion."""

    opinion: str = Field(min_length=1, max_length=500)


class DecideManyBody(AsSent):
    """The applications that are decided alike; a rejection carries an opinion."""

    job_id: UUID | None = Field(
        None, strict=False, description="made by the client; sent again it begins no second job"
    )
    ids: list[Annotated[UUID, Field(strict=False)]] = Field(min_length=1, max_length=500)
    opinion: str | None = Field(None, max_length=500)


Status = Literal["pending", "approved", "rejected"]


class ApplicationsQuery(PageQuery):
    """Filters of the list."""

    status: Status | None = None
    q: str | None = Field(None, max_length=100)


class NewApplication(Answer):
    """An application that was received; its status is read with `query_code`."""

    id: UUID
    status: Status
    query_code: str


class ApplicationStatus(Answer):
    """What an applicant may know."""

    id: UUID
    status: Status
    opinion: str | None
    decided_office: str | None
    created_at: datetime
    decided_at: datetime | None


class DecidedBy(Answer):
    """Who decided, with the name and office of that time."""

    username: str
    name: str | None
    office: str


class AccountApplication(Answer):
    """An application as those read it who may decide it."""

    about = "account_application"

    id: UUID
    status: Status
    version: int
    applicant_name: str
    unit_name: str
    region: RegionName
    mobile: str = Field(description="masked in the list, and everywhere once it is decided")
    username: str
    username_taken: bool = Field(description="somebody else has the name: it cannot be approved")
    reason: str | None
    opinion: str | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: DecidedBy | None


@bp.post("/account-applications")
@public(transaction=False)
@per_origin(application_limit)
@answers(NewApplication, 200, 201)
@bp.input(ApplicationBody, arg_name="body")
def apply_for_account(body: ApplicationBody) -> tuple[dict[str, Any], int]:
    """Apply for an account of a county or city with a password of one's own; a superior office decides."""
    form = applications.NewApplication(**body.model_dump())
    application, new = applications.apply_for_account(wiring().database, form)
    answer = {"id": str(application.id), "status": application.status, "query_code": application.query_code}
    return answer, 201 if new else 200


@bp.get("/account-applications/status/<string:query_code>")
@public()
@answers(ApplicationStatus)
def read_application_status(session: Any, query_code: str) -> dict[str, Any]:
    """The status of an application, by its query code."""
    return queries.application_status(session, query_code)


@bp.get("/account-applications")
@gate(Verb.ACCOUNTS_DECIDE)
@answers(Page[AccountApplication])
@bp.input(ApplicationsQuery, location="query", arg_name="query")
def list_applications(session: Any, actor: Actor, query: ApplicationsQuery) -> dict[str, Any]:
    """The applications that the caller may decide."""
    page = queries.applications(session, actor, query.status, query.q, query.request())
    return page.as_json(lambda row: queries.application_answer(row.AccountApplication, row.name, row.taken))


@bp.post("/account-applications/actions/<string:action>")
@gate(Verb.ACCOUNTS_DECIDE)
@answers(JobBegun, 202)
@refuses(409)
@bp.input(DecideManyBody, arg_name="body")
def decide_applications(session: Any, actor: Actor, action: str, body: DecideManyBody) -> tuple[dict[str, Any], int]:
    """`approve` or `reject` many applications, each by itself; the job says which were refused and why."""
    job = deciding_many.begin(session, actor, body.job_id or uuid4(), action, body.ids, body.opinion)
    return {"job_id": str(job.id), "total": job.total}, 202


@bp.get("/account-applications/<uuid:application_id>")
@gate(Verb.ACCOUNTS_DECIDE)
@answers(AccountApplication)
def read_application(session: Any, actor: Actor, application_id: UUID) -> dict[str, Any]:
    """One application; the officer who is to decide it sees the whole mobile number, until it is decided."""
    application = applications.get_decidable(session, actor, application_id)
    return queries.application_answer(application, *queries.shown_with(session, application), full=True)


@bp.post("/account-applications/<uuid:application_id>/approve")
@gate(Verb.ACCOUNTS_DECIDE)
@answers(AccountApplication)
@bp.input(ApproveBody, arg_name="body")
def approve_application(session: Any, actor: Actor, application_id: UUID, body: ApproveBody) -> dict[str, Any]:
    """Approve; the account works from now on."""
    return _decided(session, actor, application_id, "approve", body)


@bp.post("/account-applications/<uuid:application_id>/reject")
@gate(Verb.ACCOUNTS_DECIDE)
@answers(AccountApplication)
@bp.input(RejectBody, arg_name="body")
def reject_application(session: Any, actor: Actor, application_id: UUID, body: RejectBody) -> dict[str, Any]:
    """Reject, with an opinion that the applicant will read."""
    return _decided(session, actor, application_id, "reject", body)


def _decided(session: Any, actor: Actor, application_id: UUID, action: str, body: AsSent) -> dict[str, Any]:
    application = applications.decide(session, actor, application_id, action, body.model_dump(exclude_none=True))
    return queries.application_answer(application, *queries.shown_with(session, application), full=True)
