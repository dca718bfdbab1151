"""Clocks that are seen (时限): due days and lights over HTTP, each rule with its last day and the day after."""

from typing import Any

from enterprise.filings.many.clock_jobs import ring_clocks
from tests.enterprise.filings.conftest import Travel
from tests.enterprise.filings.test_parties import scored
from tests.enterprise.filings.test_posts import DATA, queued
from tests.kinds.town import Town, named


def light(town: Town, filing: dict[str, Any]) -> tuple[str, str]:
    row = town.read(filing)
    return row["due_on"], row["colour"]


def accepted(town: Town, **changes: Any) -> dict[str, Any]:
    filing = queued(town, **changes)
    return dict(town.act(town["acceptance"], filing, "accept"))


def test_a_decision_is_due_after_the_days_of_its_mode_and_its_light_changes_in_the_last_three(
    town: Town, travel: Travel
) -> None:
    filing = accepted(town)
    assert light(town, filing) == ("2026-11-30", "green")
    (clock,) = filing["clocks"]
    assert (clock["name"], clock["due_on"], clock["paused"]) == ("decision", "2026-11-30", False)
    (todo,) = town["examiner"].get("/todos").json["items"]
    assert (todo["due_on"], todo["colour"]) == ("2026-11-30", "green")
    town.act(town["examiner"], filing, "examine")
    for day, colour in (("11-24", "green"), ("11-25", "yellow"), ("11-30", "yellow"), ("12-01", "red")):
        travel(f"2026-{day}T12:00:00")
        assert light(town, filing) == ("2026-11-30", colour)
        (row,) = town["examiner"].get("/filings").json["items"]
        assert (row["due_on"], row["colour"]) == ("2026-11-30", colour)


def test_the_days_come_from_a_table_by_data(town: Town, travel: Travel) -> None:
    assert accepted(town, mode="ftz")["due_on"] == "2026-11-23"


def test_a_decision_is_extended_once_with_a_reason(town: Town, travel: Travel) -> None:
    filing = accepted(town)
    town.act(town["approver"], filing, "extend", expect=422)
    extended = town.act(town["approver"], filing, "extend", comment="案情复杂")
    assert (extended["status"], extended["due_on"]) == ("accepted", "2026-12-14")
    (todo,) = town["examiner"].get("/todos").json["items"]
    assert todo["due_on"] == "2026-12-14"
    assert town.act(town["approver"], filing, "extend", expect=409, comment="再延长")["code"] == "wrong_status"


def test_it_stands_still_while_a_correction_is_awaited_and_goes_on_afterwards(town: Town, travel: Travel) -> None:
    filing = accepted(town)
    town.act(town["examiner"], filing, "examine")
    travel("2026-11-04T10:00:00")
    returned = town.act(town["examiner"], filing, "return", comment="请补正", data={"parts": "等级"})
    assert (returned["due_on"], [clock["paused"] for clock in returned["clocks"]]) == (None, [True])
    travel("2026-11-11T10:00:00")
    # Two of twenty days were over.
    assert town.act(town.parties.enterprise, filing, "submit")["due_on"] == "2026-12-07"


def test_papers_that_are_owed_come_until_the_end_of_the_last_day(town: Town, travel: Travel) -> None:
    enterprise = town.parties.enterprise
    filings = []
    for _ in range(2):
        filing = town.open("power_new", {**DATA, "mode": "deficient"})
        town.act(enterprise, filing, "submit")
        waiting = town.act(town["acceptance"], filing, "accept")
        assert (waiting["status"], light(town, waiting)) == ("deficient_wait", ("2026-11-23", "yellow"))
        assert {clock["name"]: clock["paused"] for clock in waiting["clocks"]} == {"decision": True, "papers": False}
        # Only one may be open for an enterprise.
        filings.append(filing)
        if len(filings) < 2:
            travel("2026-11-23T23:59:59")
            body = {"documents": named(("insurance", town.file(town.parties.enterprise)))}
            body["version"] = town.read(filing)["version"]
            assert town.parties.enterprise.put(f"/filings/{filing['id']}", body).status_code == 200
            supplied = town.act(town.parties.enterprise, filing, "supply")
            assert (supplied["status"], supplied["due_on"]) == ("accepted", "2026-12-21")
            town.act(town.parties.enterprise, filing, "terminate")
            travel("2026-11-02T10:00:00")
            enterprise = town.parties.enterprise
    late = filings[1]
    travel("2026-11-24T00:00:00")
    read = town.read(late)
    assert (read["status"], read["actions"], read["due_on"]) == ("denied", [], None)
    (row, *_) = [one for one in town["examiner"].get("/filings").json["items"] if one["id"] == late["id"]]
    assert row["status"] == "denied"
    refused = town.act(town.parties.enterprise, late, "supply", expect=409)
    assert refused["current_status"] == "denied"
    body = {"documents": [], "version": read["version"]}
    assert town.parties.enterprise.put(f"/filings/{late['id']}", body).status_code == 409
    assert ring_clocks(town.engine).run(town.database) == 1
    after = town.read(late)
    assert (after["status"], after["version"]) == ("denied", read["version"])
    assert town.todos(town.parties.enterprise) == []


def test_a_publicity_of_five_working_days_is_over_on_the_next_monday_and_begins_anew_after_a_pause(
    town: Town, travel: Travel
) -> None:
    filing = scored(town)
    for number in "123":
        town.act(town[f"reviewer_{number}"], filing, "confirm")
    town.act(town["agency"], filing, "conclude")
    published = town.act(town["agency"], filing, "publish")
    assert (published["due_on"], published["clocks"][0]["due_on"]) == (None, "2026-11-09")
    travel("2026-11-08T23:59:59")
    refused = town.act(town["agency"], filing, "complete", expect=409)
    assert (refused["code"], refused["detail"]) == ("too_early", "期限未满，2026年11月9日起可以办理")
    town.act(town["agency"], filing, "pause")
    travel("2026-11-09T00:00:00")
    assert town.act(town["agency"], filing, "publish")["clocks"][0]["due_on"] == "2026-11-16"
    travel("2026-11-15T23:59:59")
    town.act(town["agency"], filing, "complete", expect=409)
    travel("2026-11-16T00:00:00")
    assert town.act(town["agency"], filing, "complete")["status"] == "to_issue"


def test_a_deadline_in_natural_days_moves_off_a_rest_day(town: Town, travel: Travel) -> None:
    from tests.enterprise.filings.test_parties import applied

    assert applied(town)["due_on"] == "2026-11-09"
