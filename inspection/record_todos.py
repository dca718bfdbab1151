"""To-dos (待办) of field records: disposals under way, enterprises that refused, spot checks that failed.

A disposal is closed by its own record. A refusal (企业拒绝检查) and a failed spot check (监督抽查不合格) are followed
up by another record of the same enterprise and product, of any office above or below. Which of them are open is worked
out anew from the records each time, so that a correction or voiding of the record that followed up opens them again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import Table, bindparam, or_, select
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core import clock
from core.database.prepared import Prepared
from core.workflows import todos
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import AREAS, Inspection
from inspection.records.content import subject_of
from inspection.statistics.models import EnterpriseTally
from inspection.statistics.tallies import TallyKey, key_of
from inspection.workflows import SUBMITTED

TODO_DISPOSAL, TODO_REFUSED, TODO_FAILED = "disposal_in_progress", "inspection_refused", "spot_check_failed"
MOST_AT_ONCE = 100
"""The newest records of one enterprise and product are looked at; the to-dos of older ones stay as they are."""

_I, _T = cast(Table, Inspection.__table__).c, cast(Table, EnterpriseTally.__table__).c
_OF_ENTERPRISE = (
    _I.tally_id == _T.id,
    _T.org_key == bindparam("org_key"),
    _T.product_code == bindparam("product_code"),
    _I.status == SUBMITTED,
)
_COMPARED = (_I.record_type, _I.unable, _I.conclusion, _I.check_date, _I.submitted_at, _I.area1, _I.area2, _I.area3)
_RAISED = Prepared(
    select(_I.id, _I.office_id, _I.org_name, _I.data, *_COMPARED)
    .where(*_OF_ENTERPRISE, or_(_T.unable > 0, _T.failed > 0), or_(_I.unable, _I.conclusion == "fail"))
    .order_by(_I.submitted_at.desc(), _I.id)
    .limit(MOST_AT_ONCE)
)
_SINCE = Prepared(
    select(*_COMPARED)
    .where(
        *_OF_ENTERPRISE,
        _I.check_date >= bindparam("since"),
        or_(_I.conclusion == "pass", (_I.record_type == CHECK) & ~_I.unable),
    )
    .order_by(_I.check_date.desc())
    .limit(1000)
)


def was_refused(record: Any) -> bool:
    """Whether the enterprise refused to be checked (企业拒绝检查)."""
    return bool(record.unable) and record.data.get("unable_reason") == "refused"


def has_failed(record: Any) -> bool:
    """Whether it is a spot check with the conclusion 不合格."""
    return bool(record.conclusion == "fail")


def _carried_out(record: Any) -> bool:
    return record.record_type == CHECK and not record.unable


def _followed_up(record: Any) -> bool:
    """Whether it is a check that was carried out, or another sample that passed."""
    return _carried_out(record) or (record.record_type == SPOT_CHECK and record.conclusion == "pass")


def _day_known(record: Any) -> date:
    """The day from which a failed sample can be followed up: that of the report, or of the submission."""
    reported = record.data.get("report_date")
    if isinstance(reported, str):
        return date.fromisoformat(reported)
    return cast(date, record.submitted_at.astimezone(clock.LOCAL).date())


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A to-do that a record raises; a record of that day (`since`) or later answers it."""

    kind: str
    title: str
    raised_by: Callable[[Any], bool]
    answered_by: Callable[[Any], bool]
    since: Callable[[Any], date]
    urgent: bool = False


def _day_checked(record: Any) -> date:
    return cast(date, record.check_date)


FOLLOW_UPS = (
    FollowUp(TODO_REFUSED, "企业拒绝检查", was_refused, _carried_out, _day_checked, urgent=True),
    FollowUp(TODO_FAILED, "监督抽查不合格，待后续处理", has_failed, _followed_up, _day_known),
)


def open_and_close(session: Session, record: Inspection) -> None:
    """Open what a submitted record asks for, and close what it answers."""
    if record.disposal_state == "in_progress":
        todos.open_for_office(
            session, TODO_DISPOSAL, f"待完成处置：{record.org_name}", subject_of(record.record_type, record.id),
            verb=Verb.INSPECTION_WRITE, office_id=record.office_id,
        )  # fmt: skip
    update_follow_ups(session, key_of(record))


def update_after_correction(session: Session, record: Inspection, before: TallyKey) -> None:
    """The same for a record that was corrected; `before` is where it counted until then."""
    if record.disposal_state != "in_progress":
        todos.close(session, record.id, TODO_DISPOSAL)
    for follow_up in FOLLOW_UPS:
        if not follow_up.raised_by(record):
            todos.close(session, record.id, follow_up.kind)
    open_and_close(session, record)
    now = key_of(record)
    if (now.org_key, now.product_code) != (before.org_key, before.product_code):
        update_follow_ups(session, before)


def update_follow_ups(session: Session, key: TallyKey) -> None:
    """Open or close the follow-ups of an enterprise and product, of whichever office."""
    about = {"org_key": key.org_key, "product_code": key.product_code}
    raised = [
        (follow_up, row) for row in _RAISED.rows(session, about) for follow_up in FOLLOW_UPS if follow_up.raised_by(row)
    ]
    if not raised:
        return
    later = _SINCE.rows(session, {**about, "since": min(follow_up.since(row) for follow_up, row in raised)})
    for follow_up, row in raised:
        if any(follow_up.answered_by(other) and _is_later(follow_up, row, other) for other in later):
            todos.close(session, row.id, follow_up.kind)
        else:
            todos.open_for_office(
                session, follow_up.kind, f"{follow_up.title}：{row.org_name}", subject_of(row.record_type, row.id),
                verb=Verb.INSPECTION_WRITE, office_id=row.office_id, urgent=follow_up.urgent,
            )  # fmt: skip


def _is_later(follow_up: FollowUp, raised: Any, other: Any) -> bool:
    """Whether another record is later (on one day: submitted later) and of an office above or below, or the same."""
    after = (follow_up.since(raised), raised.submitted_at) < (other.check_date, other.submitted_at)
    pairs = ((getattr(raised, area), getattr(other, area)) for area in AREAS)
    return after and all(one is None or two is None or one == two for one, two in pairs)
