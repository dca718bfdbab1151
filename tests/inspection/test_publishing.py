"""A check that concerns an enterprise of the register is shown to it (监督检查)."""

from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask

from tests import parties as both
from tests.parties import OTHER_WORKS, WORKS, Parties
from tests.people import Person, production, sales, spot_check, uscc, with_problem
from tests.records import submit


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def shown(enterprise: Person) -> list[dict[str, Any]]:
    return list(enterprise.get("/supervision-checks").json["items"])


def test_a_submitted_check_is_shown_to_its_enterprise_and_to_no_other(
    parties: Parties, county_inspector: Person
) -> None:
    check = submit(county_inspector, production(uscc=WORKS))
    (row,) = shown(parties.enterprise)
    assert row["id"] == check["id"]
    assert (row["kind"], row["product_code"], row["checked_on"]) == ("production", "06", "2026-11-20")
    assert (row["inspectors"], row["result"], row["problems"]) == ("甲、乙", "no_problem", None)
    assert "天宁区" in row["office_name"]
    assert shown(parties.other_enterprise) == []
    assert parties.reviewer.get("/supervision-checks").status_code == 403


def test_the_problems_of_a_check_are_named(parties: Parties, county_inspector: Person) -> None:
    submit(county_inspector, with_problem(uscc=WORKS))
    (row,) = shown(parties.enterprise)
    assert row["result"] == "problems"
    assert row["problems"].startswith("1.2 ") and "；" not in row["problems"]


def test_drafts_spot_checks_and_checks_of_others_are_not_shown(parties: Parties, county_inspector: Person) -> None:
    both_ids = [parties.licence_id[:-12] + tail for tail in ("000000000001", "000000000002")]
    assert county_inspector.put(f"/inspections/{both_ids[0]}", production(uscc=WORKS)).status_code == 201
    submit(county_inspector, spot_check(uscc=WORKS), noun="spot-checks")
    submit(county_inspector, production(uscc=uscc(999)))
    submit(county_inspector, sales())
    assert shown(parties.enterprise) == []
    county_inspector.put(f"/inspections/{both_ids[0]}/submission", {**production(uscc=WORKS), "version": 1})
    assert [row["id"] for row in shown(parties.enterprise)] == [both_ids[0]]


def test_a_correction_changes_what_is_shown_and_to_whom(parties: Parties, county_inspector: Person) -> None:
    check = submit(county_inspector, production(uscc=WORKS))

    def correct(version: int, **changes: Any) -> None:
        body = {**with_problem(**changes), "reason": "更正", "version": version}
        answer = county_inspector.put(f"/inspections/{check['id']}/correction", body)
        assert answer.status_code == 200, answer.get_data(as_text=True)

    correct(1, uscc=WORKS)
    assert [row["result"] for row in shown(parties.enterprise)] == ["problems"]
    correct(2, uscc=OTHER_WORKS, org_name="常州另一电线厂")
    assert shown(parties.enterprise) == []
    assert [row["id"] for row in shown(parties.other_enterprise)] == [check["id"]]
    correct(3, uscc=uscc(999))
    assert shown(parties.enterprise) == shown(parties.other_enterprise) == []
