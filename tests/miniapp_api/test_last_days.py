"""The last day of each deadline and the day after it, over the turn of 2026 to 2027."""

from collections.abc import Callable
from datetime import date

import pytest
import time_machine
from apiflask import APIFlask

from core.db import Database
from enterprise.filings.many import campaigns
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests import parties as both
from tests.parties import WORKS, Parties, act, send_report, sign_in_enterprise, upload
from tests.people import Person, faults, new_id

BEFORE, LAST, AFTER = "2026-12-30T10:00:00+08:00", "2027-01-01T23:59:59+08:00", "2027-01-02T00:00:00+08:00"


@pytest.fixture
def parties(application: APIFlask, clock: time_machine.Traveller, sign_in: Callable[[str], Person]) -> Parties:
    clock.move_to(BEFORE)
    return both.prepare(application, sign_in)


def again(parties: Parties, application: APIFlask) -> None:
    """The enterprise signs in anew: its session ended over the days."""
    parties.enterprise = sign_in_enterprise(application, WORKS)


@pytest.mark.parametrize(("moment", "late"), [(LAST, False), (AFTER, True)])
def test_a_report_on_the_last_day_is_in_time_and_one_the_day_after_is_late(
    parties: Parties, application: APIFlask, clock: time_machine.Traveller, moment: str, late: bool
) -> None:
    body = {"kind": "rectification", "uscc": WORKS, "data": {"problem": "记录不全", "due_on": "2027-01-01"}}
    row = parties.reviewer.put(f"/filings/{new_id()}", body).json
    clock.move_to(moment)
    again(parties, application)
    page = upload(parties.enterprise, paperwork.pdf(new_id()), "整改报告.pdf", "rectification_report")
    documents = [{"category": "rectification_report", "file_id": page}]
    row = parties.enterprise.put(f"/filings/{row['id']}", {"documents": documents, "version": row["version"]}).json
    sent = act(parties.enterprise, row, "submit").json
    assert (sent["status"], sent["late"]) == ("to_follow", late)


def test_a_topic_takes_reports_on_its_last_day_and_none_the_day_after(
    parties: Parties, application: APIFlask, clock: time_machine.Traveller
) -> None:
    template, topic_id = upload(parties.reviewer, paperwork.docx(), "模板.docx", "template"), new_id()
    body = {"title": "2026年度自查", "year": 2026, "template_file_id": template, "open_to": "2027-01-01"}
    assert parties.reviewer.put(f"/self-check-topics/{topic_id}", body).status_code == 201
    clock.move_to(LAST)
    again(parties, application)
    assert send_report(parties, topic_id).json["status"] == "unread"
    clock.move_to(AFTER)
    assert faults(send_report(parties, topic_id)) == {"/subject": "topic_closed"}


def test_a_campaign_s_table_is_yellow_on_its_last_day_and_red_the_day_after(
    parties: Parties, application: APIFlask, database: Database, clock: time_machine.Traveller
) -> None:
    engine = application.extensions[KEY].filings
    clock.move_to(LAST)
    with database.read() as session:
        ordered = campaigns.campaign(
            session, engine, "self_check_sales", "320402", title="年末", due_on=date(2027, 1, 1)
        )
    campaigns.run(database, engine, ordered, dry=False, progress=lambda *_: None)
    again(parties, application)

    def colours() -> set[str]:
        rows = parties.enterprise.get("/filings?kind=self_check_sales").json["items"]
        todos = parties.enterprise.get("/todos").json["items"]
        return {one["colour"] for one in (*rows, *todos)}

    assert colours() == {"yellow"}
    clock.move_to(AFTER)
    assert colours() == {"red"}
