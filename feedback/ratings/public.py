"""What is read without an account: the form's code, the rater's answer, and what is published."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, bindparam, case, select
from sqlalchemy.orm import Session

from accounts.models import Office
from accounts.regions.abolished import get_region
from core import clock
from core.database.paging import Page, PageRequest, fetch
from core.database.prepared import Prepared
from core.db import inlined
from core.deadlines.notes import deadline_note
from core.errors import Problem, not_found
from feedback.codes.catalogue import LEVELS, is_bad
from feedback.codes.kinds import CHANNELS, HIDDEN, SHOWN
from feedback.codes.operations import is_token
from feedback.follow_ups.deadlines import WORKING_DAYS
from feedback.models import Rating, RatingCode, RatingFollowUp
from feedback.queries import tags_of_rating
from feedback.ratings.listing import NEWEST, day_begins, day_ends, of_office
from feedback.ratings.query_codes import query_key
from feedback.ratings.submitting import refuse_closed
from feedback.workflows import CLOSED, FED_BACK, RATING, TO_VERIFY, VERIFIED

# `next_after` holds the instant of a rating, and the public list may show no more than its day.
_NEWEST = replace(NEWEST, name="published ratings", secret=True)


@dataclass(frozen=True, slots=True)
class PublicFilters:
    """Filters of the public list, combined with AND; `region` is a code of a region."""

    office_id: UUID | None = None
    region: str | None = None
    level: int | None = None
    channel: str | None = None
    day_from: date | None = None
    day_to: date | None = None


_codes, _offices = cast(Table, RatingCode.__table__).c, cast(Table, Office.__table__)
_CODE = Prepared(
    select(
        _codes.id, _codes.kind, _codes.matter_name, _codes.org_name, _codes.window, _codes.status, _codes.valid_to,
        _codes.filing_id, case((_offices.c.closed_on.is_(None), _offices.c.hotline)).label("hotline"),
    )
    .select_from(RatingCode.__table__.join(_offices, _offices.c.id == _codes.office_id))
    .where(_codes.token == bindparam("token"))
)  # fmt: skip


def code_of(session: Session | Connection, token: str) -> Any:
    """The code with this token, whatever became of it (columns of `RatingCode`, the office's `hotline`), or None."""
    return _CODE.first(session, {"token": token}) if is_token(token) else None


def open_code(session: Session | Connection, token: str) -> Any:
    """The code of a form that can be rated now, as `code_of`; 404 `unknown_code`, 409, 410."""
    code = code_of(session, token)
    refuse_unless_open(code)
    return code


def refuse_unless_open(code: Any | None) -> None:
    """Raise what a code, as `code_of` found it, answers that cannot be rated now."""
    if code is None:
        raise Problem("unknown_code")
    refuse_closed(code)


def answer(session: Session, code: str) -> dict[str, Any]:
    """What has become of a rating, for whoever has its query code; 404 otherwise."""
    found = session.execute(
        select(Rating, RatingCode.matter_name, RatingCode.org_name, RatingFollowUp)
        .join(RatingCode, RatingCode.id == Rating.code_id)
        .outerjoin(RatingFollowUp, RatingFollowUp.rating_id == Rating.id)
        .where(Rating.query_key == query_key(code))
    ).first()
    if found is None:
        raise not_found()
    rating, follow_up = found.Rating, found.RatingFollowUp
    # A supervisor reads the reply of the office before the rater does.
    waits = rating.due_on is not None and rating.closed_at is None
    replied = follow_up is not None and follow_up.feedback_at is not None and rating.status == CLOSED
    return {
        "matter_name": found.matter_name,
        "org_name": found.org_name,
        "channel_label": CHANNELS[rating.channel],
        "level": rating.level,
        "level_label": LEVELS[rating.level],
        "tags": tags_of_rating(rating),
        "comment": rating.comment,
        "submitted_at": clock.rfc3339(rating.submitted_at),
        "status": rating.status,
        "status_label": _status_label(rating),
        "next_step": _next_step(rating, follow_up),
        "due_on": rating.due_on.isoformat() if rating.due_on and waits else None,
        "due_on_provisional": waits and rating.due_on_provisional,
        "due_on_note": deadline_note(rating) if waits else None,
        "reply": follow_up.feedback_text if replied else None,
        "replied_at": clock.rfc3339(follow_up.feedback_at) if replied else None,
    }


def _status_label(rating: Rating) -> str:
    """The status for the rater: good ratings need no step, and a supervisor reads a reply before the rater does."""
    if rating.due_on is None and rating.status == CLOSED:
        return "已收到，感谢您的评价"
    return "答复审核中" if rating.status == FED_BACK else RATING.statuses[rating.status]


def _next_step(rating: Rating, follow_up: RatingFollowUp | None) -> str | None:
    """What the rater of a bad rating that is under way may expect, and until when."""
    if rating.due_on is None or rating.closed_at is not None or follow_up is None:
        return None
    note = deadline_note(rating)
    notes = "；".join(filter(None, (None if follow_up.extended else f"{WORKING_DAYS} 个工作日内", note)))
    until = f"最迟 {rating.due_on.isoformat()}" + (f"（{notes}）" if notes else " ")
    if rating.status not in (TO_VERIFY, VERIFIED):
        return f"{until}答复，届时可凭查询码查看。"
    if rating.real_name:
        return f"承办单位会打电话向您了解情况，核实后整改或作出解释，{until}答复；届时可凭查询码查看。"
    return f"承办单位会核实后整改或作出解释，{until}答复；您选择了匿名，不会打电话，届时请凭查询码查看。"


def public(session: Session, filters: PublicFilters, request: PageRequest) -> Page:
    """Published ratings, newest first; rows for `public_as_json`."""
    found: list[ColumnElement[bool]] = [Rating.publicity != inlined(HIDDEN)]
    for column, value in (
        (Rating.level, filters.level),
        (Rating.channel, filters.channel),
    ):
        if value is not None:
            found.append(column == value)
    if filters.office_id is not None:
        found += of_office(session, filters.office_id)
    if filters.level is not None and is_bad(filters.level):
        found.append(Rating.due_on.is_not(None))
    if filters.region is not None:
        region = get_region(session, filters.region)
        columns = (Rating.area1, Rating.area2, Rating.area3)
        found.append(columns[region.depth - 1] == region.code)
    if filters.day_from is not None:
        found.append(Rating.submitted_at >= day_begins(filters.day_from))
    if filters.day_to is not None:
        found.append(Rating.submitted_at < day_ends(filters.day_to))
    rows = (
        select(Rating, RatingCode.matter_name, RatingCode.org_name, RatingFollowUp.public_reply,
               RatingFollowUp.feedback_at)
        .join(RatingCode, RatingCode.id == Rating.code_id)
        .outerjoin(RatingFollowUp, RatingFollowUp.rating_id == Rating.id)
    )  # fmt: skip
    return fetch(session, rows, _NEWEST, request, *found)


def public_as_json(row: Any) -> dict[str, Any]:
    """A published rating: no name, no number; texts, masked, once a person has released them, the reply with them."""
    rating: Rating = row.Rating
    released = rating.publicity == SHOWN
    return {
        "matter_name": row.matter_name,
        "org_name": row.org_name,
        "level": rating.level,
        "level_label": LEVELS[rating.level],
        "tags": tags_of_rating(rating),
        "comment": rating.public_comment if released else None,
        "rated_on": rating.submitted_at.astimezone(clock.LOCAL).date().isoformat(),
        "reply": row.public_reply if released else None,
        "replied_on": (
            row.feedback_at.astimezone(clock.LOCAL).date().isoformat() if released and row.public_reply else None
        ),
    }
