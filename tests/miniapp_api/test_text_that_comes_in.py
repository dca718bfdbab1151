"""Text that comes in, by whatever way, is cleaned once; what says nothing is refused where words are demanded."""

import io
from typing import Any

import pytest
from sqlalchemy import select

from accounts.models import AccountApplication, User
from core.db import Database
from feedback.models import Rating
from tests import paperwork
from tests.people import PASSWORD, Person, SignIn, faults, new_id, production, sales, spot_check
from tests.raters import BAD, GOOD, Hall, ok
from tests.records import Json, listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")

SPELLINGS = ["红星五金店", "红星\u200b五金店", "\u200e红星五金店", "红星五\u00ad金店", "红星\u2060五金店\u3164"]


def without_code(name: str, **more: Any) -> Json:
    body = sales(org_name=name, confirm_duplicate=True, **more)
    body.pop("uscc", None)
    return body


def test_a_shop_under_five_spellings_is_one_shop(county_inspector: Person) -> None:
    submitted = [submit(county_inspector, without_code(name)) for name in SPELLINGS]
    assert {record["org_name"] for record in submitted} == {"红星五金店"}
    assert len(listed(county_inspector, "q=红星五金店")) == len(listed(county_inspector, "q=红\u200b星")) == 5
    assert read(county_inspector, "/statistics/progress")["total"]["sales_checked"] == 1


def test_addresses_are_compared_folded(county_inspector: Person) -> None:
    for address in ("常州市某街2-1号", "常州市 某街２—1号", "常州市某街2－1号\u200b"):
        submit(county_inspector, without_code("红星五金店", org_address=address))
    assert read(county_inspector, "/statistics/progress")["total"]["sales_checked"] == 1


def test_a_draft_is_cleaned_and_the_same_body_again_is_a_repetition(county_inspector: Person) -> None:
    record = new_id()
    body = production(org_name="\u200b常州某某\x07电缆\u00ad有限公司 ", remark="一\r\n二\u200b \u2028三", version=None)
    first = save(county_inspector, body, record)
    assert (first["org_name"], first["remark"]) == ("常州某某电缆有限公司", "一\n二\n三")
    again = county_inspector.put(f"/inspections/{record}", body)
    assert (again.status_code, again.json["version"]) == (200, 1)


def test_a_name_of_nothing_or_of_marks_is_refused(county_inspector: Person) -> None:
    for name, code in (("\u3164\u2800", "required"), ("……", "meaningless")):
        answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(org_name=name))
        assert faults(answer) == {"/org_name": code}
    people = ["甲", "……"]
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(inspectors=people))
    assert faults(answer) == {"/inspectors/1": "meaningless"}
    answer = county_inspector.put(
        f"/inspections/{new_id()}/submission", production(inspectors=["甲", "甲\u200b", "\u2800"])
    )
    assert set(faults(answer).values()) == {"duplicate"}


def test_a_slash_for_none_is_still_taken_where_no_name_is_asked(county_inspector: Person) -> None:
    submit(county_inspector, spot_check(spec_model="/", batch_no="—"), noun="spot-checks")


def test_the_dot_in_a_persons_name_is_one_dot(county_inspector: Person) -> None:
    record = submit(county_inspector, production(inspectors=["阿卜杜拉•买买提", "古丽．艾力"], escort="买买提・阿里"))
    assert record["inspectors"] == ["阿卜杜拉·买买提", "古丽·艾力"] and record["escort"] == "买买提·阿里"


def test_items_of_the_dictionaries_are_cleaned_and_compared_folded(county_inspector: Person) -> None:
    first = county_inspector.put(f"/products/06/test-items/{new_id()}", {"name": "局部\u200b放电－试验"})
    assert (first.status_code, first.json["name"]) == (201, "局部放电－试验")
    again = county_inspector.put(f"/products/06/test-items/{new_id()}", {"name": "局部 放电—试验\u00ad"})
    assert (again.status_code, again.json["id"]) == (200, first.json["id"])
    for name, code in (("\u200b\u3164", "required"), ("……", "meaningless")):
        assert faults(county_inspector.put(f"/products/06/test-items/{new_id()}", {"name": name})) == {"/name": code}


def test_reasons_say_something(county_inspector: Person, city_reviewer: Person, database: Database) -> None:
    record = submit(county_inspector)
    correction = {**production(remark="补记"), "version": 1}
    for reason, code in ((".....", "meaningless"), ("\u200b", "required"), ("\u3164\u2800", "required")):
        answer = county_inspector.put(f"/inspections/{record['id']}/correction", {**correction, "reason": reason})
        assert faults(answer) == {"/reason": code}
    user_id = user_of(database, "county_inspector").id
    for reason in ("......", "\u200b"):
        assert set(faults(city_reviewer.post(f"/users/{user_id}/disable", {"reason": reason}))) == {"/reason"}
    body = {**correction, "reason": "\u200b漏记\x07备注"}
    corrected = county_inspector.put(f"/inspections/{record['id']}/correction", body)
    assert corrected.status_code == 200
    again = county_inspector.put(f"/inspections/{record['id']}/correction", body)
    assert (again.status_code, again.json["version"]) == (200, 2)
    moves = read(county_inspector, f"/inspections/{record['id']}/history")["items"]
    assert "漏记备注" in str(moves) and "\u200b" not in str(moves)


def user_of(database: Database, username: str) -> User:
    with database.read() as session:
        return session.scalars(select(User).where(User.username == username)).one()


def test_an_application_is_cleaned_but_its_password_is_as_typed(client: Any, database: Database) -> None:
    body = {
        "applicant_name": "\u200b买买提•阿里", "unit_name": "天宁区\u00ad市场监督管理局", "region_code": "320402",
        "mobile": "13800000009\u200b", "username": "tianning\u200b_09", "password": " 密\u200b码Tian-2026 ",
    }  # fmt: skip
    assert client.post("/api/v1/account-applications", json=body).status_code == 201
    with database.read() as session:
        [stored] = session.scalars(select(AccountApplication).where(AccountApplication.mobile.is_not(None)))
    assert (stored.applicant_name, stored.unit_name) == ("买买提·阿里", "天宁区市场监督管理局")
    for password, code in ((body["password"], "account_pending"), ("密码Tian-2026", "login_failed")):
        answer = client.post("/api/v1/sessions", json={"username": "tianning_09", "password": password})
        assert problem(answer)[1] == code
    for name in ("\u3164", "……"):
        answer = client.post("/api/v1/account-applications", json={**body, "username": "other", "applicant_name": name})
        assert set(faults(answer)) == {"/applicant_name"}


def test_a_user_name_is_found_however_it_was_copied(client: Any, sign_in: SignIn) -> None:
    sign_in("county_inspector")
    body = {"username": "county_inspector\u200b", "password": PASSWORD, "operator_name": "买买提•阿里\u2800"}
    answer = client.post("/api/v1/sessions", json=body)
    assert answer.status_code == 201


def test_filters_are_cleaned(county_inspector: Person) -> None:
    record = submit(county_inspector)
    for query in ("q=\u200b", "q=某某\u200b电缆", "kind=production\u200b", "q=\u3164"):
        assert listed(county_inspector, query) == [record["id"]]


def test_matters_and_units_are_searched_folded(hall: Hall, city_reviewer: Person) -> None:
    code = hall.code(matter_name="营业执照（新办）—Ａ类 登记")
    for query in ("营业执照(新办)-a类登记", "新办）－Ａ", "类\u200b登 记"):
        found = hall.person("officer").get("/rating-codes", query_string={"q": query}).json
        assert [item["id"] for item in found["items"]] == [code["id"]], query
    body = {
        "applicant_name": "某某", "unit_name": "天宁区（开发区）第2－1所", "region_code": "320402",
        "mobile": "13800000009", "username": "tianning_09", "password": PASSWORD,
    }  # fmt: skip
    assert hall.client.post("/api/v1/account-applications", json=body).status_code == 201
    found = city_reviewer.get("/account-applications", query_string={"q": "(开发区) 第２-１"}).json
    assert found["total"] == 1
    assert city_reviewer.get("/users", query_string={"q": "COUNTY＿INSP"}).json["total"] == 1


def test_fields_and_names_of_uploads_are_cleaned(county_inspector: Person) -> None:
    file_id = new_id()
    form = {
        "purpose": "photo\u200b",
        "id": f"{file_id}\u200b",
        "file": (io.BytesIO(paperwork.jpeg()), "现场\u202e\u200b照片.jpg"),
    }
    answer = county_inspector.call("POST", "/files", data=form, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["id"], answer.json["name"]) == (201, file_id, "现场照片.jpg")


def test_a_rating_is_cleaned_by_page_and_by_json(hall: Hall, database: Database) -> None:
    code = hall.code()
    page = {"rater_name": "\u200b买买提•阿里\u3164", "mobile": "13800000001", "level": "5"}
    page["comment"] = "很\u200b好\r\n谢谢\x07"
    assert hall.client.post(f"/r/{code['token']}", data=page).status_code == 303
    with database.read() as session:
        [rating] = session.scalars(select(Rating))
    assert (rating.rater_name, rating.comment) == ("买买提·阿里", "很好\n谢谢")
    path = f"/api/v1/ratings/form/{hall.code()['token']}"
    for name, expected in (("\u3164\u2800", "required"), ("***", "meaningless")):
        assert faults(hall.client.post(path, json={**GOOD, "rater_name": name})) == {"/rater_name": expected}
    assert faults(hall.client.post(path, json={**GOOD, **BAD, "comment": "........."})) == {"/comment": "required"}
    ok(hall.client.post(path, json={**GOOD, "mobile": "13800000002\u200b", "rater_name": "常州\u00ad某公司"}), 201)
