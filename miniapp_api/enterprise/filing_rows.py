"""The rows of a group of a filing as an Excel table: out, and in again as a preview."""

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import FILING_VERBS
from assets.tables.form_rows import read_rows, table_of
from core import clock
from core.actor import Actor
from core.errors import Problem, not_found
from core.forms.form import Form
from core.forms.items.item import Item
from enterprise.filings.reading import answers as filing_answers
from enterprise.filings.results import rows
from enterprise.filings.sides.access import get_readable
from miniapp_api.http.answers import Answer, AnswerValue, Page, answers, receives, sends
from miniapp_api.http.bodies import PageQuery
from miniapp_api.http.downloads import XLSX, as_xlsx
from miniapp_api.http.gates import gate
from miniapp_api.http.received_tables import CellFault, TableUpload, received_table
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("filing_rows", __name__, tag="Filings")


class RowsPreview(Answer):
    """The rows of a file as `data` of the filing has them; none where there are faults."""

    rows: list[dict[str, AnswerValue]]
    faults: list[CellFault]


class RowsQuery(PageQuery):
    """A page of rows; `q` is a fragment of their texts, or a whole number by which a row is known."""

    q: str | None = Field(None, max_length=100)


class GroupRow(Answer):
    """A row of a group."""

    about = "filing"

    id: UUID | None = Field(description="by which a later filing refers to it; null: it stands in no table")
    number: int = Field(description="its place in the group, from 0")
    data: dict[str, AnswerValue]


@bp.get("/filings/<uuid:filing_id>/rows/<string:group>")
@gate(*FILING_VERBS, by_query=True)
@answers(Page[GroupRow])
@bp.input(RowsQuery, location="query", arg_name="query")
def list_rows(session: Session, actor: Actor, filing_id: UUID, group: str, query: RowsQuery) -> dict[str, Any]:
    """The rows of a group, searched and paged: as they were sent, or of the working copy while it is changed."""
    engine = wiring().filings
    filing = get_readable(session, engine, actor, filing_id)
    kind = engine.kind_of(filing)
    declared = rows.reads_table(kind, filing, group, actor)
    if declared is None:
        _, _, shown = _group(session, actor, filing_id, group)
        return rows.page_of_copy(shown["data"].get(group) or [], query.q, query.request())
    item = rows.group_of(engine.forms.get(filing.form_code, filing.form_version).form, group)
    clear = filing.finished_at is None
    return rows.page_of_table(session, declared, item, filing, query.q, query.request(), clear=clear)


@bp.get("/filings/<uuid:filing_id>/rows/<string:group>.xlsx")
@gate(*FILING_VERBS, by_query=True)
@sends(XLSX, about="filing")
def export_rows(session: Session, actor: Actor, filing_id: UUID, group: str) -> Response:
    """The rows as the caller may read them; of a filing without rows the table to fill in. Cells are text."""
    _, item, shown = _group(session, actor, filing_id, group)
    return as_xlsx(item.text, table_of(item, shown["data"].get(group) or []))


@bp.post("/filings/<uuid:filing_id>/rows/<string:group>")
@gate(*FILING_VERBS, transaction=False, by_query=True)
@answers(RowsPreview)
@receives("multipart/form-data", TableUpload)
def read_rows_of_file(actor: Actor, filing_id: UUID, group: str) -> dict[str, Any]:
    """Read a table of rows (导入预览): what it says, or its faults by row and column. Nothing is stored.

    Whoever agrees saves the rows with the working copy (`PUT /filings/{id}`).
    """
    with wiring().database.read() as session:
        form, item, shown = _group(session, actor, filing_id, group)
    if "save" not in shown["actions"]:
        raise Problem("forbidden")
    with received_table() as table:
        found = read_rows(table, form, item, clock.today())
    faults = [
        {"row": one.row, "letter": one.letter, "column": one.column, "message": one.message} for one in found.faults
    ]
    return {"rows": found.rows, "faults": faults}


def _group(session: Session, actor: Actor, filing_id: UUID, name: str) -> tuple[Form, Item, dict[str, Any]]:
    """The form, the group of that name in it, and the filing as the caller reads it; 404 without such a group."""
    engine = wiring().filings
    filing = get_readable(session, engine, actor, filing_id)
    shown = filing_answers.whole_answer(session, engine, actor, filing)
    form = engine.forms.get(shown["form"]["code"], shown["form"]["version"]).form
    item = next((one for one in form.items if one.name == name and one.type == "group"), None)
    if item is None:
        raise not_found()
    return form, item, shown
