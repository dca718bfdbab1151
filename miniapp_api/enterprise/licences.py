"""Production licences (生产许可证), self-check topics (自查主题), published checks (监督检查)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.errors import not_found
from core.identifiers import uscc_fault
from enterprise.production import operations, queries
from enterprise.production.queries import CheckFilters
from inspection.kinds import KINDS
from miniapp_api.enterprise.enterprise_answers import Enterprise, Licence
from miniapp_api.enterprise.enterprises import enterprise_answer
from miniapp_api.http.answers import Answer, AnswerValue, Page, answers
from miniapp_api.http.bodies import AsSent, Day, PageQuery
from miniapp_api.http.filters import Days
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("licences", __name__, tag="Filings")


def _no_fault(uscc: str) -> str:
    if fault := uscc_fault(uscc):
        raise ValueError(fault)
    return uscc


class LicencesQuery(PageQuery):
    """`uscc`: only those of one enterprise; `licence_no`: that number, with brackets and dashes of any kind."""

    uscc: Annotated[str, AfterValidator(_no_fault)] | None = Field(None, max_length=18)
    licence_no: str | None = Field(None, max_length=40)


class ChecksQuery(PageQuery, Days):
    """`from` and `to` are check dates; `q` is a fragment of the problems, the office or the inspectors."""

    q: str | None = Field(None, max_length=100)

    def filters(self) -> CheckFilters:
        """The filters in the terms of `enterprise/production/queries.py`."""
        return CheckFilters(self.day_from, self.day_to, self.q)


class TopicBody(AsSent):
    """A self-check topic with its template and the period in which reports may be sent."""

    title: str = Field(min_length=1, max_length=100)
    year: int = Field(ge=2000, le=2100)
    template_file_id: UUID = Field(strict=False)
    open_from: Day | None = Field(None, strict=False)
    open_to: Day | None = Field(None, strict=False)
    active: bool = True
    version: int | None = None


class SelfCheckTopic(Answer):
    """A self-check topic (自查主题)."""

    id: UUID
    version: int
    title: str
    year: int
    template_file_id: UUID
    open_from: date
    open_to: date | None
    active: bool


class Declared(Answer):
    """What an enterprise declared last that was approved."""

    filing_id: UUID
    approved_at: datetime | None
    data: dict[str, AnswerValue] = Field(description="the answers of the form; personal data masked")


class OwnProfile(Enterprise):
    """The own enterprise."""

    declared: Declared | None


class SupervisionCheck(Answer):
    """A check as the enterprise may see it (监督检查)."""

    id: UUID
    kind: str
    kind_label: str = Field(description="what it is called, in Chinese")
    product_code: str | None = Field(description="null where an office ordered a rectification without a check")
    checked_on: date
    office_name: str
    inspectors: str
    result: Literal["no_problem", "problems", "not_carried_out"]
    problems: str | None
    rectification_id: UUID | None
    rectification_status: str | None
    rectification_status_label: str | None


@bp.get("/licences")
@gate(Verb.FILINGS_WRITE, Verb.FILINGS_REVIEW, Verb.ENTERPRISES_READ)
@answers(Page[Licence])
@bp.input(LicencesQuery, location="query", arg_name="query")
def list_licences(session: Session, actor: Actor, query: LicencesQuery) -> dict[str, Any]:
    """The licence register: an enterprise's own licences, or those within the caller's scope."""
    page = queries.licences(session, actor, query.uscc, query.licence_no, query.request())
    return page.as_json(queries.licence_as_json)


@bp.get("/self-check-topics")
@gate(Verb.FILINGS_WRITE, Verb.FILINGS_REVIEW)
@answers(Page[SelfCheckTopic])
@bp.input(PageQuery, location="query", arg_name="query")
def list_topics(session: Session, actor: Actor, query: PageQuery) -> dict[str, Any]:
    """Self-check topics, the newest first."""
    page = queries.topics(session, actor, query.request())
    return page.as_json(lambda row: queries.topic_answer(row.SelfCheckTopic))


@bp.put("/self-check-topics/<uuid:topic_id>")
@gate(Verb.FILINGS_REVIEW)
@answers(SelfCheckTopic, 200, 201)
@bp.input(TopicBody, arg_name="body")
def put_topic(session: Session, actor: Actor, topic_id: UUID, body: TopicBody) -> tuple[dict[str, Any], int]:
    """Create or change a topic of the own office."""
    topic, new = operations.put_topic(session, actor, topic_id, body.model_dump())
    return queries.topic_answer(topic), 201 if new else 200


@bp.get("/me/enterprise")
@gate(Verb.FILINGS_WRITE)
@answers(OwnProfile)
def read_my_enterprise(session: Session, actor: Actor) -> dict[str, Any]:
    """The own enterprise (企业概况), read-only: what the register says, and what was last declared and approved."""
    if actor.enterprise_id is None:
        raise not_found()
    enterprise, declared = queries.profile(session, wiring().filings, actor)
    return {**enterprise_answer(enterprise), "declared": declared}


@bp.get("/supervision-checks")
@gate(Verb.FILINGS_WRITE)
@answers(Page[SupervisionCheck])
@bp.input(ChecksQuery, location="query", arg_name="query")
def list_supervision_checks(session: Session, actor: Actor, query: ChecksQuery) -> dict[str, Any]:
    """The checks that concern the own enterprise."""
    if actor.enterprise_id is None:
        raise not_found()
    page = queries.supervision_checks(session, actor, query.filters(), query.request())
    return page.as_json(_supervision_check)


def _supervision_check(row: Any) -> dict[str, Any]:
    shown = queries.supervision_check_as_json(row)
    kind = KINDS.get(shown["kind"])
    return {**shown, "kind_label": kind.label if kind else "责令整改"}
