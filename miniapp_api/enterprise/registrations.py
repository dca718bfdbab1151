"""Registration without an account (自行登记), a token for its query code (查询码), and the consent of who is known."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from apiflask import APIBlueprint
from flask import request
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.models import USERNAME
from accounts.verbs import Verb
from core import clock
from core.actor import Actor
from core.errors import not_found
from enterprise.registrations import joining, queries, query_sessions, registering
from enterprise.registrations.queries import Filters
from enterprise.registrations.query_sessions import Typed
from enterprise.registrations.registering import Account, Asker, Form
from miniapp_api.http.answers import Answer, Page, answers, refuses
from miniapp_api.http.bodies import AsSent, Body, EmptyBody, PageQuery
from miniapp_api.http.gates import gate, public
from miniapp_api.http.limits import application_limit, per_origin, sign_in_limit
from miniapp_api.http.origins import origin
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("registrations", __name__, tag="Filings")

Applicant = Literal["organisation", "person"]
Status = Literal["new", "joined", "apart"]
Action = Literal["join", "keep_apart"]


class CaptchaFields(Body):
    """The captcha, where it was asked for (403 `captcha_required`)."""

    captcha_id: str | None = Field(None, max_length=64)
    captcha: str | None = Field(None, max_length=10)

    def asker(self) -> Asker:
        """Where the call comes from."""
        return Asker(origin(), request.headers.get("User-Agent", ""), self.captcha_id, self.captcha)


class AccountBody(Body):
    """An account with rights in the system of the registration alone."""

    username: str = Field(pattern=USERNAME)
    password: str = Field(max_length=200)


class RegistrationBody(CaptchaFields):
    """Who registers. `code` is the USCC of an organisation, the resident ID of a person; `id` is made by the phone."""

    id: UUID | None = Field(None, strict=False)
    kind: str | None = Field(None, max_length=40, description="where the system has several")
    name: str = Field(min_length=1, max_length=100)
    code: str = Field(min_length=1, max_length=40)
    mobile: str = Field(min_length=1, max_length=20)
    email: str | None = Field(None, max_length=100)
    region_code: str = Field(pattern=r"^[0-9]{6}$")
    account: AccountBody | None = Field(None, description="left out: without an account, by the query code alone")


class QueryBody(CaptchaFields):
    """Name, code (USCC or resident ID) and query code have to fit together."""

    name: str = Field(min_length=1, max_length=100)
    code: str = Field(min_length=1, max_length=40)
    query_code: str = Field(min_length=1, max_length=40)


class LostCodeBody(CaptchaFields):
    """Name, code and the address that was given when registering."""

    name: str = Field(min_length=1, max_length=100)
    code: str = Field(min_length=1, max_length=40)
    email: str = Field(min_length=1, max_length=100)


class KeepApartBody(AsSent):
    """Why it is not taken over."""

    opinion: str = Field(min_length=1, max_length=500)


class RegistrationsQuery(PageQuery):
    """Filters of the list."""

    system: str | None = Field(None, max_length=30)
    status: Status | None = None


class RegistrationOffer(Answer):
    """What can be registered in a system."""

    kind: str
    title: str
    applicant: Applicant
    hint: str


class RegistrationOffers(Answer):
    """What can be registered in a system without an account."""

    system: str
    items: list[RegistrationOffer]
    sends_mail: bool = Field(description="whether a lost query code can be mailed")


class OfferOfSystem(RegistrationOffer):
    """What can be registered, and in which system."""

    system: str


class AllRegistrationOffers(Answer):
    """What can be registered without an account, in all systems."""

    items: list[OfferOfSystem]
    sends_mail: bool = Field(description="whether a lost query code can be mailed")


class NewRegistration(Answer):
    """A registration; the query code is shown once and is to be kept."""

    id: UUID
    filing_id: UUID
    query_code: str
    token: str = Field(description="reaches this filing, its files and steps, and nothing else")
    expires_at: datetime


class QuerySession(Answer):
    """A token that reaches one filing."""

    token: str
    expires_at: datetime
    filing_id: UUID


class LostCodeAsked(Answer):
    """The same for whoever is registered and for whoever is not."""

    sends_mail: bool


class Registration(Answer):
    """A registration as those read it who decide about it."""

    about = "registration"

    id: UUID
    system: str
    kind: str
    applicant: Applicant
    name: str
    code: str | None = Field(description="the USCC; of a person the resident ID, masked")
    mobile: str = Field(description="masked")
    region_code: str
    filing_id: UUID
    status: Status
    known_as: str | None = Field(description="the organisation of the register that has this code")
    opinion: str | None
    actions: list[Action] = Field(description="what the caller may do now")
    version: int
    created_at: datetime


@bp.get("/registrations/offers")
@public(transaction=False)
@answers(AllRegistrationOffers)
def list_registration_offers() -> dict[str, Any]:
    """What can be registered without an account, in all systems; nothing where none takes anybody."""
    services = wiring()
    items = [
        {"system": one.system, "kind": one.kind, "title": one.title, "applicant": one.applicant, "hint": one.hint}
        for one in services.registrations.all
    ]
    return {"items": items, "sends_mail": services.site.sends_mail}


@bp.get("/registrations/<string:system>")
@public(transaction=False)
@answers(RegistrationOffers)
def read_registration_offers(system: str) -> dict[str, Any]:
    """What can be registered in a system without an account; 404 for a system that takes nobody."""
    services = wiring()
    declared = services.registrations.of_system(system)
    if not declared:
        raise not_found()
    items = [{"kind": one.kind, "title": one.title, "applicant": one.applicant, "hint": one.hint} for one in declared]
    return {"system": system, "items": items, "sends_mail": services.site.sends_mail}


@bp.post("/registrations/<string:system>")
@public(transaction=False)
@per_origin(application_limit)
@answers(NewRegistration, 201)
@refuses(403, 404, 429)
@bp.input(RegistrationBody, arg_name="body")
def register(system: str, body: RegistrationBody) -> tuple[dict[str, Any], int]:
    """Register: opens one filing and answers its query code, once; with an account its holder files further ones.

    The same call with the same `id` within ten minutes, after a lost answer, is answered with the same code.
    """
    services = wiring()
    form = Form(body.name, body.code, body.mobile, body.email, body.region_code)
    account = Account(body.account.username, body.account.password) if body.account is not None else None
    made = registering.register(
        services.database, services.filings, services.registrations, services.policy, system, body.kind,
        body.id or uuid4(), form, body.asker(), account,
    )  # fmt: skip
    return {
        "id": str(made.id), "filing_id": str(made.filing_id), "query_code": made.query_code,
        "token": made.begun.token, "expires_at": clock.rfc3339(made.begun.expires_at),
    }, 201  # fmt: skip


@bp.post("/registrations/<string:system>/lost-codes")
@public(transaction=False)
@per_origin(sign_in_limit)
@answers(LostCodeAsked, 202)
@refuses(403, 429)
@bp.input(LostCodeBody, arg_name="body")
def ask_for_query_code(system: str, body: LostCodeBody) -> tuple[dict[str, Any], int]:
    """Mail a new query code to the registered address; 202 whether or not somebody is registered."""
    services = wiring()
    query_sessions.send_lost_code(
        services.database, services.site, system, body.name, body.code, body.email, body.asker()
    )
    return {"sends_mail": services.site.sends_mail}, 202


@bp.post("/sessions/query")
@public(transaction=False)
@per_origin(sign_in_limit)
@answers(QuerySession, 201)
@refuses(401, 429)
@bp.input(QueryBody, arg_name="body")
def create_query_session(body: QueryBody) -> tuple[dict[str, Any], int]:
    """A token for a query code: it reaches that filing, its files and steps, and nothing else."""
    services = wiring()
    typed = Typed(body.name, body.code, body.query_code)
    opened = query_sessions.begin(services.database, services.policy, typed, body.asker())
    return {
        "token": opened.begun.token, "expires_at": clock.rfc3339(opened.begun.expires_at),
        "filing_id": str(opened.filing_id),
    }, 201  # fmt: skip


@bp.get("/registrations")
@gate(Verb.ENTERPRISES_MANAGE, Verb.FILINGS_WRITE)
@answers(Page[Registration])
@bp.input(RegistrationsQuery, location="query", arg_name="query")
def list_registrations(session: Session, actor: Actor, query: RegistrationsQuery) -> dict[str, Any]:
    """Registrations that the caller may decide about: of the own regions, or with the own organisation's code."""
    page = queries.registrations(session, actor, Filters(query.system, query.status), query.request())
    known = queries.known(session, page.items)
    return page.as_json(lambda row: queries.answer(actor, row.Registered, known.get(row.Registered.code)))


@bp.post("/registrations/<uuid:registration_id>/join")
@gate(Verb.ENTERPRISES_MANAGE, Verb.FILINGS_WRITE)
@answers(Registration)
@bp.input(EmptyBody, arg_name="body")
def join_registration(session: Session, actor: Actor, registration_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """Consent (同意并入): the filing becomes one of the organisation that is known by this code."""
    return _decided(session, actor, registration_id, "join", {})


@bp.post("/registrations/<uuid:registration_id>/keep-apart")
@gate(Verb.ENTERPRISES_MANAGE, Verb.FILINGS_WRITE)
@answers(Registration)
@bp.input(KeepApartBody, arg_name="body")
def keep_registration_apart(
    session: Session, actor: Actor, registration_id: UUID, body: KeepApartBody
) -> dict[str, Any]:
    """Leave it apart (单独办理), with the reason: it is of no organisation of the register."""
    return _decided(session, actor, registration_id, "keep_apart", body.model_dump())


def _decided(
    session: Session, actor: Actor, registration_id: UUID, action: str, body: dict[str, Any]
) -> dict[str, Any]:
    joining.decide(session, actor, registration_id, action, body)
    return queries.answer(actor, *joining.get_readable(session, actor, registration_id))
