"""Notices (通知公告): everybody reads what is published, its office alone what is not."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient

from accounts.verbs import Verb
from core.db import Database
from core.workflows import history
from enterprise.notices.declarations import NoticeSystem
from miniapp_api.http.wiring import wiring
from tests import paperwork
from tests.newcomers import at_once, code_of
from tests.parties import Parties, prepare, upload
from tests.people import Person, new_id

LIST = "/api/v1/notices?system=production"


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return prepare(application, sign_in)


def body(**changes: Any) -> dict[str, Any]:
    return {"system": "production", "title": "年度自查的通知", "text": "请于月底前\n提交自查报告。", **changes}


def written(person: Person, **changes: Any) -> dict[str, Any]:
    answer = person.put(f"/notices/{new_id()}", body(**changes))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)  # type: ignore[arg-type]


def publish(person: Person, notice: dict[str, Any]) -> Any:
    return person.post(f"/notices/{notice['id']}/publish", {"version": notice["version"]})


def withdraw(person: Person, notice: dict[str, Any], reason: str = "内容有误") -> Any:
    return person.post(f"/notices/{notice['id']}/withdraw", {"version": notice["version"], "reason": reason})


def test_a_draft_is_read_by_its_office_a_published_one_by_everybody_a_withdrawn_one_by_its_office_again(
    client: FlaskClient, parties: Parties, database: Database
) -> None:
    notice = written(parties.reviewer)
    public = f"/api/v1/notices/{notice['id']}"
    assert client.get(LIST).json["total"] == 0 and client.get(public).status_code == 404  # type: ignore[index]
    assert parties.reviewer.get("/own-notices").json["items"][0]["status"] == "draft"  # type: ignore[index]
    shown = publish(parties.reviewer, notice).json
    listed = client.get(LIST).json["items"]  # type: ignore[index]
    assert [(one["title"], one["office"]) for one in listed] == [("年度自查的通知", "天宁区市场监督管理局")]
    assert client.get(public).json["text"] == "请于月底前\n提交自查报告。"  # type: ignore[index]
    refused = parties.reviewer.put(f"/notices/{notice['id']}", body(text="改", version=shown["version"]))
    assert code_of(refused) == (409, "wrong_status")
    assert code_of(withdraw(parties.reviewer, shown, " ")) == (422, "invalid")
    gone = withdraw(parties.reviewer, shown).json
    assert client.get(LIST).json["total"] == 0 and client.get(public).status_code == 404  # type: ignore[index]
    edited = parties.reviewer.put(f"/notices/{notice['id']}", body(text="改", version=gone["version"]))
    assert publish(parties.reviewer, edited.json).status_code == 200  # type: ignore[arg-type]
    assert client.get(public).json["text"] == "改"  # type: ignore[index]
    with database.read() as session:
        actions = [row["action"] for row in history.read(session, UUID(notice["id"]))]
    assert actions == ["write", "publish", "withdraw", "edit", "publish"]


def test_files_are_everybodys_while_the_notice_is_published(client: FlaskClient, parties: Parties) -> None:
    content = paperwork.pdf(new_id())
    file_id = upload(parties.reviewer, content, "手册.pdf", "notice_file")
    notice = written(parties.reviewer, files=[file_id])
    path = f"/api/v1/notices/{notice['id']}/files/{file_id}"
    assert client.get(path).status_code == 404
    shown = publish(parties.reviewer, notice).json
    fetched = client.get(path)
    assert fetched.data == content and fetched.headers["Content-Disposition"].startswith("attachment")
    assert [one["name"] for one in shown["files"]] == ["手册.pdf"]
    other = publish(parties.reviewer, written(parties.reviewer)).json
    assert client.get(f"/api/v1/notices/{other['id']}/files/{file_id}").status_code == 404
    assert client.get(f"/api/v1/files/{file_id}").status_code == 401
    withdraw(parties.reviewer, shown)
    assert client.get(path).status_code == 404
    assert parties.far_reviewer.get(f"/files/{file_id}").status_code == 404


def test_a_file_of_a_filing_is_no_file_of_a_notice(parties: Parties, client: FlaskClient) -> None:
    theirs = upload(parties.enterprise, paperwork.pdf(new_id()), "材料.pdf", "declaration_attachment")
    for file_id in (theirs, new_id()):
        refused = parties.reviewer.put(f"/notices/{new_id()}", body(files=[file_id]))
        assert code_of(refused) == (422, "invalid") and refused.json["errors"][0]["path"] == "/files/0"  # type: ignore[index]


def test_only_the_officers_of_the_system_write_and_only_at_their_own_office(
    parties: Parties, client: FlaskClient, county_inspector: Person
) -> None:
    for person in (county_inspector, parties.enterprise):
        assert code_of(person.put(f"/notices/{new_id()}", body())) == (403, "forbidden")
        assert person.get("/own-notices").json["total"] == 0  # type: ignore[index]
    assert client.put(f"/api/v1/notices/{new_id()}", json=body()).status_code == 401
    draft = written(parties.reviewer)
    for person in (parties.far_reviewer, county_inspector):
        assert code_of(person.get(f"/own-notices/{draft['id']}")) == (404, "not_found")
        assert code_of(person.put(f"/notices/{draft['id']}", body(version=1))) == (404, "not_found")
        assert code_of(publish(person, draft)) == (404, "not_found")
    shown = publish(parties.reviewer, draft).json
    assert code_of(withdraw(parties.far_reviewer, shown)) == (403, "forbidden")
    assert parties.far_reviewer.get("/own-notices").json["total"] == 0  # type: ignore[index]


def test_a_system_that_there_is_not_is_named_and_titles_are_searched(client: FlaskClient, parties: Parties) -> None:
    assert code_of(client.get("/api/v1/notices?system=nothing")) == (422, "invalid")
    assert code_of(parties.reviewer.put(f"/notices/{new_id()}", body(system="nothing"))) == (422, "invalid")
    publish(parties.reviewer, written(parties.reviewer, title="收费100%减免"))
    publish(parties.reviewer, written(parties.reviewer))
    for q, total in (("自查", 1), ("100%25", 1), ("%25", 1), ("没有", 0)):
        assert client.get(f"{LIST}&q={q}").json["total"] == total, q  # type: ignore[index]


def test_without_a_system_the_notices_of_all_are_listed(client: FlaskClient, parties: Parties) -> None:
    publish(parties.reviewer, written(parties.reviewer))
    assert client.get("/api/v1/notices").json["total"] == client.get(LIST).json["total"] == 1  # type: ignore[index]


def test_me_names_the_systems_whose_notices_may_be_written_also_one_that_a_server_adds(
    application: APIFlask, parties: Parties, county_inspector: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apps offer the editor by it, so that a further system needs no code there."""
    production = {"code": "production", "title": "工业产品生产许可"}
    assert parties.reviewer.get("/me").json["notice_systems"] == [production]  # type: ignore[index]
    for person in (county_inspector, parties.enterprise):
        assert person.get("/me").json["notice_systems"] == []  # type: ignore[index]
    lifts = NoticeSystem("lifts", "电梯", Verb.INSPECTION_WRITE)
    with application.app_context():
        monkeypatch.setitem(wiring().notices, "lifts", lifts)
    assert county_inspector.get("/me").json["notice_systems"] == [{"code": "lifts", "title": "电梯"}]  # type: ignore[index]
    assert county_inspector.put(f"/notices/{new_id()}", body(system="lifts")).status_code == 201


def test_repetitions_change_nothing_and_of_two_edits_at_one_moment_one_wins(parties: Parties) -> None:
    notice_id = new_id()
    path = f"/notices/{notice_id}"
    answers = [parties.reviewer.put(path, body()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[1].json["version"] == 1  # type: ignore[index]
    edits = at_once(*(lambda n=n: parties.reviewer.put(path, body(text=f"第{n}稿", version=1)) for n in range(4)))  # type: ignore[misc]
    assert sorted(answer.status_code for answer in edits) == [200, 409, 409, 409]
    notice = parties.reviewer.get(f"/own-notices/{notice_id}").json
    published = at_once(*(lambda: publish(parties.reviewer, notice) for _ in range(4)))  # type: ignore[arg-type]
    assert {answer.status_code for answer in published} == {200}
    assert {answer.json["version"] for answer in published} == {3}


def test_the_newest_stands_first(client: FlaskClient, parties: Parties, clock: time_machine.Traveller) -> None:
    first = written(parties.reviewer, title="先写")
    second = written(parties.reviewer, title="后写")
    publish(parties.reviewer, second)
    clock.shift(1)
    publish(parties.reviewer, first)
    assert [one["title"] for one in client.get(LIST).json["items"]] == ["先写", "后写"]  # type: ignore[index]
