"""Whether ratings, their follow-ups and codes have the status, version and content that their history records.

The history keeps keyed digests instead of the content: a reader of a history cannot test guesses at a masked number,
and a writer to the database without the key cannot forge a digest. The first entry holds the digest of the whole
rating (`rated_digest`); every entry holds the digest of its lasting parts and of the follow-up (`standing_digest`). So
the rater's words can be erased with the payload of the first entry, while later entries remain evidence of the level
and of what the office did. Erased payloads are not verified.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, load_only

from accounts.regions.reorganisations import EarlierChains
from core import privacy
from core.actor import Actor
from core.db import Base, canonical_json
from core.models import HistoryEntry, HistoryPayload
from core.workflows import history
from core.workflows.history import Broken
from core.workflows.integrity import broken_end, in_chunks, is_last_row, verify_ends, verify_presence
from feedback.models import Rating, RatingCode, RatingContact, RatingFollowUp
from feedback.workflows import CODE, FREED, RATING

_RATED = (
    "id", "code_id", "channel", "office_id", "area1", "area2", "area3", "level", "tags", "comment", "public_comment",
    "real_name", "phone_verified", "from_staff_address", "submitted_at",
)  # fmt: skip
STANDING = (
    "id", "code_id", "channel", "level", "tags", "real_name", "from_staff_address", "submitted_at",
    "status", "version", "publicity", "due_on", "closed_at",
)  # fmt: skip
_FOLLOWED_UP = tuple(column.name for column in RatingFollowUp.__table__.columns if column.name != "rating_id")
_MADE = (
    "id", "kind", "matter_name", "org_name", "window", "matter_ref", "filing_id", "enterprise_id", "office_id",
    "area1", "area2", "area3", "created_by", "created_at",
)  # fmt: skip
_GENERATED = ("id", "token", "valid_to", "generated_at")


def columns_of(row: Base) -> dict[str, Any]:
    """The values of a row by column name."""
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def rated_digest(rating: Mapping[str, Any]) -> str:
    """Digest of the parts of a rating that never change."""
    return _digest("rating", {name: rating[name] for name in _RATED})


def standing_digest(rating: Mapping[str, Any], follow_up: Mapping[str, Any] | None) -> str:
    """Digest of the parts of a rating that are never erased, and of the state of rating and follow-up after a step."""
    handled = None if follow_up is None else {name: follow_up.get(name) for name in _FOLLOWED_UP}
    return _digest("rating standing", {**{name: rating[name] for name in STANDING}, "follow_up": handled})


def standing_digest_after(
    rating: Rating, actor: Actor | None, action: str, changes: Mapping[str, Any], follow_up: Mapping[str, Any] | None
) -> str:
    """The `standing_digest` for the history entry of a step; `changes` are the rating's, `follow_up` is the new one."""
    now = {name: getattr(rating, name) for name in STANDING}
    target = RATING.step(action, rating.status, actor).target
    return standing_digest({**now, **changes, "status": target, "version": rating.version + 1}, follow_up)


def stated(
    session: Session,
    rating: Rating,
    before: RatingFollowUp | None,
    actor: Actor | None,
    action: str,
    changes: Mapping[str, Any],
    follow_up: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What the history keeps of a step: the `standing_digest_after` it, and whether what stood `before` did not fit."""
    return {
        "standing": standing_digest_after(rating, actor, action, changes, follow_up),
        **history.marked(unlike(session, rating, before)),
    }


def unlike(session: Session, rating: Rating, follow_up: RatingFollowUp | None) -> list[str]:
    """The name of the digest, where a rating does not stand as its last step left it."""
    recorded = history.last_payload(session, rating.id).get("standing")
    values = {name: getattr(rating, name) for name in STANDING}
    handled = None if follow_up is None else columns_of(follow_up)
    return [] if recorded in (None, standing_digest(values, handled)) else ["standing"]


def unlike_rated(session: Session, rating: Rating) -> list[str]:
    """The name of the digest, where what was rated is not what the first row of the history says."""
    first = (HistoryEntry.subject_id == rating.id) & (HistoryEntry.seq == 1)
    joined = select(HistoryPayload.payload).join(HistoryEntry, HistoryEntry.id == HistoryPayload.history_id)
    recorded = (session.scalar(joined.where(first)) or {}).get("content")
    values = {name: getattr(rating, name) for name in _RATED}
    proven = recorded is None or _fits(recorded, rated_digest, values, EarlierChains(session))
    return [] if proven else ["content"]


def code_digest(code: Mapping[str, Any]) -> str:
    """Digest of the parts of a code that never change after it was created."""
    return _digest("rating code", {name: code[name] for name in _MADE})


def link_digest(code: Mapping[str, Any]) -> str:
    """Digest of a code's link, which never changes after it was generated."""
    return _digest("rating code link", {name: code[name] for name in _GENERATED})


def _digest(purpose: str, values: Mapping[str, Any]) -> str:
    return privacy.keyed_hash(purpose, canonical_json(values).decode())


def verify(session: Session) -> Iterator[Broken]:
    """Each rating, code and freed number that does not match its history, or is missing."""
    earlier = EarlierChains(session)
    yield from _verify_ratings(session, earlier)
    yield from _verify_codes(session, earlier)
    for workflow in (RATING, CODE):
        yield from verify_presence(session, workflow.subject_type, workflow.model)
    yield from verify_ends(session, FREED)


def _fits(
    recorded: Any, digest: Callable[[Mapping[str, Any]], str], values: Mapping[str, Any], earlier: EarlierChains
) -> bool:
    """Whether the digest matches the values, also with the regions before a reorganisation (区划调整)."""
    if recorded == digest(values):
        return True
    chains = earlier.before([values["area1"], values["area2"], values["area3"]])
    return any(recorded == digest({**values, **chain}) for chain in chains)


_First, _FirstPayload = aliased(HistoryEntry), aliased(HistoryPayload)


def _verify_ratings(session: Session, earlier: EarlierChains, chunk: int = 500) -> Iterator[Broken]:
    """Each rating is read with its history by one statement, so that concurrent steps raise no false alarm."""
    kept = select(func.count()).where(RatingContact.rating_id == Rating.id).correlate(Rating).scalar_subquery()
    statement = (
        select(Rating, RatingFollowUp, HistoryEntry, HistoryPayload.payload, _FirstPayload.payload, kept)
        .select_from(Rating)
        # The rater's name and number are encrypted and not part of a digest, so they are not read.
        .options(load_only(*(getattr(Rating, name) for name in {*_RATED, *STANDING}), raiseload=True))
        .outerjoin(RatingFollowUp, RatingFollowUp.rating_id == Rating.id)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == Rating.id) & is_last_row())
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .outerjoin(_First, (_First.subject_id == Rating.id) & (_First.seq == 1))
        .outerjoin(_FirstPayload, _FirstPayload.history_id == _First.id)
    )
    for rows in in_chunks(session, statement, Rating, chunk):
        unlike = _unlike_contacts(session, [row[1].rating_id for row in rows if row[1] is not None])
        for rating, follow_up, entry, last, first, contacts in rows:
            reason = broken_end(rating.status, rating.version, entry)
            reason = reason or _changed(rating, follow_up, last, first, earlier)
            if reason is None and contacts != (follow_up.contacts if follow_up else 0):
                reason = f"{follow_up.contacts if follow_up else 0} call-backs were made, {contacts} are kept"
            if reason is None and rating.id in unlike:
                reason = "its call-backs were changed"
            if reason:
                yield Broken(RATING.subject_type, rating.id, entry.seq if entry else 0, reason)


def _changed(
    rating: Rating,
    follow_up: RatingFollowUp | None,
    last: Mapping[str, Any] | None,
    first: Mapping[str, Any] | None,
    earlier: EarlierChains,
) -> str | None:
    values = {name: getattr(rating, name) for name in {*_RATED, *STANDING}}
    if first is not None and not _fits(first.get("content"), rated_digest, values, earlier):
        return "what was rated was changed"
    handled = None if follow_up is None else columns_of(follow_up)
    if last is not None and last.get("standing") != standing_digest(values, handled):
        return "the rating, its follow-up or its publication was changed"
    return None


def _unlike_contacts(session: Session, ratings: Sequence[UUID]) -> set[UUID]:
    """Ratings with a call-back that differs from its history entry.

    Call-backs never change and are committed with their history, so their history may be read afterwards.
    """
    contacts = session.scalars(
        select(RatingContact).where(RatingContact.rating_id.in_(ratings)).order_by(RatingContact.id)
    ).all()
    recorded: dict[UUID, list[Any]] = {}
    for row in session.execute(
        select(HistoryEntry.subject_id, HistoryEntry.actor_id, HistoryPayload.payload)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id.in_({one.rating_id for one in contacts}), HistoryEntry.action == "contact")
        .order_by(HistoryEntry.subject_id, HistoryEntry.seq.desc())
    ):
        recorded.setdefault(row.subject_id, []).append(row)
    return {one.rating_id for one in contacts if not _is_recorded(one, recorded.get(one.rating_id, []))}


def _is_recorded(contact: RatingContact, recorded: list[Any]) -> bool:
    """Whether a call-back equals the next recorded one, which is removed from `recorded`."""
    if not recorded:
        return False
    row = recorded.pop()
    words = {name: getattr(contact, name) for name in ("operator_name", "channel", "result", "note")}
    said = row.payload is None or words == {name: row.payload.get(name) for name in words}
    return said and contact.by == row.actor_id


def _verify_codes(session: Session, earlier: EarlierChains, chunk: int = 500) -> Iterator[Broken]:
    link, link_payload = aliased(HistoryEntry), aliased(HistoryPayload)
    statement = (
        select(RatingCode, HistoryEntry, _FirstPayload.payload, link_payload.payload)
        .select_from(RatingCode)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == RatingCode.id) & is_last_row())
        .outerjoin(_First, (_First.subject_id == RatingCode.id) & (_First.seq == 1))
        .outerjoin(_FirstPayload, _FirstPayload.history_id == _First.id)
        .outerjoin(link, (link.subject_id == RatingCode.id) & link.action.in_(("generate", "invite")))
        .outerjoin(link_payload, link_payload.history_id == link.id)
    )
    for rows in in_chunks(session, statement, RatingCode, chunk):
        for code, entry, first, linked in rows:
            values, reason = columns_of(code), broken_end(code.status, code.version, entry)
            if reason is None and first is not None and not _fits(first.get("content"), code_digest, values, earlier):
                reason = "the code was changed"
            if reason is None and linked is not None and linked.get("link") != link_digest(values):
                reason = "the link of the code was changed"
            if reason:
                yield Broken(CODE.subject_type, code.id, entry.seq if entry else 0, reason)
