"""What offices read of rating codes and ratings, already limited to what the caller may read.

An officer reads the codes of offices within the own scope and their ratings; how much of the rater's number and words,
is decided in `ratings/numbers.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from accounts.models import User
from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.deadlines.notes import deadline_note
from core.errors import Problem, not_found
from core.workflows import history
from feedback.codes.catalogue import LEVELS, TAGS
from feedback.codes.kinds import CHANNELS, KINDS, PUBLICITY, SHOWN, STAFF_MARK, WITHHELD
from feedback.follow_ups import forms, steps
from feedback.models import Rating, RatingCode, RatingContact, RatingFollowUp
from feedback.ratings import numbers, word_list
from feedback.ratings.listing import ROWS, conditions, named, order, reads_ratings
from feedback.ratings.listing import Filters as Filters
from feedback.workflows import ANSWERED, CODE, HANDLE, RATING

_NEWEST_CODES = newest_first("rating codes", RatingCode.created_at, RatingCode.id)


@dataclass(frozen=True, slots=True)
class CodeFilters:
    """Filters of the list of codes; `q` is a fragment of the matter's name."""

    kind: str | None = None
    status: str | None = None
    q: str | None = None


def get_readable(session: Session, actor: Actor, rating_id: UUID) -> Rating:
    """A rating within the actor's scope; else 404."""
    rating = session.get(Rating, rating_id, populate_existing=True)
    if rating is None or not reads_ratings(actor) or not actor.scope.contains(rating.area1, rating.area2, rating.area3):
        raise not_found()
    return rating


def may_read_rating(session: Session, actor: Actor, rating_id: UUID) -> bool:
    """For the subject registry."""
    try:
        get_readable(session, actor, rating_id)
    except Problem:
        return False
    return True


def get_readable_code(session: Session, actor: Actor, code_id: UUID) -> RatingCode:
    """A code within the actor's scope, or one made for the actor's enterprise; else 404."""
    code = session.get(RatingCode, code_id, populate_existing=True)
    if code is not None:
        if actor.enterprise_id is not None and actor.enterprise_id == code.enterprise_id:
            return code
        if reads_ratings(actor) and actor.scope.contains(code.area1, code.area2, code.area3):
            return code
    raise not_found()


def may_read_code(session: Session, actor: Actor, code_id: UUID) -> bool:
    """For the subject registry."""
    try:
        get_readable_code(session, actor, code_id)
    except Problem:
        return False
    return True


def ratings(session: Session, actor: Actor, filters: Filters, request: PageRequest) -> Page:
    """Ratings of offices within scope; rows for `rating_as_json`."""
    return fetch(session, ROWS, order(filters), request, *conditions(session, actor, filters))


def tags_of_rating(rating: Rating) -> list[dict[str, Any]]:
    """The chosen tags with their texts, also those that have been taken out of use since."""
    return [{"code": code, "text": TAGS[code].text} for code in rating.tags if code in TAGS]


def colour(rating: Rating) -> str | None:
    """Yellow until due, red after, while a bad rating is under way."""
    if rating.due_on is None or rating.closed_at is not None:
        return None
    return "red" if rating.due_on < clock.today() else "yellow"


def actions(actor: Actor, rating: Rating, handler_id: UUID | None, made_by: UUID | None) -> list[str]:
    """What the actor may do now; `made_by` made the code."""
    may = dict.fromkeys(RATING.actions(rating.status, actor.verbs))
    if rating.office_id not in actor.offices or handler_id not in (None, actor.user_id):
        own = {step.action for step in RATING.steps.values() if step.who == HANDLE}
        may = {action: None for action in may if action not in own}
    if not numbers.has_to_call(actor, rating, handler_id, made_by):
        may.pop(numbers.REVEAL, None)
    done = {SHOWN: "release", WITHHELD: "withhold"}.get(rating.publicity)
    return [action for action in may if action != done]


def rating_as_json(row: Any, actor: Actor) -> dict[str, Any]:
    """A rating in a list. What the rater wrote is masked as for the public: it may name a number (spec/b_rating §2)."""
    rating: Rating = row.Rating
    return {
        "id": str(rating.id),
        "code_id": str(rating.code_id),
        "matter_name": row.matter_name,
        "org_name": row.org_name,
        "window": row.window,
        "channel": rating.channel,
        "channel_label": CHANNELS[rating.channel],
        "level": rating.level,
        "level_label": LEVELS[rating.level],
        "tags": tags_of_rating(rating),
        "comment": rating.public_comment,
        "mobile": numbers.masked(actor, rating, row.created_by),
        "real_name": rating.real_name,
        "phone_verified": rating.phone_verified,
        "from_staff_address": rating.from_staff_address,
        "from_staff_note": STAFF_MARK if rating.from_staff_address else None,
        "status": rating.status,
        "status_label": RATING.statuses[rating.status],
        "version": rating.version,
        "publicity": rating.publicity,
        "publicity_label": PUBLICITY[rating.publicity],
        "due_on": rating.due_on.isoformat() if rating.due_on else None,
        "due_on_provisional": rating.due_on_provisional,
        "due_on_note": deadline_note(rating),
        "colour": colour(rating),
        "submitted_at": clock.rfc3339(rating.submitted_at),
        "closed_at": clock.rfc3339(rating.closed_at) if rating.closed_at else None,
        "actions": actions(actor, rating, row.handler_id, row.created_by),
    }


def rating_answer(session: Session, actor: Actor, rating: Rating) -> dict[str, Any]:
    """A whole rating with its follow-up, call-backs and evidence.

    Whoever rated without a name (匿名) has none here. The comment is whole only for the officer who has to call the
    rater back, until the rater was answered; the number nowhere (`numbers.py`).
    """
    row = session.execute(ROWS.where(Rating.id == rating.id)).one()
    at_the_window = numbers.sits_at_the_window(actor, row.created_by)
    masked = at_the_window or numbers.is_over(rating)
    written: Callable[[dict[str, Any]], dict[str, Any]] = numbers.without_numbers if masked else dict
    shown = {
        **rating_as_json(row, actor),
        "rater_name": (rating.rater_name or None) if rating.real_name and not at_the_window else None,
        "public_comment": rating.public_comment,
    }
    if numbers.has_to_call(actor, rating, row.handler_id, row.created_by) and rating.status not in ANSWERED:
        shown |= {"comment": rating.comment}
    follow_up = session.get(RatingFollowUp, rating.id, populate_existing=True)
    may = forms.forms_of(session, actor, rating, follow_up, shown["actions"])
    shown |= {
        "steps": [_step_as_json(one) for one in may],
        "public_parts": [
            {"text": text, "listed": listed} for text, listed in word_list.parts_of(rating.public_comment or "")
        ],
        "said": [],
    }
    if follow_up is None:
        return {**shown, "follow_up": None, "contacts": []}
    handler = session.get(User, follow_up.handler_id) if follow_up.handler_id else None
    contacts = session.scalars(
        select(RatingContact).where(RatingContact.rating_id == rating.id).order_by(RatingContact.id).limit(200)
    ).all()
    texts = (
        "extended", "extension_reason", "verify_result", "classification", "measures", "explanation",
        "feedback_text", "feedback_channel", "appeal_reason", "opinion", "satisfied_after", "closed_in_time",
    )  # fmt: skip
    told = written({name: getattr(follow_up, name) for name in texts})
    return {
        **shown,
        "said": forms.said_of(follow_up, told),
        "follow_up": {
            **told,
            "handler": {"id": str(handler.id), "username": handler.username} if handler else None,
            "feedback_at": clock.rfc3339(follow_up.feedback_at) if follow_up.feedback_at else None,
            "appeal_evidence": follow_up.appeal_evidence,
        },
        "contacts": [
            written(
                {
                    "at": clock.rfc3339(contact.at),
                    "operator_name": contact.operator_name,
                    "channel": contact.channel,
                    "channel_label": steps.CONTACT_CHANNELS[contact.channel],
                    "result": contact.result,
                    "result_label": steps.CONTACT_RESULTS[contact.result],
                    "note": contact.note,
                }
            )
            for contact in contacts
        ],
    }


def _step_as_json(form: forms.StepForm) -> dict[str, Any]:
    fields = [
        {
            "name": one.name, "label": one.label, "type": one.type, "required": one.required,
            "options": [{"value": value, "label": label} for value, label in one.options.items()],
            "most": one.max_length,
        }
        for one in form.fields
    ]  # fmt: skip
    named = {"action": form.action, "label": form.label, "leads_on": form.leads_on, "waits": form.waits}
    return {**named, "fields": fields}


def revealed(session: Session, actor: Actor, rating: Rating) -> dict[str, Any]:
    """The whole number, for whoever has to call back; that it was read is a step of the history."""
    row = session.execute(ROWS.where(Rating.id == rating.id)).one()
    may = numbers.has_to_call(actor, rating, row.handler_id, row.created_by)
    return {"mobile": rating.mobile} if may else {}


def history_of(session: Session, rating: Rating, request: PageRequest) -> Page:
    """The moves of a rating, oldest first; rows for `move_as_json`."""
    return history.page(session, rating.id, request)


def move_as_json(session: Session, actor: Actor, rating: Rating) -> Callable[[Any], dict[str, Any]]:
    """What turns a row of a rating's history into what the actor may read of it."""
    made_by = session.get_one(RatingCode, rating.code_id).created_by
    masked = numbers.sits_at_the_window(actor, made_by) or numbers.is_over(rating)

    def shown(row: Any) -> dict[str, Any]:
        move = history.as_json(row)
        return {**(numbers.without_numbers(move) if masked else move), "label": forms.LABELS[move["action"]]}

    return shown


def codes(session: Session, actor: Actor, filters: CodeFilters, request: PageRequest) -> Page:
    """Codes of offices within scope (or of the actor's enterprise), newest first; rows for `code_answer`."""
    if actor.enterprise_id is not None:
        found: list[ColumnElement[bool]] = [RatingCode.enterprise_id == actor.enterprise_id]
    elif reads_ratings(actor):
        found = [actor.scope.condition(RatingCode)]
    else:
        raise not_found()
    if filters.kind is not None:
        found.append(RatingCode.kind == filters.kind)
    if filters.status is not None:
        found.append(RatingCode.status == filters.status)
    if filters.q:
        found.append(named(filters.q))
    return fetch(session, select(RatingCode), _NEWEST_CODES, request, *found)


def code_answer(code: RatingCode, actor: Actor) -> dict[str, Any]:
    """A code in a list or by itself, without its address, which the endpoint adds."""
    return {
        "id": str(code.id),
        "kind": code.kind,
        "kind_label": KINDS[code.kind],
        "matter_name": code.matter_name,
        "office_id": str(code.office_id),
        "org_name": code.org_name,
        "window": code.window,
        "matter_ref": code.matter_ref,
        "status": code.status,
        "status_label": CODE.statuses[code.status],
        "version": code.version,
        "valid_to": code.valid_to.isoformat() if code.valid_to else None,
        "filing_id": str(code.filing_id) if code.filing_id else None,
        "scans": code.scans,
        "ratings": code.ratings,
        "created_at": clock.rfc3339(code.created_at),
        "generated_at": clock.rfc3339(code.generated_at) if code.generated_at else None,
        "last_scan_at": clock.rfc3339(code.last_scan_at) if code.last_scan_at else None,
        "actions": list(dict.fromkeys(CODE.actions(code.status, actor.verbs))),
    }
