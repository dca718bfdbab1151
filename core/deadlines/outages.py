"""Outages (系统故障) and the deadlines that they move.

Deadlines by which somebody has to send or answer something are moved, whether they were counted in natural or in
working days; publicity periods (公示) and other waiting periods are not, because nobody is kept from waiting. A
deadline of whose last day any part fell into an outage ends at 24:00 of the first working day after the day on which
the outage ended. (Assumed, after 民法典 203 and the practice of electronic filing: 届满日遇系统故障的，顺延至恢复后的
第一个工作日.) The day is always found from the one that held without outages, so that outages which overlap, or are
entered twice, do not count twice; where the new day falls into a further outage it moves on from there.

An administrator enters an outage, corrects and withdraws it; each of these is a move of its history. Open deadlines
are counted anew by `outage_recounts.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.deadlines import clocks
from core.deadlines.clocks import Deadline, Place
from core.deadlines.working_days import WorkingCalendar
from core.errors import Fault, Problem, not_found
from core.models import Outage
from core.text import clean_line, has_words
from core.workflows import history, idempotency
from core.workflows.versions import refuse_stale
from core.workflows.workflow import SYSTEM, Step, Workflow

ALL = "all"
SYSTEMS = {ALL: "全部", "filings": "企业办件", "ratings": "差评整改"}
"""What was out of order, by code."""

LONGEST = timedelta(days=31)
"""How long an outage may last at most: a longer one is more likely a slip of the pen."""
ANNOUNCED = timedelta(days=31)
"""How long before it begins a planned one (停机维护) may be entered."""
REMEMBERED = timedelta(days=366)
"""How long afterwards one may still be entered."""
LONGEST_REASON = 100
_STEP = timedelta(microseconds=1)

ENTERED, WITHDRAWN = "entered", "withdrawn"
OUTAGE = Workflow(
    "outage",
    Outage,
    {ENTERED: "已录入", WITHDRAWN: "已撤回"},
    # The gate of the route asks for the verb; the command line has no user.
    [
        Step("enter", None, ENTERED, SYSTEM),
        Step("correct", ENTERED, ENTERED, SYSTEM),
        Step("withdraw", ENTERED, WITHDRAWN, SYSTEM),
    ],
)
_NEWEST = newest_first("outages", Outage.starts_at, Outage.id)


NO_DUE: dict[str, Any] = {"due_on": None, "due_on_before_outage": None, "outage_reason": None}
"""The columns of a row without a deadline."""


def first_day(outage: Outage) -> date:
    """The local day on which it began."""
    return outage.starts_at.astimezone(clock.LOCAL).date()


def last_day(outage: Outage) -> date:
    """The local day on which it ended; one that ended at midnight ended on the day before."""
    return (outage.ends_at - _STEP).astimezone(clock.LOCAL).date()


def moved(day: date, outages: Sequence[Outage], calendar: WorkingCalendar) -> Deadline:
    """The rule itself: where outages that concern a deadline move it from the day that held without them."""
    due, reasons = day, list[str]()
    while struck := [one for one in outages if first_day(one) <= due <= last_day(one)]:
        reasons += [one.reason for one in struck if one.reason not in reasons]
        due = calendar.add_workdays(max(last_day(one) for one in struck), 1)
    return Deadline(due) if due == day else Deadline(due, calendar.guesses(day, due), day, "、".join(reasons)[:200])


def deadline(session: Session, system: str, place: Place, day: date) -> Deadline:
    """The deadline of that day in a system, at the office of that place (its chain of regions)."""
    outages = _concerning(session, system, place, day)
    return moved(day, outages, clocks.working_calendar(session, place)) if outages else Deadline(day)


class Deadlines:
    """The same for many at once, in one transaction: what was asked before is not asked again."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, Place, date], Deadline] = {}

    def deadline(self, system: str, place: Place, day: date) -> Deadline:
        """The deadline of that day."""
        asked = (system, tuple(place), day)
        if asked not in self._known:
            self._known[asked] = deadline(self._session, *asked)
        return self._known[asked]


def _concerning(session: Session, system: str, place: Place, day: date) -> Sequence[Outage]:
    """Outages in force that end on or behind a day, in that system and place, at most 200."""
    begins = datetime.combine(day, time(), clock.LOCAL)
    areas = ((Outage.area1, 0), (Outage.area2, 1), (Outage.area3, 2))
    here = (or_(column.is_(None), column == _at(place, depth)) for column, depth in areas)
    chosen = select(Outage).where(
        Outage.ends_at > begins, Outage.status == ENTERED, Outage.system.in_([ALL, system]), *here
    )
    return session.scalars(chosen.order_by(Outage.ends_at).limit(200)).all()


def _at(place: Place, depth: int) -> str | None:
    return place[depth] if depth < len(place) else None


def enter(session: Session, actor: Actor | None, outage_id: UUID, place: Place, body: Mapping[str, Any]) -> Outage:
    """Enter an outage, or correct it; a repetition returns it as it is now. `actor` None: the command line.

    `body`: `system`, `starts_at` and `ends_at` (instants), `reason`, and `version` to correct one. `place` is where it
    was; empty: everywhere. Raises 404 for one of another region, 403 for a place beyond the actor's own, 409
    `stale_version` or `wrong_status`, 422 with all faults.
    """
    found = session.get(Outage, outage_id, populate_existing=True)
    if found is not None and not may_change(actor, _place(found)):
        raise not_found()
    if not may_change(actor, place):
        raise Problem("forbidden", "只能录入本辖区的系统故障，请选择本辖区的行政区划")
    if actor is not None:
        key = idempotency.key(actor.user_id, "outages.enter", outage_id, {**body, "place": list(place)})
        if not idempotency.claim(session, key):
            return get(session, outage_id)
    values = _validated(body, place)
    now = clock.now()
    if found is None:
        recount = {"recount_from": values.pop("first"), "recount_until": values.pop("last")}
        row = {"id": outage_id, **values, **recount, **_NOT_RECOUNTED, "changed_at": now, "created_at": now}
        if not OUTAGE.enter(session, actor, "enter", row, _told(values)):
            raise Problem("id_taken")
    else:
        refuse_stale(found.version, body)
        window = _window(found, values.pop("first"), values.pop("last"))
        OUTAGE.move(
            session, actor, found, "correct", {**values, **window, "changed_at": now},
            {**_told(values), "former": _told({name: getattr(found, name) for name in values})},
        )  # fmt: skip
    return get(session, outage_id)


def withdraw(session: Session, actor: Actor | None, outage_id: UUID, body: Mapping[str, Any]) -> Outage:
    """Take back what was entered by mistake; deadlines go back to their own day, unless that is over already.

    `body`: `reason`, `version`. Raises 404, 409 `stale_version` or `wrong_status`, 422.
    """
    found = session.get(Outage, outage_id, populate_existing=True)
    if found is None or not may_change(actor, _place(found)):
        raise not_found()
    if actor is not None:
        if not idempotency.claim(session, idempotency.key(actor.user_id, "outages.withdraw", outage_id, body)):
            return get(session, outage_id)
        refuse_stale(found.version, body)
    reason, faults = _reason(body.get("reason"), "撤回的原因")
    if faults:
        raise Problem("invalid", errors=faults)
    values = {**_window(found, first_day(found), last_day(found)), "changed_at": clock.now()}
    OUTAGE.move(session, actor, found, "withdraw", values, {"comment": reason})
    return get(session, outage_id)


_NOT_RECOUNTED: dict[str, Any] = {"recount_after": "", "looked_at": 0, "moved": 0, "recounted_at": None}
SETTLING = timedelta(minutes=2)
"""How long after a change a further recount is due: a deadline set at that moment may not have known of it."""


def _window(found: Outage, first: date, last: date) -> dict[str, Any]:
    """The days whose deadlines are counted anew: those it struck until now, and those that it strikes from now on."""
    settled = found.recounted_at is not None and found.recounted_at >= found.changed_at + SETTLING
    before = () if settled else (found.recount_from, found.recount_until)
    days = [first, last, first_day(found), last_day(found), *before]
    return {**_NOT_RECOUNTED, "recount_from": min(days), "recount_until": max(days)}


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """What an outage says, for its history."""
    return {
        name: clock.rfc3339(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if name not in ("first", "last")
    }


def _validated(body: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The columns that a body gives, with the first and last local day; 422 with all faults."""
    starts, ends, now = body["starts_at"], body["ends_at"], clock.now()
    reason, faults = _reason(body.get("reason"), "系统故障的原因")
    if body["system"] not in SYSTEMS:
        faults.append(Fault("/system", "unknown_option", f"系统应为{'、'.join(SYSTEMS)}之一，请重新选择"))
    if ends <= starts:
        faults.append(Fault("/ends_at", "out_of_range", "结束时间应晚于开始时间，请核对"))
    elif ends - starts > LONGEST:
        faults.append(Fault("/ends_at", "out_of_range", f"一次故障最长{LONGEST.days}天，请核对；更长的请分次录入"))
    if starts - now > ANNOUNCED:
        faults.append(Fault("/starts_at", "out_of_range", f"最早可在开始前{ANNOUNCED.days}天录入，请核对开始时间"))
    if now - starts > REMEMBERED:
        faults.append(Fault("/starts_at", "out_of_range", "只能录入最近一年内的故障，请核对开始时间"))
    if faults:
        raise Problem("invalid", errors=faults)
    values = {
        "system": body["system"], "starts_at": starts, "ends_at": ends, "reason": reason,
        **dict(zip(("area1", "area2", "area3"), (*place, None, None, None), strict=False)),
    }  # fmt: skip
    asked = Outage(starts_at=starts, ends_at=ends)
    return {**values, "first": first_day(asked), "last": last_day(asked)}


def _reason(sent: Any, what: str) -> tuple[str, list[Fault]]:
    text = clean_line(sent) if isinstance(sent, str) else ""
    if not has_words(text):
        return text, [Fault("/reason", "required", f"请填写{what}")]
    if len(text) > LONGEST_REASON:
        return text, [Fault("/reason", "too_long", f"{what}不能超过{LONGEST_REASON}个字，请缩短后重试")]
    return text, []


def may_change(actor: Actor | None, place: Place) -> bool:
    """Whether an administrator may enter and change outages of a place; () is the whole country."""
    if actor is None or actor.scope.national:
        return True
    chain = tuple(code for code in place if code is not None)
    return bool(chain) and actor.scope.contains(*chain)


def _place(outage: Outage) -> Place:
    return (outage.area1, outage.area2, outage.area3)


def get(session: Session, outage_id: UUID) -> Outage:
    """An outage as it stands now; 404 when there is none."""
    found = session.get(Outage, outage_id, populate_existing=True)
    if found is None:
        raise not_found()
    return found


def get_readable(session: Session, actor: Actor, outage_id: UUID) -> Outage:
    """The same for who administers its region, or a region that it concerns; 404 else."""
    found = session.scalar(select(Outage).where(Outage.id == outage_id, *_readable(actor)))
    if found is None:
        raise not_found()
    return found


def listed(session: Session, actor: Actor | None, request: PageRequest) -> Page:
    """A page of outages, the latest first: those of the own regions and those that concern the whole country."""
    return fetch(session, select(Outage), _NEWEST, request, *_readable(actor))


def _readable(actor: Actor | None) -> list[ColumnElement[bool]]:
    if actor is None or actor.scope.national:
        return []
    return [or_(actor.scope.condition(Outage), Outage.area1.is_(None))]


def as_json(actor: Actor | None, outage: Outage) -> dict[str, Any]:
    """An outage as administrators read it, with how far open deadlines have been counted anew."""
    own = outage.status == ENTERED and may_change(actor, _place(outage))
    return {
        "id": str(outage.id),
        "system": outage.system,
        "system_label": SYSTEMS[outage.system],
        "region": outage.area3 or outage.area2 or outage.area1,
        "starts_at": clock.rfc3339(outage.starts_at),
        "ends_at": clock.rfc3339(outage.ends_at),
        "reason": outage.reason,
        "status": outage.status,
        "status_label": OUTAGE.statuses[outage.status],
        "version": outage.version,
        "looked_at": outage.looked_at,
        "moved": outage.moved,
        "recounted_at": clock.rfc3339(outage.recounted_at) if outage.recounted_at else None,
        "actions": OUTAGE.actions(outage.status, frozenset([SYSTEM])) if own else [],
    }


def history_of(session: Session, outage: Outage) -> list[dict[str, Any]]:
    """The moves of an outage, the newest 200, oldest first."""
    return history.read(session, outage.id)
