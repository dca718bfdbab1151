"""What an enterprise is told of a check that concerned it (监督检查)."""

from uuid import UUID

from sqlalchemy.orm import Session

from enterprise.production import publications
from enterprise.production.publications import NO_PROBLEM, NOT_CARRIED_OUT, PROBLEMS, PublishedCheck
from inspection.records.findings import findings
from inspection.submissions.validation import Validated


def publish(session: Session, record_id: UUID, validated: Validated, office_name: str) -> None:
    """Publish a submitted check of an enterprise that the register knows; one statement."""
    columns = validated.columns
    result = NOT_CARRIED_OUT if columns["unable"] else PROBLEMS if columns["problems_found"] else NO_PROBLEM
    publications.publish(
        session,
        PublishedCheck(
            id=record_id,
            uscc=columns["uscc"],
            kind=validated.kind.name,
            product_code=columns["product_code"],
            checked_on=columns["check_date"],
            office_name=office_name,
            inspectors="、".join(validated.data.get("inspectors") or ()),
            result=result,
            problems="；".join(map(str, findings(validated.form, validated.data))) or None
            if result == PROBLEMS
            else None,
        ),
    )
