"""What changes filings besides the steps of their workflow (`steps/actions.py`): opening, saving, deleting.

Every write is validated in the order of the HTTP contract §1: not readable → 404; a repetition → the filing as it is
now; wrong status or stale → 409; faulty → 422.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import Problem, not_found
from core.workflows import idempotency
from core.workflows.versions import refuse_stale
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.drafts.working_copy import claim_files, store, unknown_keys, validate_data
from enterprise.filings.models import DELETED, Filing
from enterprise.filings.moves import find
from enterprise.filings.sides.access import demanded_standing, get_readable, is_own
from enterprise.filings.steps.actions import act, ring_what_is_over
from enterprise.filings.steps.opening import open_by
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

    `about`: the type and id of what a new one is about, where the caller knows and the body does not say.
    """
    filing = find(session, filing_id)
    stands = demanded_standing(session, engine, actor, filing) if filing is not None else None
    if not idempotency.claim(session, idempotency.key(actor.user_id, "filings.save", filing_id, body)):
        return get_readable(session, engine, actor, filing_id), False
    if filing is None or stands is None:
        return open_by(session, engine, actor, filing_id, body, about), True
    filing = ring_what_is_over(session, engine, filing)
    kind = engine.kind_of(filing)
    editors = kind.status(filing.status).editors
    if not stands.is_one_of(editors):
        raise kind.wrong_status(filing.status) if stands.own and not editors else Problem("forbidden")
    refuse_stale(filing.version, body)
    values, faults = validate_data(session, engine, kind, filing, body, submit=False)
    documents, document_faults = claim_files(session, engine, actor, kind, filing, body, values)
    faults = [*unknown_keys(body), *faults, *document_faults]
    if faults:
        raise Problem("invalid", errors=faults)
    store(session, kind, filing, values, documents)
    return get_readable(session, engine, actor, filing_id), False


def delete(session: Session, engine: Filings, actor: Actor, filing_id: UUID) -> Filing:
    """The step `delete` of a filing's workflow, by the enterprise. Deleting it again is answered alike.

    409 `wrong_status` where the workflow has no such step from the filing's status, or none at all.
    """
    filing = find(session, filing_id)
    if filing is None or not is_own(actor, filing):
        raise not_found()
    if filing.status == DELETED:
        return filing
    kind = engine.kind_of(filing)
    if kind.step("delete", filing.status) is None:
        raise kind.wrong_status(filing.status, "delete")
    return act(session, engine, actor, filing_id, "delete", {"version": filing.version})


def follow_enterprise(session: Session, enterprise: Mapping[str, Any]) -> None:
    """Give what an enterprise has not sent yet to the bureau of its new place, under its new name.

    What was sent to a bureau or ordered by it stays with that bureau, under the former name.
    """
    not_sent = (
        update(Filing)
        .where(
            Filing.enterprise_id == enterprise["id"], Filing.sent == 0, Filing.opened_by_office.is_(False),
            Filing.finished_at.is_(None),
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    place = {area: enterprise[area] for area in AREAS}
    session.execute(not_sent.values({**place, "org_name": enterprise["name"]}))
    # What it began by itself is headed by the region of the bureau that will receive it; a campaign keeps its region.
    headed = not_sent.where(Filing.opened_by.is_not(None), Filing.title_region.is_not(None))
    session.execute(headed.values(title_region=name_of_place(session, enterprise)))
