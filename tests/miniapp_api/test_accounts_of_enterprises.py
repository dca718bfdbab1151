"""Whoever hands enterprises their accounts (企业账号) sees them, resets them and disables them; officers' never."""

from collections.abc import Callable

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from accounts.models import User
from accounts.verbs import Role
from core.db import Database
from core.models import HistoryEntry
from tests import parties as both
from tests.newcomers import code_of, make_user
from tests.parties import OTHER_WORKS, WORKS, Parties, sign_in_enterprise
from tests.people import Person


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def seen(person: Person, query: str = "") -> dict[str, str]:
    """Ids of the users that are listed, by name."""
    page = person.get(f"/users?page_size=100{query}").json
    assert page["total"] == len(page["items"])
    return {row["username"]: row["id"] for row in page["items"]}


def test_a_reviewer_sees_the_accounts_of_the_enterprises_of_the_own_regions_and_no_officer(
    parties: Parties, county_inspector: Person, city_reviewer: Person
) -> None:
    assert set(seen(parties.reviewer)) == {WORKS, OTHER_WORKS}
    assert set(seen(parties.reviewer, f"&q={WORKS}")) == {WORKS}
    assert seen(parties.far_reviewer) == {}
    assert {WORKS, "county_inspector"} <= set(seen(city_reviewer))
    assert code_of(county_inspector.get("/users")) == (403, "forbidden")
    assert code_of(parties.enterprise.get("/users")) == (403, "forbidden")


def test_a_reviewer_resets_a_password_that_the_enterprise_forgot(parties: Parties, application: APIFlask) -> None:
    path = f"/users/{seen(parties.reviewer)[WORKS]}"
    answer = parties.reviewer.post(f"{path}/reset-password", {})
    assert answer.status_code == 200
    assert code_of(parties.enterprise.get("/filings")) == (401, "unauthenticated")
    person = sign_in_enterprise(application, WORKS, answer.json["password"])
    assert code_of(person.get("/filings")) == (403, "password_change_required")
    used = parties.reviewer.post(f"/enterprises/{OTHER_WORKS}/users", {})
    assert code_of(used) == (409, "username_taken") and "用户列表" in used.json["detail"]


def test_a_reviewer_disables_and_enables_an_account_of_an_enterprise(parties: Parties, database: Database) -> None:
    path = f"/users/{seen(parties.reviewer)[OTHER_WORKS]}"
    assert parties.reviewer.post(f"{path}/disable", {"reason": "企业已注销"}).json["status"] == "disabled"
    assert code_of(parties.other_enterprise.get("/filings")) == (401, "unauthenticated")
    again = parties.reviewer.post(f"/enterprises/{OTHER_WORKS}/users", {})
    assert code_of(again) == (409, "username_taken") and "已停用" in again.json["detail"]
    assert parties.reviewer.post(f"{path}/enable", {}).json["status"] == "active"
    with database.read() as session:
        told = session.scalars(
            select(HistoryEntry.action)
            .join(User, User.id == HistoryEntry.subject_id)
            .where(User.username == OTHER_WORKS)
            .order_by(HistoryEntry.seq)
        ).all()
    assert told == ["create", "enterprise_disable", "enterprise_enable"]


def test_a_reviewer_touches_no_officer_and_no_enterprise_elsewhere(
    parties: Parties, county_inspector: Person, database: Database, sign_in: Callable[[str], Person]
) -> None:
    make_user(database, "320400", "city_licences", Role.LICENCE_REVIEWER)
    city = sign_in("city_licences")
    assert set(seen(city)) == {WORKS, OTHER_WORKS}
    with database.read() as session:
        users = dict(session.execute(select(User.username, User.id)).tuples().all())
    for person, name in (
        (parties.reviewer, "county_inspector"), (parties.reviewer, "licence_reviewer"), (city, "county_inspector"),
        (parties.far_reviewer, WORKS),
    ):  # fmt: skip
        for action, body in (("reset-password", {}), ("disable", {"reason": "试试"}), ("enable", {})):
            assert code_of(person.post(f"/users/{users[name]}/{action}", body)) == (404, "not_found"), (name, action)
    assert county_inspector.get("/me").status_code == 200
