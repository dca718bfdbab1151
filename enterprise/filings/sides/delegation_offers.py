"""What somebody may delegate (委托), as the kinds declare it: posts, offices that can take them, business types."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office
from core.actor import Actor
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.declaring.takers import Post
from enterprise.filings.models import Delegation
from enterprise.filings.sides.delegations import STANDING

_MOST_OFFICES = 100


def offers(session: Session, engine: Filings, actor: Actor) -> list[dict[str, Any]]:
    """Each post that the actor holds and may delegate; none of it for an enterprise."""
    held = {
        post.code: post
        for kind in engine.kinds.values() for post in kind.posts if post.delegable_to and post.verb in actor.verbs
    }  # fmt: skip
    if not held or actor.enterprise_id is not None:
        return []
    own = select(Delegation.post).where(Delegation.from_office_id == actor.office_id, Delegation.status == STANDING)
    standing = set(session.scalars(own))
    return [
        {
            "post": post.code,
            "label": post.label,
            "offices": [{"id": str(row.id), "name": row.name} for row in _offices(session, actor, post)],
            "matters": [{"code": code, "label": label} for code, label in matters_of(engine, post.code).items()],
            "delegated": post.code in standing,
        }
        for post in held.values()
    ]


def _offices(session: Session, actor: Actor, post: Post) -> list[Any]:
    taking = select(Office.id, Office.name).where(
        Office.kind.in_(post.delegable_to), Office.region_code == actor.region_code, Office.closed_on.is_(None),
        Office.id != actor.office_id,
    )  # fmt: skip
    return list(session.execute(taking.order_by(Office.name, Office.id).limit(_MOST_OFFICES)))


def matters_of(engine: Filings, post: str) -> dict[str, str]:
    """The business types (业务类型) by which a post is delegated, with their labels: options of the kinds' fields."""
    found: dict[str, str] = {}
    for kind in engine.kinds.values():
        if kind.matter is None or all(one.code != post for one in kind.posts):
            continue
        sections = engine.forms.get(kind.form_code).form.definition["sections"]
        items = (item for section in sections for item in section["items"] if item.get("field") == kind.matter)
        for item in items:
            found |= {option["value"]: option["label"] for option in item.get("options", ())}
    return found
