"""Nobody becomes another: who may reset whose password, alone or as two, and how the person learns of it."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from accounts.models import ResetProposal, User
from accounts.sign_in import captchas, passwords
from accounts.verbs import Role
from core.db import Database
from core.models import HistoryEntry
from tests import parties as both
from tests.miniapp_api.test_second_factor import code as otp_of
from tests.miniapp_api.test_second_factor import enrol
from tests.newcomers import application_body, apply, at_once, code_of, make_user, try_sign_in
from tests.parties import FAR_WORKS, OTHER_WORKS, WORKS, Parties, sign_in_enterprise
from tests.people import PASSWORD, Person, SignIn

COVERED = {Role.INSPECTOR, Role.ACCOUNT_APPROVER}
"""Roles of which an inspector and approver of a city holds all verbs."""


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def id_of(database: Database, username: str) -> str:
    with database.read() as session:
        return str(session.scalars(select(User.id).where(User.username == username)).one())


@pytest.mark.parametrize("role", Role)
def test_whoever_lacks_a_verb_of_a_user_makes_no_one_time_password_for_it(
    client: FlaskClient, database: Database, city_reviewer: Person, role: Role
) -> None:
    path = f"/users/{make_user(database, '320402', 'holder', role)}/reset-password"
    answer = city_reviewer.post(path, {})
    if role in COVERED:
        assert answer.status_code == 200
        assert try_sign_in(client, "holder", answer.json["password"]).status_code == 201
        return
    assert code_of(answer) == (403, "two_people_needed")
    assert try_sign_in(client, "holder", PASSWORD).status_code == 201


def test_an_approver_alone_becomes_no_enterprise_and_a_licence_reviewer_of_the_region_may_reset_it(
    parties: Parties, database: Database, city_reviewer: Person
) -> None:
    path = f"/users/{id_of(database, WORKS)}/reset-password"
    assert code_of(city_reviewer.post(path, {})) == (403, "two_people_needed")
    assert parties.enterprise.get("/me").status_code == 200
    assert parties.reviewer.post(path, {}).status_code == 200
    assert code_of(parties.far_reviewer.post(path, {})) == (404, "not_found")


class TestTwoPeople:
    """The first proposes, another user name that manages the user confirms."""

    @pytest.fixture
    def path(self, database: Database) -> str:
        return f"/users/{make_user(database, '320402', 'county_licences', Role.LICENCE_REVIEWER)}"

    @pytest.fixture
    def second(self, database: Database, sign_in: SignIn) -> Person:
        make_user(database, "320400", "city_second")
        return sign_in("city_second")

    def propose(self, person: Person, path: str) -> Any:
        answer = person.post(f"{path}/propose-reset", {"kind": "password", "reason": "本人来电忘记密码"})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.json["reset_proposal"]

    def confirm(self, person: Person, path: str, proposal: Any) -> Any:
        return person.post(f"{path}/confirm-reset", {"proposal_id": proposal["id"]})

    def test_one_proposes_and_another_confirms(
        self, client: FlaskClient, database: Database, city_reviewer: Person, second: Person, path: str
    ) -> None:
        proposal = self.propose(city_reviewer, path)
        assert self.propose(city_reviewer, path) == proposal
        assert (proposal["kind"], proposal["by"]["username"], proposal["own"]) == ("password", "city_reviewer", True)
        assert try_sign_in(client, "county_licences", PASSWORD).status_code == 201
        seen = second.get("/users?q=county_licences").json["items"][0]
        assert seen["reset_proposal"]["reason"] == "本人来电忘记密码" and seen["reset_proposal"]["own"] is False
        assert seen["reset_alone"] is False
        (todo,) = [one for one in second.get("/todos").json["items"] if one["kind"] == "reset_proposed"]
        assert todo["link"] == path
        answer = self.confirm(second, path, proposal)
        assert answer.status_code == 200 and answer.json["kind"] == "password"
        assert [one for one in second.get("/todos").json["items"] if one["kind"] == "reset_proposed"] == []
        signed_in = try_sign_in(client, "county_licences", answer.json["password"])
        assert signed_in.json["must_change_password"] is True
        (told,) = signed_in.json["resets"]
        assert [one["username"] for one in told["by"]] == ["city_second", "city_reviewer"]
        with database.read() as session:
            actions = session.scalars(
                select(HistoryEntry.action).join(User, User.id == HistoryEntry.subject_id)
                .where(User.username == "county_licences").order_by(HistoryEntry.seq)
            ).all()  # fmt: skip
        assert actions == ["create", "propose_reset", "confirm_reset"]
        assert code_of(self.confirm(second, path, proposal)) == (404, "not_found")

    def test_nobody_confirms_the_own_proposal_nor_one_beyond_reach(
        self, city_reviewer: Person, other_city_user: Person, county_inspector: Person, path: str
    ) -> None:
        proposal = self.propose(city_reviewer, path)
        assert code_of(self.confirm(city_reviewer, path, proposal)) == (403, "another_person_needed")
        assert code_of(self.confirm(other_city_user, path, proposal)) == (404, "not_found")
        assert code_of(self.confirm(county_inspector, path, proposal)) == (403, "forbidden")
        for person in (other_city_user, county_inspector):
            refused = person.post(f"{path}/propose-reset", {"kind": "password", "reason": "试试"})
            assert refused.status_code in (403, 404)

    @pytest.mark.parametrize("proposes", ["the superior", "the one who was reset"])
    def test_nobody_is_both_people_by_resetting_the_other_one(
        self, client: FlaskClient, database: Database, province_user: Person, path: str, clock: time_machine.Traveller,
        sign_in: SignIn, proposes: str,
    ) -> None:  # fmt: skip
        reset = province_user.post(f"/users/{id_of(database, 'city_reviewer')}/reset-password", {})
        assert reset.status_code == 200
        token = try_sign_in(client, "city_reviewer", reset.json["password"]).json["token"]
        city = Person("city_reviewer", client, token)
        changed = {"old_password": reset.json["password"], "new_password": PASSWORD}
        assert city.put("/me/password", changed).status_code == 200
        first, other = (province_user, city) if proposes == "the superior" else (city, province_user)
        proposal = self.propose(first, path)
        assert code_of(self.confirm(other, path, proposal)) == (403, "another_person_needed")
        clock.shift(timedelta(days=30))
        proposal = self.propose(sign_in(first.username), path)
        assert self.confirm(sign_in(other.username), path, proposal).status_code == 200

    def test_nor_by_resetting_both_nor_by_approving_an_application_for_the_other_one(
        self, client: FlaskClient, database: Database, province_user: Person, city_reviewer: Person, second: Person,
        path: str,
    ) -> None:  # fmt: skip
        proposal = self.propose(city_reviewer, path)
        people = []
        for username in ("city_reviewer", "city_second"):
            reset = province_user.post(f"/users/{id_of(database, username)}/reset-password", {}).json["password"]
            person = Person(username, client, try_sign_in(client, username, reset).json["token"])
            assert person.put("/me/password", {"old_password": reset, "new_password": PASSWORD}).status_code == 200
            people.append(person)
        assert code_of(self.confirm(people[1], path, proposal)) == (403, "another_person_needed")
        assert people[0].post(f"{path}/cancel-reset", {"proposal_id": proposal["id"]}).status_code == 200
        made = apply(client, region_code="320400", username="city_third")
        assert province_user.post(f"/account-applications/{made['id']}/approve", {}).status_code == 200
        signed_in = try_sign_in(client, "city_third", application_body()["password"])
        proposal = self.propose(province_user, path)
        third = Person("city_third", client, signed_in.json["token"])
        assert code_of(self.confirm(third, path, proposal)) == (403, "another_person_needed")

    def test_a_proposal_put_into_the_table_is_none(
        self, database: Database, city_reviewer: Person, second: Person, path: str
    ) -> None:
        proposal = self.propose(city_reviewer, path)
        with database.write() as session:
            session.execute(update(ResetProposal).values(proposed_by=UUID(id_of(database, "province_user"))))
        for person in (city_reviewer, second):
            assert code_of(self.confirm(person, path, proposal)) == (404, "not_found")
        with database.write() as session:
            session.execute(
                update(ResetProposal).values(
                    proposed_by=UUID(id_of(database, "city_reviewer")), kind="second_factor"
                )
            )  # fmt: skip
        assert code_of(self.confirm(second, path, proposal)) == (404, "not_found")

    def test_a_proposal_is_taken_back_refused_or_runs_out(
        self, clock: time_machine.Traveller, database: Database, sign_in: SignIn
    ) -> None:
        path = f"/users/{make_user(database, '320402', 'county_licences', Role.LICENCE_REVIEWER)}"
        make_user(database, "320400", "city_second")
        first, second = sign_in("city_reviewer"), sign_in("city_second")
        for person in (first, second):
            proposal = self.propose(first, path)
            cancelled = person.post(f"{path}/cancel-reset", {"proposal_id": proposal["id"]})
            assert cancelled.json["reset_proposal"] is None
            assert code_of(self.confirm(second, path, proposal)) == (404, "not_found")
        proposal = self.propose(first, path)
        clock.shift(timedelta(days=3, seconds=1))
        second = sign_in("city_second")
        assert code_of(self.confirm(second, path, proposal)) == (404, "not_found")
        assert second.get("/users?q=county_licences").json["items"][0]["reset_proposal"] is None

    def test_a_proposal_dies_with_the_right_of_who_made_it(
        self, province_user: Person, database: Database, city_reviewer: Person, second: Person, path: str
    ) -> None:
        proposal = self.propose(city_reviewer, path)
        disabled = province_user.post(f"/users/{id_of(database, 'city_reviewer')}/disable", {"reason": "调离"})
        assert disabled.status_code == 200
        assert code_of(self.confirm(second, path, proposal)) == (404, "not_found")

    def test_who_may_reset_alone_needs_no_second(self, city_reviewer: Person, database: Database) -> None:
        path = f"/users/{id_of(database, 'county_inspector')}"
        answer = city_reviewer.post(f"{path}/propose-reset", {"kind": "password", "reason": "忘记密码"})
        assert code_of(answer) == (422, "invalid")
        assert city_reviewer.get("/users?q=county_inspector").json["items"][0]["reset_alone"] is True

    def test_two_who_confirm_at_once_get_one_password(
        self, application: APIFlask, client: FlaskClient, database: Database, city_reviewer: Person, second: Person,
        province_user: Person, path: str,
    ) -> None:  # fmt: skip
        proposal = self.propose(city_reviewer, path)

        def one(person: Person) -> Any:
            return self.confirm(Person(person.username, application.test_client(), person.token), path, proposal)

        answers = at_once(lambda: one(second), lambda: one(province_user), lambda: one(second))
        (right,) = [answer for answer in answers if answer.status_code == 200]
        assert try_sign_in(client, "county_licences", right.json["password"]).status_code == 201


def test_at_each_sign_in_of_the_month_the_user_sees_who_reset_and_when(
    client: FlaskClient, database: Database, clock: time_machine.Traveller, sign_in: SignIn
) -> None:
    assert try_sign_in(client, "county_inspector", PASSWORD).json["resets"] == []
    reviewer = client.post(
        "/api/v1/sessions", json={"username": "city_reviewer", "password": PASSWORD, "operator_name": "王强"}
    ).json
    path = f"/users/{id_of(database, 'county_inspector')}/reset-password"
    given = Person("city_reviewer", client, reviewer["token"]).post(path, {}).json["password"]
    # Whoever took the password signs in first, changes it, and so on: what happened stays to be seen.
    thief = Person("county_inspector", client, try_sign_in(client, "county_inspector", given).json["token"])
    assert thief.put("/me/password", {"old_password": given, "new_password": PASSWORD}).status_code == 200
    clock.shift(timedelta(days=29))
    (told,) = try_sign_in(client, "county_inspector", PASSWORD).json["resets"]
    assert told == {
        "kind": "password", "at": "2026-11-21T02:00:00Z",
        "by": [{"username": "city_reviewer", "operator_name": "王强", "office": "常州市市场监督管理局"}],
    }  # fmt: skip
    assert sign_in("county_inspector").get("/me/resets").json["items"] == [told]
    clock.shift(timedelta(days=2))
    assert try_sign_in(client, "county_inspector", PASSWORD).json["resets"] == []


def test_the_first_session_of_a_superseded_hand_over_dies(parties: Parties, application: APIFlask) -> None:
    path = f"/enterprises/{FAR_WORKS}/users"
    first = sign_in_enterprise(application, FAR_WORKS, parties.far_reviewer.post(path, {}).json["password"])
    second = parties.far_reviewer.post(path, {}).json["password"]
    assert code_of(first.get("/me")) == (401, "unauthenticated")
    assert sign_in_enterprise(application, FAR_WORKS, second).get("/me").status_code == 200


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """So many calls wait for each other while they hash their password: they run at one moment, however slow."""

    def meet(calls: int) -> None:
        barrier, hashed = threading.Barrier(calls), passwords.hash_password

        def waiting(password: str) -> str:
            barrier.wait(timeout=60)
            return hashed(password)

        monkeypatch.setattr(passwords, "hash_password", waiting)

    return meet


@pytest.mark.parametrize("used", [False, True])
def test_parallel_hand_overs_answer_one_password_and_it_is_the_one_that_works(
    parties: Parties, application: APIFlask, together: Callable[[int], None], used: bool
) -> None:
    path = f"/enterprises/{FAR_WORKS}/users"
    if used:
        parties.far_reviewer.post(path, {})
    together(3)

    def one() -> Any:
        return Person("far_reviewer", application.test_client(), parties.far_reviewer.token).post(path, {})

    answers = at_once(one, one, one)
    (right,) = [answer for answer in answers if answer.status_code == 201]
    assert {code_of(answer) for answer in answers if answer is not right} == {(409, "stale_version")}
    assert sign_in_enterprise(application, FAR_WORKS, right.json["password"]).get("/me").status_code == 200


def test_parallel_resets_answer_one_password_and_it_is_the_one_that_works(
    client: FlaskClient, application: APIFlask, database: Database, city_reviewer: Person,
    together: Callable[[int], None],
) -> None:  # fmt: skip
    path = f"/users/{id_of(database, 'county_inspector')}/reset-password"
    together(3)

    def one() -> Any:
        return Person("city_reviewer", application.test_client(), city_reviewer.token).post(path, {})

    answers = at_once(one, one, one)
    (right,) = [answer for answer in answers if answer.status_code == 200]
    assert {code_of(answer) for answer in answers if answer is not right} == {(409, "stale_version")}
    assert try_sign_in(client, "county_inspector", right.json["password"]).status_code == 201


def picture(database: Database, typed: str | None = None) -> dict[str, str]:
    with database.write() as session:
        captcha_id, text = captchas.issue(session)
    return {"captcha_id": str(captcha_id), "captcha": typed or text}


class TestStrangersLockNobodyOut:
    """Ten wrong passwords of a stranger close a user name to strangers; a captcha opens it for its owner."""

    def hammer(self, client: FlaskClient, times: int = 10) -> None:
        for number in range(times):
            try_sign_in(client, "county_inspector", "Falsch-2026", address=f"203.0.113.{number}")

    def test_the_owner_at_a_new_address_answers_a_captcha(self, client: FlaskClient, database: Database) -> None:
        self.hammer(client)
        new = {"address": "192.0.2.9"}
        asked = try_sign_in(client, "county_inspector", PASSWORD, **new)
        assert code_of(asked) == (403, "captcha_required")
        wrong = try_sign_in(client, "county_inspector", PASSWORD, body=picture(database, "?????"), **new)
        assert code_of(wrong) == (403, "captcha_required")
        assert try_sign_in(client, "county_inspector", PASSWORD, body=picture(database), **new).status_code == 201

    def test_a_code_of_the_second_factor_opens_the_name_too_and_is_used_up_by_it(
        self, client: FlaskClient, sign_in: SignIn
    ) -> None:
        secret, recovery = enrol(sign_in("county_inspector"))
        self.hammer(client)
        new = {"address": "192.0.2.9"}
        wrong = try_sign_in(client, "county_inspector", PASSWORD, body={"otp": "000000"}, **new)
        assert code_of(wrong) == (403, "captcha_required")  # as without any: it tells nobody that there is one
        right = {"otp": otp_of(secret, 1)}
        assert code_of(try_sign_in(client, "county_inspector", "wrong password", body=right, **new))[0] in (401, 429)
        assert code_of(try_sign_in(client, "county_inspector", PASSWORD, body=right, **new)) == (
            403,
            "captcha_required",
        )
        assert try_sign_in(client, "county_inspector", PASSWORD, body={"otp": recovery[0]}, **new).status_code == 201

    def test_wrong_captchas_of_strangers_keep_the_owner_out_neither(
        self, client: FlaskClient, database: Database
    ) -> None:
        self.hammer(client)
        for number in range(12):
            body = picture(database, "?????")
            try_sign_in(client, "county_inspector", PASSWORD, body=body, address=f"198.51.100.{number}")
        answer = try_sign_in(client, "county_inspector", PASSWORD, body=picture(database), address="192.0.2.9")
        assert answer.status_code == 201

    def test_captchas_are_throttled_by_address(self, client: FlaskClient, database: Database) -> None:
        self.hammer(client)
        new = {"address": "192.0.2.9"}
        answers = [
            try_sign_in(client, "county_inspector", PASSWORD, body=picture(database, "?????"), **new) for _ in range(11)
        ]
        assert [answer.status_code for answer in answers] == [403] * 10 + [429]

    def test_passwords_behind_captchas_are_counted_too(self, client: FlaskClient, database: Database) -> None:
        self.hammer(client)
        tries = [
            try_sign_in(client, "county_inspector", "Falsch-2026", body=picture(database), address=f"192.0.2.{n // 9}")
            for n in range(101)
        ]
        assert [answer.status_code for answer in tries] == [401] * 100 + [429]

    def test_one_address_meets_its_own_limit_first(self, client: FlaskClient) -> None:
        statuses = [
            try_sign_in(client, "county_inspector", "Falsch-2026", address="203.0.113.7").status_code for _ in range(11)
        ]
        assert statuses == [401] * 10 + [429]


def test_an_enterprise_at_a_new_address_is_kept_out_neither_by_wrong_passwords_nor_by_wrong_captchas(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    for number in range(12):
        body = picture(database)
        try_sign_in(client, OTHER_WORKS, "Falsch-2026", body=body, address=f"203.0.113.{number}")
        try_sign_in(client, OTHER_WORKS, PASSWORD, body=picture(database, "?????"), address=f"198.51.100.{number}")
    assert try_sign_in(client, OTHER_WORKS, PASSWORD, body=picture(database), address="192.0.2.9").status_code == 201


def test_no_password_hash_is_left_as_it_was_by_two_resets(database: Database, city_reviewer: Person) -> None:
    path = f"/users/{id_of(database, 'county_inspector')}/reset-password"
    assert city_reviewer.post(path, {}).status_code == city_reviewer.post(path, {}).status_code == 200
    with database.read() as session:
        counted = select(func.count()).where(HistoryEntry.action == "reset_password")
        assert session.scalar(counted) == 2
