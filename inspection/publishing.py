"""What an enterprise is told of a check that concerned it (监督检查)."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from enterprise.production import publications
from enterprise.production.publications import NO_PROBLEM, NOT_CARRIED_OUT, PROBLEMS, PublishedCheck
from inspection.entry import Entry


def publish(session: Session, record_id: UUID, entry: Entry, office_name: str) -> None:
    """Publish a submitted check of an enterprise that the register knows; one statement."""
    columns = entry.columns
    result = NOT_CARRIED_OUT if columns["unable"] else PROBLEMS if columns["problems_found"] else NO_PROBLEM
    publications.publish(
        session,
        PublishedCheck(
            id=record_id,
            uscc=columns["uscc"],
            kind=entry.kind.name,
            product_code=columns["product_code"],
            checked_on=columns["check_date"],
            office_name=office_name,
            inspectors="、".join(entry.data.get("inspectors") or ()),
            result=result,
            problems="；".join(_problems(entry)) or None if result == PROBLEMS else None,
        ),
    )


def _problems(entry: Entry) -> list[str]:
    """The items whose answer is a problem, with their numbers as on the form."""
    answers = entry.data.get("answers") or {}
    items = [item for section in entry.form.definition["sections"] for item in section["items"]]
    return [f"{item['no']} {item['text']}" for item in items if "no" in item and _is_problem(item, answers)]


def _is_problem(item: dict[str, Any], answers: dict[str, Any]) -> bool:
    given, bad = answers.get(item["no"]), item.get("problem_when") or []
    return any(one in bad for one in given) if isinstance(given, list) else given in bad
