"""Standing delegation (委托): an office lets another one take a post's steps, by function and business type.

A function is a post; at one time an office delegates it once ("一个功能只能委托一次", seed 004 §2.1.6.5), for some
business types or all. It holds at once and until it is revoked; what was done stands, and the office that delegated may
still act itself. Jurisdiction follows: the delegate reads and lists those filings, and gets their to-dos.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accounts.models import Office
from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.errors import Problem, invalid, not_found
from core.models import Todo
from core.workflows import idempotency
from core.workflows.versions import refuse_stale
from core.workflows.workflow import SYSTEM, Step, Workflow
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.declaring.takers import Post
from enterprise.filings.models import Delegation, Filing

STANDING, REVOKED = "standing", "revoked"
DELEGATION = Workflow(
    "delegation",
    Delegation,
    {STANDING: "委托中", REVOKED: "已撤销"},
    # Who may, asks this module: it depends on the post.
    [Step("delegate", None, STANDING, SYSTEM), Step("revoke", STANDING, REVOKED, SYSTEM)],
)
_NEWEST = newest_first("delegations", Delegation.begun_at, Delegation.id)
MOST_MATTERS = 50


def delegate(
    session: Session, engine: Filings, actor: Actor, delegation_id: UUID, code: str, to_office_id: UUID,
    matters: Sequence[str],
) -> Delegation:  # fmt: skip
    """Delegate a post of the own office, which the actor holds; a repetition returns it as it is.

    `matters`: business types; none are all of them. 404 for an unknown post, 403 for one that the actor does not hold,
    409 `already_open` while the function is delegated, 422 for an office that cannot take it.
    """
    post = _post(engine, code)
    if post.verb not in actor.verbs:
        raise Problem("forbidden")
    body = {"post": code, "to": str(to_office_id), "matters": list(matters)}
    if not idempotency.claim(session, idempotency.key(actor.user_id, "delegations.delegate", delegation_id, body)):
        return _own(session, actor, delegation_id)
    to = session.get(Office, to_office_id)
    own = session.get_one(Office, actor.office_id)
    fits = to is not None and to.kind in post.delegable_to and to.closed_on is None and to.id != own.id
    if to is None or not fits or to.region_code != own.region_code:
        raise invalid("/to_office_id", "unknown_office", "只能委托给本级的相应单位，请重新选择")
    row = {
        "id": delegation_id, "post": code, "from_office_id": own.id, "to_office_id": to.id,
        "matters": sorted(set(matters)), "begun_at": clock.now(), "begun_by": actor.user_id, "ended_at": None,
    }  # fmt: skip
    told = {"post": post.label, "to": to.name, "matters": row["matters"]}
    try:
        with session.begin_nested():
            made = DELEGATION.enter(session, actor, "delegate", row, told)
    except IntegrityError as error:
        raise Problem("already_open", "该功能已委托，请先撤销原委托") from error
    if not made:
        raise Problem("id_taken")
    found = _own(session, actor, delegation_id)
    _hand_todos(session, engine, post, found, found.from_office_id, found.to_office_id)
    _forget(session)
    return found


def revoke(session: Session, engine: Filings, actor: Actor, delegation_id: UUID, body: Mapping[str, Any]) -> Delegation:
    """Take it back, by the office that delegated; 404, 403, 409 `wrong_status` and `stale_version`."""
    found = _own(session, actor, delegation_id)
    post = _post(engine, found.post)
    if post.verb not in actor.verbs:
        raise Problem("forbidden")
    if not idempotency.claim(session, idempotency.key(actor.user_id, "delegations.revoke", delegation_id, body)):
        return _own(session, actor, delegation_id)
    refuse_stale(found.version, body)
    DELEGATION.move(session, actor, found, "revoke", {"ended_at": clock.now()}, {"post": post.label})
    _hand_todos(session, engine, post, found, found.to_office_id, found.from_office_id)
    _forget(session)
    return _own(session, actor, delegation_id)


def listed(session: Session, actor: Actor, request: PageRequest) -> Page:
    """Those of the own office: what it delegated, and what was delegated to it; the newest first."""
    mine = or_(Delegation.from_office_id.in_(actor.offices), Delegation.to_office_id.in_(actor.offices))
    return fetch(session, select(Delegation), _NEWEST, request, mine)


def _own(session: Session, actor: Actor, delegation_id: UUID) -> Delegation:
    found = session.get(Delegation, delegation_id, populate_existing=True)
    if found is None or found.from_office_id not in actor.offices:
        raise not_found()
    return found


def _post(engine: Filings, code: str) -> Post:
    posts = (post for kind in engine.kinds.values() for post in kind.posts if post.code == code and post.delegable_to)
    found = next(posts, None)
    if found is None:
        raise not_found()
    return found


def to_office_of(session: Session, actor: Actor) -> Sequence[Delegation]:
    """What stands delegated to the actor's office; asked once in a session."""
    known: dict[UUID, Sequence[Delegation]] = session.info.setdefault("delegations", {})
    if actor.office_id not in known:
        standing = (Delegation.to_office_id.in_(actor.offices), Delegation.status == STANDING)
        known[actor.office_id] = session.scalars(select(Delegation).where(*standing)).all()
    return known[actor.office_id]


def _forget(session: Session) -> None:
    session.info.pop("delegations", None)


def posts_there(session: Session, actor: Actor, kind: FilingKind, filing: Filing) -> frozenset[str]:
    """The posts from which the actor may act on a filing because the office that handles it delegated them."""
    posts = {post.code for post in kind.posts if post.delegable_to and post.verb in actor.verbs}
    if not posts or filing.office_id is None:
        return frozenset()
    return frozenset(
        one.post
        for one in to_office_of(session, actor)
        if one.post in posts
        and one.from_office_id == filing.office_id
        and (not one.matters or filing.matter in one.matters)
    )


def conditions(
    session: Session, actor: Actor, kinds: Iterable[FilingKind]
) -> list[tuple[Delegation, frozenset[str], ColumnElement[bool]]]:
    """What was delegated to the actor's office: its post, the kinds that have it, and the filings as a condition."""
    held = [(kind, post) for kind in kinds for post in kind.posts if post.delegable_to and post.verb in actor.verbs]
    if not held:
        return []
    found = []
    for one in to_office_of(session, actor):
        codes = frozenset(kind.code for kind, post in held if post.code == one.post)
        if codes:
            found.append((one, codes, _handled(one, codes)))
    return found


def _handled(one: Delegation, codes: Iterable[str]) -> ColumnElement[bool]:
    matters = [Filing.matter.in_(one.matters)] if one.matters else []
    return and_(Filing.office_id == one.from_office_id, Filing.kind.in_(sorted(codes)), *matters)


def delegate_of(session: Session, post: Post, filing: Filing) -> UUID | None:
    """The office whose work a filing is for a post because it was delegated; None where it was not."""
    if not post.delegable_to or filing.office_id is None:
        return None
    standing = (
        Delegation.from_office_id == filing.office_id, Delegation.post == post.code, Delegation.status == STANDING,
    )  # fmt: skip
    one = session.scalar(select(Delegation).where(*standing))
    return one.to_office_id if one is not None and (not one.matters or filing.matter in one.matters) else None


def _hand_todos(
    session: Session, engine: Filings, post: Post, one: Delegation, former: UUID, now: UUID
) -> None:  # fmt: skip
    """Let the open to-dos of what it covers be those of the other office."""
    codes = [kind.code for kind in engine.kinds.values() if post in kind.posts]
    covered = select(Filing.id).where(_handled(one, codes), Filing.finished_at.is_(None))
    session.execute(
        update(Todo)
        .where(
            Todo.closed_at.is_(None), Todo.office_id == former, Todo.verb == post.verb,
            Todo.subject_type == "filing", Todo.subject_id.in_(covered),
        )
        .values(office_id=now)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
