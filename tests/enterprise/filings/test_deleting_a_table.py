"""A self-check table (自查表) begun by mistake can be removed; one that the office set or read cannot."""

from typing import Any
from uuid import UUID

from apiflask import APIFlask

from assets.files.models import File
from core import clock
from core.config import Settings
from core.db import Database
from enterprise.production.kinds.self_check_table import SALES
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests.command_line import command_line
from tests.enterprise.filings.filled import filled
from tests.newcomers import code_of
from tests.parties import WORKS, Parties, act, open_declaration, upload
from tests.people import Person, new_id

Json = dict[str, Any]


def begun(parties: Parties, **body: Any) -> Json:
    answer = parties.enterprise.put(f"/filings/{new_id()}", {"kind": "self_check_sales", "data": {}, **body})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def todos(person: Person) -> list[str]:
    return [todo["title"] for todo in person.get("/todos").json["items"]]


def problem_found(parties: Parties, application: APIFlask) -> Json:
    """A table that was sent with a problem."""
    file_id = upload(parties.enterprise, paperwork.pdf(new_id()), "整改.pdf", "rectification_report")
    data = filled(application.extensions[KEY].filings, SALES, problem=True)
    table = begun(parties, data=data, documents=[{"category": "rectification_report", "file_id": file_id}])
    answer = act(parties.enterprise, table, "submit")
    assert (answer.status_code, answer.json["status"]) == (200, "rectifying"), answer.get_data(as_text=True)
    return dict(answer.json)


def test_a_table_begun_by_mistake_is_deleted_with_its_todo_and_lets_go_of_its_files(
    parties: Parties, database: Database
) -> None:
    file_id = upload(parties.enterprise, paperwork.pdf(new_id()), "整改.pdf", "rectification_report")
    table = begun(parties, documents=[{"category": "rectification_report", "file_id": file_id}])
    assert table["actions"] == ["save", "submit", "delete"] and len(todos(parties.enterprise)) == 1
    for _ in range(2):
        answer = parties.enterprise.delete(f"/filings/{table['id']}")
        assert (answer.status_code, answer.json) == (200, {"id": table["id"], "status": "deleted"})
    assert todos(parties.enterprise) == []
    assert parties.enterprise.get(f"/filings/{table['id']}").status_code == 404
    assert parties.enterprise.get("/filings?kind=self_check_sales").json["items"] == []
    with database.read() as session:
        file = session.get_one(File, UUID(file_id))
        assert file.claimed_id is None and file.unclaimed_since is not None


def test_a_table_that_a_campaign_opened_stays(parties: Parties, settings: Settings) -> None:
    with command_line(settings) as run:
        run("filings", "open", "--kind", "self_check_sales", "--region", "320402")
    (table,) = parties.enterprise.get("/filings?kind=self_check_sales").json["items"]
    assert table["actions"] == ["save", "submit"]
    for refused in (parties.enterprise.delete(f"/filings/{table['id']}"), act(parties.enterprise, table, "delete")):
        assert code_of(refused) == (409, "wrong_status")
        assert refused.json["current_status"] == "draft" and "局方" in refused.json["detail"]


def test_a_campaign_opens_a_table_for_an_enterprise_that_deleted_its_own(parties: Parties, settings: Settings) -> None:
    table = begun(parties)
    parties.enterprise.delete(f"/filings/{table['id']}")
    with command_line(settings) as run:
        assert "已发起2件" in run("filings", "open", "--kind", "self_check_sales", "--region", "320402").stdout
    assert parties.enterprise.get("/filings?kind=self_check_sales").json["total"] == 1


def test_a_table_that_came_back_with_its_problems_stays(parties: Parties, application: APIFlask) -> None:
    table = act(parties.reviewer, problem_found(parties, application), "return", comment="照片看不清").json
    table = parties.enterprise.get(f"/filings/{table['id']}").json
    assert (table["status"], table["actions"]) == ("draft", ["save", "submit"])
    refused = parties.enterprise.delete(f"/filings/{table['id']}")
    assert (code_of(refused), refused.json["current_status"]) == ((409, "wrong_status"), "draft")
    assert "已提交" in refused.json["detail"]


def test_what_no_step_deletes_is_told_to_be_in_the_wrong_status(parties: Parties) -> None:
    row = open_declaration(parties)
    refused = parties.enterprise.delete(f"/filings/{row['id']}")
    assert (code_of(refused), refused.json["current_status"]) == ((409, "wrong_status"), "update")
    order = {"problem": "记录不齐全", "due_on": clock.today().isoformat()}
    body = {"kind": "rectification", "uscc": WORKS, "data": order}
    ordered = parties.reviewer.put(f"/filings/{new_id()}", body).json
    assert code_of(parties.enterprise.delete(f"/filings/{ordered['id']}")) == (409, "wrong_status")
    for stranger in (parties.other_enterprise, parties.far_reviewer):
        assert stranger.delete(f"/filings/{row['id']}").status_code in (403, 404)
    assert code_of(parties.other_enterprise.delete(f"/filings/{row['id']}")) == (404, "not_found")
