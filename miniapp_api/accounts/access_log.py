"""The access log (查阅日志): who read or exported which personal record."""

from datetime import datetime
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.access_log import queries
from accounts.access_log.queries import Filters
from accounts.verbs import Verb
from core.actor import Actor
from miniapp_api.accounts.users import OfficeName
from miniapp_api.http.answers import Answer, JsonValue, Page, answers
from miniapp_api.http.bodies import AwareMoment, PageQuery
from miniapp_api.http.gates import gate

bp = APIBlueprint("access_log", __name__, tag="People")


class AccessLogQuery(PageQuery):
    """Filters of the list; `subject_id` finds single records, and lists and exports that held them."""

    username: str | None = Field(None, max_length=64, description="who read")
    subject_type: str | None = Field(None, max_length=30, description="rating, inspection, filing, user, …")
    subject_id: UUID | None = Field(None, description="the record that was read")
    operation: str | None = Field(None, max_length=80, description="operationId of this document")
    since: AwareMoment | None = Field(None, description="from then on")
    until: AwareMoment | None = Field(None, description="before then")


class AccessLogEntry(Answer):
    """One answer that held personal data."""

    about = "access_log"

    id: UUID
    at: datetime
    username: str
    operator_name: str | None = Field(description="who was at the phone")
    office: OfficeName = Field(description="of the reader, as it was called then")
    address: str = Field(description="from where")
    operation: str = Field(description="operationId of this document")
    subject_type: str
    subjects: list[UUID] = Field(description="the first hundred of the ids that are noted")
    noted: int = Field(description="how many ids are noted: of an export at most 500, by which `subject_id` finds it")
    rows: int | None = Field(description="how many records the answer held; null where a download was broken off")
    asked: dict[str, JsonValue] = Field(description="what was asked for beside the record: filters, step, id of a file")


@bp.get("/access-log")
@gate(Verb.ACCESS_LOG_READ)
@answers(Page[AccessLogEntry])
@bp.input(AccessLogQuery, location="query", arg_name="query")
def list_access_log(session: Session, actor: Actor, query: AccessLogQuery) -> dict[str, Any]:
    """What users of the caller's regions read or exported of persons, the newest first; it lags by a second."""
    page = queries.entries(session, actor, Filters(**query.filters_only()), query.request())
    noted = queries.subjects_of(session, [row.AccessEntry.id for row in page.items])
    return page.as_json(lambda row: queries.entry_answer(row.AccessEntry, noted[row.AccessEntry.id]))
