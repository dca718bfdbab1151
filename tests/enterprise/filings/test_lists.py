"""Lists by whose turn it is, by what is overdue and by system; and by where a filing truly stands before a job rang."""

from dataclasses import replace
from typing import Any

from enterprise.filings.declaring.declarations import DEADLINE, NATURAL, SYSTEM, Clock, Step
from enterprise.filings.many.clock_jobs import ring_clocks
from tests.enterprise.filings.conftest import Travel
from tests.enterprise.filings.test_parties import applied, scored
from tests.enterprise.filings.test_posts import DATA, queued
from tests.kinds.power_new import CLOCKS, STATUSES, STEPS, power_new
from tests.kinds.town import COLLEAGUE, Town
from tests.people import Person


def listed(by: Person, query: str = "") -> list[str]:
    answer = by.get(f"/filings?{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    # Its declaration, which every enterprise with a licence has, stands beside.
    return [row["id"] for row in answer.json["items"] if row["kind"] != "data_declaration"]


def mine(by: Person, more: str = "") -> list[str]:
    return listed(by, f"turn=mine{more}")


def test_the_turn_is_that_of_the_posts_and_parties_that_are_awaited(town: Town) -> None:
    draft = town.open("power_new", DATA, ("finance", town.file(town.parties.enterprise)))
    assert (mine(town.parties.enterprise), mine(town[COLLEAGUE])) == ([draft["id"]], [])
    town.act(town.parties.enterprise, draft, "submit")
    evaluation = scored(town)
    assert mine(town.parties.enterprise) == []
    for name in ("formal", "acceptance"):
        assert (mine(town[name]), mine(town[name], "&status=accepted")) == ([draft["id"]], [])
    for name in ("examiner", "far_acceptance", "agency", "authority"):
        assert mine(town[name]) == []
    town.act(town["acceptance"], draft, "accept")
    assert (mine(town["acceptance"]), mine(town["examiner"])) == ([], [draft["id"]])
    assert listed(town["acceptance"]) == [draft["id"]]
    for number in "123":
        assert mine(town[f"reviewer_{number}"]) == [evaluation["id"]]
        assert town.read(evaluation, town["agency"])["turn"] == "reviewer"
        town.act(town[f"reviewer_{number}"], evaluation, "confirm")
        assert mine(town[f"reviewer_{number}"]) == []
    assert mine(town["agency"]) == [evaluation["id"]]
    assert town.read(evaluation, town["agency"])["turn"] == "agency"


def test_lists_are_limited_to_a_system(town: Town) -> None:
    power, transport = queued(town), applied(town)
    assert listed(town.parties.enterprise, "system=power") == [power["id"]]
    assert listed(town.parties.enterprise, "system=transport") == [transport["id"]]
    assert listed(town["formal"], "system=power") == [power["id"]]
    assert listed(town["formal"], "system=transport") == []
    assert town["formal"].get("/filings?system=pwer").status_code == 422
    kinds = {one["code"]: one["system"] for one in town["formal"].get("/filing-kinds").json["items"]}
    assert (kinds["power_new"], kinds["rectification"]) == ("power", "production")


def test_an_overdue_filing_is_listed_from_the_day_after_its_last_one_the_oldest_day_first(
    town: Town, travel: Travel
) -> None:
    evaluation = applied(town)  # due on Monday, 9 November
    travel("2026-11-03T10:00:00")
    application = queued(town)  # five working days: due on 10 November
    travel("2026-11-09T23:59:59")
    assert listed(town["agency"], "overdue=true") == listed(town["formal"], "overdue=true") == []
    travel("2026-11-10T00:00:00")
    assert listed(town["agency"], "overdue=true") == [evaluation["id"]]
    assert listed(town["formal"], "overdue=true") == []
    travel("2026-11-11T00:00:00")
    assert listed(town["formal"], "overdue=true&turn=mine") == [application["id"]]
    assert listed(town.parties.enterprise, "overdue=true") == [evaluation["id"], application["id"]]
    page = town.parties.enterprise.get("/filings?overdue=true&page_size=1").json
    assert listed(town.parties.enterprise, f"overdue=true&page_size=1&after={page['next_after']}") == [
        application["id"]
    ]
    town.act(town["acceptance"], application, "accept")
    assert listed(town["formal"], "overdue=true") == []


def test_lists_find_a_filing_where_a_clock_has_moved_it_before_the_job_has_run(town: Town, travel: Travel) -> None:
    filing = town.open("power_new", {**DATA, "mode": "deficient"})
    town.act(town.parties.enterprise, filing, "submit")
    town.act(town["acceptance"], filing, "accept")

    def found(by: Person) -> list[bool]:
        queries = ("status=deficient_wait", "status=denied", "overdue=true")
        return [listed(by, query) == [filing["id"]] for query in queries]

    travel("2026-11-23T23:59:59")
    for by in (town.parties.enterprise, town["examiner"]):
        assert found(by) == [True, False, False]
    assert mine(town.parties.enterprise) == [filing["id"]]
    travel("2026-11-24T00:00:00")
    for _ in range(2):  # before the job has run, and after
        for by in (town.parties.enterprise, town["examiner"]):
            assert found(by) == [False, True, False]
            assert mine(by) == []
        ring_clocks(town.engine).run(town.database)


def test_a_clock_that_passes_a_filing_on_makes_it_the_next_ones_turn_at_once(town: Town, travel: Travel) -> None:
    passes = Clock("notice", 5, NATURAL, DEADLINE, ["queued"], shift=False, rings="pass")
    steps = [*STEPS, Step("pass", "视为受理", "queued", "accepted", SYSTEM)]
    town.declare(power_new(steps=steps, clocks=[passes, *CLOCKS[1:]]))
    filing = queued(town)
    travel("2026-11-07T23:59:59")
    assert (mine(town["formal"]), mine(town["examiner"])) == ([filing["id"]], [])
    travel("2026-11-08T00:00:00")
    assert (mine(town["formal"]), mine(town["examiner"])) == ([], [filing["id"]])
    assert listed(town["examiner"], "status=accepted") == [filing["id"]]


def test_a_draft_that_its_clock_has_deleted_is_gone_before_the_job_has_run(town: Town, travel: Travel) -> None:
    keeps = Clock("keep", 10, NATURAL, DEADLINE, ["draft"], shift=False, rings="expire")
    deleted: Any = replace(STATUSES[-1], code="deleted", label="已删除")
    steps = [*STEPS, Step("expire", "逾期删除", "draft", "deleted", SYSTEM)]
    town.declare(power_new(statuses=[*STATUSES, deleted], steps=steps, clocks=[keeps, *CLOCKS]))
    draft = town.open("power_new", DATA)
    travel("2026-11-12T23:59:59")
    assert listed(town.parties.enterprise) == [draft["id"]]
    travel("2026-11-13T00:00:00")
    for _ in range(2):
        assert listed(town.parties.enterprise) == []
        assert town.parties.enterprise.get(f"/filings/{draft['id']}").status_code == 404
        assert ring_clocks(town.engine).run(town.database) in (0, 1)
