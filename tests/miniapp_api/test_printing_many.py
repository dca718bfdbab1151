"""Many records in one PDF or zip: a job with progress, what cannot be printed named by row, fetched by who asked."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask

from assets.paper import print_jobs
from composition import long_jobs
from core import clock
from core.long_jobs.running import LEASE, Runner
from miniapp_api.http.wiring import KEY
from tests import parties as both
from tests.drawn_papers import codes, pages, words
from tests.enterprise.filings.test_filing_papers import saved
from tests.inspection.test_annexes import record
from tests.people import Person, new_id, spot_check, uscc
from tests.records import Json, submit

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def runner(application: APIFlask) -> Runner:
    return long_jobs.runner(application.extensions[KEY])


def begun(person: Person, path: str, **body: Any) -> Json:
    answer = person.post(path, body)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return dict(answer.json)


def result(person: Person, job: Json) -> bytes:
    answer = person.get(f"/jobs/{job['job_id']}/result")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return bytes(answer.data)


def test_the_records_of_a_filter_are_one_pdf_each_with_its_code_and_its_own_page_numbers(
    county_inspector: Person, neighbour_inspector: Person, runner: Runner
) -> None:
    names = [f"常州第{n}五金店" for n in range(12)]
    for n, name in enumerate(names):
        submit(county_inspector, record("onsite_sales", org_name=name, uscc=uscc(300 + n)))
    submit(county_inspector, record("ccc_production"))
    job = begun(county_inspector, "/inspections/prints?kind=onsite_sales", of_list=True)
    assert job["total"] == 12 and county_inspector.get(f"/jobs/{job['job_id']}/result").status_code == 409
    assert runner.run_due() == 12
    followed = county_inspector.get(f"/jobs/{job['job_id']}").json
    assert (followed["status"], followed["done"], followed["refused"]) == ("done", 12, 0)
    printed = result(county_inspector, job)
    said = words(printed)
    assert all(said.count(name) == 1 for name in names) and said.count("第1页/共1页") == pages(printed) == 12
    assert len(codes(printed)) == 12
    assert neighbour_inspector.get(f"/jobs/{job['job_id']}/result").status_code == 404
    # After a day the file is swept.
    storage: Any = county_inspector.client.application.extensions[KEY].uploads.storage
    with time_machine.travel("2027-01-01"):
        assert print_jobs.sweep(storage) == 1
    gone = county_inspector.get(f"/jobs/{job['job_id']}/result")
    assert gone.status_code == 404 and "请重新打印" in gone.json["detail"]


def test_a_zip_has_a_pdf_for_each_and_what_no_font_can_draw_is_named_by_row(
    county_inspector: Person, neighbour_inspector: Person, runner: Runner
) -> None:
    good = submit(county_inspector, record("onsite_sales"))
    odd = submit(county_inspector, record("onsite_sales", org_name="常州\U00030729五金店", uscc=uscc(301)))
    foreign = submit(neighbour_inspector, record("onsite_sales", uscc=uscc(302)))
    ids = [good["id"], odd["id"], foreign["id"]]
    job = begun(county_inspector, "/inspections/prints", ids=ids, format="zip")
    runner.run_due()
    refusals = county_inspector.get(f"/jobs/{job['job_id']}").json["refusals"]
    assert [(one["id"], one["code"]) for one in refusals] == [(odd["id"], "invalid"), (foreign["id"], "not_found")]
    assert "U+30729" in refusals[0]["message"]
    with zipfile.ZipFile(io.BytesIO(result(county_inspector, job))) as archive:
        (name,) = archive.namelist()
        assert name.startswith("JC2026") and good["org_name"] in words(archive.read(name))


def test_a_server_that_dies_between_two_parts_doubles_nothing(
    county_inspector: Person, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [submit(county_inspector, spot_check(sheet_no=f"CQ-{n}"), noun="spot-checks")["id"] for n in range(3)]
    job_id = new_id()
    job = begun(county_inspector, "/spot-checks/prints", ids=ids, job_id=job_id)
    assert begun(county_inspector, "/spot-checks/prints", ids=ids, job_id=job_id) == job
    work: Any = runner.works["record_prints"]
    died: list[int] = []

    def make(*asked: Any) -> Any:
        outcomes = work.make(*asked)
        if not died:
            died.append(asked[1])
            raise MemoryError
        return outcomes

    dying = print_jobs.Batch(2, work.prepare, make, work.finish)
    again = Runner(runner.database, {"record_prints": dying}, runner.actor_of)
    with pytest.raises(MemoryError):
        again.run_due()
    with time_machine.travel(clock.now() + LEASE + timedelta(seconds=1)):
        again.run_due()
    printed = result(county_inspector, job)
    assert [words(printed).count(f"CQ-{n}") for n in range(3)] == [1, 1, 1]


def test_filings_of_kinds_that_declare_a_paper_are_printed_and_the_others_refused(
    application: APIFlask, sign_in: Any, runner: Runner, tmp_path: Path
) -> None:
    parties = both.prepare(application, sign_in)
    saved(parties, application)
    saved(parties, application, "self_check_production")
    job = begun(parties.enterprise, "/filings/prints", filter={})
    runner.run_due()
    followed = parties.enterprise.get(f"/jobs/{job['job_id']}").json
    assert followed["done"] == 2 and {one["code"] for one in followed["refusals"]} == {"not_found"}
    said = words(result(parties.enterprise, job))
    assert "销售经营者填报" in said and "生产企业填报" in said
