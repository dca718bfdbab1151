"""Reading checks and spot checks: one, its history and earlier versions, lists and exports."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.tables.writing import Sheet
from core.actor import Actor
from core.workflows import history
from inspection.corrections import actions
from inspection.kinds import CHECK, SPOT_CHECK, resolve_kind_name
from inspection.records import access, exports, listing, queries
from inspection.statistics.totals import Filters
from miniapp_api.http.answers import RECORD, Page, answers, sends
from miniapp_api.http.bodies import AtOnceQuery, PageQuery
from miniapp_api.http.downloads import CSV, XLSX, as_csv, as_xlsx
from miniapp_api.http.filters import Days, ProductCode
from miniapp_api.http.gates import gate
from miniapp_api.http.readings import reading
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.record_addresses import OF_CHECKS, OF_SPOT_CHECKS
from miniapp_api.inspection.record_answers import (
    Conclusion,
    DisposalState,
    Record,
    RecordActions,
    RecordMove,
    RecordRow,
    RecordStatus,
    RecordVersion,
    RecordVersionRow,
    record_answer,
)

bp = APIBlueprint("records", __name__, tag="Inspection")

_LISTS = {"draft": listing.drafts, "submitted": listing.submitted, "voided": listing.voided}
_TITLES = {CHECK: "企业检查", SPOT_CHECK: "监督抽查"}


class RecordsQuery(PageQuery, Days):
    """Filters of the lists; `from` and `to` are check dates, `own_office` leaves out the regions below."""

    status: RecordStatus | None = None
    kind: str | None = Field(None, max_length=40)
    q: str | None = Field(None, max_length=100)
    product_code: ProductCode | None = None
    region: str | None = Field(None, max_length=6)
    problem: bool | None = None
    disposal: DisposalState | None = None
    unable: bool | None = None
    conclusion: Conclusion | None = None
    sampled: bool | None = Field(None, description="of spot checks: whether there is a sample")
    own_office: bool | None = None

    def filters(self, record_type: str) -> Filters:
        """The filters without page and status; a kind may be given by the code of its form, as in bodies."""
        asked = self.filters_only()
        del asked["status"]
        filters = Filters(**asked)
        if filters.kind is None:
            return filters
        return replace(filters, kind=resolve_kind_name(wiring().forms, record_type, filters.kind))


@bp.get("/inspections", endpoint="inspections_list", defaults=OF_CHECKS)
@bp.get("/spot-checks", endpoint="spot_checks_list", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ)
@answers(Page[RecordRow])
@bp.input(RecordsQuery, location="query", arg_name="query")
def list_records(session: Session, actor: Actor, record_type: str, query: RecordsQuery) -> dict[str, Any]:
    """Own drafts (`status=draft`, 信息暂存), or submitted records of the caller's regions (信息查看).

    What was voided (`status=voided`, 作废) stands in no other list.
    """
    matching = _LISTS[query.status or "submitted"]
    page = matching(session, actor, record_type, query.filters(record_type), query.request())
    return page.as_json(queries.row_as_json)


@bp.get("/inspections/<uuid:record_id>", endpoint="inspections_read", defaults=OF_CHECKS)
@bp.get("/spot-checks/<uuid:record_id>", endpoint="spot_checks_read", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ)
@answers(Record)
def read_record(session: Session, actor: Actor, record_type: str, record_id: UUID) -> dict[str, Any]:
    """One record, whole."""
    return record_answer(access.get_readable(session, actor, record_type, record_id), actor)


@bp.get("/inspections/<uuid:record_id>/actions", endpoint="inspections_actions", defaults=OF_CHECKS)
@bp.get("/spot-checks/<uuid:record_id>/actions", endpoint="spot_checks_actions", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ)
@answers(RecordActions)
def list_actions(session: Session, actor: Actor, record_type: str, record_id: UUID) -> dict[str, Any]:
    """What the caller may do with a record now: the buttons of its page."""
    return actions.actions_of(session, access.get_readable(session, actor, record_type, record_id), actor)


@bp.get("/inspections/<uuid:record_id>/history", endpoint="inspections_history", defaults=OF_CHECKS)
@bp.get("/spot-checks/<uuid:record_id>/history", endpoint="spot_checks_history", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ)
@answers(Page[RecordMove])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def read_history(
    session: Session, actor: Actor, record_type: str, record_id: UUID, query: AtOnceQuery
) -> dict[str, Any]:
    """The moves of a record, oldest first."""
    record = access.get_readable(session, actor, record_type, record_id)
    return queries.history_of(session, record, query.request()).as_json(history.as_json)


@bp.get("/inspections/<uuid:record_id>/versions", endpoint="inspections_versions", defaults=OF_CHECKS)
@bp.get("/spot-checks/<uuid:record_id>/versions", endpoint="spot_checks_versions", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ)
@answers(Page[RecordVersionRow])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def list_versions(
    session: Session, actor: Actor, record_type: str, record_id: UUID, query: AtOnceQuery
) -> dict[str, Any]:
    """The contents that corrections replaced, oldest first."""
    record = access.get_readable(session, actor, record_type, record_id)
    return queries.versions(session, record, query.request()).as_json(queries.version_row_as_json)


@bp.get("/inspections/<uuid:record_id>/versions/<int:number>", endpoint="inspections_version", defaults=OF_CHECKS)
@bp.get("/spot-checks/<uuid:record_id>/versions/<int:number>", endpoint="spot_checks_version", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ)
@answers(RecordVersion)
def read_version(session: Session, actor: Actor, record_type: str, record_id: UUID, number: int) -> dict[str, Any]:
    """What the record said before a correction."""
    record = access.get_readable(session, actor, record_type, record_id)
    return queries.version_answer(session, record, number, actor, wiring().forms)


@bp.get("/inspections.csv", endpoint="inspections_export_csv", defaults=OF_CHECKS)
@bp.get("/spot-checks.csv", endpoint="spot_checks_export_csv", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ, transaction=False)
@sends(CSV, about=RECORD)
@bp.input(RecordsQuery, location="query", arg_name="query")
def export_csv(actor: Actor, record_type: str, query: RecordsQuery) -> Response:
    """The list as CSV (UTF-8 with BOM), with the same filters."""
    return as_csv(_TITLES[record_type], _sheet(actor, record_type, query))


@bp.get("/inspections.xlsx", endpoint="inspections_export_xlsx", defaults=OF_CHECKS)
@bp.get("/spot-checks.xlsx", endpoint="spot_checks_export_xlsx", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ, transaction=False)
@sends(XLSX, about=RECORD)
@bp.input(RecordsQuery, location="query", arg_name="query")
def export_xlsx(actor: Actor, record_type: str, query: RecordsQuery) -> Response:
    """The list as an Excel workbook, with the same filters."""
    return as_xlsx(_TITLES[record_type], _sheet(actor, record_type, query))


def _sheet(actor: Actor, record_type: str, query: RecordsQuery) -> Sheet:
    """The list as a table; its rows are read, and noted as read, while it is written."""
    status = query.status or "submitted"
    records = listing.export_rows(wiring().database, actor, record_type, status, query.filters(record_type))
    cells_of = exports.cells(record_type, wiring().forms)
    rows = (cells_of(record) for record in reading().counting(records, lambda record: record.id))
    return Sheet(_TITLES[record_type], exports.columns(record_type), rows)
