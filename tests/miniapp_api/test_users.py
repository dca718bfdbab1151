"""Users of the caller's offices: seen, disabled, enabled and reset by superiors, and by nobody else."""

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.models import User
from accounts.verbs import Role
from core.db import Database
from core.models import HistoryEntry
from tests.newcomers import at_once, code_of, make_station, make_user, try_sign_in
from tests.people import PASSWORD, Person, SignIn, new_id

ACTIONS: list[tuple[str, dict[str, str]]] = [("disable", {"reason": "离职"}), ("enable", {}), ("reset-password", {})]


def id_of(database: Database, username: str) -> str:
    with database.read() as session:
        return str(session.scalars(select(User.id).where(User.username == username)).one())


def names(person: Person, query: str = "") -> set[str]:
    answer = person.get(f"/users?page_size=100&{query}").get_json()
    assert answer["total"] == len(answer["items"])
    return {row["username"] for row in answer["items"]}


def status_of(person: Person, username: str) -> str:
    return str(person.get(f"/users?q={username}").get_json()["items"][0]["status"])


def test_each_sees_the_users_of_the_own_office_and_those_below(
    city_reviewer: Person, province_user: Person, other_city_user: Person, county_inspector: Person
) -> None:
    county_of_changzhou = {"county_inspector", "county_colleague", "neighbour_inspector"}
    assert names(city_reviewer) == county_of_changzhou | {"city_reviewer"}
    assert names(other_city_user) == {"other_city_user", "other_city_inspector"}
    assert names(province_user) == county_of_changzhou | {
        "city_reviewer", "other_city_user", "other_city_inspector", "province_user",
    }  # fmt: skip
    assert code_of(county_inspector.get("/users")) == (403, "forbidden")


def test_the_list_is_filtered_and_tells_no_more_about_strangers(city_reviewer: Person, database: Database) -> None:
    make_user(database, "320402", "with_mobile", mobile="13900000001")
    assert names(city_reviewer, "q=county_") == {"county_inspector", "county_colleague"}
    assert names(city_reviewer, "q=COUNTY_insp") == {"county_inspector"}
    assert names(city_reviewer, "q=%25") == set()
    assert names(city_reviewer, "q=other") == set()
    assert names(city_reviewer, "status=disabled") == set()
    whole = city_reviewer.get("/users").get_data(as_text=True)
    assert "13900000001" not in whole and "139****0001" in whole
    assert "argon2" not in whole and "password_hash" not in whole


def test_a_county_bureau_manages_the_users_of_its_own_stations(
    client: FlaskClient, database: Database, sign_in: SignIn
) -> None:
    make_user(database, "320402", "county_approver", Role.ACCOUNT_APPROVER, Role.INSPECTOR)
    make_station(database, "320402", "at_the_station", Role.INSPECTOR)
    bureau = sign_in("county_approver")
    for action, body in ACTIONS:
        assert bureau.post(f"/users/{id_of(database, 'at_the_station')}/{action}", body).status_code == 200, action
    assert try_sign_in(client, "at_the_station", PASSWORD).status_code == 401
    # Colleagues of the own office are no subordinates.
    assert code_of(bureau.post(f"/users/{id_of(database, 'county_inspector')}/enable", {})) == (403, "forbidden")


def test_a_station_manages_neither_its_bureau_nor_its_neighbours(database: Database, sign_in: SignIn) -> None:
    make_station(database, "320402", "station_approver", Role.ACCOUNT_APPROVER)
    make_station(database, "320402", "other_station", Role.INSPECTOR)
    make_station(database, "320404", "far_station", Role.INSPECTOR)
    station = sign_in("station_approver")
    for action, body in ACTIONS:
        for name, told in (
            ("county_inspector", (403, "forbidden")), ("other_station", (403, "forbidden")),
            ("far_station", (404, "not_found")),
        ):  # fmt: skip
            assert code_of(station.post(f"/users/{id_of(database, name)}/{action}", body)) == told, (action, name)


def test_nobody_manages_users_across_the_border_or_above(
    client: FlaskClient, database: Database, city_reviewer: Person
) -> None:
    for action, body in ACTIONS:
        for name in ("other_city_inspector", "other_city_user", "province_user", "other_province_user"):
            answer = city_reviewer.post(f"/users/{id_of(database, name)}/{action}", body)
            assert code_of(answer) == (404, "not_found"), (action, name)
        assert code_of(city_reviewer.post(f"/users/{new_id()}/{action}", body)) == (404, "not_found")
    for name in ("other_city_inspector", "province_user"):
        assert try_sign_in(client, name, PASSWORD).status_code == 201


def test_nobody_manages_a_colleague_of_the_same_level_or_themselves(database: Database, city_reviewer: Person) -> None:
    colleague = make_user(database, "320400", "city_colleague")
    own = id_of(database, "city_reviewer")
    for action, body in ACTIONS:
        for user_id in (colleague, own):
            assert code_of(city_reviewer.post(f"/users/{user_id}/{action}", body)) == (403, "forbidden"), action
    assert city_reviewer.get("/me").status_code == 200


def test_a_county_user_with_the_verb_still_stands_above_nobody(database: Database, sign_in: SignIn) -> None:
    make_user(database, "320402", "county_approver", Role.ACCOUNT_APPROVER)
    approver = sign_in("county_approver")
    own_county, neighbour = id_of(database, "county_inspector"), id_of(database, "neighbour_inspector")
    for action, body in ACTIONS:
        assert code_of(approver.post(f"/users/{own_county}/{action}", body)) == (403, "forbidden"), action
        assert code_of(approver.post(f"/users/{neighbour}/{action}", body)) == (404, "not_found"), action


def test_a_disabled_user_is_enabled_again_and_every_step_stands_in_the_history(
    client: FlaskClient, database: Database, city_reviewer: Person, province_user: Person
) -> None:
    user_id = id_of(database, "county_inspector")
    disabled = city_reviewer.post(f"/users/{user_id}/disable", {"reason": "离职"})
    assert disabled.status_code == 200
    assert (disabled.get_json()["status"], disabled.get_json()["status_reason"]) == ("disabled", "离职")
    assert province_user.post(f"/users/{user_id}/enable", {}).get_json()["status"] == "active"
    assert try_sign_in(client, "county_inspector", PASSWORD).status_code == 201
    with database.read() as session:
        rows = session.scalars(
            select(HistoryEntry.action)
            .join(User, User.id == HistoryEntry.subject_id)
            .where(User.username == "county_inspector")
            .order_by(HistoryEntry.seq)
        )
        assert list(rows) == ["create", "disable", "enable"]


def test_a_token_from_before_a_user_was_disabled_stays_dead_when_it_is_enabled_again(
    client: FlaskClient, database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    user_id = id_of(database, "county_inspector")
    city_reviewer.post(f"/users/{user_id}/disable", {"reason": "手机丢失"})
    assert code_of(county_inspector.get("/me")) == (401, "unauthenticated")
    assert city_reviewer.post(f"/users/{user_id}/enable", {}).get_json()["status"] == "active"
    assert code_of(county_inspector.get("/me")) == (401, "unauthenticated")
    anew = try_sign_in(client, "county_inspector", PASSWORD).get_json()
    assert Person("county_inspector", client, anew["token"]).get("/me").status_code == 200


def test_a_repetition_is_answered_with_the_user_as_it_is(database: Database, city_reviewer: Person) -> None:
    path = f"/users/{id_of(database, 'county_inspector')}/disable"
    first, again = (city_reviewer.post(path, {"reason": "离职"}) for _ in range(2))
    assert first.status_code == again.status_code == 200 and first.json == again.json
    other = city_reviewer.post(path, {"reason": "借调"})
    assert code_of(other) == (409, "wrong_status")
    assert other.get_json()["current_status"] == "disabled"


def test_the_same_action_at_the_same_moment_is_one_and_is_answered_alike(
    application: APIFlask, database: Database, city_reviewer: Person
) -> None:
    path = f"/users/{id_of(database, 'county_inspector')}/disable"

    def send() -> Any:
        person = Person("city_reviewer", application.test_client(), city_reviewer.token)
        return person.post(path, {"reason": "离职"})

    answers = at_once(*[send] * 4)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert {answer.get_json()["version"] for answer in answers} == {2}


def test_disabling_and_enabling_on_purpose_again_takes_effect_each_time(
    client: FlaskClient, database: Database, city_reviewer: Person
) -> None:
    path = f"/users/{id_of(database, 'county_inspector')}"
    for _ in range(2):
        assert city_reviewer.post(f"{path}/disable", {"reason": "离职"}).get_json()["status"] == "disabled"
        assert status_of(city_reviewer, "county_inspector") == "disabled"
        assert code_of(try_sign_in(client, "county_inspector", PASSWORD)) == (403, "account_disabled")
        assert city_reviewer.post(f"{path}/enable", {}).get_json()["status"] == "active"
        assert status_of(city_reviewer, "county_inspector") == "active"
        assert try_sign_in(client, "county_inspector", PASSWORD).status_code == 201


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": "长" * 501}, {"reason": 1}, {"reason": "x", "y": 1}])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_disabling_without_a_proper_reason_is_refused(
    database: Database, city_reviewer: Person, body: dict[str, Any]
) -> None:
    answer = city_reviewer.post(f"/users/{id_of(database, 'county_inspector')}/disable", body)
    assert code_of(answer) == (422, "invalid")
    assert status_of(city_reviewer, "county_inspector") == "active"


def test_a_reset_gives_a_one_time_password_that_ends_all_sessions_and_must_be_changed(
    client: FlaskClient, database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    path = f"/users/{id_of(database, 'county_inspector')}/reset-password"
    first = city_reviewer.post(path, {}).get_json()["password"]
    second = city_reviewer.post(path, {}).get_json()["password"]
    assert first != second
    assert code_of(county_inspector.get("/me")) == (401, "unauthenticated")
    for worthless in (PASSWORD, first):
        assert code_of(try_sign_in(client, "county_inspector", worthless)) == (401, "login_failed")
    signed_in = try_sign_in(client, "county_inspector", second).get_json()
    assert signed_in["must_change_password"] is True
    person = Person("county_inspector", client, signed_in["token"])
    assert code_of(person.get("/todos")) == (403, "password_change_required")
    assert code_of(person.put("/me/password", {"old_password": second, "new_password": second})) == (422, "invalid")
    assert person.put("/me/password", {"old_password": second, "new_password": PASSWORD}).status_code == 200
    assert person.get("/todos").status_code == 200


def test_a_reset_of_a_disabled_user_does_not_bring_it_back(
    client: FlaskClient, database: Database, city_reviewer: Person
) -> None:
    path = f"/users/{id_of(database, 'county_inspector')}"
    city_reviewer.post(f"{path}/disable", {"reason": "离职"})
    assert code_of(city_reviewer.post(f"{path}/reset-password", {})) == (409, "wrong_status")
    assert code_of(try_sign_in(client, "county_inspector", PASSWORD)) == (403, "account_disabled")
