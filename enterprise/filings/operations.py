"""What changes filings: the same few verbs for every kind.

Every write is judged in the order of the HTTP contract §1: may not see it → 404; a repetition → the
filing as it is now; wrong status or stale → 409; faulty → 422.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from core import idempotency
from core.actor import Actor
from core.errors import Problem, not_found
from core.versions import sent_version, stale
from core.workflow import SYSTEM
from enterprise.filings.engine import DELETED, Filings, party, seen, visible, wrong_status
from enterprise.filings.kinds import ENTERPRISE
from enterprise.filings.models import Filing
from enterprise.filings.moves import find, found
from enterprise.filings.opening import open_by
from enterprise.filings.steps import take
from enterprise.filings.working_copy import claim, keep, read, unknown_keys
from enterprise.models import AREAS
from enterprise.queries import name_of_place


def save(
    session: Session,
    engine: Filings,
    actor: Actor,
    filing_id: UUID,
    body: Mapping[str, Any],
    *,
    about: tuple[str, UUID] | None = None,
) -> tuple[Filing, bool]:
    """Open a filing, or save its working copy (data and documents); returns it and whether it is new.

    `about`: what a new one is about, where the caller knows and the body does not say.
    """
    filing = find(session, filing_id)
    if filing is not None:
        filing = seen(actor, filing)
    if not idempotency.claim(session, idempotency.key(actor.user_id, "filings.save", filing_id, body)):
        return visible(session, actor, filing_id), False
    if filing is None:
        return open_by(session, engine, actor, filing_id, body, about), True
    kind = engine.kind_of(filing)
    if party(actor, filing) != ENTERPRISE:
        raise Problem("forbidden")
    if filing.status not in kind.editable:
        raise wrong_status(kind, filing)
    _refuse_stale(filing, body)
    values, faults = read(engine, kind, filing, body, submit=False)
    documents, document_faults = claim(session, actor, kind, filing, body)
    faults = [*unknown_keys(body), *faults, *document_faults]
    if faults:
        raise Problem("invalid", errors=faults)
    keep(session, kind, filing, values, documents)
    return visible(session, actor, filing_id), False


def act(
    session: Session, engine: Filings, actor: Actor, filing_id: UUID, action: str, body: Mapping[str, Any]
) -> Filing:
    """Take a step. 409 `wrong_status` with the current status, 403 when it is not this side's."""
    filing = find(session, filing_id)
    idempotency_key = idempotency.key(actor.user_id, f"filings.{action}", filing_id, body)
    if filing is not None and filing.status == DELETED and idempotency.is_claimed(session, idempotency_key):
        return filing
    filing = seen(actor, filing)
    if not idempotency.claim(session, idempotency_key):
        return found(session, filing_id)
    kind = engine.kind_of(filing)
    if not any(step.action == action for step in kind.steps):
        raise not_found()
    step = kind.step(action, filing.status)
    if step is None:
        raise wrong_status(kind, filing, action=action)
    if step.who == SYSTEM or step.who != party(actor, filing):
        raise Problem("forbidden")
    _refuse_stale(filing, body)
    return take(session, engine, kind, filing, step, actor, body)


def _refuse_stale(filing: Filing, body: Mapping[str, Any]) -> None:
    version = sent_version(body)
    if version != filing.version:
        raise stale(filing.version, version)


def delete(session: Session, engine: Filings, actor: Actor, filing_id: UUID) -> Filing:
    """The step `delete` of a filing's workflow, by the enterprise. Deleting it again is answered alike.

    409 `wrong_status` where the workflow has no such step from the filing's status, or none at all.
    """
    filing = find(session, filing_id)
    if filing is None or party(actor, filing) != ENTERPRISE:
        raise not_found()
    if filing.status != DELETED:
        kind = engine.kind_of(filing)
        if kind.step("delete", filing.status) is None:
            raise wrong_status(kind, filing, action="delete")
        return act(session, engine, actor, filing_id, "delete", {"version": filing.version})
    return filing


def follow_enterprise(session: Session, enterprise: Mapping[str, Any]) -> None:
    """Take what an enterprise has not sent yet to the bureau of its new place and to its new name.

    What a bureau has or ordered stays with it, under the name that it had.
    """
    session.execute(
        update(Filing)
        .where(
            Filing.enterprise_id == enterprise["id"], Filing.sent == 0, Filing.opened_by_office.is_(False),
            Filing.finished_at.is_(None),
        )
        .values({**{area: enterprise[area] for area in AREAS}, "org_name": enterprise["name"]})
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    # What it began by itself is headed by the region of the bureau to which it will go; a campaign keeps its own.
    session.execute(
        update(Filing)
        .where(
            Filing.enterprise_id == enterprise["id"], Filing.sent == 0, Filing.opened_by_office.is_(False),
            Filing.finished_at.is_(None), Filing.opened_by.is_not(None), Filing.title_region.is_not(None),
        )
        .values(title_region=name_of_place(session, enterprise))
        .execution_options(synchronize_session=False)
    )  # fmt: skip
