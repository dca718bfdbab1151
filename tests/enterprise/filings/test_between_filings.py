"""What one filing does to another (ending it, taking the place of this year's report), and papers that are owed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from assets.files.purposes import Category
from core.identifiers import as_uuid
from enterprise.filings.declaring.broken_kinds import BrokenKind
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    DECLARATION_ATTACHMENT,
    SYSTEM,
    Claim,
    Document,
    Move,
    OnOther,
    Status,
    Step,
)
from enterprise.filings.declaring.kinds import FilingKind, FilingKinds
from enterprise.filings.drafts.sending import owed
from enterprise.filings.models import Filing
from tests.enterprise.filings.test_posts import DATA, queued
from tests.kinds.forms import form, item
from tests.kinds.power_new import ACCEPT, STATUSES, STEPS, power_new
from tests.kinds.town import Town, named, paths
from tests.newcomers import at_once
from tests.people import Person, new_id

REQUEST = form("power-termination", "业务办理终止申请", item("application", "申请", "text", required=True))
REPORT = form("power-report", "年度报告", item("year", "年度", "text", required=True), item("words", "内容", "text"))
END = Step("end_on_request", "按申请终止", ["queued", "accepted"], "terminated", SYSTEM)


def _application(move: Move) -> Sequence[UUID]:
    found = as_uuid(move.data.get("application"))
    return [found] if found is not None else []


def termination(**changes: Any) -> FilingKind:
    """业务办理终止: ends an application of the same enterprise (`spec/d` §4.10)."""
    ends = OnOther("end_on_request", ["power_new"], _application)
    declared: dict[str, Any] = {
        "code": "power_termination", "title": "业务办理终止申请", "form_code": "power-termination",
        "statuses": [Status("draft", "填报中", APPLICANT, edits=APPLICANT), Status("done", "流程结束", end=True)],
        "steps": [
            Step("open", "终止申请", None, "draft", APPLICANT),
            Step("submit", "提交", "draft", "done", APPLICANT, sends=True, on_other=ends),
        ],
    }  # fmt: skip
    return FilingKind(**{**declared, **changes})


def _year(filing: Filing, data: Mapping[str, Any]) -> Sequence[str]:
    return [f"{filing.enterprise_id} {data['year']}"]


THIS_YEAR = Claim("power_report", _year, ["sent", "rated"], "该年度的报告已评级，不能再报送", gives_way="replace")


def report(**changes: Any) -> FilingKind:
    """年度报告: the one of the same year is overwritten until it is rated (`spec/f` §8.3)."""
    declared: dict[str, Any] = {
        "code": "power_report", "title": "年度报告", "form_code": "power-report", "claims": [THIS_YEAR],
        "statuses": [
            Status("draft", "填报中", APPLICANT, edits=APPLICANT), Status("sent", "已报送", ACCEPT, todo="待评级"),
            Status("rated", "已评级", end=True), Status("replaced", "已被新报告覆盖", end=True),
        ],
        "steps": [
            Step("open", "填报", None, "draft", APPLICANT),
            Step("submit", "报送", "draft", "sent", APPLICANT, sends=True),
            Step("rate", "评级", "sent", "rated", ACCEPT),
            Step("replace", "覆盖", "sent", "replaced", SYSTEM),
        ],
    }  # fmt: skip
    return FilingKind(**{**declared, **changes})


@pytest.fixture
def declared(town: Town) -> Town:
    for one in (REQUEST, REPORT):
        town.publish(one)
    town.declare(power_new(steps=[*STEPS, END]))
    town.declare(termination())
    town.declare(report())
    return town


def status(town: Town, filing: dict[str, Any]) -> str:
    return str(town.read(filing)["status"])


def test_a_request_ends_another_filing_of_the_same_enterprise_and_no_other(declared: Town) -> None:
    town, enterprise = declared, declared.parties.enterprise
    application = queued(town)
    stranger = town.parties.other_enterprise
    body = {"kind": "power_termination", "data": {"application": application["id"]}}
    foreign = stranger.put(f"/filings/{new_id()}", body).json
    refused = stranger.post(f"/filings/{foreign['id']}/actions/submit", {"version": foreign["version"]})
    assert (refused.status_code, status(town, application)) == (422, "queued")
    request = town.open("power_termination", body["data"])
    assert town.act(enterprise, request, "submit")["status"] == "done"
    assert (status(town, application), town.todos(town["formal"])) == ("terminated", [])
    again = town.open("power_termination", body["data"])
    refused = town.act(enterprise, again, "submit", expect=409)
    assert (refused["code"], status(town, again)) == ("wrong_status", "draft")


def sent(town: Town, by: Person, year: str, words: str) -> Any:
    body = {"kind": "power_report", "data": {"year": year, "words": words}}
    made = by.put(f"/filings/{new_id()}", body).json
    return by.post(f"/filings/{made['id']}/actions/submit", {"version": made["version"]})


def test_this_year_s_report_is_overwritten_until_it_is_rated(declared: Town) -> None:
    town, enterprise = declared, declared.parties.enterprise
    first, other_year = (sent(town, enterprise, year, "一").json for year in ("2026", "2025"))
    second = sent(town, enterprise, "2026", "二").json
    found = [status(town, one) for one in (first, second, other_year)]
    assert found == ["replaced", "sent", "sent"]
    assert enterprise.get("/filings?kind=power_report&status=sent").json["total"] == 2
    assert sent(town, town.parties.other_enterprise, "2026", "他").status_code == 200
    # A kind without a route lies where its enterprise does, which the province's branch covers.
    town.act(town["acceptance"], second, "rate")
    refused = sent(town, enterprise, "2026", "三")
    assert (refused.status_code, refused.json["detail"]) == (409, "该年度的报告已评级，不能再报送")
    assert status(town, second) == "rated"


def test_of_two_reports_that_are_sent_at_one_moment_one_stands(declared: Town) -> None:
    enterprise = declared.parties.enterprise
    answers = at_once(*(partial(sent, declared, enterprise, "2026", words) for words in "一二"))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sorted(status(declared, answer.json) for answer in answers) == ["replaced", "sent"]


OWED = Document(
    Category("finance", "财务报表", frozenset({DECLARATION_ATTACHMENT})),
    owed_when={"item": "mode", "in": ["deficient"]},
)


def test_papers_that_may_be_owed_keep_nothing_back_until_a_status_demands_them(town: Town) -> None:
    def waits(move: Move) -> str | None:
        return "await_papers" if owed(move) else None

    statuses = [
        replace(one, opens=["documents/finance"], demands_owed=True) if one.code == "deficient_wait" else one
        for one in STATUSES
    ]
    steps = [replace(one, then=waits) if one.action == "accept" else one for one in STEPS]
    town.declare(power_new(documents=[OWED], statuses=statuses, steps=steps))
    enterprise = town.parties.enterprise
    plain = town.open("power_new", DATA)
    assert paths(town.act(enterprise, plain, "submit", expect=422)) == ["/documents"]
    body = {"data": {**DATA, "mode": "deficient"}, "version": plain["version"]}
    assert enterprise.put(f"/filings/{plain['id']}", body).status_code == 200
    checked = enterprise.get(f"/filings/{plain['id']}/check").json
    assert checked == {"errors": [], "owed": [{"path": "/documents/finance", "text": "财务报表"}]}
    town.act(enterprise, plain, "submit")
    assert town.act(town["acceptance"], plain, "accept")["status"] == "deficient_wait"
    refused = town.act(enterprise, plain, "supply", expect=422)
    assert [(one["path"], one["message"]) for one in refused["errors"]] == [("/documents", "请补交“财务报表”")]
    body = {"documents": named(("finance", town.file(enterprise))), "version": town.read(plain)["version"]}
    assert enterprise.put(f"/filings/{plain['id']}", body).status_code == 200
    assert town.act(enterprise, plain, "supply", comment="补交")["status"] == "accepted"


def test_what_one_kind_says_of_another_refuses_to_load_with_its_line() -> None:
    ends = OnOther("end_on_request", ["power_new"], _application)
    away = Step("submit", "提交", "draft", "done", APPLICANT, sends=True, on_other=replace(ends, kinds=["whish"]))
    broken = {
        "submit takes end_on_request of power_new, no step of the system": lambda: FilingKinds(
            [termination(), power_new()]
        ),
        "submit takes end_on_request of whish": lambda: FilingKinds(
            [termination(steps=[termination().steps[0], away])]
        ),
        "the claim power_report gives way by whish": lambda: report(claims=[replace(THIS_YEAR, gives_way="whish")]),
        "replace gives way, and leads to replaced, where power_report is held": lambda: report(
            claims=[replace(THIS_YEAR, statuses=["sent", "replaced"])]
        ),
        "finance may be owed, but is never demanded": lambda: power_new(documents=[replace(OWED, required="never")]),
        "what is owed is demanded in a status in which nobody may edit": lambda: power_new(
            statuses=[replace(one, demands_owed=one.code == "queued") for one in STATUSES]
        ),
    }  # fmt: skip
    for sentence, load in broken.items():
        with pytest.raises(BrokenKind, match=sentence) as refused:
            load()
        assert str(refused.value).startswith("tests/"), sentence
