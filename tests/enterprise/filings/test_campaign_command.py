"""`./manage filings open`: a kind opened for all enterprises of a region."""

from collections.abc import Iterator

import pytest

from core.config import Settings
from core.db import Database
from tests.command_line import Run, command_line
from tests.parties import Parties
from tests.people import uscc
from tests.register import put_enterprises

KIND = "self_check_sales"


@pytest.fixture
def run(settings: Settings, parties: Parties, database: Database) -> Iterator[Run]:
    with database.write() as session:
        put_enterprises(
            session,
            {"uscc": uscc(201), "name": "常州某某化肥厂", "region_code": "320404", "product_codes": ["01"]},
        )
    with command_line(settings) as runs:
        yield runs


def open_for(run: Run, region: str, *more: str, status: int = 0) -> str:
    return run("filings", "open", "--kind", KIND, "--region", region, *more, status=status).output


def test_every_enterprise_of_the_region_gets_one_and_running_it_again_adds_none(run: Run, parties: Parties) -> None:
    assert "符合条件的企业3家：将发起3件，将略过0家" in open_for(run, "320400", "--dry-run")
    assert parties.enterprise.get(f"/filings?kind={KIND}").json["total"] == 0
    assert "符合条件的企业3家：已发起3件，已略过0家" in open_for(run, "320400")
    assert "已发起0件，已略过3家" in open_for(run, "320400")
    assert "已发起0件，已略过2家" in open_for(run, "320402")
    for person in (parties.enterprise, parties.other_enterprise):
        (row,) = person.get(f"/filings?kind={KIND}").json["items"]
        assert (row["status"], row["actions"]) == ("draft", ["save", "submit"])
        (moved,) = person.get(f"/filings/{row['id']}/history").json["items"]
        assert (moved["action"], moved["to"]) == ("open", "draft")
    assert parties.far_reviewer.get("/filings").json["total"] == 0


def test_a_product_a_title_and_a_day_make_a_campaign_of_their_own(run: Run, parties: Parties) -> None:
    assert "符合条件的企业3家：已发起3件" in open_for(run, "320000", "--product", "06", "--title", "春季自查")
    assert "已略过" in open_for(run, "320402", "--product", "06", "--title", "春季自查")
    assert "已发起2件" in open_for(run, "320402", "--product", "06", "--title", "秋季自查", "--due-on", "2099-03-31")
    rows = parties.enterprise.get(f"/filings?kind={KIND}").json["items"]
    assert {(row["title"], row["due_on"]) for row in rows} == {("春季自查", None), ("秋季自查", "2099-03-31")}
    assert "符合条件的企业0家" in open_for(run, "320402", "--product", "01")
    refused = run("filings", "open", "--kind", KIND, "--region", "320402", "--product", "99", status=1)
    assert "没有这个产品类别" in refused.stderr


def test_what_cannot_be_opened_in_bulk_is_refused_in_words(run: Run) -> None:
    for kind, said in (("rectification", "逐件"), ("data_declaration", "逐件"), ("nothing", "没有这种办件")):
        answer = run("filings", "open", "--kind", kind, "--region", "320402", status=1)
        assert said in answer.stderr
    assert "行政区划" in open_for(run, "999999", status=1)
    assert "截止日期" in open_for(run, "320402", "--due-on", "2020-01-01", status=1)
