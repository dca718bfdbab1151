"""The engine carries what the coming systems need: shown with a kind that exists only here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from accounts.verbs import Role
from assets.file_types import Category
from core import clocks, counters
from core.actor import Actor
from core.clocks import CONTINUE, NATURAL, WORKING, ZERO
from core.db import Database
from core.errors import Problem
from core.models import CalendarDay, Clock, Confirmation, Todo
from core.scheduler import Job, Scheduler
from core.workflow import SYSTEM, BrokenWorkflow
from core.working_days import WorkingCalendar
from enterprise.filings import operations, queries
from enterprise.filings.engine import FINISHED, Filings
from enterprise.filings.kinds import (
    ENTERPRISE,
    OFFICE,
    BrokenKind,
    ClockRule,
    Document,
    FilingKind,
    FilingStep,
    KindRegistry,
    TodoRule,
)  # fmt: skip
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.opening import open_for_all
from enterprise.filings.steps import act_by_system, ring_clocks
from enterprise.models import Enterprise
from miniapp_api.wiring import KEY
from tests.enterprise.filings.invented import FORM, Quota, QuotaBase, campaign, invented
from tests.newcomers import at_once, make_user
from tests.parties import Parties
from tests.people import Person
from tests.records import actor_of

START = "2026-09-28T10:00:00+08:00"
"""A Monday. From 1 to 7 October nobody works; Saturday the 10th is worked for it."""


@dataclass
class Desk:
    """The engine with the invented kind, and who uses it."""

    database: Database
    engine: Filings
    enterprise: Actor
    officers: list[Actor]

    def declare(self, kind: FilingKind) -> None:
        self.engine.kinds.kinds[kind.code] = kind

    def open(self) -> UUID:
        filing_id = uuid4()
        with self.database.write() as session:
            body = {"kind": "invented", "data": {"wish": "某事"}}
            operations.save(session, self.engine, self.enterprise, filing_id, body)
        return filing_id

    def act(self, filing_id: UUID, *actions: str, by: Actor | None = None, **body: Any) -> str:
        """Take steps one after the other, each by whom it falls to; the status afterwards."""
        for action in actions:
            with self.database.write() as session:
                filing = session.get_one(Filing, filing_id)
                step = self.engine.kind_of(filing).step(action, filing.status)
                actor = by or (self.enterprise if step is not None and step.who == ENTERPRISE else self.officers[0])
                sent = {"version": filing.version, "comment": "原因", **body}
                operations.act(session, self.engine, actor, filing_id, action, sent)
        return self.status(filing_id)

    def refused(self, filing_id: UUID, action: str, **kwargs: Any) -> str:
        with pytest.raises(Problem) as refusal:
            self.act(filing_id, action, **kwargs)
        return refusal.value.code

    def status(self, filing_id: UUID) -> str:
        with self.database.read() as session:
            return session.get_one(Filing, filing_id).status

    def last_day(self, filing_id: UUID, name: str = "publicity") -> date:
        with self.database.read() as session:
            return session.scalars(
                select(Clock.last_day).where(Clock.subject_id == filing_id, Clock.name == name)
            ).one()

    def ring(self) -> int:
        with self.database.write() as session:
            return ring_clocks(session, self.engine)


@pytest.fixture
def desk(application: APIFlask, parties: Parties, sign_in: Callable[[str], Person]) -> Iterator[Desk]:
    services = application.extensions[KEY]
    database: Database = services.database
    services.forms.publish(FORM)
    names = ["licence_reviewer", "second_reviewer", "third_reviewer", "fourth_reviewer"]
    for name in names[1:]:
        make_user(database, "320402", name, Role.LICENCE_REVIEWER)
    QuotaBase.metadata.create_all(database.engine)
    found = Desk(
        database,
        services.filings,
        actor_of(database, parties.enterprise),
        [actor_of(database, sign_in(name)) for name in names],
    )
    found.declare(invented())
    yield found
    QuotaBase.metadata.drop_all(database.engine)


def quota(desk: Desk, total: str) -> None:
    with desk.database.write() as session:
        session.execute(insert(Quota).values(id="uses", used=0, total=Decimal(total)))


def used(desk: Desk) -> Decimal:
    with desk.database.read() as session:
        return session.get_one(Quota, "uses").used


@pytest.mark.parametrize(("on_the_way", "post"), [([], "first"), (["pass"], "second")])
def test_a_correction_goes_back_to_the_post_that_asked_for_it(desk: Desk, on_the_way: list[str], post: str) -> None:
    filing = desk.open()
    desk.act(filing, "submit", *on_the_way)
    for _ in range(2):
        assert desk.act(filing, "ask") == "correcting"
        assert desk.act(filing, "correct") == post
    with desk.database.read() as session:
        assert session.get_one(Filing, filing).return_to is None
        moves = queries.history_of(session, session.get_one(Filing, filing))
        sent = session.scalars(select(FilingVersion.number).where(FilingVersion.filing_id == filing)).all()
    assert (moves[-1]["action"], moves[-1]["to"]) == ("correct", post)
    assert sorted(sent) == [1, 2, 3]


PERIODS = [
    # Five days from Monday 28 September, paused on the 30th (two days are over), resumed on Friday 9 October.
    pytest.param(ClockRule("publicity", NATURAL, 5, ZERO), "2026-10-03", "2026-10-14", id="natural-zero"),
    pytest.param(ClockRule("publicity", NATURAL, 5, CONTINUE), "2026-10-03", "2026-10-12", id="natural-continue"),
    pytest.param(ClockRule("publicity", WORKING, 5, ZERO), "2026-10-10", "2026-10-15", id="working-zero"),
    pytest.param(ClockRule("publicity", WORKING, 5, CONTINUE), "2026-10-10", "2026-10-13", id="working-continue"),
]


@pytest.mark.parametrize(("rule", "without_a_pause", "with_one"), PERIODS)
def test_a_publicity_period_pauses_and_starts_again(
    desk: Desk, rule: ClockRule, without_a_pause: str, with_one: str
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
        (ClockRule("publicity", NATURAL, 5, CONTINUE), "2026-10-07"),
        (ClockRule("publicity", NATURAL, 5, ZERO), "2026-10-11"),
    ],
)
def test_a_period_that_pauses_twice_counts_what_had_passed_each_time(desk: Desk, rule: ClockRule, last: str) -> None:
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


def test_a_clock_that_rang_rings_again_when_it_was_paused_and_goes_on(desk: Desk) -> None:
    subject, calendar = ("filing", uuid4()), WorkingCalendar()

    def start(session: Session) -> Clock:
        return clocks.start(session, subject, "term", unit=NATURAL, days=2, on_restart=ZERO, calendar=calendar)

    with time_machine.travel(START, tick=False) as now, desk.database.write() as session:
        start(session)
        assert list(clocks.due(session)) == []
        now.shift(3 * 86400)
        (row,) = clocks.due(session)
        assert clocks.ring(session, row) and not clocks.ring(session, row)
        assert list(clocks.due(session)) == []
        clocks.pause(session, subject[1], "term", calendar)
        session.expire_all()
        assert start(session).last_day == date(2026, 10, 3)
        now.shift(3 * 86400)
        assert [one.name for one in clocks.due(session)] == ["term"]


def test_a_day_that_an_administrator_takes_off_moves_the_end(desk: Desk) -> None:
    with time_machine.travel(START, tick=False):
        with desk.database.write() as session:
            session.add(CalendarDay(day=date(2026, 9, 29), working=False))
        filing = desk.open()
        desk.act(filing, "submit", "pass", "publish")
        assert desk.last_day(filing) == date(2026, 10, 12)


def confirming(desk: Desk) -> UUID:
    desk.declare(invented(ClockRule("publicity", NATURAL, 1)))
    with time_machine.travel("2026-11-10T10:00:00+08:00", tick=False):
        filing = desk.open()
        desk.act(filing, "submit", "pass", "publish")
    with time_machine.travel("2026-11-12T10:00:00+08:00", tick=False):
        assert desk.act(filing, "end") == "confirming"
    return filing


def test_a_step_opens_when_three_have_confirmed_and_none_of_them_counts_twice(desk: Desk) -> None:
    filing = confirming(desk)
    first, second, third, _ = desk.officers
    assert desk.act(filing, "confirm", by=first) == "confirming"
    assert (
        desk.act(filing, "confirm", by=first) == "confirming"
    )  # the same call again: a repetition, not a second voice
    assert desk.refused(filing, "confirm", by=first, comment="再次确认") == "already_confirmed"
    assert desk.act(filing, "confirm", by=second) == "confirming"
    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Confirmation)) == 2
    assert desk.act(filing, "confirm", by=third) == "valid"


def test_confirmations_count_anew_after_a_return(desk: Desk) -> None:
    filing = confirming(desk)
    first, second, third, _ = desk.officers
    for officer in (first, second):
        desk.act(filing, "confirm", by=officer)
    desk.act(filing, "return", "publish")
    with time_machine.travel("2027-01-04T10:00:00+08:00", tick=False):
        desk.act(filing, "end")
        assert desk.act(filing, "confirm", by=third) == "confirming"
        assert desk.act(filing, "confirm", by=first) == "confirming"
        assert desk.act(filing, "confirm", by=second) == "valid"


def outcome(call: Callable[[], Any]) -> Callable[[], str]:
    def run() -> str:
        try:
            call()
        except Problem as error:
            return error.code
        return "ok"

    return run


def test_confirmations_at_the_same_moment_move_the_filing_once(desk: Desk) -> None:
    for _ in range(5):
        filing = confirming(desk)
        calls = [outcome(partial(desk.act, filing, "confirm", by=officer)) for officer in desk.officers]
        outcomes = sorted(at_once(*calls))
        assert outcomes.count("ok") == 3 and set(outcomes) <= {"ok", "wrong_status", "stale_version"}
        assert desk.status(filing) == "valid"
        with desk.database.read() as session:
            rows = queries.history_of(session, session.get_one(Filing, filing))
        assert [row["action"] for row in rows].count("confirm") == 1


def test_one_person_who_confirms_three_times_at_once_counts_once(desk: Desk) -> None:
    filing = confirming(desk)
    officer = desk.officers[0]
    calls = [outcome(partial(desk.act, filing, "confirm", by=officer, comment=str(n))) for n in range(3)]
    assert sorted(at_once(*calls)) == ["already_confirmed", "already_confirmed", "ok"]
    assert desk.status(filing) == "confirming"


@pytest.mark.parametrize(("quantity", "wins"), [("1", 10), ("3", 3), ("2.5", 4), ("10", 1), ("10.001", 0)])
def test_a_counter_is_never_overdrawn_by_eight_who_draw_at_once(desk: Desk, quantity: str, wins: int) -> None:
    quota(desk, "10")
    model: Any = Quota

    def draw_twice() -> int:
        won = 0
        for _ in range(2):
            with desk.database.write() as session:
                won += counters.draw(session, model, "uses", Decimal(quantity), used="used", total="total")
        return won

    assert sum(at_once(*[draw_twice] * 8)) == wins
    assert used(desk) == wins * Decimal(quantity)


def test_what_is_given_back_can_be_drawn_again_and_no_more_than_was_drawn(desk: Desk) -> None:
    quota(desk, "10")
    model: Any = Quota
    with desk.database.write() as session:
        assert counters.draw(session, model, "uses", 10, used="used", total="total")
        assert not counters.draw(session, model, "uses", 1, used="used", total="total")
        assert not counters.give_back(session, model, "uses", 11, used="used")
        assert counters.give_back(session, model, "uses", 4, used="used")
        assert counters.draw(session, model, "uses", 4, used="used", total="total")
        assert not counters.draw(session, model, "nothing", 1, used="used", total="total")
        with pytest.raises(ValueError, match="give_back"):
            counters.draw(session, model, "uses", -1, used="used", total="total")
    assert used(desk) == 10


def valid(desk: Desk) -> UUID:
    filing = confirming(desk)
    with time_machine.travel("2026-11-12T12:00:00+08:00", tick=False):
        for officer in desk.officers[:3]:
            desk.act(filing, "confirm", by=officer)
    return filing


def test_a_step_whose_effect_draws_on_an_empty_counter_is_not_taken(desk: Desk) -> None:
    quota(desk, "2")
    filings = [valid(desk) for _ in range(4)]
    outcomes = at_once(*[outcome(partial(desk.act, filing, "use")) for filing in filings])
    assert sorted(outcomes) == ["ok", "ok", "too_early", "too_early"]
    assert used(desk) == 2
    for filing, ended in zip(filings, outcomes, strict=True):
        assert desk.status(filing) == ("used" if ended == "ok" else "valid")


def test_the_scheduler_lets_a_filing_expire_after_its_last_day_and_once(desk: Desk) -> None:
    filing = valid(desk)
    assert desk.last_day(filing, "validity") == date(2026, 12, 12)
    jobs = [Job("filing clocks", lambda session: ring_clocks(session, desk.engine))]
    scheduler = Scheduler(desk.database, jobs)
    with time_machine.travel("2026-12-12T23:59:00+08:00", tick=False) as now:
        assert scheduler.run_once() == {"filing clocks": 0}
        assert desk.status(filing) == "valid"
        now.shift(120)
        assert scheduler.run_once() == {"filing clocks": 1}
        assert desk.status(filing) == "expired"
        assert scheduler.run_once() == {"filing clocks": 0}
    with desk.database.read() as session:
        last = queries.history_of(session, session.get_one(Filing, filing))[-1]
        clocks_left = session.scalars(select(Clock.name).where(Clock.subject_id == filing)).all()
    assert (last["action"], last["from"], last["to"], last.get("actor")) == ("expire", "valid", "expired", None)
    assert clocks_left == []


def test_one_of_two_schedulers_holds_the_lease_until_it_runs_out(desk: Desk) -> None:
    ran: list[str] = []

    def note(name: str) -> Job:
        return Job("note", lambda session: len(ran.append(name) or ran))  # type: ignore[func-returns-value]

    one, other = Scheduler(desk.database, [note("one")]), Scheduler(desk.database, [note("other")])
    with time_machine.travel(START, tick=False) as now:
        assert one.run_once() and other.run_once() == {}
        now.shift(170)
        assert one.run_once() and other.run_once() == {}
        now.shift(170)
        assert other.run_once() == {}
        now.shift(20)
        assert other.run_once() and one.run_once() == {}
    assert ran == ["one", "one", "other"]


def test_a_job_that_fails_keeps_no_other_from_running(desk: Desk) -> None:
    def fail(_session: Any) -> int:
        raise KeyError("whatever")

    assert Scheduler(desk.database, [Job("broken", fail), Job("sound", lambda session: 7)]).run_once() == {"sound": 7}


def test_a_clock_whose_step_is_refused_keeps_no_other_waiting(desk: Desk) -> None:
    refused: set[UUID] = set()

    def guard(filing: Filing, _actor: Actor | None) -> None:
        if filing.id in refused:
            raise Problem("too_early")

    kind = invented(ClockRule("publicity", NATURAL, 1))
    guarded = [replace(step, guard=guard) if step.action == "expire" else step for step in kind.steps]
    stuck, free = valid(desk), valid(desk)
    desk.declare(invented(ClockRule("publicity", NATURAL, 1), steps=guarded))
    refused.add(stuck)
    with time_machine.travel("2026-12-20T10:00:00+08:00", tick=False):
        assert desk.ring() == 1
        assert (desk.status(stuck), desk.status(free)) == ("valid", "expired")
        refused.clear()
        assert desk.ring() == 1
        assert desk.status(stuck) == "expired"


def open_campaign(desk: Desk, **kwargs: Any) -> int:
    with desk.database.write() as session:
        in_county = session.scalars(select(Enterprise).where(Enterprise.area1 == "320000").order_by(Enterprise.uscc))
        kind = desk.engine.kinds.kinds["invented_campaign"]
        return open_for_all(session, desk.engine, kind, in_county.all(), actor=desk.officers[0], **kwargs)


def test_a_campaign_is_opened_for_all_that_match_a_filter_within_reach_and_never_twice(
    desk: Desk, parties: Parties
) -> None:
    desk.declare(campaign())
    due_on = date(2099, 1, 1)
    assert open_campaign(desk, title="虚构专项自查 2026", due_on=due_on) == 2  # the one in 南京 is beyond reach
    assert open_campaign(desk, title="虚构专项自查 2026", due_on=due_on) == 0
    mine = parties.enterprise.get("/filings?kind=invented_campaign").json["items"]
    assert [(row["title"], row["due_on"], row["status"]) for row in mine] == [
        ("虚构专项自查 2026", "2099-01-01", "to_fill")
    ]
    assert [todo["due_on"] for todo in parties.enterprise.get("/todos").json["items"]] == ["2099-01-01"]


def test_a_campaign_that_two_open_at_once_makes_no_doubles(desk: Desk) -> None:
    desk.declare(campaign())
    assert sum(at_once(*[lambda: open_campaign(desk)] * 4)) == 2
    with desk.database.read() as session:
        opened = select(func.count()).select_from(Filing).where(Filing.kind == "invented_campaign")
        assert session.scalar(opened) == 2
        assert session.scalar(select(func.count()).select_from(Todo).where(Todo.title.like("专项自查%"))) == 2


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
    kind = invented()
    steps = [
        FilingStep("open", "发起", None, "draft", ENTERPRISE),
        FilingStep("submit", "提交", "draft", "first", ENTERPRISE, sends=True,
                   effect=lambda engine, session, filing: act_by_system(session, engine, filing, "finish")),
        FilingStep("finish", "办结", "first", "expired", SYSTEM),
    ]  # fmt: skip
    statuses = {name: kind.statuses[name] for name in ("draft", "first", "expired")}
    desk.declare(
        invented(steps=steps, statuses=statuses, final=frozenset({"expired"}), editable=frozenset({"draft"}), todos={})
    )
    told: list[UUID] = []
    desk.engine.events.listen(FINISHED, lambda session, filing, kind: told.append(filing.id))
    filing = desk.open()
    assert desk.act(filing, "submit") == "expired"
    assert told == [filing]


OPEN, SEND = (
    FilingStep("open", "发起", None, "draft", ENTERPRISE),
    FilingStep("submit", "提交", "draft", "done", ENTERPRISE),
)
TWO = {"draft": "填写中", "done": "办结"}


def small(*steps: FilingStep, **changes: Any) -> FilingKind:
    declared: dict[str, Any] = {
        "code": "small", "title": "小", "form_code": "invented", "statuses": TWO, "steps": steps or (OPEN, SEND),
        "final": frozenset({"done"}), "editable": frozenset({"draft"}), "opened_by": "enterprise",
    }  # fmt: skip
    return FilingKind(**{**declared, **changes})


def step(**changes: Any) -> FilingStep:
    return replace(SEND, **changes)


RUNNING = ClockRule("term", NATURAL, 3)

BROKEN: dict[str, Callable[[], Any]] = {
    "unreachable status": lambda: small(statuses={**TWO, "lost": "失落"}),
    "a step that stands twice": lambda: small(OPEN, SEND, step(label="再提交")),
    "a step from an unknown status": lambda: small(OPEN, SEND, step(source="nowhere")),
    "a step to an unknown status": lambda: small(OPEN, SEND, step(action="go", target="nowhere")),
    "an unknown final status": lambda: small(final=frozenset({"over"})),
    "an unknown editable status": lambda: small(editable=frozenset({"writing"})),
    "a to-do for an unknown status": lambda: small(todos={"over": TodoRule("待办", "office")}),
    "a step back that nobody asks for": lambda: small(OPEN, SEND, FilingStep("back", "返回", "done", "«back»", OFFICE)),
    "a clock that nobody starts": lambda: small(OPEN, step(needs_over="term")),
    "a pause of an unknown clock": lambda: small(OPEN, step(pauses="term")),
    "a stop of an unknown clock": lambda: small(OPEN, step(stops="term")),
    "a clock that rings for no step": lambda: small(OPEN, step(starts=replace(RUNNING, rings="expire"))),
    "a clock that is declared twice": lambda: small(
        replace(OPEN, starts=RUNNING), step(starts=replace(RUNNING, days=4))
    ),
    "a clock in an unknown unit": lambda: small(OPEN, step(starts=replace(RUNNING, unit="week"))),
    "a clock that restarts in an unknown way": lambda: small(OPEN, step(starts=replace(RUNNING, on_restart="half"))),
    "a step that waits for nobody": lambda: small(OPEN, step(confirmations=0)),
    "no step that opens": lambda: small(SEND, statuses=TWO),
    "two steps that open": lambda: small(OPEN, SEND, replace(OPEN, action="begin")),
    "a category that stands twice": lambda: small(
        documents=[Document(Category("plan", "方案", frozenset({"template"})))] * 2
    ),
    "a document of an unknown purpose": lambda: small(
        documents=[Document(Category("plan", "方案", frozenset({"unknown"})))]
    ),
    "a kind that is declared twice": lambda: KindRegistry([small(), small()]),
}


def test_the_small_kind_itself_is_sound() -> None:
    assert KindRegistry([small()]).get("small") is not None


@pytest.mark.parametrize("declare", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_declaration_fails_when_it_is_loaded(declare: Callable[[], Any]) -> None:
    with pytest.raises((BrokenKind, BrokenWorkflow, ValueError)):
        declare()
