"""Rating (评价): judged in one order, stored in the caller's transaction together with its gate and figures.

Unknown code → 404; the same form posted again → the rating that is there; used → 409; disabled, expired → 410;
 faulty → 422; the number has rated already → 429; too many from one address → what the caller's brake answers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import Table, bindparam, exists, select
from sqlalchemy.orm import Session

from accounts.models import User, UserSession
from core import clock, privacy
from core.actor import Actor
from core.database.prepared import Prepared
from core.deadlines import clocks
from core.errors import Fault, Problem
from core.workflows import todos
from feedback import integrity
from feedback.codes.kinds import PER_MATTER, channel_of
from feedback.codes.operations import TODO as CODE_TODO
from feedback.codes.operations import is_token
from feedback.follow_ups.rows import NEW, open_follow_up
from feedback.models import Rating, RatingCode
from feedback.ratings import freed_numbers, gates
from feedback.ratings.gates import RatingRules
from feedback.ratings.masking import mask
from feedback.ratings.publication import first_publicity
from feedback.ratings.query_codes import query_code, query_key
from feedback.ratings.sent import Fields, Sent, read
from feedback.statistics import counts as figures
from feedback.workflows import ACTIVE, CODE, DISABLED, EXPIRED, RATING, USED

DUE_DAYS = 5
"""Working days in which a bad rating is answered, unless 限期整改 makes them longer (spec/b_rating §4)."""

_codes, _ratings = cast(Table, RatingCode.__table__), cast(Table, Rating.__table__)
_sessions, _users = cast(Table, UserSession.__table__), cast(Table, User.__table__)

_LOOK = Prepared(
    select(
        _codes.c.id, _codes.c.kind, _codes.c.status, _codes.c.version, _codes.c.valid_to, _codes.c.filing_id,
        _codes.c.matter_name, _codes.c.office_id, _codes.c.area1, _codes.c.area2, _codes.c.area3,
        select(_ratings.c.id).where(_ratings.c.submission_key == bindparam("submission")).scalar_subquery()
        .label("rated"),
        exists(
            select(_sessions.c.id)
            .select_from(
                _sessions.join(_users, _users.c.id == _sessions.c.user_id)
            )
            .where(
                # Of the very office that is rated: others at a shared address say nothing.
                _users.c.office_id == _codes.c.office_id,
                _sessions.c.address == bindparam("address"),
                _sessions.c.last_seen_at >= bindparam("since", type_=_sessions.c.last_seen_at.type),
                _sessions.c.ended_at.is_(None),
            )
            .correlate(_codes)
        ).label("from_staff"),
    ).where(_codes.c.token == bindparam("token"))
)  # fmt: skip
_REPEATED = Prepared(select(_ratings.c.id).where(_ratings.c.submission_key == bindparam("submission")))


@dataclass(frozen=True, slots=True)
class Rated:
    """An accepted rating; `new` is False for the same form posted again."""

    id: UUID
    query_code: str
    new: bool


def judge(session: Session, token: str, sent: Sent) -> tuple[Any, Rated | None]:
    """All that can be refused before the number is looked at: the code, and the rating of a form posted again.

    For callers who prove the number first: a form that is faulty or sent again costs no SMS code.
    """
    fields, faults = read(sent)
    return _judged(session, token, fields, faults)


def form_key(token: str, sent: Sent) -> str | None:
    """What a faultless form is recognised by when it is posted again; None without its id."""
    fields, _ = read(sent)
    return fields.key(token) if fields is not None else None


def rate(
    session: Session,
    rules: RatingRules,
    token: str,
    sent: Sent,
    *,
    address: str,
    user_agent: str,
    verified: bool = False,
    brake: Callable[[UUID], None] | None = None,
    actor: Actor | None = None,
) -> Rated:
    """Accept a rating. `brake` is asked with the code once the number may rate, and raises to refuse the address.

    A single-use code (一事一评) has no brake: its link was given to one person.

    `actor` is an enterprise's user, if one is signed in. Staff rate for nobody: 403.
    """
    if actor is not None and actor.enterprise_id is None:
        raise Problem("forbidden", "工作人员不能代替办事群众或企业评价")
    fields, faults = read(sent)
    rating_id, given = uuid4(), {}
    shown_code = query_code(rating_id)
    if fields is not None:
        # All that needs no database stands before the first statement: on SQLite others wait from there on.
        given = {
            **_columns(fields, rules), "id": rating_id, "query_key": query_key(shown_code),
            "submission_key": fields.key(token), "address_key": privacy.keyed_hash("rating address", address),
            "user_agent": user_agent[:200], "phone_verified": verified,
        }  # fmt: skip
    code, rated = _judged(session, token, fields, faults, address, clock.now() - rules.staff_within)
    if rated is not None:
        return rated
    assert fields is not None
    now, submission = clock.now(), given["submission_key"]
    gate = gates.key(rules, fields.mobile, code.kind, code.id)
    if not gates.take(session, gate, rules, now) and not _is_freed(session, gate, rules, fields.mobile, now):
        # The same form, sent at the same moment, may have been accepted meanwhile.
        twin = _REPEATED.first(session, {"submission": submission}) if submission else None
        if twin is not None:
            return Rated(twin.id, query_code(twin.id), new=False)
        raise gates.refusal(session, gate, rules, now)
    if code.kind == PER_MATTER:
        _use(session, actor, code)
    elif brake is not None:
        brake(code.id)
    _store(session, actor, code, fields, {**given, "submitted_at": now, "from_staff_address": bool(code.from_staff)})
    return Rated(rating_id, shown_code, new=True)


def _is_freed(session: Session, gate: str, rules: RatingRules, mobile: str, now: datetime) -> bool:
    """Pass a closed gate of a number that an office has freed since it was closed."""
    freed_at = freed_numbers.last_freed(session, mobile)
    return freed_at is not None and gates.take(session, gate, rules, now, freed_at)


def _columns(fields: Fields, rules: RatingRules) -> dict[str, Any]:
    return {
        # Who rates anonymously (匿名) is asked for no name, and one that was typed all the same is not kept.
        "rater_name": fields.rater_name if fields.real_name else "",
        "mobile": fields.mobile, "mobile_tail": fields.mobile[-4:],
        "level": fields.level, "tags": list(fields.tags), "comment": fields.comment, "real_name": fields.real_name,
        "publicity": first_publicity(rules, fields.level, fields.comment),
        "public_comment": mask(fields.comment, fields.rater_name) if fields.comment else None,
    }  # fmt: skip


def _judged(
    session: Session, token: str, fields: Fields | None, faults: list[Fault], address: str = "",
    since: datetime | None = None,
) -> tuple[Any, Rated | None]:  # fmt: skip
    key = fields.key(token) if fields is not None else None
    look = {"submission": key or "", "address": address[:45], "since": since or clock.now(), "token": token}
    code = _LOOK.first(session, look) if is_token(token) else None
    if code is None:
        raise Problem("unknown_code")
    if code.rated is not None:
        return code, Rated(code.rated, query_code(code.rated), new=False)
    refuse_closed(code)
    if faults:
        raise Problem("invalid", errors=faults)
    return code, None


def refuse_closed(code: Any) -> None:
    """Raise what a code that cannot be rated (any more) answers: 409 `already_rated`, 410, 404."""
    if code.status == USED:
        raise Problem("already_rated")
    if code.status == DISABLED:
        raise Problem("code_disabled")
    if code.status == EXPIRED or (code.valid_to is not None and code.valid_to < clock.today()):
        raise Problem("code_expired")
    if code.status != ACTIVE:
        raise Problem("unknown_code")


def _use(session: Session, actor: Actor | None, code: Any) -> None:
    """一事一评: of several who rate at once one is accepted."""
    try:
        CODE.move(session, actor, code, "use")
    except Problem:
        refuse_closed(session.execute(select(_codes).where(_codes.c.id == code.id)).one())
        raise
    if code.filing_id is not None:
        todos.close(session, code.id, CODE_TODO)


def _store(session: Session, actor: Actor | None, code: Any, fields: Fields, given: dict[str, Any]) -> None:
    bad, today, channel = fields.bad, clock.today(), channel_of(code.kind, code.filing_id)
    place = (code.area1, code.area2, code.area3)
    due = clocks.working_deadline(session, place, today, DUE_DAYS) if bad else None
    values = {
        **given, "code_id": code.id, "channel": channel, "office_id": code.office_id, "area1": code.area1,
        "area2": code.area2, "area3": code.area3,
        "due_on": due.day if due else None, "due_on_provisional": due is not None and due.provisional,
        "closed_at": None if bad else given["submitted_at"],
    }  # fmt: skip
    action = "open" if bad else "count"
    first = {**values, "status": RATING.step(action, None, actor).target, "version": 1}
    payload = {
        "level": fields.level, "tags": list(fields.tags), "channel": channel, "content": integrity.rated(first),
        "standing": integrity.standing(first, NEW if bad else None),
    }  # fmt: skip
    RATING.enter(session, actor, action, values, payload)
    change = figures.of_rating(
        fields.level, real_name=fields.real_name, from_staff=given["from_staff_address"], tags=fields.tags
    )
    figures.append(session, figures.place_of(code, channel, today), change)
    if due is not None:
        open_follow_up(session, given["id"], code.office_id, code.matter_name, due)
