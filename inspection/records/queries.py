"""What is read of field records, already limited to what the caller may see."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, ascending, fetch
from core.errors import not_found
from core.forms.library import FormLibrary
from core.forms.sealing import readable
from core.workflows import history
from inspection.models import Inspection, InspectionVersion
from inspection.records.access import reads_numbers
from inspection.records.content import answers_place, version_place
from inspection.records.findings import findings
from inspection.records.record_warnings import warnings_of

_OLDEST_VERSION_FIRST = ascending("inspection_versions", InspectionVersion.version)


def row_as_json(row: Any) -> dict[str, Any]:
    """A record in a list."""
    record: Inspection = row.Inspection
    return {
        "id": str(record.id),
        "kind": record.kind,
        "status": record.status,
        "version": record.version,
        "product_code": record.product_code,
        "uscc": record.uscc,
        "org_name": record.org_name,
        "name_differs": record.name_differs,
        "check_date": record.check_date.isoformat() if record.check_date else None,
        "unable": record.unable,
        "problems_found": record.problems_found,
        "disposal_state": record.disposal_state,
        "conclusion": record.conclusion,
        "office": {"id": str(record.office_id), "name": record.office_name},
        "org_address": record.data.get("org_address"),
        "production_address": record.data.get("production_address"),
        "business_address": record.data.get("business_address"),
        "region_code": record.region_code,
        "username": record.username,
        "operator_name": record.operator_name,
        "begun_by": record.begun_by_name,
        "updated_at": clock.rfc3339(record.updated_at),
        "submitted_at": clock.rfc3339(record.submitted_at) if record.submitted_at else None,
        "returned": record.returned,
        "corrected": record.corrected,
        "voided": record.voided,
    }


def record_answer(record: Inspection, actor: Actor, forms: FormLibrary) -> dict[str, Any]:
    """A whole record: what it says, and what the server knows of it.

    Telephone numbers are clear for the office that handles it, as long as it does (`access.reads_numbers`).
    """
    form = forms.get(record.form_code, record.form_version).form
    return {
        **readable(form, record.data, answers_place(record.id), clear=reads_numbers(actor, record)),
        "id": str(record.id),
        "kind": record.kind,
        "form_code": record.form_code,
        "form_version": record.form_version,
        "status": record.status,
        "version": record.version,
        "campaign_id": str(record.campaign_id) if record.campaign_id else None,
        "product_code": record.product_code,
        "level": record.level,
        "office": {"id": str(record.office_id), "name": record.office_name},
        "region": {"code": record.region_code},
        "username": record.username,
        "operator_name": record.operator_name,
        "begun_by": record.begun_by_name,
        "org_prefilled": record.org_prefilled,
        "name_differs": record.name_differs,
        "problems_found": record.problems_found,
        "problems": [one.as_json() for one in findings(form, record.data)] if record.problems_found else [],
        "disposal_state": record.disposal_state,
        **({"conclusion": record.conclusion} if record.record_type == "spot_check" else {}),
        "photos": record.data.get("photos", []),
        "signatures": record.data.get("signatures", []),
        "warnings": warnings_of(record),
        "created_at": clock.rfc3339(record.created_at),
        "updated_at": clock.rfc3339(record.updated_at),
        "submitted_at": clock.rfc3339(record.submitted_at) if record.submitted_at else None,
        "returned": record.returned,
        "corrected": record.corrected,
        "voided": record.voided,
    }


def versions(session: Session, record: Inspection, request: PageRequest) -> Page:
    """The contents that corrections replaced, oldest first."""
    columns = select(InspectionVersion.version, InspectionVersion.reason, InspectionVersion.replaced_at)
    return fetch(session, columns, _OLDEST_VERSION_FIRST, request, InspectionVersion.inspection_id == record.id)


def version_row_as_json(row: Any) -> dict[str, Any]:
    """A replaced content in a list."""
    return {"version": row.version, "reason": row.reason, "replaced_at": clock.rfc3339(row.replaced_at)}


def version_answer(
    session: Session, record: Inspection, number: int, actor: Actor, forms: FormLibrary
) -> dict[str, Any]:
    """What the record said at a version that a correction replaced; 404 for any other number."""
    # What was replaced is older than the record; and no number too large for the column is asked for.
    row = session.get(InspectionVersion, (record.id, number)) if number < record.version else None
    if row is None:
        raise not_found()
    form = forms.get(row.form_code, row.form_version).form
    return {
        **readable(form, row.data, version_place(record.id, row.version), clear=reads_numbers(actor, record)),
        "id": str(record.id),
        "version": row.version,
        "form_code": row.form_code,
        "form_version": row.form_version,
        "product_code": row.product_code,
        "reason": row.reason,
        "replaced_at": clock.rfc3339(row.replaced_at),
    }


def history_of(session: Session, record: Inspection, request: PageRequest) -> Page:
    """The moves of a record, oldest first."""
    return history.page(session, record.id, request)
