"""One step for many filings (批量办理)."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import FILING_VERBS
from core.actor import Actor
from core.errors import invalid
from enterprise.filings.many import steps_for_many
from enterprise.filings.reading.lists import Filters
from miniapp_api.http.answers import Answer, answers, refuses
from miniapp_api.http.bodies import AsSent
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("steps_for_many", __name__, tag="Filings")


class FilingFilter(AsSent):
    """The filters of `GET /filings`."""

    kind: str | None = Field(None, max_length=40)
    system: str | None = Field(None, max_length=40)
    status: str | None = Field(None, max_length=30)
    turn: Literal["mine"] | None = None
    overdue: bool = False
    q: str | None = Field(None, max_length=100)

    def filters(self) -> Filters:
        """As the list takes them."""
        return Filters(self.kind, self.status, self.q, self.system, self.turn == "mine", self.overdue)


class ManyBody(AsSent):
    """Which filings: `ids`, or all that the list shows the caller with these filters, at most 10 000."""

    job_id: UUID | None = Field(
        None, strict=False, description="made by the client; sent again it begins no second job; left out: a new one"
    )
    ids: list[Annotated[UUID, Field(strict=False)]] | None = Field(None, min_length=1, max_length=2000)
    filter: FilingFilter | None = None
    comment: str | None = Field(None, max_length=1000)


class JobBegun(Answer):
    """The job; `GET /jobs/{job_id}` says how far it has come."""

    job_id: UUID
    total: int


@bp.post("/filings/actions/<string:action>")
@gate(*FILING_VERBS)
@answers(JobBegun, 202)
@refuses(409)
@bp.input(ManyBody, arg_name="body")
def act_on_many_filings(session: Session, actor: Actor, action: str, body: ManyBody) -> tuple[dict[str, Any], int]:
    """Take a step for many filings, where their kind allows that (`many` of `GET /filing-kinds/{kind}`).

    Each is moved by itself; the job says which were refused and why.
    """
    if (body.ids is None) == (body.filter is None):
        raise invalid("/ids", "required", "请选择办件（ids），或给出筛选条件（filter），二者只能用其一")
    chosen = body.ids if body.ids is not None else body.filter.filters() if body.filter else []
    engine = wiring().filings
    job = steps_for_many.begin(session, engine, actor, body.job_id or uuid4(), action, chosen, body.comment)
    return {"job_id": str(job.id), "total": job.total}, 202
