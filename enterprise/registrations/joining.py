"""Consent: an organisation that is known takes over what was registered with its code, or somebody leaves it apart.

Whoever types a code that is known gets nothing of that organisation. Its own users, or its bureau, decide whether what
was registered is theirs (并入): then it stands among its filings, and whoever has the query code still reaches that
filing alone. Until then, and where it is left apart (单独办理), it belongs to nobody in the register.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.models import Office, User
from accounts.verbs import Verb
from core.actor import Actor
from core.errors import Problem, not_found
from core.text import clean, demanded
from core.workflows import history, idempotency, todos
from enterprise.certificates import holders
from enterprise.filings.models import Filing
from enterprise.models import Enterprise
from enterprise.registrations.models import Registered
from enterprise.registrations.registering import TODO_NEW
from enterprise.registrations.workflows import REGISTERED


def known_as(session: Session, registered: Registered) -> Enterprise | None:
    """The organisation of the register that has the code."""
    if registered.code is None:
        return None
    return session.scalar(
        select(Enterprise).where(Enterprise.uscc == registered.code).execution_options(populate_existing=True)
    )


def may_read(actor: Actor, registered: Registered, known: Enterprise | None) -> bool:
    """An officer who issues accounts, over the place of either; a user of the organisation."""
    if actor.filing_id is not None:
        return False
    if actor.enterprise_id is not None:
        return known is not None and actor.enterprise_id == known.id and Verb.FILINGS_WRITE in actor.verbs
    if Verb.ENTERPRISES_MANAGE not in actor.verbs:
        return False
    here = actor.scope.contains(registered.area1, registered.area2, registered.area3)
    return here or _is_bureau_of(actor, known)


def may_join(actor: Actor, known: Enterprise | None) -> bool:
    """Whose consent it takes: that of the organisation, or of the bureau that it lies under."""
    own = known is not None and actor.enterprise_id == known.id
    return own or (actor.enterprise_id is None and _is_bureau_of(actor, known))


def _is_bureau_of(actor: Actor, known: Enterprise | None) -> bool:
    return known is not None and actor.scope.contains(known.area1, known.area2, known.area3)


def get_readable(session: Session, actor: Actor, registration_id: UUID) -> tuple[Registered, Enterprise | None]:
    """The registration and the organisation that has its code; 404 for who may not read it."""
    found = session.get(Registered, registration_id, populate_existing=True)
    known = known_as(session, found) if found is not None else None
    if found is None or not may_read(actor, found, known):
        raise not_found()
    return found, known


def may_read_registration(session: Session, actor: Actor, registration_id: UUID) -> bool:
    """For the subject registry."""
    found = session.get(Registered, registration_id, populate_existing=True)
    return found is not None and may_read(actor, found, known_as(session, found))


def decide(session: Session, actor: Actor, registration_id: UUID, action: str, body: Mapping[str, Any]) -> None:
    """Take a registration over (`join`) or leave it apart (`keep_apart`, with a reason); the first decision wins.

    Raises 404, 403 where the consent is another's, 409 `wrong_status` or `not_known`, 422 without a reason. A
    repetition changes nothing.
    """
    registered, known = get_readable(session, actor, registration_id)
    key = idempotency.key(actor.user_id, f"registrations.{action}", registration_id, body)
    if not idempotency.claim(session, key):
        return
    if action == "join":
        if known is None:
            raise Problem("not_known")
        if not may_join(actor, known):
            raise Problem("forbidden", "须由该企业或其所在地的市场监管部门同意")
        REGISTERED.move(session, actor, registered, "join", {}, {"joined": known.uscc})
        _move_filings(session, actor, registered, known)
        holders.join(session, actor, registered.applicant_id, known)
    else:
        opinion = demanded(clean(str(body.get("opinion") or "")) or None, "/opinion", "请填写不并入的原因")
        REGISTERED.move(session, actor, registered, "keep_apart", {"opinion": opinion}, {"opinion": opinion})
    todos.close(session, registration_id, TODO_NEW)


def _move_filings(session: Session, actor: Actor, registered: Registered, known: Enterprise) -> None:
    """What was registered becomes the organisation's, and what its account filed besides; the bureau keeps it."""
    of_it = {"enterprise_id": known.id, "uscc": known.uscc, "org_name": known.name}
    silent = {"synchronize_session": False}
    mine = select(Filing).where(Filing.enterprise_id == registered.applicant_id).order_by(Filing.id)
    for filing in session.scalars(mine.with_for_update()).all():
        stays = (filing.status, filing.status, filing.version)
        session.execute(update(Filing).where(Filing.id == filing.id).values(of_it), execution_options=silent)
        payload = {**actor.as_payload(), "joined": known.uscc}
        history.append(session, history.Move("filing", filing.id, "join_applicant", *stays, actor.user_id, payload))
    office = select(User.office_id).where(User.id == registered.user_id).scalar_subquery()
    session.execute(update(Office).where(Office.id == office).values(enterprise_id=known.id), execution_options=silent)
