"""What an enterprise reads of itself: its profile (企业概况) and the checks that concerned it (监督检查)."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask

from tests import parties as both
from tests.parties import DECLARATION, WORKS, Parties, act, open_declaration
from tests.people import Person, faults, production, with_problem
from tests.records import submit


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def approve(parties: Parties, **changes: Any) -> None:
    row = open_declaration(parties)
    body = {"data": {**DECLARATION, **changes}, "version": row["version"]}
    saved = parties.enterprise.put(f"/filings/{row['id']}", body).json
    sent = act(parties.enterprise, saved, "submit").json
    assert act(parties.reviewer, sent, "approve").json["status"] == "done"


def test_an_enterprise_reads_its_own_profile_with_what_was_approved_last(parties: Parties) -> None:
    before = parties.enterprise.get("/me/enterprise").json
    assert (before["uscc"], before["name"], before["declared"]) == (WORKS, "常州某某电缆有限公司", None)
    approve(parties, employees="80")
    approve(parties, employees="120", registered_address="常州市天宁区新路2号")
    row = open_declaration(parties)
    parties.enterprise.put(
        f"/filings/{row['id']}", {"data": {**DECLARATION, "employees": "7"}, "version": row["version"]}
    )
    profile = parties.enterprise.get("/me/enterprise").json
    assert (profile["address"], profile["declared"]["data"]["employees"]) == ("常州市天宁区新路2号", "120")
    assert profile["declared"]["data"]["contact_mobile"] == "138****0007"
    assert parties.other_enterprise.get("/me/enterprise").json["declared"] is None
    assert parties.reviewer.get("/me/enterprise").status_code == 403


def test_the_checks_of_an_enterprise_are_searched_by_day_and_word(parties: Parties, county_inspector: Person) -> None:
    first = submit(county_inspector, production(uscc=WORKS, check_date="2026-11-10"))["id"]
    second = submit(county_inspector, with_problem(uscc=WORKS, check_date="2026-11-15"))["id"]

    def found(query: str, person: Person = parties.enterprise) -> list[str]:
        page = person.get(f"/supervision-checks?{query}").json
        return [row["id"] for row in page["items"]]

    assert found("") == [second, first]
    assert found("from=2026-11-10&to=2026-11-10") == found("to=2026-11-14") == [first]
    assert found("from=2026-11-11") == [second]
    problem = parties.enterprise.get("/supervision-checks").json["items"][0]["problems"]
    assert found(f"q={problem[4:8]}") == [second]
    assert found("q=甲") == [second, first] and found("q=%25") == found("q=龘") == []
    assert found("q=甲", parties.other_enterprise) == []
    assert "/from" in faults(parties.enterprise.get("/supervision-checks?from=gestern"))


def test_a_licence_whose_last_day_is_over_is_shown_as_expired(parties: Parties, application: APIFlask) -> None:
    assert parties.enterprise.get("/licences").json["items"][0]["status"] == "valid"
    for day, status in (("2028-12-31T23:00:00+08:00", "valid"), ("2029-01-01T01:00:00+08:00", "expired")):
        with time_machine.travel(day, tick=False):
            person = both.sign_in_enterprise(application, WORKS)
            assert person.get("/licences").json["items"][0]["status"] == status
