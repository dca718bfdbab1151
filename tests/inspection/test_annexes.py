"""On-site records of annexes 4 to 6 (附件4–6): the words of the paper, and what is submitted, found and counted."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

import inspection
from tests.people import Person, faults, new_id, uscc
from tests.records import Json, listed, read, submit

pytestmark = pytest.mark.usefixtures("clock")  # 2026-11-21

FOLDER = Path(inspection.__path__[0]) / "forms"
KINDS = ("onsite_sales", "onsite_production", "ccc_production")
PRODUCER, SELLER = uscc(71), uscc(72)

WORDS = Path(__file__).parent.parent / "fixtures" / "annexes"
"""The words of the papers (spec a_inspection §4.3–4.5), typed a second time: number, words, what is a problem."""
LAWS = {
    "1": ("117号令第10条", "《中华人民共和国认证认可条例》第67条；117号令第49条"),
    "2": ("117号令第24条、25条", "117号令第54条"),
    "3.1": ("117号令第23条", "117号令第55条"),
    "3.2": ("117号令第32条", "117号令第55条"),
    "3.3": ("117号令第32条", "117号令第55条"),
    "4": (
        "117号令第50条",
        "《国务院关于加强食品等产品安全监督管理的特别规定》第二条、第三条第二款规定；117号令第50条",
    ),
    **{f"4.{number}": (None, None) for number in range(8, 13)},
    "5": ("117号令第29条", "《中华人民共和国认证认可条例》第67条；117号令第51条"),
    "6": ("117号令第33条", "117号令第53条"),
    "7": ("117号令第13条", "117号令第54条"),
}


def form(code: str) -> Json:
    newest = max(FOLDER.glob(f"{code}.v*.json"))
    return dict(json.loads(newest.read_text(encoding="utf-8")))


def items_of(definition: Json) -> list[Json]:
    return [item for section in definition["sections"] for item in section["items"]]


def questions(items: list[Json]) -> dict[str, tuple[str, str]]:
    """The numbered points: their words, and the labels of the answers that are a problem."""
    found = {}
    for item in items:
        if "no" in item and item["type"] == "choice" and item["no"].partition(".")[2] not in ("detail", "failed"):
            labels = {option["value"]: option["label"] for option in item["options"]}
            found[item["no"]] = (item["text"], "".join(labels[bad] for bad in item.get("problem_when", ())))
    return found


def typed(page: str) -> dict[str, tuple[str, str]]:
    rows = {}
    for line in (WORDS / f"{page}.txt").read_text().splitlines():
        number, _, rest = line.partition(" ")
        words, _, bad = rest.rpartition("|")
        rows[number] = (words, bad)
    return rows


def plain(text: str) -> str:
    """As texts are compared: after NFKC, without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("code", ["onsite-sales", "onsite-production", "ccc-production"])
def test_every_point_has_the_words_of_the_paper_and_its_rule(code: str) -> None:
    found, expected = questions(items_of(form(code))), typed(code)
    assert list(found) == list(expected)
    for number, (words, bad) in expected.items():
        assert (plain(found[number][0]), found[number][1]) == (plain(words), plain(bad)), number


def test_the_ccc_inspection_has_29_points_and_4_in_each_sample_block() -> None:
    items = items_of(form("ccc-production"))
    (samples,) = [item for item in items if item["type"] == "group"]
    assert len(questions(items)) == 29 and samples["max_items"] == 20
    found, expected = questions(samples["items"]), typed("ccc-production-samples")
    assert {no: (plain(words), bad) for no, (words, bad) in found.items()} == {
        no: (plain(words), plain(bad)) for no, (words, bad) in expected.items()
    }
    assert not any(option["value"] == "na" for item in samples["items"] for option in item.get("options", ()))


def test_every_point_of_the_ccc_inspection_has_the_law_and_the_penalty_of_its_row() -> None:
    items = items_of(form("ccc-production"))
    items += [inner for item in items if item["type"] == "group" for inner in item["items"]]
    for item in items:
        if "no" in item and item["type"] == "choice":
            law = LAWS.get(item["no"]) or LAWS[item["no"].partition(".")[0]]
            assert (item.get("basis"), item.get("penalty")) == law, item["no"]


# Submitting


def answered(code: str) -> Json:
    """Answers without a problem to every point of a form."""
    answers: Json = {}
    for item in items_of(form(code)):
        if "no" not in item or item["type"] != "choice":
            continue
        good = [option["value"] for option in item["options"] if option["value"] not in item.get("problem_when", ())]
        answers[item["no"]] = "no" if item["no"] == "12" else good[0]
    if code != "ccc-production":
        answers["1.licence"] = "91320400MA1TEX0012"
    if code == "onsite-production":
        answers["6.methods"] = ["self", "commissioned"]
    answers.pop("12.failed", None)
    return answers


BLOCK = {
    "product_name": "聚氯乙烯绝缘电缆", "product_model": "BV 2.5", "certificate_no": "2024010105000001",
    "7.4": "ok", "7.5": "ok", "7.6": "ok", "7.7": "ok",
}  # fmt: skip


def record(kind: str, **changes: Any) -> Json:
    """A faultless record of an annex; `answers` are merged."""
    code = kind.replace("_", "-")
    body: Json = {
        "kind": kind, "product_code": "06", "form_version": 1, "uscc": SELLER if kind == "onsite_sales" else PRODUCER,
        "org_name": "常州某某五金店" if kind == "onsite_sales" else "常州某某电缆有限公司",
        "org_address": "常州市天宁区某路1号", "check_date": "2026-11-20", "inspectors": ["甲", "乙"],
        "answers": answered(code),
    }  # fmt: skip
    if kind == "ccc_production":
        body |= {"leader": "甲", "samples": [dict(BLOCK)], "overall": "未发现问题"}
    answers = {**body["answers"], **changes.pop("answers", {})}
    return {**body, **changes, "answers": answers}


def put(person: Person, body: Json) -> Any:
    return person.put(f"/inspections/{new_id()}/submission", body)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_of_each_annex_is_submitted_read_and_found_in_the_list(county_inspector: Person, kind: str) -> None:
    sent = submit(county_inspector, record(kind))
    shown = read(county_inspector, f"/inspections/{sent['id']}")
    assert (shown["kind"], shown["problems"], shown["disposal_state"]) == (kind, [], "none")
    assert listed(county_inspector, f"kind={kind}&status=submitted") == [sent["id"]]


@pytest.mark.parametrize(("kind", "no", "bad"), [
    ("onsite_sales", "5", "yes"), ("onsite_production", "2", "yes"), ("ccc_production", "4.1b", "bad"),
])  # fmt: skip
def test_a_problem_needs_its_words_and_they_are_what_was_found(
    county_inspector: Person, kind: str, no: str, bad: str
) -> None:
    assert faults(put(county_inspector, record(kind, answers={no: bad}))) == {f"/answers/{no}.problem": "required"}
    words = "现场发现" + "问题" * 1998
    sent = submit(county_inspector, record(kind, answers={no: bad, f"{no}.problem": words}))
    (found,) = read(county_inspector, f"/inspections/{sent['id']}")["problems"]
    assert (found["no"], found["note"]) == (no, words)
    too_long = record(kind, answers={no: bad, f"{no}.problem": words + "长" * 4000})
    assert faults(put(county_inspector, too_long)) == {f"/answers/{no}.problem": "too_long"}


def test_words_about_a_point_without_a_problem_may_stand_there(county_inspector: Person) -> None:
    sent = submit(county_inspector, record("onsite_sales", answers={"2.problem": "制度较简单，已口头提醒"}))
    assert read(county_inspector, f"/inspections/{sent['id']}")["problems"] == []


def test_a_spot_check_that_failed_is_the_problem_and_none_at_all_is_not(county_inspector: Person) -> None:
    submit(county_inspector, record("onsite_sales", answers={"12": "no"}))
    asked = record("onsite_sales", answers={"12": "yes"}, confirm_duplicate=True)
    assert faults(put(county_inspector, asked)) == {"/answers/12.failed": "required"}
    failed = {"12": "yes", "12.failed": "failed", "12.problem": "2025年抽查1批次不合格"}
    sent = submit(county_inspector, record("onsite_sales", answers=failed, confirm_duplicate=True))
    (found,) = read(county_inspector, f"/inspections/{sent['id']}")["problems"]
    assert (found["no"], found["note"]) == ("12.failed", "2025年抽查1批次不合格")


@pytest.mark.parametrize(
    ("kind", "no", "allowed"),
    [("onsite_sales", "6", True), ("onsite_sales", "7", False), ("onsite_production", "10", True),
     ("onsite_production", "9", False), ("ccc_production", "4.12", True)],
)  # fmt: skip
def test_a_point_does_not_apply_only_where_it_can_make_no_sense(
    county_inspector: Person, kind: str, no: str, allowed: bool
) -> None:
    answer = put(county_inspector, record(kind, answers={no: "na"}))
    assert answer.status_code == 201 if allowed else faults(answer) == {f"/answers/{no}": "unknown_option"}


def test_each_sample_block_is_found_by_its_number(county_inspector: Person) -> None:
    blocks = [dict(BLOCK), {**BLOCK, "7.6": "bad", "7.6.problem": "绝缘料与报告不一致"}]
    sent = submit(county_inspector, record("ccc_production", samples=blocks))
    (found,) = read(county_inspector, f"/inspections/{sent['id']}")["problems"]
    assert (found["no"], found["note"]) == ("7.6（2）", "绝缘料与报告不一致")
    refused = put(county_inspector, record("ccc_production", samples=[{**BLOCK, "7.6": "bad"}], confirm_duplicate=True))
    assert faults(refused) == {"/samples/0/7.6.problem": "required"}


def test_samples_or_a_reason_for_none_are_asked_for(county_inspector: Person) -> None:
    body = record("ccc_production", samples=[])
    assert set(faults(put(county_inspector, body)).values()) == {"any_of"}
    assert put(county_inspector, {**body, "no_samples_reason": "停产，无库存"}).status_code == 201
    many = record("ccc_production", samples=[dict(BLOCK)] * 21, confirm_duplicate=True)
    assert faults(put(county_inspector, many)) == {"/samples": "too_many"}


def test_a_signature_is_not_of_a_day_before_the_check_nor_of_tomorrow(county_inspector: Person) -> None:
    for day, code in (("2026-11-19", "before_other"), ("2026-11-22", "in_future")):
        refused = put(county_inspector, record("onsite_sales", signed_by_org_on=day))
        assert refused.status_code == 422, (day, code)
    for day in ("2026-11-20", "2026-11-21"):
        sent = record("onsite_sales", signed_by_org_on=day, confirm_duplicate=True)
        assert put(county_inspector, sent).status_code == 201


def test_a_second_record_of_the_same_paper_and_day_is_a_duplicate_and_of_another_paper_is_not(
    county_inspector: Person,
) -> None:
    submit(county_inspector, record("onsite_production"))
    again = put(county_inspector, record("onsite_production"))
    assert (again.status_code, again.json["code"]) == (409, "duplicate_check")
    submit(county_inspector, record("ccc_production"))


# Figures


def figures(person: Person) -> Json:
    total = read(person, "/statistics/progress")["total"]
    return {name: value for name, value in total.items() if isinstance(value, int) and value}


def test_they_count_as_checked_and_with_problems_and_never_as_disposed_of(county_inspector: Person) -> None:
    bad = {"2": "yes", "2.problem": "线芯偏心"}
    submit(county_inspector, record("onsite_production", answers=bad))
    submit(county_inspector, record("ccc_production"))  # the same enterprise: one visit more, not one enterprise more
    submit(county_inspector, record("onsite_sales", answers={"2": "no", "2.problem": "没有制度"}))
    assert figures(county_inspector) == {"checked": 1, "sales_checked": 1, "problem_enterprises": 2}
    assert len(listed(county_inspector, "problem=true")) == 2
    assert len(listed(county_inspector, "disposal=none")) == 3 and listed(county_inspector, "disposal=na") == []


def test_the_leader_is_one_of_the_inspectors(county_inspector: Person) -> None:
    body = record("ccc_production", leader="丙")
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", body)
    assert faults(answer) == {"/leader": "unknown_option"}
    assert submit(county_inspector, record("ccc_production", leader="乙"))["leader"] == "乙"


def test_an_overall_situation_that_was_left_empty_lists_the_problems(county_inspector: Person) -> None:
    bad = record("ccc_production", overall="", answers={"2.1": "bad", "2.1.problem": "地址不一致"})
    listed_ = submit(county_inspector, bad)["overall"]
    assert listed_.startswith("1. ") and "地址不一致" in listed_ and "\n" not in listed_
    good = record("ccc_production", overall="", confirm_duplicate=True)
    assert submit(county_inspector, good)["overall"] == "未发现问题"
    own = record("ccc_production", overall="总体较好", confirm_duplicate=True)
    assert submit(county_inspector, own)["overall"] == "总体较好"
