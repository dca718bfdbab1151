"""What endpoints answer of delegations (委托)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office
from core import clock
from core.actor import Actor
from core.database.paging import Page
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.models import Delegation
from enterprise.filings.sides.delegation_offers import matters_of
from enterprise.filings.sides.delegations import DELEGATION, STANDING


def page_answer(session: Session, engine: Filings, actor: Actor, page: Page) -> dict[str, Any]:
    """A page of the list."""
    names = _names(session, {one for row in page.items for one in _offices(row.Delegation)})
    return page.as_json(lambda row: _answer(engine, actor, row.Delegation, names))


def answer(session: Session, engine: Filings, actor: Actor, found: Delegation) -> dict[str, Any]:
    """One of them."""
    return _answer(engine, actor, found, _names(session, set(_offices(found))))


def _offices(found: Delegation) -> tuple[UUID, UUID]:
    return found.from_office_id, found.to_office_id


def _names(session: Session, ids: set[UUID]) -> dict[UUID, str]:
    rows = session.execute(select(Office.id, Office.name).where(Office.id.in_(ids))) if ids else ()
    return {row[0]: row[1] for row in rows}


def _answer(engine: Filings, actor: Actor, found: Delegation, names: Mapping[UUID, str]) -> dict[str, Any]:
    posts = {post.code: post for kind in engine.kinds.values() for post in kind.posts}
    post = posts.get(found.post)
    labels = matters_of(engine, found.post)
    own = found.from_office_id in actor.offices and post is not None and post.verb in actor.verbs
    return {
        "id": str(found.id),
        "post": found.post,
        "post_label": post.label if post is not None else found.post,
        "from_office": names.get(found.from_office_id, ""),
        "to_office": names.get(found.to_office_id, ""),
        "matters": found.matters,
        "matter_labels": [labels.get(one, one) for one in found.matters],
        "status": found.status,
        "status_label": DELEGATION.statuses[found.status],
        "version": found.version,
        "begun_at": clock.rfc3339(found.begun_at),
        "ended_at": clock.rfc3339(found.ended_at) if found.ended_at is not None else None,
        "actions": ["revoke"] if own and found.status == STANDING else [],
    }
