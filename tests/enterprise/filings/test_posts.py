"""A review by several posts (岗), as 许可证新申请 declares it: over HTTP, by everybody who takes part."""

from typing import Any

from sqlalchemy import select, update

from core.workflows import history
from enterprise.filings.declaring.declarations import Step
from enterprise.filings.integrity import verify_filings
from enterprise.filings.models import FilingStep
from tests.kinds.power_new import ACCEPT, STEPS, power_new
from tests.kinds.town import COLLEAGUE, JIANGSU, ZHEJIANG, Town, named, paths
from tests.parties import WORKS
from tests.people import new_id

DATA: dict[str, Any] = {
    "province": "320000", "mode": "general", "level": "one", "leader_id": "11010519491231002X",
}  # fmt: skip


def queued(town: Town, **changes: Any) -> dict[str, Any]:
    """An application that was sent."""
    enterprise = town.parties.enterprise
    filing = town.open("power_new", {**DATA, **changes}, ("finance", town.file(enterprise)))
    return dict(town.act(enterprise, filing, "submit"))


def test_a_review_goes_from_post_to_post_and_back_to_the_one_that_asked(town: Town) -> None:
    enterprise = town.parties.enterprise
    filing = queued(town)
    assert (filing["status"], filing["turn"], filing["office"]["name"]) == ("queued", "office", JIANGSU)
    assert town.read(filing, town["formal"])["actions"] == ["return"]
    assert town.read(filing, town["acceptance"])["actions"] == ["refuse", "pass_on", "accept"]
    assert town.todos(town["formal"]) == town.todos(town["acceptance"]) == ["许可申请待形审：常州某某电缆有限公司"]
    town.act(town["formal"], filing, "accept", expect=403)
    refused = town.act(town["formal"], filing, "return", expect=422, data={"again_by": "someday"})
    assert paths(refused) == ["/comment", "/data/again_by", "/data/parts"]
    town.act(town["formal"], filing, "return", comment="请补正", data={"parts": "技术负责人"})
    assert town.todos(town["acceptance"]) == []
    returned = town.read(filing)
    assert (returned["status"], returned["turn"], returned["locks"]) == ("returned", "applicant", ["province"])
    (said,) = returned["steps"]
    assert (said["action"], said["by"], said["office_name"]) == ("return", "power_formal_check", JIANGSU)
    assert said["data"]["parts"] == "技术负责人"
    town.act(enterprise, filing, "submit")
    town.act(town["acceptance"], filing, "accept")
    town.act(town["examiner"], filing, "examine")
    town.act(town["examiner"], filing, "return", comment="再补正", data={"parts": "等级"})
    assert town.act(enterprise, filing, "submit")["status"] == "examining"
    town.act(town["examiner"], filing, "refer")
    decision = {"data": {"held_on": "2026-01-05", "votes": "5"}}
    assert "approve" not in town.read(filing, town["examiner"])["actions"]
    town.act(town["examiner"], filing, "approve", expect=403, **decision)
    town.act(town["approver"], filing, "approve", **decision)
    assert town.todos(town["issuer"]) == ["许可证待制证：常州某某电缆有限公司"]
    shown = [[step["action"] for step in town.read(filing, who)["steps"]] for who in (enterprise, town["issuer"])]
    assert shown == [["return", "return"], ["return", "return", "approve"]]
    assert paths(town.act(town["issuer"], filing, "issue", expect=422)) == ["/documents"]
    paper = town.file(town["issuer"])
    issued = town.act(town["issuer"], filing, "issue", documents=named(("decision", paper)))
    assert (issued["status"], issued["turn"]) == ("issued", None)
    assert enterprise.get(f"/files/{paper}").status_code == 200
    assert town["far_acceptance"].get(f"/files/{paper}").status_code == 404


def test_nobody_else_sees_or_moves_what_one_office_handles(town: Town) -> None:
    filing = queued(town)
    for stranger in (town["far_acceptance"], town.parties.reviewer, town["authority"], town["agency"]):
        assert stranger.get(f"/filings/{filing['id']}").status_code == 404
        assert filing["id"] not in [row["id"] for row in stranger.get("/filings").json["items"]]
        assert stranger.get("/filings?kind=power_new").json["total"] == 0
        answer = stranger.post(f"/filings/{filing['id']}/actions/accept", {"version": filing["version"]})
        assert answer.status_code == 404
    assert [row["id"] for row in town["issuer"].get("/filings").json["items"]] == [filing["id"]]


def test_a_draft_is_read_by_colleagues_and_edited_by_its_author_alone(town: Town) -> None:
    filing = town.open("power_new", DATA)
    colleague = town[COLLEAGUE]
    assert town.read(filing, colleague)["actions"] == []
    body = {"data": {**DATA, "level": "five"}, "version": filing["version"]}
    assert colleague.put(f"/filings/{filing['id']}", body).status_code == 403
    town.act(colleague, filing, "submit", expect=403)
    assert town.parties.enterprise.put(f"/filings/{filing['id']}", body).status_code == 200


def test_what_sending_would_say_is_asked_before_and_changes_nothing(town: Town) -> None:
    filing = town.open("power_new", {"province": "320000", "mode": "general"})
    asked = town.parties.enterprise.get(f"/filings/{filing['id']}/check").json
    assert paths(asked) == ["/data/leader_id", "/data/level", "/documents"]
    assert paths(town.act(town.parties.enterprise, filing, "submit", expect=422)) == paths(asked)
    assert town.read(filing)["version"] == filing["version"]


def test_a_bureau_enters_one_for_an_enterprise_which_reads_it_and_changes_nothing(town: Town) -> None:
    """补录: opened, edited and sent by the officer who entered it."""
    entering = [*STEPS, Step("enter", "补录", None, "draft", ACCEPT)]
    town.declare(power_new(steps=entering))
    officer, enterprise = town["acceptance"], town.parties.enterprise
    path = f"/filings/{new_id()}"
    begun = {"kind": "power_new", "uscc": WORKS, "data": {"province": "320000", "mode": "deficient"}, "documents": []}
    filing = officer.put(path, begun)
    assert filing.status_code == 201, filing.get_data(as_text=True)
    assert (filing.json["actions"], filing.json["data"]["mode"]) == (["save", "submit"], "deficient")
    assert town["formal"].put(path, {"data": DATA, "version": 1}).status_code == 403
    assert enterprise.get(path).json["actions"] == []
    assert enterprise.put(path, {"data": DATA, "version": 1}).status_code == 403
    assert enterprise.get(f"{path}/check").status_code == 409
    assert paths(officer.get(f"{path}/check").json) == ["/data/leader_id", "/data/level"]
    saved = officer.put(path, {"data": {**DATA, "mode": "deficient"}, "version": filing.json["version"]})
    assert saved.status_code == 200
    assert town.act(officer, filing.json, "submit")["status"] == "queued"
    assert town.read(filing.json, town["formal"])["actions"] == ["return"]


def test_an_office_finds_by_name_what_an_enterprise_from_elsewhere_sent_to_it(town: Town) -> None:
    filing = queued(town, province="330000")
    (row,) = town["far_acceptance"].get("/filings?q=某某电缆").json["items"]
    assert row["id"] == filing["id"]


def test_where_no_office_handles_the_place_it_is_not_sent(town: Town) -> None:
    filing = town.open("power_new", {**DATA, "province": "110000"}, ("finance", town.file(town.parties.enterprise)))
    refused = town.act(town.parties.enterprise, filing, "submit", expect=422)
    assert [fault["code"] for fault in refused["errors"]] == ["no_office"]
    assert town.read(filing)["status"] == "draft"


def test_fields_are_locked_by_status_and_by_condition(town: Town) -> None:
    enterprise, filing = town.parties.enterprise, queued(town, mode="ftz")
    town.act(town["formal"], filing, "return", comment="请补正", data={"parts": "等级"})
    assert town.read(filing)["locks"] == ["level", "province"]

    def save(**changes: Any) -> Any:
        body = {"data": {**DATA, "mode": "ftz", **changes}, "version": town.read(filing)["version"]}
        return enterprise.put(f"/filings/{filing['id']}", body)

    refused = save(level="five", province="330000")
    assert (refused.status_code, paths(refused.json)) == (422, ["/data/level", "/data/province"])
    assert {fault["code"] for fault in refused.json["errors"]} == {"locked"}
    assert save(leader_id="11010519491231002X").status_code == 200


def test_papers_that_are_owed_are_all_that_is_open_until_they_come(town: Town) -> None:
    enterprise = town.parties.enterprise
    filing = town.open("power_new", {**DATA, "mode": "deficient"})
    town.act(enterprise, filing, "submit")
    waiting = town.act(town["acceptance"], filing, "accept")
    assert waiting["status"] == "deficient_wait"
    moves = [row["action"] for row in enterprise.get(f"/filings/{filing['id']}/history").json["items"]]
    assert moves[-2:] == ["accept", "await_papers"]
    body = {"data": {**DATA, "mode": "general"}, "version": town.read(filing)["version"]}
    assert paths(enterprise.put(f"/filings/{filing['id']}", body).json) == ["/data/mode"]
    body = {"documents": named(("finance", town.file(enterprise))), "version": town.read(filing)["version"]}
    assert paths(enterprise.put(f"/filings/{filing['id']}", body).json) == ["/documents"]
    assert paths(town.act(enterprise, filing, "supply", expect=422)) == ["/documents"]
    body = {"documents": named(("insurance", town.file(enterprise))), "version": town.read(filing)["version"]}
    assert enterprise.put(f"/filings/{filing['id']}", body).status_code == 200
    assert town.act(enterprise, filing, "supply")["status"] == "accepted"


def test_passing_on_leaves_a_trace_and_jurisdiction_follows(town: Town) -> None:
    filing = queued(town)
    unknown = {"comment": "管辖", "data": {"office": town.office_ids["甲评价机构"]}}
    assert paths(town.act(town["acceptance"], filing, "pass_on", expect=422, **unknown)) == ["/data"]
    chosen = {"comment": "管辖", "data": {"office": town.office_ids[ZHEJIANG]}}
    version = town.read(filing)["version"]
    answer = town["acceptance"].post(f"/filings/{filing['id']}/actions/pass_on", {"version": version, **chosen})
    assert answer.status_code == 200
    assert town["acceptance"].get(f"/filings/{filing['id']}").status_code == 404
    assert town["formal"].get("/filings").json["total"] == 0
    assert town.todos(town["acceptance"]) == []
    assert town.todos(town["far_acceptance"]) == ["许可申请待形审：常州某某电缆有限公司"]
    (row,) = town["far_acceptance"].get("/filings").json["items"]
    assert (row["id"], row["office"]["name"]) == (filing["id"], ZHEJIANG)
    last = town.parties.enterprise.get(f"/filings/{filing['id']}/history").json["items"][-1]
    assert (last["action"], last["from_office"], last["to_office"]) == ("pass_on", JIANGSU, ZHEJIANG)
    assert town.act(town["far_acceptance"], filing, "accept")["status"] == "accepted"


def test_what_a_step_said_is_proven_by_the_history(town: Town) -> None:
    filing = queued(town)
    town.act(town["formal"], filing, "return", comment="请补正", data={"parts": "等级"})
    with town.database.read() as session:
        assert list(verify_filings(session, town.engine.kinds)) == [] == list(history.verify(session))
    with town.database.write() as session:
        row = session.scalars(select(FilingStep)).one()
        session.execute(update(FilingStep).values(data={**row.data, "parts": "无"}))
    with town.database.read() as session:
        (broken,) = verify_filings(session, town.engine.kinds)
    assert broken.reason == "what the step return said is not what was sent"
