"""Law enforcement papers (执法文书) stand under their history: what is written into the table is named."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, cast
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import Table, update

from accounts.verbs import Role
from core.config import Settings
from core.db import Database
from inspection.enforcement.models import EnforcementPaper
from miniapp_api.http.wiring import KEY
from tests.command_line import Run, command_line
from tests.inspection.test_enforcement_papers import APPROVAL, ORDER, publish_papers, saved, taken
from tests.newcomers import make_user
from tests.people import Person
from tests.tampering import attack

pytestmark = pytest.mark.usefixtures("clock")  # 2026-11-21
PAPERS = cast(Table, EnforcementPaper.__table__)


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def approved(application: APIFlask, sign_in: Callable[[str], Person], county_inspector: Person) -> dict[str, Any]:
    publish_papers(application)
    make_user(application.extensions[KEY].database, "320402", "county_head", Role.INSPECTION_APPROVER)
    pending = taken(county_inspector, saved(county_inspector, "inspection_approval", APPROVAL), "submit")
    return taken(sign_in("county_head"), pending, "approve", comment="同意检查")


@pytest.mark.parametrize(
    "values",
    [
        {"decided": {"at": "2026-11-21T02:00:00Z", "by": "别人", "office": "x", "approved": True, "opinion": "同意"}},
        {"data": {**APPROVAL, "basis": "另一条"}},
        {"org_name": "另一家有限公司"},
        {"number": "天宁区市监检审〔2026〕9号"},
        {"issued_on": date(2026, 11, 1)},
        {"receipt": {"recipient": "没有送达"}},
        {"status": "voided"},
    ],
)
def test_a_paper_changed_in_the_table(
    run: Run, database: Database, approved: dict[str, Any], values: dict[str, Any]
) -> None:
    run("history", "verify")
    paper = UUID(approved["id"])
    attack(database, lambda session: session.execute(update(PAPERS).where(PAPERS.c.id == paper).values(**values)))
    assert f"enforcement_paper {paper} #" in run("history", "verify", status=1).stderr


def test_a_paper_deleted_with_its_row(run: Run, database: Database, approved: dict[str, Any]) -> None:
    paper = UUID(approved["id"])
    attack(database, lambda session: session.execute(PAPERS.delete().where(PAPERS.c.id == paper)))
    assert f"enforcement_paper {paper} #1: record is gone" in run("history", "verify", status=1).stderr


def test_a_step_over_a_changed_paper_says_what_it_found(
    run: Run, application: APIFlask, database: Database, county_inspector: Person
) -> None:
    publish_papers(application)
    issued = taken(county_inspector, saved(county_inspector, "correction_order", ORDER), "issue")
    paper = UUID(issued["id"])
    forged = update(PAPERS).where(PAPERS.c.id == paper).values(due_on=date(2027, 1, 1))
    attack(database, lambda session: session.execute(forged))
    taken(county_inspector, issued, "recheck", comment="已改正")
    told = run("history", "verify", status=1).stderr
    assert f"enforcement_paper {paper} #" in told and "before this step it had been changed in the table" in told
