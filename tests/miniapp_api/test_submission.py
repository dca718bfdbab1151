"""Submitting a check: what is accepted, what is refused, and how the refusal reads."""

import json
from typing import Any

import pytest

from tests.people import (
    ALL_NA,
    LICENCE_ITEM,
    PASSWORD,
    PRODUCTION,
    Person,
    SignIn,
    faults,
    new_id,
    production,
    sales,
    uscc,
    with_problem,
)
from tests.records import items_of, listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")

CCC_ITEM = "电线组件"
UNABLE: dict[str, Any] = {
    "kind": "production", "product_code": "06", "uscc": "91320400MA1TEX0012", "org_name": "常州某某电缆有限公司",
    "org_address": "常州市天宁区某路1号", "unable": True, "unable_reason": "moved", "check_date": "2026-11-20",
    "inspectors": ["甲", "乙"],
}  # fmt: skip


def refused(person: Person, body: Any) -> dict[str, str]:
    """The faults of a submission, which must leave nothing behind."""
    record = new_id()
    found = faults(person.put(f"/inspections/{record}/submission", body))
    assert person.get(f"/inspections/{record}").status_code == 404
    return found


def test_a_faultless_production_check_is_submitted(county_inspector: Person) -> None:
    record = new_id()
    answer = county_inspector.put(f"/inspections/{record}/submission", production())
    assert answer.status_code == 201
    shown = answer.json
    assert shown["id"] == record
    assert (shown["kind"], shown["status"], shown["version"]) == ("production", "submitted", 1)
    assert (shown["level"], shown["region"], shown["username"]) == ("county", {"code": "320402"}, "county_inspector")
    assert (shown["form_code"], shown["form_version"]) == ("gpc-production", 1)
    assert shown["submitted_at"] == "2026-11-21T02:00:00Z"
    assert (shown["problems_found"], shown["disposal_state"]) == (False, "none")
    assert shown["disposals"] == ALL_NA
    assert shown["product_names"] == ["架空绞线"]
    assert shown["campaign_id"] is not None
    assert read(county_inspector, f"/inspections/{record}") == shown


def test_a_faultless_sales_check_is_submitted_without_a_code(county_inspector: Person) -> None:
    record = submit(county_inspector, sales())
    assert (record["kind"], record["form_code"], record["status"]) == ("sales", "gpc-sales", "submitted")
    assert record["disposals"] == {"4.1": "na", "4.2": "na"}
    assert record.get("uscc") is None


def test_the_code_of_a_form_says_the_kind_too(county_inspector: Person) -> None:
    assert submit(county_inspector, production(kind="gpc-production"))["kind"] == "production"
    assert refused(county_inspector, production(kind="gpc-spot-check")) == {"/kind": "unknown_kind"}
    assert refused(county_inspector, production(kind=["production"])) == {"/kind": "unknown_kind"}


def test_a_code_with_a_wrong_check_digit_is_refused(county_inspector: Person) -> None:
    assert refused(county_inspector, production(uscc="91320400MA1TEX0013")) == {"/uscc": "bad_uscc"}
    assert refused(county_inspector, production(uscc="91350100I000100Y43")) == {"/uscc": "bad_uscc"}


def test_a_code_in_lower_case_or_full_width_is_stored_normalised(county_inspector: Person) -> None:
    for typed in ("91320400ma1tex0012", "９１３２０４００ＭＡ１ＴＥＸ００１２", " 91320400-MA1TEX-0012 "):
        record = submit(county_inspector, production(uscc=typed, confirm_duplicate=True))
        assert read(county_inspector, f"/inspections/{record['id']}")["uscc"] == "91320400MA1TEX0012"
    assert {item["uscc"] for item in read(county_inspector, "/inspections")["items"]} == {"91320400MA1TEX0012"}


def test_a_code_that_holds_no_organisation_code_is_accepted_with_a_warning(county_inspector: Person) -> None:
    record = submit(county_inspector, production(uscc=uscc(1)))
    assert [warning["code"] for warning in record["warnings"]] == ["organisation_code"]


def test_an_unknown_product_is_refused(county_inspector: Person) -> None:
    for code in ("99", "6", "电线电缆", 6, ["06"]):
        assert refused(county_inspector, production(product_code=code)) == {"/product_code": "unknown_product"}
    for absent in (None, ""):
        assert refused(county_inspector, production(product_code=absent)) == {"/product_code": "required"}


def test_an_unknown_product_item_is_refused(county_inspector: Person) -> None:
    body = production(products=[LICENCE_ITEM, new_id()])
    assert refused(county_inspector, body) == {"/products/1": "unknown_product_item"}


def test_an_item_of_another_product_is_refused(county_inspector: Person) -> None:
    bicycle = items_of(county_inspector, "09")("电动自行车")
    assert refused(county_inspector, production(products=[bicycle])) == {"/products/0": "unknown_product_item"}


def test_a_name_that_was_typed_but_not_added_is_refused(county_inspector: Person) -> None:
    for typed in ("超导电缆", "架空绞线"):
        body = production(products=[LICENCE_ITEM, typed])
        assert refused(county_inspector, body) == {"/products/1": "unknown_product_item"}


def test_an_item_that_was_added_first_is_accepted(county_inspector: Person) -> None:
    item = new_id()
    added = county_inspector.put(f"/products/06/items/{item}", {"name": "超导电缆", "regulation_type": "licence"})
    assert added.status_code == 201
    record = submit(county_inspector, production(products=[item]))
    assert (record["products"], record["product_names"]) == ([item], ["超导电缆"])


def test_the_other_id_of_a_name_that_existed_already_is_accepted(county_inspector: Person) -> None:
    other = new_id()
    added = county_inspector.put(f"/products/06/items/{other}", {"name": "架空绞线", "regulation_type": "licence"})
    assert (added.status_code, added.json["id"]) == (200, LICENCE_ITEM)
    record = submit(county_inspector, production(products=[other]))
    assert (record["products"], record["product_names"]) == ([LICENCE_ITEM], ["架空绞线"])


def test_an_item_under_both_its_ids_counts_once(county_inspector: Person) -> None:
    other = new_id()
    county_inspector.put(f"/products/06/items/{other}", {"name": "架空绞线", "regulation_type": "licence"})
    assert submit(county_inspector, production(products=[other, LICENCE_ITEM]))["products"] == [LICENCE_ITEM]


def test_answers_to_items_the_form_does_not_have_are_refused(county_inspector: Person) -> None:
    body = with_problem({"8.1": "na"}, answers={"9.9": "yes", "7.1": "yes"}, licence_number="x")
    assert refused(county_inspector, body) == {
        "/answers/9.9": "unknown_item", "/answers/7.1": "unknown_item", "/disposals/8.1": "unknown_item",
        "/licence_number": "unknown_item",
    }  # fmt: skip


def test_missing_answers_are_all_reported_at_once(county_inspector: Person) -> None:
    answers = [no for no in PRODUCTION["answers"] if not no.endswith(".methods")]
    fields = ["uscc", "org_name", "org_address", "production_address", "regulation_types", "products", "check_date",
              "inspectors"]  # fmt: skip
    body = {"kind": "production", "product_code": "06", "unable": False, "answers": {}}
    expected = {f"/answers/{no}": "required" for no in answers} | {f"/{name}": "required" for name in fields}
    assert refused(county_inspector, body) == expected


def test_a_refusal_names_every_fault_in_chinese(county_inspector: Person) -> None:
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(uscc="9", products=[], remark=5))
    assert faults(answer) == {"/uscc": "bad_uscc", "/products": "required", "/remark": "wrong_type"}
    assert all(
        "\u4e00" <= fault["message"][-1] <= "\u9fff" or fault["message"][-1] in "”。" for fault in answer.json["errors"]
    )
    assert answer.json["status"] == 422 and answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_a_factory_inspection_asks_for_its_methods(county_inspector: Person) -> None:
    body = production()
    del body["answers"]["4.1.methods"]
    assert refused(county_inspector, body) == {"/answers/4.1.methods": "required"}
    body["answers"]["4.1.methods"] = ["self", "elsewhere"]
    assert list(refused(county_inspector, body).values()) == ["unknown_option"]


def test_unable_without_a_reason_is_refused(county_inspector: Person) -> None:
    body = {name: value for name, value in UNABLE.items() if name != "unable_reason"}
    assert refused(county_inspector, body) == {"/unable_reason": "required"}


def test_unable_with_a_reason_is_accepted_with_nothing_else(county_inspector: Person) -> None:
    record = submit(county_inspector, UNABLE)
    assert (record["status"], record["unable"], record["unable_reason"]) == ("submitted", True, "moved")
    assert record["answers"] == {}
    assert record["problems_found"] is False


def test_what_was_answered_before_it_turned_out_unable_is_dropped(county_inspector: Person) -> None:
    body = with_problem({"7.1": "in_progress"}, unable=True, unable_reason="cancelled")
    body["disposals"] = {}
    record = submit(county_inspector, body)
    assert record["answers"] == {}
    assert "products" not in record and "regulation_types" not in record
    assert (record["problems_found"], record["disposal_state"]) == (False, "none")


def test_another_reason_needs_a_note(county_inspector: Person) -> None:
    assert refused(county_inspector, {**UNABLE, "unable_reason": "other"}) == {"/unable_note": "required"}
    submit(county_inspector, {**UNABLE, "unable_reason": "other", "unable_note": "道路中断"})


def test_a_temporary_stop_is_no_reason(county_inspector: Person) -> None:
    body = {**UNABLE, "unable_reason": "temporary_stop"}
    assert refused(county_inspector, body) == {"/unable_reason": "unknown_option"}


def test_a_temporary_stop_needs_a_remark(county_inspector: Person) -> None:
    assert refused(county_inspector, production(temporary_stop=True, remark="  ")) == {"/remark": "required"}
    assert (
        submit(county_inspector, production(temporary_stop=True, remark="设备检修，停产一周"))["temporary_stop"] is True
    )


def test_a_regulation_type_without_product_is_refused(county_inspector: Person) -> None:
    body = production(regulation_types=["licence", "ccc"])
    assert refused(county_inspector, body) == {"/regulation_types": "no_correspondence"}


def test_a_product_without_its_regulation_type_is_refused(county_inspector: Person) -> None:
    ccc = items_of(county_inspector, "06")(CCC_ITEM)
    body = production(products=[LICENCE_ITEM, ccc])
    assert refused(county_inspector, body) == {"/products": "no_correspondence"}
    both = production(products=[ccc])
    assert refused(county_inspector, both) == {
        "/products": "no_correspondence",
        "/regulation_types": "no_correspondence",
    }
    submit(county_inspector, production(products=[LICENCE_ITEM, ccc], regulation_types=["ccc", "licence"]))


def test_a_check_of_tomorrow_is_refused(county_inspector: Person) -> None:
    assert refused(county_inspector, production(check_date="2026-11-22")) == {"/check_date": "future_date"}


def test_today_is_the_date_in_shanghai(sign_in: SignIn, clock: Any) -> None:
    clock.move_to("2026-11-21T16:30:00+00:00")  # half past midnight of the 22nd in Shanghai
    assert submit(sign_in("county_inspector"), production(check_date="2026-11-22"))["check_date"] == "2026-11-22"


def test_a_date_that_does_not_exist_is_refused(county_inspector: Person) -> None:
    for typed in ("2026-02-30", "20261120", "2026/11/20", "昨天"):
        assert refused(county_inspector, production(check_date=typed)) == {"/check_date": "bad_date"}


def test_a_date_in_the_farthest_past_breaks_nothing(county_inspector: Person) -> None:
    assert refused(county_inspector, production(check_date="0001-01-01")) == {"/check_date": "bad_date"}
    submit(county_inspector, production(check_date="1000-01-01"))
    body = production(check_date="1000-01-01")
    assert problem(county_inspector.put(f"/inspections/{new_id()}/submission", body)) == (409, "duplicate_check")


def test_one_inspector_only_is_refused(county_inspector: Person) -> None:
    assert refused(county_inspector, production(inspectors=["甲"])) == {"/inspectors": "too_few"}
    assert refused(county_inspector, production(inspectors=["甲", "甲"])) == {"/inspectors": "duplicate"}
    assert refused(county_inspector, production(inspectors="甲、乙")) == {"/inspectors": "wrong_type"}


def test_markup_in_a_text_stays_text(county_inspector: Person) -> None:
    markup = "<script>alert('x')</script><img src=x onerror=alert(1)> {{7*7}} ${7*7}"
    record = submit(county_inspector, production(remark=markup, org_name="<b>电缆</b>厂"))
    answer = county_inspector.get(f"/inspections/{record['id']}")
    assert (answer.json["remark"], answer.json["org_name"]) == (markup, "<b>电缆</b>厂")
    assert answer.mimetype == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_text_of_a_hundred_thousand_characters_is_refused(county_inspector: Person) -> None:
    endless = "长" * 100_000
    for field, code in (
        ("remark", "too_long"),
        ("org_name", "too_long"),
        ("uscc", "bad_uscc"),
        ("unable_reason", None),
    ):
        answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(**{field: endless}))
        assert code is None or faults(answer)[f"/{field}"] in (code, "too_long")
        assert len(answer.data) < 5000
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(answers={"1.1": endless}))
    assert faults(answer) == {"/answers/1.1": "unknown_option"}
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(**{endless: "键"}))
    assert set(faults(answer).values()) == {"unknown_item"}
    assert len(answer.data) < 5000


def test_names_that_grow_when_they_are_folded_are_stored(county_inspector: Person) -> None:
    record = submit(county_inspector, production(org_name="㍿" * 100))  # 株式会社 in one character
    page = county_inspector.get("/inspections", query_string={"q": "株式会社株式"}).json
    assert [item["id"] for item in page["items"]] == [record["id"]]


def test_sql_in_a_text_is_stored_as_it_is(county_inspector: Person) -> None:
    name = "'); DROP TABLE inspections; --"
    submit(county_inspector, production(org_name=name, remark=name))
    page = county_inspector.get("/inspections", query_string={"q": "drop table"}).json
    assert [item["org_name"] for item in page["items"]] == [name]


def test_a_refusal_does_not_echo_what_was_typed(county_inspector: Person) -> None:
    body = production(
        products=["回声一号"], uscc="回声二号", check_date="回声三号", org_scale="回声四号", licence_no="回声五号",
        contact_tel="回声六号", unable_reason="回声七号", answers={"1.1": "回声八号"},
    )  # fmt: skip
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", body)
    assert answer.status_code == 422
    assert "回声" not in answer.get_data(as_text=True)


def test_broken_json_is_refused(county_inspector: Person) -> None:
    for broken in (
        b'{"kind": "production"',
        b"{'kind': 1}",
        b'{"a": NaN}',
        b"\xff\xfe",
        b'{"a": "\\ud800"}',
        b"kind=production",
    ):
        answer = county_inspector.call(
            "PUT", f"/inspections/{new_id()}/submission", data=broken, content_type="application/json"
        )
        assert problem(answer) == (400, "malformed_json")


def test_json_of_the_wrong_shape_is_refused(county_inspector: Person) -> None:
    for shape in ([], ["production"], "production", 7, True, None):
        answer = county_inspector.call("PUT", f"/inspections/{new_id()}/submission", data=json.dumps(shape),
                                       content_type="application/json")  # fmt: skip
        assert problem(answer) == (422, "invalid")
    assert refused(county_inspector, production(answers=[1]) | {"answers": [1], "disposals": "no"}) == {
        "/answers": "wrong_type", "/disposals": "wrong_type",
    }  # fmt: skip


def test_json_nested_a_thousand_deep_is_refused(county_inspector: Person) -> None:
    for depth in (40, 300, 990, 1020, 5000):
        nested = "[" * depth + "]" * depth
        for place in ("remark", "unknown", "kind", "products", "version"):
            body = json.dumps(production() | {place: 0}).replace(f'"{place}": 0', f'"{place}": {nested}')
            for path in (f"/inspections/{new_id()}", f"/inspections/{new_id()}/submission"):
                answer = county_inspector.call("PUT", path, data=body, content_type="application/json")
                assert answer.status_code in (400, 422), (depth, place, answer.status_code)


def test_another_media_type_is_refused(county_inspector: Person) -> None:
    answer = county_inspector.call("PUT", f"/inspections/{new_id()}/submission", data={"kind": "production"})
    assert problem(answer) == (415, "unsupported_media_type")


def test_an_absent_body_is_told_what_it_lacks(county_inspector: Person) -> None:
    answer = county_inspector.call("PUT", f"/inspections/{new_id()}/submission")
    assert faults(answer) == {"/kind": "unknown_kind"}


def test_an_id_that_is_no_uuid_is_not_found(county_inspector: Person) -> None:
    assert problem(county_inspector.put("/inspections/1/submission", production())) == (404, "not_found")


def test_problems_need_every_disposal(county_inspector: Person) -> None:
    body = production(answers={"1.2": "yes"})
    assert refused(county_inspector, body) == {f"/disposals/{no}": "required" for no in ALL_NA}


def test_disposals_that_no_problem_shows_any_more_are_dropped_with_a_warning(county_inspector: Person) -> None:
    record = submit(county_inspector, production(disposals={"7.1": "done", "7.2": "in_progress", "7.3": "na"}))
    assert (record["disposals"], record["disposal_state"]) == (ALL_NA, "none")
    (warning,) = record["warnings"]
    assert (warning["code"], warning["path"]) == ("hidden_dropped", "/disposals/7.1")
    assert "是否责令改正、是否立案查处" in warning["message"]
    assert read(county_inspector, f"/inspections/{record['id']}")["warnings"] == record["warnings"]


def test_unable_drops_earlier_answers_and_disposals_and_taking_it_back_in_a_draft_brings_them_back(
    county_inspector: Person,
) -> None:
    ticked = with_problem({"7.1": "in_progress"}, unable=True, unable_reason="moved")
    draft = save(county_inspector, ticked)
    assert (draft["answers"]["1.2"], draft["disposals"]["7.1"]) == ("yes", "in_progress")
    record = submit(county_inspector, {**ticked, "version": 1}, draft["id"])
    assert (record["answers"], set(record["disposals"].values()), record["problems_found"]) == ({}, {"na"}, False)
    assert [one["code"] for one in record["warnings"]] == ["hidden_dropped"]
    again = county_inspector.put(f"/inspections/{draft['id']}/submission", {**ticked, "version": 1})
    assert (again.status_code, again.json) == (200, record)


def test_a_correction_to_unable_drops_what_was_answered_before(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    body = with_problem({"7.1": "in_progress"}, unable=True, unable_reason="moved", version=1, reason="实为已搬离")
    corrected = county_inspector.put(f"/inspections/{record['id']}/correction", body)
    assert (corrected.status_code, corrected.json["answers"]) == (200, {})
    assert (corrected.json["disposal_state"], set(corrected.json["disposals"].values())) == ("none", {"na"})


def test_all_not_applicable_although_problems_were_found_is_accepted_with_a_warning(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem())
    assert (record["problems_found"], record["disposal_state"]) == (True, "na")
    assert [warning["code"] for warning in record["warnings"]] == ["all_not_applicable"]
    assert submit(county_inspector, with_problem({"7.1": "done"}, uscc="91500105MA5TEX017C"))["warnings"] == []


def test_every_answer_the_form_calls_a_problem_is_one(county_inspector: Person) -> None:
    form = read(county_inspector, "/forms/gpc-production")
    problems = {item["no"]: item["problem_when"] for section in form["sections"] for item in section["items"]
                if item.get("problem_when")}  # fmt: skip
    assert len(problems) == 17
    for no, values in problems.items():
        body = production(answers={no: values[0]}, disposals=ALL_NA, confirm_duplicate=True)
        if no == "4.1":
            del body["answers"]["4.1.methods"]
        assert submit(county_inspector, body)["problems_found"] is True, no


def test_a_licence_number_of_another_pattern_is_refused(county_inspector: Person) -> None:
    assert refused(county_inspector, production(licence_no="苏XK06-001-00001")) == {"/licence_no": "bad_format"}
    body = production()
    del body["licence_no"]
    submit(county_inspector, body)


def test_a_telephone_number_that_is_none_is_refused(county_inspector: Person) -> None:
    assert refused(county_inspector, production(contact_tel="12345")) == {"/contact_tel": "bad_tel"}


def test_what_the_server_sets_cannot_be_sent(county_inspector: Person) -> None:
    forged = production(
        status="draft", level="province", office={"name": "总局"}, region={"code": "110000"}, username="other",
        operator_name="某人", campaign_id=new_id(), problems_found=True, org_prefilled=True,
        submitted_at="2020-01-01T00:00:00Z",
    )  # fmt: skip
    record = submit(county_inspector, forged)
    plain = submit(county_inspector, production(confirm_duplicate=True))
    different = {name for name in plain if plain[name] != record[name]}
    assert different == {"id", "warnings"}
    ignored = {warning["path"] for warning in record["warnings"] if warning["code"] == "read_only"}
    assert {"/level", "/office", "/region", "/username", "/operator_name", "/problems_found"} <= ignored


def test_the_operator_at_the_phone_is_named(county_inspector: Person) -> None:
    signed_in = county_inspector.client.post(
        "/api/v1/sessions",
        json={"username": "county_inspector", "password": PASSWORD, "operator_name": "张三"},
    )
    operator = Person("county_inspector", county_inspector.client, signed_in.json["token"])
    assert submit(operator)["operator_name"] == "张三"


def test_a_check_counts_towards_the_campaign_that_runs(county_inspector: Person) -> None:
    assert submit(county_inspector)["campaign_id"] == submit(county_inspector, sales())["campaign_id"]


def test_a_refused_submission_leaves_the_draft_as_it_was(county_inspector: Person) -> None:
    path = f"/inspections/{new_id()}"
    draft = county_inspector.put(path, {"kind": "production", "product_code": "06"}).json
    faults(county_inspector.put(f"{path}/submission", {"kind": "production", "product_code": "06", "version": 1}))
    assert read(county_inspector, path) == draft
    assert listed(county_inspector) == []


def test_a_body_of_ten_megabytes_is_refused_unread(county_inspector: Person) -> None:
    body = json.dumps(production(remark="x" * 10 * 1024 * 1024))
    answer = county_inspector.call(
        "PUT", f"/inspections/{new_id()}/submission", data=body, content_type="application/json"
    )
    assert problem(answer) == (413, "payload_too_large")
