"""Clocks in months and years, from a field, and beside a day in the data; and posts of any office: over HTTP."""

from collections.abc import Sequence
from typing import Any

from accounts.verbs import Verb
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    DEADLINE,
    MONTH,
    STAYS,
    WAITING,
    YEAR,
    Clock,
    Post,
    Step,
)
from tests.enterprise.filings.conftest import Travel
from tests.enterprise.filings.test_lists import listed, mine
from tests.enterprise.filings.test_posts import DATA, queued
from tests.kinds.power_new import APPLICATION, STEPS, power_new
from tests.kinds.town import Town


def declare(town: Town, *clocks: Clock, more: Sequence[Step] = (), **changes: Any) -> None:
    """The kind with other clocks, none of which is extended."""
    steps = [step for step in STEPS if step.extends is None]
    town.declare(power_new(clocks=clocks, steps=[*steps, *more], **changes))


def test_a_deadline_in_months_ends_on_the_same_day_clamped_and_moves_off_a_rest_day(town: Town, travel: Travel) -> None:
    declare(town, Clock("term", 3, MONTH, DEADLINE, ["queued"]))
    travel("2026-11-30T10:00:00")  # 28 February 2027 is a Sunday
    filing = queued(town)
    assert filing["due_on"] == "2027-03-01"
    travel("2027-03-01T23:59:59")
    assert listed(town["formal"], "overdue=true") == []
    travel("2027-03-02T00:00:00")
    assert listed(town["formal"], "overdue=true") == [filing["id"]]


def test_a_waiting_period_in_years_is_over_on_the_same_day_and_not_on_the_day_before(
    town: Town, travel: Travel
) -> None:
    ends = Step("end", "期满", "queued", "terminated", APPLICANT, needs_over="bar")
    declare(town, Clock("bar", 2, YEAR, WAITING, ["queued"]), more=[ends])
    travel("2028-02-29T10:00:00")
    filing = queued(town)
    assert filing["clocks"][0]["due_on"] == "2030-02-28"
    travel("2030-02-27T23:59:59")
    assert town.act(town.parties.enterprise, filing, "end", expect=409)["code"] == "too_early"
    travel("2030-02-28T00:00:00")
    assert town.act(town.parties.enterprise, filing, "end")["status"] == "terminated"


def with_day(town: Town) -> None:
    """The form has a day besides."""
    (section,) = APPLICATION["sections"]
    dated = {"field": "changed_on", "text": "变更日期", "type": "date"}
    form = {**APPLICATION, "version": 2, "sections": [{**section, "items": [*section["items"], dated]}]}
    town.publish(form)


def test_a_deadline_counts_from_the_day_that_a_field_says(town: Town, travel: Travel) -> None:
    with_day(town)
    declare(town, Clock("report", 1, MONTH, DEADLINE, ["queued"], starts_from="changed_on"))
    assert queued(town, changed_on="2026-10-12")["due_on"] == "2026-11-12"
    travel("2026-11-12T23:59:59")
    assert listed(town["formal"], "overdue=true") == []
    travel("2026-11-13T00:00:00")
    assert len(listed(town["formal"], "overdue=true")) == 1


def test_the_day_in_the_data_counts_while_the_applicant_is_awaited_beside_clocks(town: Town, travel: Travel) -> None:
    with_day(town)
    term = Clock("term", 1, MONTH, DEADLINE, ["queued", "returned"])
    declare(town, term, due_from="changed_on")
    filing = queued(town, changed_on="2026-11-20")
    assert filing["due_on"] == "2026-12-02"  # the office's turn: its clock alone
    returned = town.act(town["formal"], filing, "return", comment="请补正", data={"parts": "等级"}, due_on="2026-11-25")
    assert (returned["due_on"], returned["colour"]) == ("2026-11-25", "yellow")
    travel("2026-11-25T23:59:59")
    assert listed(town.parties.enterprise, "overdue=true") == []
    travel("2026-11-26T00:00:00")
    assert listed(town.parties.enterprise, "overdue=true") == [filing["id"]]


def test_a_post_of_any_office_takes_its_step_anywhere_and_reads_but_the_turn_is_that_of_the_office_that_handles_it(
    town: Town,
) -> None:
    anywhere = Post("power_registrar", "登记岗", Verb.POWER_ACCEPT.value, anywhere=True)
    note = Step("note", "登记", "queued", STAYS, anywhere, comment=True)
    town.declare(power_new(steps=[*STEPS, note]))
    filing = queued(town)
    far = town["far_acceptance"]
    assert (listed(far), mine(far), mine(town["formal"])) == ([filing["id"]], [], [filing["id"]])
    assert town.read(filing, far)["actions"] == ["note"]
    assert town.act(far, filing, "note", comment="已核")["status"] == "queued"
    town.act(far, filing, "accept", expect=403)
    assert DATA["province"] == "320000"
