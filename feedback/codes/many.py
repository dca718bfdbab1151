"""Many rating codes at once: made and generated (生成), printed as posters and table signs, disabled; by long jobs.

Each code is done by itself, with the rights that whoever asked has then; the job says which were refused and why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy.orm import Session

from assets.files.storage import Storage
from assets.paper import print_jobs
from assets.paper.compiling import CompilingFailed, Outcome
from assets.paper.fonts import CharactersMissing, FontMissing
from assets.paper.made_pictures import MadePictures
from core.actor import Actor
from core.database.paging import PageRequest
from core.errors import Problem, invalid
from core.long_jobs import operations as long_jobs
from core.long_jobs.models import LongJob
from core.long_jobs.running import Batch
from feedback import queries
from feedback.codes import operations, pictures
from feedback.codes.pictures import What
from feedback.models import RatingCode
from feedback.queries import CodeFilters, get_readable_code

MAKE, DISABLE, PRINT = "rating_codes_make", "rating_codes_disable", "rating_code_prints"
MOST = 500
"""Codes of one job."""
_PAGE = 100


@dataclass(frozen=True, slots=True)
class CodePaper:
    """A code whose paper is printed: its row, where it leads, which paper, and the name of its file in a zip."""

    code: RatingCode
    url: str
    what: What
    number: str


def begin_making(session: Session, actor: Actor, job_id: UUID, bodies: Sequence[Mapping[str, Any]]) -> LongJob:
    """Begin a job that makes and generates these codes, each under the `id` that the caller made for it."""
    sent = {UUID(str(body["id"])): dict(body) for body in bodies}
    if len(sent) != len(bodies):
        raise invalid("/codes", "duplicate", "有两个二维码的编号（id）相同，请重新生成编号")
    params = {"codes": {code_id.hex: body for code_id, body in sent.items()}}
    return long_jobs.begin(session, actor, job_id, MAKE, list(sent), params)


def make(session: Session, actor: Actor, code_id: UUID, params: Mapping[str, Any]) -> None:
    """One row of that job."""
    operations.create(session, actor, params["codes"][code_id.hex])
    operations.generate(session, actor, code_id)


def begin_disabling(session: Session, actor: Actor, job_id: UUID, ids: Sequence[UUID], reason: str | None) -> LongJob:
    """Begin a job that disables (停用) these codes."""
    return long_jobs.begin(session, actor, job_id, DISABLE, ids, {"reason": reason})


def disable(session: Session, actor: Actor, code_id: UUID, params: Mapping[str, Any]) -> None:
    """One row of that job."""
    operations.disable(session, actor, code_id, params["reason"])


def begin_printing(
    session: Session, actor: Actor, job_id: UUID, chosen: Sequence[UUID] | CodeFilters, what: What, form: str
) -> LongJob:
    """Begin a job that prints the papers of these codes, or of those that the list shows with these filters."""
    ids = _listed(session, actor, chosen) if isinstance(chosen, CodeFilters) else list(chosen)
    if len(ids) > MOST:
        raise invalid("/filter", "too_many", f"一次最多打印{MOST}份，请缩小筛选范围后分批打印")
    return long_jobs.begin(session, actor, job_id, PRINT, ids, {"paper": what, "format": form})


def printing(made: MadePictures, storage: Storage, address_of: Callable[[RatingCode], str | None]) -> Batch:
    """The work of a printing job; `address_of` says where a code leads."""

    def prepare(session: Session, actor: Actor, code_id: UUID, params: Mapping[str, Any]) -> CodePaper:
        code = get_readable_code(session, actor, code_id)
        url = address_of(code)
        if url is None:
            raise Problem("not_generated")
        session.expunge(code)
        name = "-".join(part for part in (code.window, code.matter_name, code.id.hex[:8]) if part)
        return CodePaper(code, url, cast(What, params["paper"]), name)

    def printed(papers: Sequence[CodePaper]) -> list[Outcome]:
        return [_pdf(made, paper) for paper in papers]

    return print_jobs.batch(prepare, printed, storage)


def _pdf(made: MadePictures, paper: CodePaper) -> Outcome:
    try:
        return pictures.paper(made, paper.code, paper.url, paper.what, "pdf")
    except (CharactersMissing, FontMissing, CompilingFailed) as error:
        return error


def _listed(session: Session, actor: Actor, filters: CodeFilters) -> list[UUID]:
    ids: list[UUID] = []
    after: str | None = None
    while len(ids) <= MOST:
        page = queries.codes(session, actor, filters, PageRequest(1, _PAGE, after))
        ids += [row.RatingCode.id for row in page.items]
        after = page.next_after
        if after is None:
            break
    return ids
