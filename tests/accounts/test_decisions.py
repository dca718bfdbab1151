"""Who decides on an account (用户审核): a superior office, the first one, and never on an own application."""

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from accounts import offices, operations
from accounts.models import AccountApplication, Region, User
from accounts.verbs import Role
from core.db import Database
from core.models import HistoryEntry
from tests.newcomers import (
    COUNTY_BELOW_A_MUNICIPALITY,
    COUNTY_BELOW_A_PROVINCE,
    MOBILE,
    apply,
    at_once,
    code_of,
    make_user,
    password_hash,
    try_sign_in,
)
from tests.people import Person, SignIn
from tests.rounds import rounds

ROUNDS = rounds(20, few=5)


def approve(person: Person, application_id: str) -> tuple[int, str]:
    """Status and code of an approval; the code of a 200 is the status it leads to."""
    answer = person.post(f"/account-applications/{application_id}/approve", {})
    assert answer.json is not None
    return answer.status_code, answer.json.get("code") or answer.json["status"]


def listed(person: Person) -> list[str]:
    answer = person.get("/account-applications")
    assert answer.json is not None
    assert answer.json["total"] == len(answer.json["items"])
    return [row["id"] for row in answer.json["items"]]


@pytest.mark.parametrize("decider", ["city_reviewer", "province_user"])
def test_a_county_account_is_decided_by_its_city_or_its_province(
    client: FlaskClient, sign_in: SignIn, decider: str
) -> None:
    made, person = apply(client), sign_in(decider)
    assert listed(person) == [made["id"]]
    assert approve(person, made["id"]) == (200, "approved")


def test_a_county_account_is_nothing_to_a_neighbour_city_another_province_or_its_own_county(
    client: FlaskClient, database: Database, sign_in: SignIn
) -> None:
    made = apply(client)
    make_user(database, "320404", "county_approver", Role.ACCOUNT_APPROVER)
    make_user(database, "320402", "neighbour_approver", Role.ACCOUNT_APPROVER)
    for name in ("other_city_user", "other_province_user", "county_approver", "neighbour_approver"):
        stranger = sign_in(name)
        assert listed(stranger) == []
        assert code_of(stranger.get(f"/account-applications/{made['id']}")) == (404, "not_found")
        assert approve(stranger, made["id"]) == (404, "not_found")
        rejected = stranger.post(f"/account-applications/{made['id']}/reject", {"opinion": "不同意"})
        assert code_of(rejected) == (404, "not_found")
    with database.read() as session:
        assert session.scalar(select(AccountApplication.status)) == "pending"


def test_an_inspector_without_the_verb_may_not_even_ask(client: FlaskClient, county_inspector: Person) -> None:
    made = apply(client, region_code="320402")
    assert code_of(county_inspector.get("/account-applications")) == (403, "forbidden")
    assert approve(county_inspector, made["id"]) == (403, "forbidden")


def test_a_city_account_is_decided_by_the_province_only(
    client: FlaskClient, city_reviewer: Person, province_user: Person
) -> None:
    made = apply(client, region_code="320400")
    assert listed(city_reviewer) == []
    assert approve(city_reviewer, made["id"]) == (404, "not_found")
    assert listed(province_user) == [made["id"]]
    assert approve(province_user, made["id"]) == (200, "approved")
    signed_in = try_sign_in(client, "zhonglou_li", "Xin-Min-2026")
    assert signed_in.json is not None
    assert signed_in.json["user"]["roles"] == ["inspector", "account_approver"]


@pytest.mark.parametrize(
    ("county", "province", "neighbour"),
    [(COUNTY_BELOW_A_PROVINCE, "420000", "420100"), (COUNTY_BELOW_A_MUNICIPALITY, "500000", "500152")],
)
def test_a_county_directly_below_a_province_or_municipality_is_decided_there(
    client: FlaskClient, database: Database, sign_in: SignIn, county: str, province: str, neighbour: str
) -> None:
    made = apply(client, region_code=county)
    make_user(database, province, "the_province")
    make_user(database, neighbour, "the_neighbour", Role.ACCOUNT_APPROVER)
    make_user(database, county, "the_county", Role.ACCOUNT_APPROVER)
    for name in ("the_neighbour", "the_county", "province_user"):
        stranger = sign_in(name)
        assert listed(stranger) == []
        assert approve(stranger, made["id"]) == (404, "not_found")
    the_province = sign_in("the_province")
    assert listed(the_province) == [made["id"]]
    assert approve(the_province, made["id"]) == (200, "approved")
    signed_in = try_sign_in(client, "zhonglou_li", "Xin-Min-2026")
    assert signed_in.json is not None and signed_in.json["user"]["level"] == "county"
    assert signed_in.json["user"]["roles"] == ["inspector"]


def test_an_office_that_covers_a_city_and_one_of_its_counties_decides_on_all_its_counties(
    client: FlaskClient, database: Database, sign_in: SignIn
) -> None:
    of_county = apply(client, region_code="320404")["id"]
    of_neighbour = apply(client, region_code="320402", username="tianning_li", mobile="13800000002")["id"]
    of_city = apply(client, region_code="320400", username="changzhou_li", mobile="13800000003")["id"]
    with database.write() as session:
        office_id = offices.create_office(session, "市局指挥中心", "station", session.get_one(Region, "320400"), None)
        offices.cover(session, office_id, ["320400", "320404"])
        operations.create_user(
            session, office_id, "city_centre", password_hash(), [Role.ACCOUNT_APPROVER], must_change_password=False
        )
    centre = sign_in("city_centre")
    assert set(listed(centre)) == {of_county, of_neighbour}
    assert approve(centre, of_city) == (404, "not_found")
    for application_id in (of_county, of_neighbour):
        assert approve(centre, application_id) == (200, "approved")


@pytest.mark.parametrize("written", [MOBILE, "+86 138-0000-0001"])
def test_nobody_decides_on_an_application_with_the_own_mobile_number(
    client: FlaskClient, database: Database, sign_in: SignIn, city_reviewer: Person, written: str
) -> None:
    make_user(database, "320400", "same_person", mobile=written)
    made = apply(client)
    applicant = sign_in("same_person")
    assert approve(applicant, made["id"]) == (403, "forbidden")
    rejected = applicant.post(f"/account-applications/{made['id']}/reject", {"opinion": "不同意"})
    assert code_of(rejected) == (403, "forbidden")
    # A refusal leaves nothing behind: it is no decision, and asking again is refused again.
    assert approve(applicant, made["id"]) == (403, "forbidden")
    assert approve(city_reviewer, made["id"]) == (200, "approved")


def test_a_user_who_applied_from_below_does_not_decide_on_it_when_promoted(
    client: FlaskClient, database: Database, sign_in: SignIn, city_reviewer: Person
) -> None:
    made = apply(client)
    city_id = make_user(database, "320400", "promoted")
    with database.write() as session:
        application = session.scalars(select(AccountApplication)).one()
        application.user_id, application.mobile = city_id, "13800000009"
    assert approve(sign_in("promoted"), made["id"]) == (403, "forbidden")


def test_the_first_decision_wins_and_the_second_is_told_the_status(
    client: FlaskClient, city_reviewer: Person, province_user: Person
) -> None:
    made = apply(client)
    assert approve(city_reviewer, made["id"]) == (200, "approved")
    late = province_user.post(f"/account-applications/{made['id']}/reject", {"opinion": "不同意"})
    assert code_of(late) == (409, "wrong_status")
    assert late.json is not None and late.json["current_status"] == "approved"
    assert approve(province_user, made["id"]) == (409, "wrong_status")
    turned = city_reviewer.post(f"/account-applications/{made['id']}/reject", {"opinion": "改主意了"})
    assert code_of(turned) == (409, "wrong_status")
    assert try_sign_in(client, "zhonglou_li", "Xin-Min-2026").status_code == 201


def test_a_decision_whose_answer_was_lost_may_be_asked_for_again(
    client: FlaskClient, database: Database, city_reviewer: Person
) -> None:
    made = apply(client)
    body = {"opinion": "请补充单位全称"}
    first = city_reviewer.post(f"/account-applications/{made['id']}/reject", body)
    for _ in range(3):
        again = city_reviewer.post(f"/account-applications/{made['id']}/reject", body)
        assert again.status_code == 200 and again.json == first.json
    other = city_reviewer.post(f"/account-applications/{made['id']}/reject", {"opinion": "另一个意见"})
    assert code_of(other) == (409, "wrong_status")
    assert _decisions(database, made["id"]) == ["reject"]


@pytest.mark.parametrize("body", [{}, {"opinion": ""}, {"opinion": "  　 "}, {"opinion": None}, {"opinion": 7}])
def test_a_rejection_without_an_opinion_is_no_decision(
    client: FlaskClient, database: Database, city_reviewer: Person, body: dict[str, object]
) -> None:
    made = apply(client)
    answer = city_reviewer.post(f"/account-applications/{made['id']}/reject", body)
    assert code_of(answer) == (422, "invalid")
    assert answer.json is not None and [fault["path"] for fault in answer.json["errors"]] == ["/opinion"]
    assert _decisions(database, made["id"]) == []


def _decisions(database: Database, application_id: str) -> list[str]:
    with database.read() as session:
        rows = session.scalars(
            select(HistoryEntry.action)
            .where(HistoryEntry.subject_type == "account_application", HistoryEntry.from_status == "pending")
            .order_by(HistoryEntry.seq)
        )
        return list(rows)


@pytest.mark.rounds
def test_of_two_who_decide_at_the_same_moment_one_decides_and_the_other_is_told(
    application: APIFlask, client: FlaskClient, database: Database, city_reviewer: Person, province_user: Person
) -> None:
    winners = set()
    for number in range(ROUNDS):
        made = apply(client, username=f"applicant_{number}", mobile=f"138000010{number:02d}")
        path = f"/account-applications/{made['id']}"
        # Each phone has a connection of its own.
        city = Person("city_reviewer", application.test_client(), city_reviewer.token)
        province = Person("province_user", application.test_client(), province_user.token)
        answers = at_once(
            lambda city=city, path=path: city.post(f"{path}/approve", {}),
            lambda province=province, path=path: province.post(f"{path}/reject", {"opinion": "不同意"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won = next(answer.json for answer in answers if answer.status_code == 200)
        lost = next(answer.json for answer in answers if answer.status_code == 409)
        assert lost["code"] == "wrong_status" and lost["current_status"] == won["status"]
        winners.add(won["status"])
        with database.read() as session:
            stored = session.scalars(
                select(AccountApplication).where(AccountApplication.query_code == made["query_code"])
            )
            row = stored.one()
            assert row.status == won["status"]
            decisions = select(func.count()).select_from(HistoryEntry)
            about = decisions.where(HistoryEntry.subject_id == row.id, HistoryEntry.from_status == "pending")
            assert session.scalar(about) == 1
            moved = decisions.where(HistoryEntry.subject_id == row.user_id, HistoryEntry.from_status == "pending")
            assert session.scalar(moved) == (1 if won["status"] == "approved" else 0)
            status = session.scalar(select(User.status).where(User.id == row.user_id))
            assert status == {"approved": "active", "rejected": None}[won["status"]]
    assert winners <= {"approved", "rejected"}
