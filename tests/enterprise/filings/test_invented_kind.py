"""The engine carries what the coming systems need: shown with a kind that exists only here."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select

from core.deadlines.periods import CONTINUE, NATURAL, WORKING, ZERO
from core.errors import Problem
from core.models import CalendarDay
from core.workflows import history
from enterprise.filings.declaring.declarations import APPLICANT, SYSTEM, Clock, Move, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.steps.actions import FINISHED, act_by_system
from tests.enterprise.filings.desk import START, Desk, quota, used, valid
from tests.enterprise.filings.invented import invented, publicity


@pytest.mark.parametrize(("on_the_way", "post"), [([], "first"), (["pass"], "second")])
def test_a_correction_goes_back_to_the_post_that_asked_for_it(desk: Desk, on_the_way: list[str], post: str) -> None:
    filing = desk.open()
    desk.act(filing, "submit", *on_the_way)
    for _ in range(2):
        assert desk.act(filing, "ask") == "correcting"
        assert desk.act(filing, "correct") == post
    with desk.database.read() as session:
        assert session.get_one(Filing, filing).return_to is None
        moves = history.read(session, filing)
        sent = session.scalars(select(FilingVersion.number).where(FilingVersion.filing_id == filing)).all()
    assert (moves[-1]["action"], moves[-1]["to"]) == ("correct", post)
    assert sorted(sent) == [1, 2, 3]


PERIODS = [
    # Five days from Monday 28 September, paused on the 30th (two days are over), resumed on Friday 9 October.
    pytest.param(publicity(NATURAL, 5, ZERO), "2026-10-03", "2026-10-14", id="natural-zero"),
    pytest.param(publicity(NATURAL, 5, CONTINUE), "2026-10-03", "2026-10-12", id="natural-continue"),
    pytest.param(publicity(WORKING, 5, ZERO), "2026-10-10", "2026-10-15", id="working-zero"),
    pytest.param(publicity(WORKING, 5, CONTINUE), "2026-10-10", "2026-10-13", id="working-continue"),
]


@pytest.mark.parametrize(("rule", "without_a_pause", "with_one"), PERIODS)
def test_a_publicity_period_pauses_and_starts_again(
    desk: Desk, rule: Clock, without_a_pause: str, with_one: str
) -> None:
    desk.declare(invented(rule))
    with time_machine.travel(START, tick=False) as now:
        filing = desk.open()
        desk.act(filing, "submit", "pass", "publish")
        assert desk.last_day(filing) == date.fromisoformat(without_a_pause)
        now.move_to("2026-09-30T10:00:00+08:00")
        assert desk.refused(filing, "end") == "too_early"
        desk.act(filing, "object")
        now.move_to("2026-10-09T10:00:00+08:00")
        desk.act(filing, "resume")
        assert desk.last_day(filing) == date.fromisoformat(with_one)
        now.move_to(f"{with_one}T23:59:59+08:00")
        assert desk.refused(filing, "end") == "too_early"
        now.shift(1)
        assert desk.act(filing, "end") == "confirming"


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        (publicity(NATURAL, 5, CONTINUE), "2026-10-07"),
        (publicity(NATURAL, 5, ZERO), "2026-10-11"),
    ],
)
def test_a_period_that_pauses_twice_counts_what_had_passed_each_time(desk: Desk, rule: Clock, last: str) -> None:
    desk.declare(invented(rule))
    with time_machine.travel(START, tick=False) as now:
        filing = desk.open()
        desk.act(filing, "submit", "pass", "publish")
        for paused, resumed in (("2026-09-29", "2026-10-01"), ("2026-10-04", "2026-10-06")):
            now.move_to(f"{paused}T09:00:00+08:00")
            desk.act(filing, "object")
            now.move_to(f"{resumed}T09:00:00+08:00")
            desk.act(filing, "resume")
        assert desk.last_day(filing) == date.fromisoformat(last)


def test_a_day_that_an_administrator_takes_off_moves_the_end(desk: Desk) -> None:
    with time_machine.travel(START, tick=False):
        with desk.database.write() as session:
            session.add(CalendarDay(day=date(2026, 9, 29), working=False))
        filing = desk.open()
        desk.act(filing, "submit", "pass", "publish")
        assert desk.last_day(filing) == date(2026, 10, 12)


def test_a_finished_filing_of_a_rateable_kind_is_told_of_once_in_the_same_transaction(desk: Desk) -> None:
    told: list[UUID] = []
    desk.engine.events.listen(FINISHED, lambda session, filing, kind: told.append(filing.id))
    quota(desk, "5")
    filing = valid(desk)
    assert told == []
    desk.act(filing, "use")
    assert told == [filing]

    def fail(session: Any, filing: Filing, kind: FilingKind) -> None:
        raise Problem("too_early")

    desk.engine.events.listen(FINISHED, fail)
    another = valid(desk)
    assert desk.refused(another, "use") == "too_early"
    assert (desk.status(another), used(desk)) == ("valid", 1)


def test_a_status_reached_by_an_effect_is_told_of_once(desk: Desk) -> None:
    def finish(move: Move) -> None:
        act_by_system(move.session, move.engine, move.filing, "finish")

    steps = [
        Step("open", "发起", None, "draft", APPLICANT),
        Step("submit", "提交", "draft", "first", APPLICANT, sends=True, effect=finish),
        Step("finish", "办结", "first", "expired", SYSTEM),
    ]
    statuses = [
        Status("draft", "填写中", APPLICANT, edits=APPLICANT),
        Status("first", "初审"),
        Status("expired", "已到期", end=True),
    ]
    desk.declare(invented(steps=steps, statuses=statuses, clocks=[]))
    told: list[UUID] = []
    desk.engine.events.listen(FINISHED, lambda session, filing, kind: told.append(filing.id))
    filing = desk.open()
    assert desk.act(filing, "submit") == "expired"
    assert told == [filing]
