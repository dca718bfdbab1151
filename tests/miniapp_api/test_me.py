"""The signed-in user: who it is, the one-time password that must be changed, the own password."""

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from accounts.verbs import Role
from core.db import Database
from tests.newcomers import at_once, code_of, make_user, try_sign_in
from tests.people import PASSWORD, Person, SignIn, faults, new_id

NEW = "Another-One-7"


def change(person: Person, old: str, new: str) -> Any:
    return person.put("/me/password", {"old_password": old, "new_password": new})


def test_me_says_office_region_roles_and_verbs(city_reviewer: Person) -> None:
    me = city_reviewer.get("/me").get_json()
    assert me["level"] == "city" and me["region"] == {"code": "320400", "name": "常州市"}
    assert me["office"]["name"] == "常州市市场监督管理局" and me["enterprise"] is None
    assert me["roles"] == ["inspector", "account_approver"]
    assert {"accounts.decide", "accounts.manage", "inspection.write", "statistics.read"} <= set(me["verbs"])
    assert "password" not in {key for key in me if key != "must_change_password"}


def test_a_one_time_password_opens_nothing_but_its_own_change(
    client: FlaskClient, database: Database, sign_in: SignIn
) -> None:
    make_user(database, "320402", "newcomer", one_time=True)
    person = sign_in("newcomer")
    me = person.get("/me")
    assert me.status_code == 200 and me.get_json()["must_change_password"] is True
    closed = [
        ("GET", "/me/sessions"), ("GET", "/todos"), ("GET", "/products"), ("GET", "/forms"), ("GET", "/inspections"),
        ("GET", "/inspections.csv"), ("GET", "/statistics/progress"), ("GET", "/enterprises"), ("GET", "/users"),
        ("PUT", f"/inspections/{new_id()}"), ("DELETE", f"/me/sessions/{new_id()}"),
    ]  # fmt: skip
    for method, path in closed:
        assert code_of(person.call(method, path)) == (403, "password_change_required"), path
    assert change(person, PASSWORD, NEW).status_code == 200
    assert person.get("/me").get_json()["must_change_password"] is False
    assert person.get("/todos").status_code == 200
    assert try_sign_in(client, "newcomer", NEW).get_json()["must_change_password"] is False


def test_someone_with_a_one_time_password_may_sign_out(database: Database, sign_in: SignIn) -> None:
    make_user(database, "320402", "newcomer", one_time=True)
    assert sign_in("newcomer").delete("/sessions/current").status_code == 200


def test_the_one_time_password_is_not_a_new_password(database: Database, sign_in: SignIn) -> None:
    make_user(database, "320402", "newcomer", one_time=True)
    person = sign_in("newcomer")
    assert faults(change(person, PASSWORD, PASSWORD)) == {"/new_password": "weak_password"}
    assert person.get("/me").get_json()["must_change_password"] is True


def test_a_change_of_password_ends_all_other_sessions_and_the_old_password(
    client: FlaskClient, sign_in: SignIn
) -> None:
    here, there = sign_in("county_inspector"), sign_in("county_inspector")
    assert change(here, PASSWORD, NEW).status_code == 200
    assert here.get("/me").status_code == 200
    assert code_of(there.get("/me")) == (401, "unauthenticated")
    assert code_of(try_sign_in(client, "county_inspector", PASSWORD)) == (401, "login_failed")
    assert try_sign_in(client, "county_inspector", NEW).status_code == 201


def test_a_change_whose_answer_was_lost_may_be_asked_for_again_any_number_of_times(
    client: FlaskClient, county_inspector: Person
) -> None:
    answers = [change(county_inspector, PASSWORD, NEW) for _ in range(12)]
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json == answers[0].json for answer in answers)
    assert try_sign_in(client, "county_inspector", NEW).status_code == 201


def test_the_same_change_at_the_same_moment_is_answered_alike(application: APIFlask, county_inspector: Person) -> None:
    def send() -> Any:
        return change(Person("county_inspector", application.test_client(), county_inspector.token), PASSWORD, NEW)

    assert [answer.status_code for answer in at_once(*[send] * 4)] == [200] * 4


def test_a_password_changed_back_and_forth_is_changed_each_time(client: FlaskClient, county_inspector: Person) -> None:
    for old, new in ((PASSWORD, NEW), (NEW, PASSWORD), (PASSWORD, NEW)):
        assert change(county_inspector, old, new).status_code == 200
        assert try_sign_in(client, "county_inspector", new).status_code == 201
        assert code_of(try_sign_in(client, "county_inspector", old)) == (401, "login_failed")


def test_a_wrong_old_password_changes_nothing(client: FlaskClient, county_inspector: Person) -> None:
    assert faults(change(county_inspector, "Wrong-2026", NEW)) == {"/old_password": "wrong_password"}
    assert code_of(try_sign_in(client, "county_inspector", NEW)) == (401, "login_failed")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_me_says_whether_the_calls_of_filings_are_open_to_a_role(database: Database, sign_in: SignIn) -> None:
    """Apps show their lists of filings by it, so that a verb of another system needs no code there."""
    seen = {}
    for role in Role:
        make_user(database, "320402", f"is_{role.value}", role)
        person = sign_in(f"is_{role.value}")
        seen[role] = person.get("/me").json["sees_filings"]
        assert (person.get("/filings").status_code == 200) is seen[role], role
    assert seen[Role.LICENCE_REVIEWER] and not seen[Role.INSPECTOR]


def test_a_wrong_old_and_a_weak_new_password_are_told_at_once(county_inspector: Person) -> None:
    assert faults(change(county_inspector, "Wrong-2026", "12345678")) == {
        "/old_password": "wrong_password", "/new_password": "weak_password",
    }  # fmt: skip


@pytest.mark.parametrize("weak", ["short-1", "onlyletters", "Passw0rd", "my-county_inspector-1", PASSWORD])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_weak_new_password_is_refused_and_the_old_one_stays(
    client: FlaskClient, county_inspector: Person, weak: str
) -> None:
    assert faults(change(county_inspector, PASSWORD, weak)) == {"/new_password": "weak_password"}
    assert try_sign_in(client, "county_inspector", PASSWORD).status_code == 201
