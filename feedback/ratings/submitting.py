"""A rating (评价) is submitted: found, validated, limited and stored, in the caller's transaction.

In this order: code (404 `unknown_code`) → repetition (the rating that is there) → code that is used up (409), disabled
or expired (410) → faulty fields (422) → window of the number (429) → address limits of the caller (`admit`) → store
with history → figures → follow-up with its to-do.
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
from core.errors import Problem
from core.workflows import todos
from feedback import integrity
from feedback.codes.kinds import PER_MATTER, channel_of
from feedback.codes.operations import TODO_KIND as CODE_TODO_KIND
from feedback.codes.operations import is_token
from feedback.follow_ups.deadlines import columns, deadline
from feedback.follow_ups.rows import NEW, open_follow_up
from feedback.models import Rating, RatingCode
from feedback.ratings import rating_window
from feedback.ratings.fields import Fields, Form
from feedback.ratings.freed_numbers import last_freed
from feedback.ratings.masking import mask
from feedback.ratings.publication import first_publicity
from feedback.ratings.query_codes import query_code, query_key
from feedback.ratings.rating_window import RatingRules
from feedback.statistics import counts as figures
from feedback.workflows import ACTIVE, CODE, DISABLED, EXPIRED, RATING, USED

_codes, _ratings = cast(Table, RatingCode.__table__), cast(Table, Rating.__table__)
_sessions, _users = cast(Table, UserSession.__table__), cast(Table, User.__table__)

_FIND = Prepared(
    select(
        _codes.c.id, _codes.c.kind, _codes.c.status, _codes.c.version, _codes.c.valid_to, _codes.c.filing_id,
        _codes.c.matter_name, _codes.c.office_id, _codes.c.area1, _codes.c.area2, _codes.c.area3,
        select(_ratings.c.id).where(_ratings.c.submission_key == bindparam("submission")).scalar_subquery()
        .label("repeated"),
        exists(
            select(_sessions.c.id)
            .select_from(
                _sessions.join(_users, _users.c.id == _sessions.c.user_id)
            )
            .where(
                # Only of the office that is rated: other offices at a shared address prove nothing.
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
class Submitted:
    """An accepted rating; `new` is False for the same form posted again."""

    id: UUID
    query_code: str
    new: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """From where a form was posted: address and browser; `verified`: the number was proved by an SMS code.

    `actor` is an enterprise's user, if one is signed in.
    """

    address: str
    user_agent: str
    verified: bool = False
    actor: Actor | None = None


def submit(
    session: Session, rules: RatingRules, form: Form, sender: Sender, admit: Callable[[UUID], None] | None = None
) -> Submitted:
    """Accept a rating. Staff rate for nobody: 403.

    `admit` is called with the code's id once the number may rate, and raises to refuse the address. It is not called
    for a single-use code (一事一评): its link was given to one person.
    """
    if sender.actor is not None and sender.actor.enterprise_id is None:
        raise Problem("forbidden", "工作人员不能代替办事群众或企业评价")
    rating_id = uuid4()
    shown_code = query_code(rating_id)
    # All that needs no database stands before the first statement: on SQLite others wait from there on.
    values = _columns(form, rules, sender) if form.fields is not None else {}

    code, repeated = find(session, form, sender.address, clock.now() - rules.staff_within)
    if repeated is not None:
        return repeated
    assert form.fields is not None
    now = clock.now()
    window = rating_window.key(rules, form.fields.mobile, code.kind, code.id)
    if not _start_window(session, rules, window, form.fields.mobile, now):
        # The same form, posted at the same moment, may have been accepted meanwhile.
        twin = _REPEATED.first(session, {"submission": form.key}) if form.key else None
        if twin is not None:
            return Submitted(twin.id, query_code(twin.id), new=False)
        raise rating_window.refusal(session, window, rules, now)
    if code.kind == PER_MATTER:
        _use_up(session, sender.actor, code)
    elif admit is not None:
        admit(code.id)

    values |= {"id": rating_id, "query_key": query_key(shown_code), "submitted_at": now}
    _store(session, sender.actor, code, form.fields, values)
    return Submitted(rating_id, shown_code, new=True)


def find(
    session: Session, form: Form, address: str = "", since: datetime | None = None
) -> tuple[Any, Submitted | None]:
    """The code of a form, and the rating if the same form was accepted before; raises what can be refused
    without asking for the limits of numbers and addresses: a closed code, a faulty form.

    Callers who prove the number ask this first, so that a form that is faulty or posted again costs no SMS code.
    `since`: staff of the rated office that were active at the address since then are found too (`from_staff`).
    """
    values = {"submission": form.key or "", "address": address[:45], "since": since or clock.now(), "token": form.token}
    code = _FIND.first(session, values) if is_token(form.token) else None
    if code is None:
        raise Problem("unknown_code")
    if code.repeated is not None:
        return code, Submitted(code.repeated, query_code(code.repeated), new=False)
    refuse_closed(code)
    if form.faults:
        raise Problem("invalid", errors=form.faults)
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


def _start_window(session: Session, rules: RatingRules, window: str, mobile: str, now: datetime) -> bool:
    """Start the window of a number; one that is not over yet yields where an office freed the number since."""
    if rating_window.start(session, window, rules.window, now):
        return True
    freed_at = last_freed(session, mobile)
    return freed_at is not None and rating_window.start(session, window, rules.window, now, freed_at)


def _use_up(session: Session, actor: Actor | None, code: Any) -> None:
    """一事一评: of several who rate at once one is accepted."""
    try:
        CODE.move(session, actor, code, "use")
    except Problem:
        refuse_closed(session.execute(select(_codes).where(_codes.c.id == code.id)).one())
        raise
    if code.filing_id is not None:
        todos.close(session, code.id, CODE_TODO_KIND)


def _columns(form: Form, rules: RatingRules, sender: Sender) -> dict[str, Any]:
    """The columns of a rating that follow from its form and sender alone."""
    fields = form.fields
    assert fields is not None
    return {
        # Who rates anonymously (匿名) is asked for no name, and one that was typed all the same is not kept.
        "rater_name": fields.rater_name if fields.real_name else "",
        "mobile": fields.mobile, "mobile_tail": fields.mobile[-4:],
        "level": fields.level, "tags": list(fields.tags), "comment": fields.comment, "real_name": fields.real_name,
        "publicity": first_publicity(rules, fields.level, fields.comment),
        "public_comment": mask(fields.comment, fields.rater_name) if fields.comment else None,
        "submission_key": form.key, "address_key": privacy.keyed_hash("rating address", sender.address),
        "user_agent": sender.user_agent[:200], "phone_verified": sender.verified,
    }  # fmt: skip


def _store(session: Session, actor: Actor | None, code: Any, fields: Fields, values: dict[str, Any]) -> None:
    """Store a rating with its history, its figures, and the follow-up of a bad one."""
    today, channel, from_staff = clock.today(), channel_of(code.kind, code.filing_id), bool(code.from_staff)
    due = deadline(session, (code.area1, code.area2, code.area3), today) if fields.bad else None
    values = {
        **values, "from_staff_address": from_staff, "code_id": code.id, "channel": channel,
        "office_id": code.office_id, "area1": code.area1, "area2": code.area2, "area3": code.area3,
        **columns(due), "closed_at": None if fields.bad else values["submitted_at"],
    }  # fmt: skip
    action = "open" if fields.bad else "count"
    first = {**values, "status": RATING.step(action, None, actor).target, "version": 1}
    payload = {
        "level": fields.level, "tags": list(fields.tags), "channel": channel, "content": integrity.rated_digest(first),
        "standing": integrity.standing_digest(first, NEW if fields.bad else None),
    }  # fmt: skip
    RATING.enter(session, actor, action, values, payload)
    change = figures.of_rating(fields.level, real_name=fields.real_name, from_staff=from_staff, tags=fields.tags)
    figures.append(session, figures.place_of(code, channel, today), change)
    if due is not None:
        open_follow_up(session, values["id"], code.office_id, code.matter_name, due)
