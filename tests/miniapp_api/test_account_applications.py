"""Applying for an account (账号申请): what is asked, what the applicant is told, who reads the number."""

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from accounts.models import AccountApplication, User
from core.db import Database
from tests.newcomers import ABOLISHED, MOBILE, application_body, apply, at_once, code_of, try_sign_in
from tests.people import Person, faults

PATH = "/api/v1/account-applications"
CHOSEN = application_body()["password"]


def status_of(client: FlaskClient, query_code: str) -> dict[str, Any]:
    answer = client.get(f"{PATH}/status/{query_code}")
    assert answer.status_code == 200 and answer.json is not None
    return dict(answer.json)


def test_an_application_is_pending_and_its_query_code_says_so_without_a_token(client: FlaskClient) -> None:
    made = apply(client)
    assert made["status"] == "pending"
    shown = status_of(client, made["query_code"])
    assert shown["id"] == made["id"] and shown["status"] == "pending" and shown["decided_at"] is None
    assert set(shown) == {"id", "status", "opinion", "decided_office", "created_at", "decided_at"}


def test_an_unknown_query_code_is_not_found(client: FlaskClient) -> None:
    assert code_of(client.get(f"{PATH}/status/no-such-code")) == (404, "not_found")


def test_an_applicant_is_told_to_wait_but_only_after_the_right_password(client: FlaskClient) -> None:
    apply(client)
    told = try_sign_in(client, "zhonglou_li", CHOSEN)
    assert code_of(told) == (403, "account_pending")
    assert told.json is not None and told.json["title"] == "账号待上级审核，审核通过后方可登录"
    assert code_of(try_sign_in(client, "zhonglou_li", "Wrong-2026")) == (401, "login_failed")


def test_an_approved_account_works_with_the_password_its_applicant_chose(
    client: FlaskClient, city_reviewer: Person
) -> None:
    made = apply(client)
    assert try_sign_in(client, "zhonglou_li", CHOSEN).status_code == 403
    assert city_reviewer.post(f"/account-applications/{made['id']}/approve", {}).status_code == 200
    signed_in = try_sign_in(client, "zhonglou_li", CHOSEN)
    assert signed_in.status_code == 201 and signed_in.json is not None
    user = signed_in.json["user"]
    assert user["level"] == "county" and user["region"]["code"] == "320404" and user["roles"] == ["inspector"]
    assert signed_in.json["must_change_password"] is False
    assert status_of(client, made["query_code"])["status"] == "approved"


def test_a_rejected_applicant_reads_the_opinion_only_after_the_right_password(
    client: FlaskClient, city_reviewer: Person
) -> None:
    made = apply(client)
    opinion = "单位名称与辖区不符"
    decided = city_reviewer.post(f"/account-applications/{made['id']}/reject", {"opinion": opinion})
    assert decided.status_code == 200 and decided.json is not None and decided.json["opinion"] == opinion
    told = try_sign_in(client, "zhonglou_li", CHOSEN)
    assert code_of(told) == (403, "account_rejected")
    assert told.json is not None and opinion in told.json["detail"]
    wrong = try_sign_in(client, "zhonglou_li", "Wrong-2026")
    assert code_of(wrong) == (401, "login_failed") and opinion not in wrong.get_data(as_text=True)
    shown = status_of(client, made["query_code"])
    assert (shown["status"], shown["opinion"]) == ("rejected", opinion)


def test_a_rejected_user_name_may_apply_again_and_is_decided_anew(client: FlaskClient, city_reviewer: Person) -> None:
    first = apply(client)
    city_reviewer.post(f"/account-applications/{first['id']}/reject", {"opinion": "请写全称"})
    second = apply(client, unit_name="常州市钟楼区市场监督管理局北港分局", password="Second-Try-9")
    assert second["id"] != first["id"]
    assert code_of(try_sign_in(client, "zhonglou_li", "Second-Try-9")) == (403, "account_pending")
    assert code_of(try_sign_in(client, "zhonglou_li", CHOSEN)) == (401, "login_failed")
    assert city_reviewer.post(f"/account-applications/{second['id']}/approve", {}).status_code == 200
    assert try_sign_in(client, "zhonglou_li", "Second-Try-9").status_code == 201
    assert status_of(client, first["query_code"])["status"] == "rejected"
    # The first decision is history: it cannot be turned round afterwards.
    late = city_reviewer.post(f"/account-applications/{first['id']}/approve", {})
    assert code_of(late) == (409, "wrong_status")


def test_the_same_application_sent_again_is_answered_with_the_first_one(
    client: FlaskClient, database: Database
) -> None:
    made = apply(client)
    again = client.post(PATH, json=application_body())
    assert again.status_code == 200 and again.json == made
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(AccountApplication)) == 1


def test_an_application_whose_answer_was_lost_may_be_sent_again_after_its_approval(
    client: FlaskClient, city_reviewer: Person
) -> None:
    made = apply(client)
    assert city_reviewer.post(f"/account-applications/{made['id']}/approve", {}).status_code == 200
    again = client.post(PATH, json=application_body())
    assert again.status_code == 200 and again.json == {**made, "status": "approved"}
    other = client.post(PATH, json=application_body(password="Another-One-8"))
    assert other.status_code == 201 and other.json is not None and other.json["id"] != made["id"]


@pytest.mark.parametrize("username", ["91320400MA1TEX0012", "91320400ma1tex0012", "91320400MA1TEX0012@fen"])
def test_the_user_name_of_an_enterprise_cannot_be_applied_for(client: FlaskClient, username: str) -> None:
    answer = client.post(PATH, json=application_body(username=username))
    assert code_of(answer) == (422, "invalid") and faults(answer) == {"/username": "enterprise_name"}


def test_the_same_application_sent_at_the_same_moment_is_one_and_is_answered_alike(
    application: APIFlask, database: Database
) -> None:
    def send() -> Any:
        return application.test_client().post(PATH, json=application_body())

    answers = at_once(*[send] * 4)
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert len({answer.json["id"] for answer in answers}) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(AccountApplication)) == 1


@pytest.mark.parametrize("other", [{"password": "Another-One-8"}, {"mobile": "13800000002"}, {"region_code": "320402"}])
def test_several_may_wait_under_one_user_name(client: FlaskClient, other: dict[str, str]) -> None:
    assert apply(client)["id"] != apply(client, **other)["id"]


@pytest.mark.parametrize("username", ["Zhonglou_Li", "ZHONGLOU_LI", "COUNTY_inspector"])
def test_a_user_name_that_differs_from_another_by_case_only_cannot_be_approved(
    client: FlaskClient, city_reviewer: Person, username: str
) -> None:
    first = apply(client)
    assert city_reviewer.post(f"/account-applications/{first['id']}/approve", {}).status_code == 200
    other = apply(client, username=username)
    approved = city_reviewer.post(f"/account-applications/{other['id']}/approve", {})
    assert code_of(approved) == (409, "username_taken")


def test_a_user_name_in_full_width_letters_is_no_user_name(client: FlaskClient) -> None:
    answer = client.post(PATH, json=application_body(username="ｚｈｏｎｇｌｏｕ"))
    assert code_of(answer) == (422, "invalid") and set(faults(answer)) == {"/username"}


def test_of_spellings_approved_at_the_same_moment_one_becomes_an_account(
    client: FlaskClient, database: Database, city_reviewer: Person
) -> None:
    for turn in range(5):
        names = [f"zhonglou_{turn}", f"Zhonglou_{turn}", f"ZHONGLOU_{turn}", f"zhonGlou_{turn}"]
        made = [apply(client, username=name)["id"] for name in names]
        answers = at_once(
            *[lambda one=one: city_reviewer.post(f"/account-applications/{one}/approve", {}) for one in made]
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        with database.read() as session:
            held = session.scalars(select(User.username).where(User.username.icontains(f"zhonglou_{turn}"))).all()
        assert len(held) == 1 and held[0] in names


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"region_code": "320000"}, "/region_code", "province_account"),
        ({"region_code": "999999"}, "/region_code", "unknown_region"),
        ({"region_code": ABOLISHED}, "/region_code", "unknown_region"),
        ({"region_code": "3204"}, "/region_code", "bad_format"),
        ({"mobile": "12800000001"}, "/mobile", "bad_mobile"),
        ({"mobile": "0519-88888888"}, "/mobile", "bad_mobile"),
        ({"password": "short-1"}, "/password", "weak_password"),
        ({"password": "Passw0rd"}, "/password", "weak_password"),
        ({"password": "my-zhonglou_li-1"}, "/password", "weak_password"),
        ({"username": "li"}, "/username", "bad_format"),
        ({"username": "li si wang"}, "/username", "bad_format"),
        ({"username": "li<script>"}, "/username", "bad_format"),
        ({"username": "x" * 65}, "/username", "bad_format"),
        ({"applicant_name": "   "}, "/applicant_name", "required"),
        ({"unit_name": "局" * 101}, "/unit_name", "too_long"),
        ({"roles": ["sys_admin"]}, "/roles", "unknown_field"),
        ({"status": "approved"}, "/status", "unknown_field"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_faulty_application_is_refused_at_the_place(
    client: FlaskClient, changes: dict[str, Any], place: str, code: str
) -> None:
    assert faults(client.post(PATH, json=application_body(**changes))) == {place: code}


def test_all_faults_of_an_application_come_at_once(client: FlaskClient) -> None:
    body = application_body(region_code="999999", mobile="12345678901", password="12345678")
    assert set(faults(client.post(PATH, json=body))) == {"/region_code", "/mobile", "/password"}
    assert set(faults(client.post(PATH, json={}))) == {
        "/applicant_name", "/unit_name", "/region_code", "/mobile", "/username", "/password",
    }  # fmt: skip


def test_the_mobile_number_is_masked_in_the_list_and_whole_for_the_officer_who_handles_it(
    client: FlaskClient, city_reviewer: Person
) -> None:
    made = apply(client, mobile="+86 138-0000-0001")
    listed = city_reviewer.get("/account-applications?status=pending")
    assert listed.json is not None and [row["mobile"] for row in listed.json["items"]] == ["138****0001"]
    assert MOBILE not in listed.get_data(as_text=True)
    single = city_reviewer.get(f"/account-applications/{made['id']}")
    assert single.json is not None and single.json["mobile"] == MOBILE
    city_reviewer.post(f"/account-applications/{made['id']}/approve", {})
    users = city_reviewer.get("/users?q=zhonglou_li")
    assert users.json is not None and [row["mobile"] for row in users.json["items"]] == ["138****0001"]


def test_the_list_is_filtered_by_status_and_by_a_fragment_of_the_unit_taken_literally(
    client: FlaskClient, city_reviewer: Person
) -> None:
    first = apply(client, unit_name="常州市市场监督管理局（钟楼分局）", username="first_one")
    second = apply(client, unit_name="100%达标_示范所", username="second_one")
    city_reviewer.post(f"/account-applications/{second['id']}/reject", {"opinion": "不是单位"})

    def found(query: str) -> list[str]:
        answer = city_reviewer.get(f"/account-applications?{query}")
        assert answer.json is not None and answer.json["total"] == len(answer.json["items"])
        return [row["id"] for row in answer.json["items"]]

    assert found("") == [second["id"], first["id"]]
    assert found("status=pending") == [first["id"]]
    assert found("status=rejected") == [second["id"]]
    assert found("status=approved") == []
    assert found("q=钟楼") == [first["id"]]
    assert found("q=（钟楼") == [first["id"]]
    assert found("q=0%25达") == [second["id"]]
    assert found("q=标_示") == [second["id"]]
    assert found("q=标%25示") == [] and found("q=标__示") == []


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_everybody_who_may_read_an_application_sees_who_decided_it_and_the_applicant_the_office(
    client: FlaskClient, city_reviewer: Person, province_user: Person, action: str
) -> None:
    made = apply(client)
    pending = city_reviewer.get(f"/account-applications/{made['id']}").json
    assert pending is not None and pending["decided_by"] is None
    assert status_of(client, made["query_code"])["decided_office"] is None
    body = {"opinion": "请补充材料"} if action == "reject" else {}
    decided = city_reviewer.post(f"/account-applications/{made['id']}/{action}", body).json
    assert decided is not None
    assert decided["decided_by"] == {
        "username": "city_reviewer", "name": None, "office": "常州市市场监督管理局",
    }  # fmt: skip
    for person in (city_reviewer, province_user):
        page = person.get("/account-applications").json
        assert page is not None and page["items"][0]["decided_by"] == decided["decided_by"]
    told = status_of(client, made["query_code"])
    assert told["decided_office"] == "常州市市场监督管理局" and "city_reviewer" not in str(told)


def test_the_unit_that_an_applicant_named_stands_on_the_user_until_a_move(
    client: FlaskClient, city_reviewer: Person, province_user: Person
) -> None:
    made = apply(client, unit_name="钟楼区市场监督管理局南大街分局")
    city_reviewer.post(f"/account-applications/{made['id']}/approve", {})
    signed_in = try_sign_in(client, "zhonglou_li", CHOSEN)
    assert signed_in.json is not None
    assert signed_in.json["user"]["unit_name"] == "钟楼区市场监督管理局南大街分局"
    page = city_reviewer.get("/users?q=zhonglou_li").json
    assert page is not None
    (user,) = page["items"]
    assert user["unit_name"] == "钟楼区市场监督管理局南大街分局"
    colleagues = city_reviewer.get("/users?q=city_reviewer").json
    assert colleagues is not None
    office = colleagues["items"][0]["office"]["id"]
    moved = city_reviewer.post(f"/users/{user['id']}/move", {"office_id": office})
    assert moved.status_code == 200 and moved.json is not None, moved.get_data(as_text=True)
    assert moved.json["unit_name"] is None
