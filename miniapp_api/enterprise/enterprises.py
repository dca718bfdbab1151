"""The register of enterprises (企业名录)."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.database.paging import whole
from core.errors import Problem
from core.identifiers import normalise_uscc, uscc_fault
from core.masking import mask_email
from enterprise import queries
from enterprise.handover import Invitation, hand_over
from enterprise.models import Enterprise
from enterprise.production import queries as licences
from inspection.records import kept_register
from inspection.statistics import plan
from inspection.statistics.plan import PlanFilter
from miniapp_api.enterprise.enterprise_answers import Enterprise as EnterpriseAnswer
from miniapp_api.enterprise.enterprise_answers import (
    EnterpriseAccount,
    EnterpriseWithLicences,
    LastVisit,
    RegisterChanges,
)
from miniapp_api.http.answers import Page, answers
from miniapp_api.http.bodies import Body, PageQuery, Query
from miniapp_api.http.filters import Days, ProductCode
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("enterprises", __name__, tag="Inspection")


class EnterprisesQuery(PageQuery, Days):
    """Filters of the list; `q` is a fragment of the name. `visited=false`: planned and not yet visited.

    `from` and `to` are the check dates of visits.
    """

    q: str | None = Field(None, max_length=100)
    product_code: ProductCode | None = None
    region: str | None = Field(None, max_length=6)
    own_office: bool | None = Field(None, description="leaves out the regions below")
    visited: bool | None = Field(
        None, validate_default=True, description="only planned enterprises: true visited, false left"
    )

    @field_validator("visited")
    @classmethod
    def _where_days_are_given(cls, visited: bool | None, others: ValidationInfo) -> bool | None:
        if visited is None and (others.data.get("day_from") or others.data.get("day_to")):
            raise ValueError("按日期（from、to）筛选时，请同时选择是否已到访（visited）")
        return visited


def enterprise_answer(enterprise: Enterprise) -> dict[str, Any]:
    """The basics of an enterprise, to pre-fill a check."""
    return {
        "id": str(enterprise.id),
        "uscc": enterprise.uscc,
        "name": enterprise.name,
        "legal_representative": enterprise.legal_representative,
        "address": enterprise.address,
        "production_address": enterprise.production_address,
        "region_code": enterprise.region_code,
        "scale": enterprise.scale,
        "status": enterprise.status,
        "product_codes": enterprise.product_codes,
    }


class EnterpriseAccountBody(Body):
    """`suffix` for a further user: the user name becomes `USCC@suffix`. `email`: a link goes there, no password is made
    known (邀请).
    """

    suffix: str | None = Field(None, max_length=20)
    email: str | None = Field(None, max_length=100)


@bp.get("/enterprises")
@gate(Verb.ENTERPRISES_READ)
@answers(Page[EnterpriseAnswer])
@bp.input(EnterprisesQuery, location="query", arg_name="query")
def list_enterprises(session: Session, actor: Actor, query: EnterprisesQuery) -> dict[str, Any]:
    """The enterprises of the caller's regions; with `visited` those of the plan (应检查) as 工作统计 counts them."""
    return plan.enterprises(session, actor, PlanFilter(**query.filters_only()), query.request()).as_json(
        enterprise_answer
    )


class ChangesQuery(Query):
    """The mark behind which to go on; none for all of the register."""

    after: str | None = Field(None, max_length=60, description="`next_after` of the last answer")
    page_size: int = Field(kept_register.PAGE_SIZE, ge=1, le=kept_register.PAGE_SIZE)


@bp.get("/enterprises/changes")
@gate(Verb.INSPECTION_WRITE, transaction=False)
@answers(RegisterChanges)
@bp.input(ChangesQuery, location="query", arg_name="query")
def list_register_changes(actor: Actor, query: ChangesQuery) -> dict[str, Any]:
    """The register that a phone keeps: enterprises of the own regions that were added, changed or gone since a mark.

    A phone asks without `after` first, keeps every page in one step together with its `next_after`, and goes on while
    `more`. A mark neither skips nor repeats a change, also while registers are imported. After another office, or a
    reorganisation of regions, a mark begins the list anew (`reset`).
    """
    found, items = kept_register.changes(wiring().database, wiring().forms, actor, query.after, query.page_size)
    return {
        "items": items, "gone": found.gone, "next_after": found.next_after, "more": found.more, "reset": found.reset,
    }  # fmt: skip


class EnterpriseQuery(Query):
    """The product that is checked, for `licence`."""

    product_code: ProductCode | None = None


@bp.get("/enterprises/<string:uscc>")
@gate(Verb.ENTERPRISES_READ)
@answers(EnterpriseWithLicences)
@bp.input(EnterpriseQuery, location="query", arg_name="query")
def read_enterprise(session: Session, actor: Actor, uscc: str, query: EnterpriseQuery) -> dict[str, Any]:
    """One enterprise from anywhere in the country; the code may be in lower case or full width.

    With its production licences (`licences`) and, where a product is named, the one for it (`licence`). A form is
    pre-filled from this answer: its `default_from` names `enterprise.…` for the top level, `licence.…` for `licence`.
    """
    fault = uscc_fault(uscc)
    if fault:
        raise Problem("not_found", f"{fault}；无误的请手动录入企业名称和地址")
    enterprise = queries.by_uscc(session, uscc)
    if enterprise is None:
        raise Problem("not_found", "企业名录中没有这个统一社会信用代码，请核对；无误的请手动录入企业名称和地址")
    held = licences.licences_of(session, enterprise)
    chosen = licences.for_product(held, query.product_code) if query.product_code else None
    return {
        **enterprise_answer(enterprise),
        "licences": [licences.licence_answer(one) for one in held],
        "licence": licences.licence_answer(chosen) if chosen else None,
    }


@bp.get("/enterprises/<string:uscc>/visits")
@gate(Verb.INSPECTION_READ)
@answers(Page[LastVisit])
def list_last_visits(session: Session, actor: Actor, uscc: str) -> dict[str, Any]:
    """The last record of each kind and product about an enterprise that the caller may read, the newest first.

    Also about one that is not in the register; empty where there is none.
    """
    code = normalise_uscc(uscc)
    return whole(kept_register.last_visits(session, wiring().forms, actor, [code]).get(code, []))


@bp.post("/enterprises/<string:uscc>/users")
@gate(Verb.ENTERPRISES_MANAGE, transaction=False)
@answers(EnterpriseAccount, 201)
@bp.input(EnterpriseAccountBody, arg_name="body")
def hand_over_account(actor: Actor, uscc: str, body: EnterpriseAccountBody) -> tuple[dict[str, Any], int]:
    """Hand an enterprise its account: user name and a one-time password, shown once; with `email` a link goes there.

    Not idempotent: until the account is used, each call makes a new password, or a new link.
    """
    services = wiring()
    invitation = Invitation(body.email, services.site) if body.email else None
    username, password = hand_over(services.database, actor, uscc, body.suffix, invitation)
    told = {"invited": mask_email(body.email)} if invitation else {"password": password}
    return {"username": username, "must_change_password": True, **told}, 201
