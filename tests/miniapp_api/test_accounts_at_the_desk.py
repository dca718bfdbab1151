"""Accounts at a desk: only what the server names is offered, sessions are ended, many applications decided at once."""

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from accounts.verbs import Role
from composition import long_jobs
from core.db import Database
from miniapp_api.http.wiring import KEY
from tests.newcomers import apply, code_of, make_station, make_user
from tests.people import Person, SignIn, faults, new_id
from tests.problems import ONE_DATABASE
from tests.raters import ok

pytestmark = ONE_DATABASE


def listed(person: Person, username: str) -> dict[str, Any]:
    found = [one for one in ok(person.get(f"/users?q={username}"))["items"] if one["username"] == username]
    return dict(found[0])


BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "reset_password": ("reset-password", {}), "end_sessions": ("end-sessions", {}),
    "propose_reset": ("propose-reset", {"kind": "password", "reason": "忘记密码"}),
    "disable": ("disable", {"reason": "离职"}),
}  # fmt: skip


def test_each_action_that_is_offered_is_accepted_and_none_that_is_not(
    city_reviewer: Person, province_user: Person, county_inspector: Person, database: Database, sign_in: SignIn
) -> None:
    make_station(database, "320402", "at_the_station", Role.INSPECTOR)
    make_user(database, "320402", "rates", Role.RATING_HANDLER)
    make_user(database, "320402", "approves", Role.ACCOUNT_APPROVER)
    wrong = []
    # From below: who is reset by a superior is signed in no more.
    for caller in (sign_in("approves"), city_reviewer, province_user):
        for username in ("county_inspector", "at_the_station", "rates", "approves", "city_reviewer", caller.username):
            if not any(one["username"] == username for one in ok(caller.get(f"/users?q={username}"))["items"]):
                continue
            user = listed(caller, username)
            for action, (path, body) in BODIES.items():
                answer = caller.post(f"/users/{user['id']}/{path}", body)
                accepted = answer.status_code == 200
                if accepted != (action in user["actions"]):
                    wrong.append((caller.username, username, action, answer.status_code, user["actions"]))
                if accepted and action in ("disable", "propose_reset"):
                    undo = listed(caller, username)
                    if action == "disable":
                        assert "enable" in undo["actions"] and "reset_password" not in undo["actions"]
                        ok(caller.post(f"/users/{user['id']}/enable", {}))
                    else:
                        proposal = {"proposal_id": undo["reset_proposal"]["id"]}
                        ok(caller.post(f"/users/{user['id']}/cancel-reset", proposal))
    # Ending sessions of somebody who has none is no fault.
    assert [one for one in wrong if one[2] != "end_sessions" or one[3] != 200] == []


def test_the_sessions_of_a_lost_phone_are_seen_and_ended_by_the_superior_alone(
    city_reviewer: Person, county_inspector: Person, county_colleague: Person, other_city_user: Person
) -> None:
    user = listed(city_reviewer, "county_inspector")
    path = f"/users/{user['id']}"
    (one,) = ok(city_reviewer.get(f"{path}/sessions"))["items"]
    assert one["user_id"] == user["id"] and not one["current"] and one["address"]
    for stranger, status in ((county_colleague, 403), (other_city_user, 404)):
        assert stranger.get(f"{path}/sessions").status_code == status
        assert stranger.post(f"{path}/end-sessions", {}).status_code == status
    assert ok(city_reviewer.post(f"{path}/end-sessions", {})) == {"ended": 1}
    assert county_inspector.get("/me").status_code == 401
    assert ok(city_reviewer.post(f"{path}/end-sessions", {})) == {"ended": 0}
    assert ok(city_reviewer.get(f"{path}/sessions"))["items"] == []


def test_people_are_moved_to_offices_of_the_own_regions(
    city_reviewer: Person, county_inspector: Person, database: Database
) -> None:
    make_user(database, "320404", "in_zhonglou", Role.INSPECTOR)
    make_user(database, "320102", "in_xuanwu", Role.INSPECTOR)
    offices = ok(city_reviewer.get("/offices?page_size=100"))["items"]
    names = [one["name"] for one in offices]
    assert "常州市市场监督管理局" in names and "钟楼区市场监督管理局" in names and "玄武区市场监督管理局" not in names
    assert {one["name"] for one in ok(city_reviewer.get("/offices?q=钟楼"))["items"]} == {"钟楼区市场监督管理局"}
    zhonglou = next(one for one in offices if one["name"] == "钟楼区市场监督管理局")
    user = listed(city_reviewer, "county_inspector")
    assert "move" in user["actions"]
    moved = ok(city_reviewer.post(f"/users/{user['id']}/move", {"office_id": zhonglou["id"]}))
    assert moved["office"]["name"] == "钟楼区市场监督管理局"
    assert code_of(county_inspector.get("/offices")) == (403, "forbidden")


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_several_applications_are_decided_at_once_and_the_others_named_by_row(
    city_reviewer: Person, client: FlaskClient, application: APIFlask, action: str
) -> None:
    made = [
        apply(client, username=f"applicant_{n}", mobile=f"1390000100{n}", applicant_name=f"申请人{'甲乙丙'[n]}")["id"]
        for n in range(3)
    ]
    ok(city_reviewer.post(f"/account-applications/{made[0]}/reject", {"opinion": "重复申请"}))
    path = f"/account-applications/actions/{action}"
    body = {"job_id": new_id(), "ids": [*made, new_id()], "opinion": "经核实为本单位人员"}
    if action == "reject":
        assert faults(city_reviewer.post(path, {"ids": made})) == {"/opinion": "required"}
    job = ok(city_reviewer.post(path, body), 202)
    assert ok(city_reviewer.post(path, body), 202) == job
    long_jobs.runner(application.extensions[KEY]).run_due()
    after = ok(city_reviewer.get(f"/jobs/{job['job_id']}"))
    assert (after["done"], [one["code"] for one in after["refusals"]]) == (2, ["wrong_status", "not_found"])
    status = "approved" if action == "approve" else "rejected"
    assert [ok(city_reviewer.get(f"/account-applications/{one}"))["status"] for one in made[1:]] == [status] * 2
    assert code_of(city_reviewer.post("/account-applications/actions/forget", body)) == (404, "not_found")
