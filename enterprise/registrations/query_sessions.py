"""A token for who has a query code (查询码): it reaches one filing, its files and steps, and nothing else.

Name, code and query code have to fit together; whatever does not fit is answered alike. A lost query code is replaced
by one that goes to the registered address; the former one works until the new one was used, so that nobody shuts
another out by asking.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from accounts.mail.letters import Site
from accounts.sign_in import audit, sessions, throttle
from accounts.sign_in.sessions import Begun, SessionPolicy
from core import clock
from core.db import Database
from core.deliveries.operations import Mail, enqueue_mail, enqueue_nothing
from core.errors import Problem
from core.identifiers import normalise_resident_id, normalise_uscc
from core.privacy import keyed_hash
from core.text import clean_line, fold
from enterprise.registrations import query_codes
from enterprise.registrations.models import Registered
from enterprise.registrations.registering import HOUR, Asker, slow_down
from enterprise.registrations.workflows import REGISTERED

SPARE_LIFE = timedelta(days=1)
"""How long a mailed code waits to be used."""
FREE, MOST, OF_ONE = 10, 100, 3
"""Lost codes asked for in an hour: from a line without a captcha, behind captchas, and for one registrant."""
_NOBODY = UUID(int=0)
_SEARCHED = 20
"""Registrations of one code whose name and address are compared."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody types who queries: `code` is the USCC or the resident ID."""

    name: str
    code: str
    query_code: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that reaches one filing."""

    registration_id: UUID
    filing_id: UUID
    begun: Begun


def begin(database: Database, policy: SessionPolicy, typed: Typed, asker: Asker) -> Opened:
    """Begin a session by a query code.

    Raises 401 `query_failed` whatever does not fit, and 429: ten wrong ones of a line in a quarter of an hour are
    answered with it, and after a hundred every one.
    """
    keys = throttle.by_origin("query-address", asker.origin)
    with database.write() as session:
        reserved = throttle.reserve(session, keys)
    if reserved.refused is not None:
        raise _too_often(reserved.refused)
    with database.write() as session:
        found = _fitting(session, typed)
        audit.note(session, "", None, asker.origin.address, "query_failed" if found is None else "query_signed_in")
        if found is not None:
            throttle.take_back(session, keys)
            _take_spare(session, found, _hashes(typed))
            begun = sessions.begin(
                session, policy, found.user_id, None, asker.origin, asker.user_agent, filing_id=found.filing_id
            )
            return Opened(found.id, found.filing_id, begun)
    if reserved.refused_if_wrong is not None:
        raise _too_often(reserved.refused_if_wrong)
    raise Problem("query_failed")


def _too_often(wait: int) -> Problem:
    return Problem(
        "too_many_requests", f"查询码错误次数过多，请在 {throttle.minutes(wait)} 分钟后再试", retry_after=wait
    )


def _fitting(session: Session, typed: Typed) -> Registered | None:
    hashes = _hashes(typed)
    spare = and_(Registered.spare_code_hash.in_(hashes), Registered.spare_until > clock.now())
    found = session.scalar(select(Registered).where(or_(Registered.query_code_hash.in_(hashes), spare)))
    if found is None or not _is_of(found, typed.name, typed.code):
        return None
    return found


def _hashes(typed: Typed) -> list[str]:
    """Of an organisation's query code, and of a person's: which of them it is says the row that fits."""
    return [
        query_codes.hash_of(typed.query_code, registrant)
        for registrant in (normalise_uscc(typed.code), normalise_resident_id(typed.code))
    ]


def _is_of(registered: Registered, name: str, code: str) -> bool:
    known = registered.code or registered.id_number
    return bool(known) and fold(registered.name) == fold(name) and known == _normalised(registered, code)


def _normalised(registered: Registered, code: str) -> str:
    return normalise_resident_id(code) if registered.applicant == "person" else normalise_uscc(code)


def _take_spare(session: Session, found: Registered, hashes: Sequence[str]) -> None:
    """The mailed code was used: from now on it is the code, and the former one is none."""
    held = select(Registered).where(Registered.id == found.id).with_for_update()
    now = session.scalars(held.execution_options(populate_existing=True)).one()
    if now.spare_code_hash in hashes:
        taken = {"query_code_hash": now.spare_code_hash, "spare_code_hash": None, "spare_until": None}
        REGISTERED.move(session, None, now, "renew_code", taken)


def send_lost_code(database: Database, site: Site, system: str, name: str, code: str, email: str, asker: Asker) -> None:
    """Mail a new query code to the registered address if name, code and address fit; nobody learns whether they do.

    Raises 403 `captcha_required` and 429, as for whoever is not registered.
    """
    slow_down(database, "lost-code", FREE, MOST, asker)
    pair = keyed_hash("lost-code", system, fold(name), fold(code), email.casefold())
    with database.write() as session:
        wait = throttle.take(session, {f"lost-code:{pair}": OF_ONE}, HOUR)
        if not wait:
            _mail(session, site, _registered(session, system, name, code, clean_line(email)))
    if wait:
        raise Problem("too_many_requests", "申请过于频繁，请先查收邮件，或稍后再试", retry_after=wait)


def _registered(session: Session, system: str, name: str, code: str, email: str) -> Registered | None:
    """The newest registration that fits. Persons are found by their number's hash, both by one statement."""
    of_code = or_(Registered.code == normalise_uscc(code), Registered.id_hash == query_codes.id_hash(code))
    newest = (
        select(Registered)
        .where(Registered.system == system, of_code)
        .order_by(Registered.created_at.desc(), Registered.id)
        .limit(_SEARCHED)
    )
    for one in session.scalars(newest):
        if _is_of(one, name, code) and (one.email or "").casefold() == email.casefold():
            return one
    return None


def _mail(session: Session, site: Site, found: Registered | None) -> None:
    code, until = query_codes.fresh_code(), clock.now() + SPARE_LIFE
    letter = Mail(
        "查询码",
        f"您申请找回查询码，新的查询码：{code}\n\n"
        f"请在一天内到 {site.address}/app/#/pages/query/index 使用，使用后原查询码失效。\n\n"
        "如果不是您本人申请，请忽略本邮件，原查询码仍然有效。\n",
    )
    registrant = "" if found is None else found.code or found.id_number or ""
    session.execute(
        update(Registered)
        .where(Registered.id == (_NOBODY if found is None else found.id))
        .values(spare_code_hash=query_codes.hash_of(code, registrant), spare_until=until)
        .execution_options(synchronize_session=False)
    )
    if found is None or found.email is None:
        enqueue_nothing(session, "lost_query_code", letter, expires_at=until)
    else:
        enqueue_mail(session, "lost_query_code", found.email, letter, expires_at=until)
