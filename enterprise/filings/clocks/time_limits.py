"""The clocks (时限) of a filing: what becomes of them when it moves, the due day that they give it, and its true state.

They are planned before the filing is written, so that its due day is written with it, and written after it: whoever
changes a filing and its clocks locks the filing first.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.deadlines import clocks, outages
from core.deadlines.outages import NO_DUE
from core.deadlines.periods import DEADLINE, Period, amber_from
from core.deadlines.working_days import WorkingCalendar
from core.errors import Problem
from core.forms.sealing import opened
from enterprise.filings.content import as_date, data_place
from enterprise.filings.declaring.declarations import APPLICANT, SYSTEM, Clock, Days, Move
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing
from enterprise.filings.moves import after, as_it_will_be

SYSTEM_OF_OUTAGES = "filings"
"""The system of an outage (系统故障) that moves due days of filings."""
_MOST = 10
"""Clocks that may ring one after the other while somebody reads."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The clocks of a filing before it moves, and as they will be."""

    before: Mapping[str, Period]
    now: Mapping[str, Period]
    columns: Mapping[str, Any]

    def write(self, session: Session, filing_id: UUID) -> None:
        """Write them; the filing was written before."""
        clocks.write(session, ("filing", filing_id), self.before, self.now)


def plan(session: Session, kind: FilingKind, moves: Sequence[Move]) -> Plan | None:
    """What becomes of the clocks by these moves, each of which has left the status from which its step leads.

    None for a kind without clocks. 409 `wrong_status` for an extension of a clock that does not run, or was extended.
    """
    if not kind.clocks:
        return None
    filing = moves[-1].filing
    before = clocks.of(session, [filing.id]).get(filing.id, {})
    now = {name: copy(period) for name, period in before.items()}
    calendar = clocks.working_calendar(session, place_of(filing))
    for move in moves:
        _extend(kind, move, now, calendar)
        for declared in kind.clocks:
            _follow(declared, move.filing, move.step.source, now, calendar)
    if filing.status in kind.final:
        now = {name: period for name, period in now.items() if filing.status in _clock(kind, name).runs_in}
    for name, period in now.items():
        if period != before.get(name):
            move_by_outages(session, filing, period)
    return Plan(before, now, columns_of(session, kind, filing, now, calendar))


def move_by_outages(session: Session, filing: Filing, period: Period) -> None:
    """Move a deadline that was just counted to where outages (系统故障) put it; waiting periods stay."""
    if period.counting != DEADLINE or period.paused_on is not None:
        return
    found = outages.deadline(session, SYSTEM_OF_OUTAGES, place_of(filing), period.last_day)
    period.last_day, period.before_outage, period.outage_reason = found.day, found.before_outage, found.outage_reason
    period.last_day_provisional = period.last_day_provisional or found.provisional


def place_of(filing: Filing) -> clocks.Place:
    """The regions of the office that handles it, whose holidays and outages count."""
    return (filing.area1, filing.area2, filing.area3)


def _follow(
    declared: Clock, filing: Filing, left: str | None, now: dict[str, Period], calendar: WorkingCalendar
) -> None:
    """Let one clock follow its filing from the status `left` to where it stands."""
    runs, pauses = filing.status in declared.runs_in, filing.status in declared.pauses_in
    today = clock.today()
    if runs and left not in declared.runs_in:
        period = now.get(declared.name)
        if period is None:
            now[declared.name] = _begin(declared, filing, today, calendar)
        else:
            period.go_on(today, calendar)
    elif pauses and declared.name in now:
        now[declared.name].pause(today, calendar)
    elif not runs and not pauses:
        now.pop(declared.name, None)


def _begin(declared: Clock, filing: Filing, today: date, calendar: WorkingCalendar) -> Period:
    data = opened(filing.data, data_place(filing.id))
    days = declared.days.of(data) if isinstance(declared.days, Days) else declared.days
    said = as_date(data.get(declared.starts_from)) if declared.starts_from is not None else None
    period = Period(
        declared.name, declared.unit, days, declared.counting, declared.shift, declared.again, said or today,
    )  # fmt: skip
    period.count(calendar)
    return period


def _extend(kind: FilingKind, move: Move, now: Mapping[str, Period], calendar: WorkingCalendar) -> None:
    if move.step.extends is None:
        return
    name, number = move.step.extends
    period = now.get(name)
    if period is None or period.extensions:
        said = "期限已延长过，不能再次延长" if period is not None else "该期限现在没有计算，不能延长"
        raise Problem("wrong_status", said, current_status=move.filing.status)
    period.extend(number, calendar)


def columns_of(
    session: Session, kind: FilingKind, filing: Filing, now: Mapping[str, Period], calendar: WorkingCalendar
) -> dict[str, Any]:
    """The columns of the filing's due day: that of the earliest deadline which runs, or of its data (`due_from`).

    The day in the data counts while it is the applicant's turn, and where no clock runs.
    """
    if kind.due_from is not None and not kind.has_deadlines:
        return {}
    running = [one for one in now.values() if one.counting == DEADLINE and one.paused_on is None]
    first = min(running, key=lambda one: one.last_day, default=None)
    by_data = _day_of_data(session, kind, filing)
    applicants = APPLICANT in kind.status(filing.status).turns
    if by_data is not None and (first is None or (applicants and by_data["due_on"] < first.last_day)):
        return {**by_data, "due_clock": None, "amber_on": None}
    if first is None:
        return {**NO_DUE, "due_clock": None, "amber_on": None}
    days = _clock(kind, first.name).amber_days
    amber = amber_from(first.last_day, first.unit, days, calendar) if days is not None else None
    moved = {"due_on_before_outage": first.before_outage, "outage_reason": first.outage_reason}
    return {"due_on": first.last_day, "due_clock": first.name, "amber_on": amber, **moved}


def due_columns(session: Session, kind: FilingKind, filing: Filing) -> dict[str, Any]:
    """The same of a filing whose data has changed; empty where no clock has a part in it."""
    if not kind.has_deadlines:
        return {}
    periods = clocks.of(session, [filing.id]).get(filing.id, {})
    return columns_of(session, kind, filing, periods, clocks.working_calendar(session, place_of(filing)))


def _day_of_data(session: Session, kind: FilingKind, filing: Filing) -> dict[str, Any] | None:
    said = as_date(filing.data.get(kind.due_from)) if kind.due_from is not None else None
    if said is None:
        return None
    return outages.deadline(session, SYSTEM_OF_OUTAGES, place_of(filing), said).columns()


def _clock(kind: FilingKind, name: str) -> Clock:
    return next(declared for declared in kind.clocks if declared.name == name)


def as_it_stands(kind: FilingKind, filing: Filing, periods: Mapping[str, Period]) -> Filing:
    """The filing as it stands now, also where the job has not rung yet the clocks that are over: nothing is written."""
    for _ in range(_MOST):
        ringing = _first_over(kind, filing, periods)
        action = _rung(kind, ringing, filing) if ringing is not None else None
        step = kind.step(action, filing.status) if action is not None else None
        if ringing is None or step is None:
            return filing
        over = {"finished_at": clock.now(), "opinion": None} if step.target in kind.final else {}
        filing = as_it_will_be(after(filing, step, {}), {**over, **NO_DUE, "due_clock": None, "amber_on": None})
        periods = {name: one for name, one in periods.items() if one is not ringing}
    return filing


def over(kind: FilingKind, filing: Filing, periods: Mapping[str, Period]) -> str | None:
    """The step of the system for which a clock that is over waits; None where there is none."""
    first = _first_over(kind, filing, periods)
    return _rung(kind, first, filing) if first is not None else None


def _first_over(kind: FilingKind, filing: Filing, periods: Mapping[str, Period]) -> Period | None:
    """The clock that is over and rings where the filing stands; of several that whose day was the first, as the job
    rings them."""
    waiting = [one for one in periods.values() if _is_over(one) and _rung(kind, one, filing)]
    return min(waiting, key=lambda one: one.last_day, default=None)


def _is_over(period: Period) -> bool:
    return period.paused_on is None and period.rung_at is None and period.last_day < clock.today()


def _rung(kind: FilingKind, period: Period, filing: Filing) -> str | None:
    action = _clock(kind, period.name).rings if any(one.name == period.name for one in kind.clocks) else None
    step = kind.step(action, filing.status) if action is not None else None
    return action if step is not None and SYSTEM in step.takers else None


def answers(kind: FilingKind, periods: Mapping[str, Period]) -> list[dict[str, Any]]:
    """The clocks of a filing, as they are answered, in the order in which they were declared."""
    return [
        {
            "name": declared.name,
            "label": declared.label,
            "counting": declared.counting,
            "due_on": periods[declared.name].due_on.isoformat(),
            "provisional": periods[declared.name].last_day_provisional,
            "paused": periods[declared.name].paused_on is not None,
            "due_on_note": _note(periods[declared.name]),
        }
        for declared in kind.clocks
        if declared.name in periods
    ]


def _note(period: Period) -> str | None:
    """Why its day is another than was said before; None for any other."""
    if period.before_outage is None:
        return None
    before, day = period.before_outage.isoformat(), period.last_day.isoformat()
    return f"因系统故障（{period.outage_reason}）由{before}顺延至{day}"
