"""Outages (系统故障) move the deadlines that clocks count, and not waiting periods; over HTTP."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from composition.recountings import recountings
from core.deadlines import outage_recounts, outages
from core.workflows.history import verify
from enterprise.filings.integrity import verify_filings
from enterprise.filings.many.clock_jobs import ring_clocks
from tests.enterprise.filings.conftest import Travel
from tests.enterprise.filings.test_parties import applied, scored
from tests.enterprise.filings.test_posts import DATA, queued
from tests.enterprise.filings.test_time_limits import accepted, light
from tests.kinds.town import Town

NOTE = "因系统故障（机房停电）由2026-11-30顺延至2026-12-02"


def outage(town: Town, starts: str, ends: str) -> str:
    """Enter one of the whole country, and count anew; its id."""
    outage_id = uuid4()
    with town.database.write() as session:
        body = {
            "system": "all", "starts_at": datetime.fromisoformat(f"{starts}+08:00").astimezone(UTC),
            "ends_at": datetime.fromisoformat(f"{ends}+08:00").astimezone(UTC), "reason": "机房停电",
        }  # fmt: skip
        outages.enter(session, None, outage_id, (), body)
    outage_recounts.run(town.database, recountings(town.engine.kinds))
    return str(outage_id)


def withdraw(town: Town, outage_id: str) -> None:
    with town.database.write() as session:
        outages.withdraw(session, None, outages.UUID(outage_id), {"reason": "误录", "version": 1})
    outage_recounts.run(town.database, recountings(town.engine.kinds))


def test_a_running_deadline_moves_behind_an_outage_on_its_last_day_and_back_when_it_is_withdrawn(
    town: Town, travel: Travel
) -> None:
    filing = accepted(town)
    entered = outage(town, "2026-11-30T20:00:00", "2026-12-01T08:00:00")
    read = town.read(filing)
    assert (light(town, filing), read["due_on_note"]) == (("2026-12-02", "green"), NOTE)
    assert (read["clocks"][0]["due_on"], read["clocks"][0]["due_on_note"]) == ("2026-12-02", NOTE)
    (todo,) = town["examiner"].get("/todos").json["items"]
    assert (todo["due_on"], todo["due_on_note"]) == ("2026-12-02", NOTE)
    withdraw(town, entered)
    assert (light(town, filing), town.read(filing)["due_on_note"]) == (("2026-11-30", "green"), None)
    with town.database.read() as session:
        assert list(verify(session)) == [] and list(verify_filings(session, town.engine.kinds)) == []


def test_a_deadline_that_is_counted_after_the_outage_was_entered_moves_at_once(town: Town, travel: Travel) -> None:
    outage(town, "2026-11-30T08:00:00", "2026-11-30T12:00:00")
    filing = accepted(town)
    assert filing["due_on"] == "2026-12-01"
    extended = town.act(town["approver"], filing, "extend", comment="案情复杂")
    assert (extended["due_on"], extended["due_on_note"]) == ("2026-12-14", None)


def test_what_is_awaited_may_come_on_the_day_to_which_it_was_moved_and_not_on_the_day_after(
    town: Town, travel: Travel
) -> None:
    filing = town.open("power_new", {**DATA, "mode": "deficient"})
    town.act(town.parties.enterprise, filing, "submit")
    town.act(town["acceptance"], filing, "accept")
    outage(town, "2026-11-23T22:00:00", "2026-11-23T23:00:00")
    travel("2026-11-24T23:59:59")
    assert ring_clocks(town.engine).run(town.database) == 0
    assert town.read(filing)["status"] == "deficient_wait"
    travel("2026-11-25T00:00:00")
    assert town.read(filing)["status"] == "denied"


def test_one_that_has_rung_stays_and_one_that_rings_nothing_comes_back_from_being_over(
    town: Town, travel: Travel
) -> None:
    overdue = queued(town)  # due on 9 November, rings nothing
    travel("2026-11-10T09:00:00")
    ring_clocks(town.engine).run(town.database)
    assert light(town, overdue) == ("2026-11-09", "red")
    outage(town, "2026-11-09T22:00:00", "2026-11-10T08:00:00")
    assert light(town, overdue) == ("2026-11-11", "yellow")


@pytest.mark.usefixtures("travel")
def test_a_waiting_period_is_not_moved(town: Town) -> None:
    filing = scored(town)
    for number in "123":
        town.act(town[f"reviewer_{number}"], filing, "confirm")
    town.act(town["agency"], filing, "conclude")
    town.act(town["agency"], filing, "publish")
    outage(town, "2026-11-08T08:00:00", "2026-11-09T08:00:00")
    assert town.read(filing)["clocks"][0]["due_on"] == "2026-11-09"
    assert applied(town)["due_on"] == "2026-11-10"
