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
from core.deadlines import clocks
from core.deadlines.periods import DEADLINE, Period, amber_from
from core.deadlines.working_days import WorkingCalendar
from core.errors import Problem
from core.forms.sealing import opened
from enterprise.filings.content import data_place
from enterprise.filings.declarations import SYSTEM, Clock, Days, Move
from enterprise.filings.kinds import FilingKind
from enterprise.filings.models import Filing
from enterprise.filings.moves import after, as_it_will_be

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
    calendar = clocks.working_calendar(session, (filing.area1, filing.area2, filing.area3))
    for move in moves:
        _extend(kind, move, now, calendar)
        for declared in kind.clocks:
            _follow(declared, move.filing, move.step.source, now, calendar)
    if filing.status in kind.final:
        now = {name: period for name, period in now.items() if filing.status in _clock(kind, name).runs_in}
    return Plan(before, now, columns_of(kind, now, calendar))


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
    said = data.get(declared.starts_from) if declared.starts_from is not None else None
    period = Period(
        declared.name, declared.unit, days, declared.counting, declared.shift, declared.again,
        date.fromisoformat(said) if isinstance(said, str) else today,
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


def columns_of(kind: FilingKind, now: Mapping[str, Period], calendar: WorkingCalendar) -> dict[str, Any]:
    """The columns of the filing's due day: that of the earliest deadline which runs."""
    running = [one for one in now.values() if one.counting == DEADLINE and one.paused_on is None]
    if not running:
        return {} if kind.due_from is not None else {"due_on": None, "due_clock": None, "amber_on": None}
    first = min(running, key=lambda one: one.last_day)
    days = _clock(kind, first.name).amber_days
    amber = amber_from(first.last_day, first.unit, days, calendar) if days is not None else None
    return {"due_on": first.last_day, "due_clock": first.name, "amber_on": amber}


def _clock(kind: FilingKind, name: str) -> Clock:
    return next(declared for declared in kind.clocks if declared.name == name)


def as_it_stands(kind: FilingKind, filing: Filing, periods: Mapping[str, Period]) -> Filing:
    """The filing as it stands now, also where the job has not rung yet the clocks that are over: nothing is written."""
    for _ in range(_MOST):
        ringing = next((one for one in periods.values() if _is_over(one) and _rung(kind, one, filing)), None)
        action = _rung(kind, ringing, filing) if ringing is not None else None
        step = kind.step(action, filing.status) if action is not None else None
        if ringing is None or step is None:
            return filing
        over = {"finished_at": clock.now(), "opinion": None} if step.target in kind.final else {}
        filing = as_it_will_be(after(filing, step, {}), {**over, "due_on": None, "due_clock": None, "amber_on": None})
        periods = {name: one for name, one in periods.items() if one is not ringing}
    return filing


def over(kind: FilingKind, filing: Filing, periods: Mapping[str, Period]) -> str | None:
    """The step of the system for which a clock that is over waits; None where there is none."""
    return next((action for one in periods.values() if _is_over(one) and (action := _rung(kind, one, filing))), None)


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
        }
        for declared in kind.clocks
        if declared.name in periods
    ]
