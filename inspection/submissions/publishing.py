"""What an enterprise reads of a check that concerned it (监督检查)."""

from sqlalchemy.orm import Session

from enterprise.production import publications
from enterprise.production.publications import NO_PROBLEM, NOT_CARRIED_OUT, PROBLEMS, PublishedCheck
from inspection.models import Inspection
from inspection.records.findings import findings
from inspection.submissions.validated import Validated


def publish(session: Session, record: Inspection, validated: Validated) -> None:
    """Publish a stored check, by one statement, to the enterprise that the register knows by its code and name.

    Called after the record is stored, by submissions and corrections alike, so that no two of them wait for each other.
    """
    if not validated.is_published:
        return
    result = NOT_CARRIED_OUT if record.unable else PROBLEMS if record.problems_found else NO_PROBLEM
    problems = "；".join(map(str, findings(validated.form, validated.data))) if result == PROBLEMS else None
    assert record.uscc is not None
    assert record.check_date is not None
    publications.publish(
        session,
        PublishedCheck(
            id=record.id,
            uscc=record.uscc,
            kind=record.kind,
            product_code=record.product_code,
            checked_on=record.check_date,
            office_name=record.office_name,
            inspectors="、".join(validated.data.get("inspectors") or ()),
            result=result,
            problems=problems or None,
        ),
    )
