"""Wrong passwords are throttled by the 11th, and the rightful owner is never locked out for ever."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from accounts.models import SignIn as SignInTry
from accounts.models import Throttle
from accounts.sign_in import passwords
from core.db import Database
from tests.newcomers import application_body, apply, at_once, code_of, make_user, try_sign_in
from tests.people import PASSWORD, Person, SignIn

WRONG = "Wrong-Pass-2026"


class CountingHasher:
    """argon2, counting how many passwords were looked at."""

    def __init__(self) -> None:
        self.verified = 0
        self._hasher = passwords._HASHER

    def verify(self, stored: str, password: str) -> bool:
        self.verified += 1
        return self._hasher.verify(stored, password)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hasher, name)


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> CountingHasher:
    counting = CountingHasher()
    monkeypatch.setattr(passwords, "_HASHER", counting)
    return counting


def hammer(client: FlaskClient, username: str, times: int, address: str = "203.0.113.7") -> list[int]:
    """Wrong passwords from one address; the statuses."""
    return [try_sign_in(client, username, WRONG, address=address).status_code for _ in range(times)]


def test_the_eleventh_wrong_password_is_throttled_and_says_how_long_to_wait(
    client: FlaskClient, clock: time_machine.Traveller
) -> None:
    assert hammer(client, "county_inspector", 10) == [401] * 10
    refused = try_sign_in(client, "county_inspector", WRONG, address="203.0.113.7")
    assert code_of(refused) == (429, "login_throttled")
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60 + 1
    assert refused.json is not None and "分钟后再试" in refused.json["detail"]


def test_wrong_passwords_for_one_user_add_up_over_many_addresses_and_spellings(client: FlaskClient) -> None:
    names = ["county_inspector", "County_Inspector", "COUNTY_INSPECTOR"]
    statuses = [
        try_sign_in(client, names[number % 3], WRONG, address=f"203.0.113.{number}").status_code for number in range(11)
    ]
    assert statuses == [401] * 10 + [403]


def test_wrong_passwords_from_one_address_add_up_over_many_users(client: FlaskClient) -> None:
    statuses = [try_sign_in(client, f"nobody_{number}", WRONG).status_code for number in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    # Others in the same building still get in with the right password.
    assert try_sign_in(client, "city_reviewer", PASSWORD).status_code == 201


def test_an_address_that_is_closed_spoils_no_further_user_name_and_leaves_no_further_row(
    client: FlaskClient, database: Database
) -> None:
    def rows() -> int:
        with database.read() as session:
            return session.scalars(select(func.count()).select_from(Throttle)).one()

    assert hammer(client, "nobody", 101) == [401] * 10 + [429] * 91
    before = rows()
    assert hammer(client, "county_inspector", 20) == [429] * 20
    assert [try_sign_in(client, f"nobody_{n}", WRONG, address="203.0.113.7").status_code for n in range(5)] == [429] * 5
    assert rows() == before
    assert try_sign_in(client, "county_inspector", PASSWORD, address="203.0.113.8").status_code == 201


def test_the_right_password_does_not_wipe_out_what_an_address_did(client: FlaskClient) -> None:
    for number in range(9):
        assert try_sign_in(client, f"nobody_{number}", WRONG, address="198.51.100.1").status_code == 401
    assert try_sign_in(client, "county_inspector", PASSWORD, address="198.51.100.1").status_code == 201
    assert try_sign_in(client, "nobody_9", WRONG, address="198.51.100.1").status_code == 401
    assert try_sign_in(client, "nobody_10", WRONG, address="198.51.100.1").status_code == 429


def test_while_throttled_even_the_right_password_of_a_stranger_is_not_looked_at(
    client: FlaskClient, hasher: CountingHasher
) -> None:
    hammer(client, "county_inspector", 10)
    assert hasher.verified == 10
    right = try_sign_in(client, "county_inspector", PASSWORD, address="203.0.113.8")
    assert code_of(right) == (403, "captcha_required")
    assert hasher.verified == 10


def test_the_window_ends_by_itself_and_hammering_does_not_prolong_it(
    client: FlaskClient, clock: time_machine.Traveller
) -> None:
    hammer(client, "county_inspector", 11)
    clock.shift(timedelta(minutes=14))
    assert code_of(try_sign_in(client, "county_inspector", PASSWORD, address="203.0.113.8"))[0] == 403
    refused = try_sign_in(client, "county_inspector", PASSWORD, address="203.0.113.7")
    assert code_of(refused) == (429, "login_throttled")
    clock.shift(timedelta(seconds=int(refused.headers["Retry-After"])))
    assert try_sign_in(client, "county_inspector", PASSWORD, address="203.0.113.8").status_code == 201
    assert hammer(client, "county_inspector", 11) == [401] * 10 + [429]


def test_the_owner_known_by_address_gets_in_while_a_stranger_hammers(client: FlaskClient) -> None:
    assert try_sign_in(client, "county_inspector", PASSWORD, address="192.0.2.1").status_code == 201
    assert hammer(client, "county_inspector", 12)[-1] == 429
    assert try_sign_in(client, "county_inspector", PASSWORD, address="192.0.2.1").status_code == 201
    assert hammer(client, "county_inspector", 1) == [429]


def test_the_owner_known_by_an_earlier_token_gets_in_from_a_new_address(
    client: FlaskClient, county_inspector: Person
) -> None:
    county_inspector.delete("/sessions/current")
    assert hammer(client, "county_inspector", 12)[-1] == 429
    token = {"Authorization": f"Bearer {county_inspector.token}"}
    known = try_sign_in(client, "county_inspector", PASSWORD, address="192.0.2.99", headers=token)
    assert known.status_code == 201


def test_the_token_of_another_user_makes_nobody_known(client: FlaskClient, neighbour_inspector: Person) -> None:
    assert hammer(client, "county_inspector", 12)[-1] == 429
    token = {"Authorization": f"Bearer {neighbour_inspector.token}"}
    borrowed = try_sign_in(client, "county_inspector", PASSWORD, address="192.0.2.99", headers=token)
    assert code_of(borrowed) == (403, "captcha_required")


def test_someone_known_has_ten_tries_of_the_own_and_no_more(client: FlaskClient) -> None:
    assert try_sign_in(client, "county_inspector", PASSWORD, address="192.0.2.1").status_code == 201
    assert hammer(client, "county_inspector", 11, "192.0.2.1") == [401] * 10 + [429]


def test_a_reset_lifts_the_throttle_of_that_user(client: FlaskClient, city_reviewer: Person) -> None:
    hammer(client, "county_inspector", 11)
    users = city_reviewer.get("/users?q=county_inspector").json
    assert users is not None
    made = city_reviewer.post(f"/users/{users['items'][0]['id']}/reset-password", {}).json
    assert made is not None
    assert try_sign_in(client, "county_inspector", made["password"], address="203.0.113.8").status_code == 201


def test_wrong_passwords_at_the_same_moment_never_get_more_than_ten_looked_at(
    application: APIFlask, database: Database, hasher: CountingHasher
) -> None:
    def attempt(number: int) -> int:
        address = f"203.0.113.{number}"
        return try_sign_in(application.test_client(), "county_inspector", WRONG, address=address).status_code

    statuses = at_once(*[lambda number=number: attempt(number) for number in range(24)])
    assert sorted(statuses) == [401] * 10 + [403] * 14
    assert hasher.verified == 10
    with database.read() as session:
        by_outcome = select(SignInTry.outcome, func.count()).group_by(SignInTry.outcome)
        counted = {row.outcome: row[1] for row in session.execute(by_outcome)}
    assert counted == {"login_failed": 10, "login_throttled": 14}


def test_an_unknown_user_name_costs_as_much_and_is_told_the_same_as_a_wrong_password(
    client: FlaskClient, hasher: CountingHasher
) -> None:
    wrong = try_sign_in(client, "county_inspector", WRONG)
    cost = hasher.verified
    unknown = try_sign_in(client, "nobody_at_all", WRONG)
    assert (cost, hasher.verified - cost) == (1, 1)
    assert wrong.json is not None and unknown.json is not None
    wrong.json.pop("request_id"), unknown.json.pop("request_id")
    assert wrong.status_code == unknown.status_code == 401
    assert {**wrong.json, "request_id": ""} == {**unknown.json, "request_id": ""}
    assert dict(wrong.headers).keys() == dict(unknown.headers).keys()


def test_pending_and_disabled_accounts_are_throttled_alike_so_nothing_is_learned(
    client: FlaskClient, database: Database, city_reviewer: Person, sign_in: SignIn
) -> None:
    user_id = make_user(database, "320402", "leaver")
    city_reviewer.post(f"/users/{user_id}/disable", {"reason": "离职"})
    assert hammer(client, "leaver", 11) == [401] * 10 + [429]
    assert hammer(client, "never_was", 11, "203.0.113.9") == [401] * 10 + [429]


def test_the_password_of_an_applicant_cannot_be_tried_by_applying_again(
    client: FlaskClient, hasher: CountingHasher
) -> None:
    apply(client)

    def apply_again(password: str) -> int:
        body = application_body(password=password)
        return client.post("/api/v1/account-applications", json=body).status_code

    assert [apply_again(f"Ratewort-{number}-58") for number in range(12)] == [201] * 10 + [429] * 2
    assert hasher.verified <= 20  # outside and inside of the transaction
    # The applicant who lost the answer is one of those who wait until the window ends.
    assert apply_again(application_body()["password"]) == 429


def test_wrong_old_passwords_count_as_wrong_sign_ins(county_inspector: Person) -> None:
    body = {"old_password": WRONG, "new_password": "Another-One-7"}
    statuses = [county_inspector.put("/me/password", body).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_a_refused_new_password_with_the_right_old_one_is_no_wrong_password(county_inspector: Person) -> None:
    weak = {"old_password": PASSWORD, "new_password": "12345678"}
    assert {county_inspector.put("/me/password", weak).status_code for _ in range(11)} == {422}
    fine = {"old_password": PASSWORD, "new_password": "Another-One-7"}
    assert county_inspector.put("/me/password", fine).status_code == 200
