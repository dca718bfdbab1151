"""Who reads certificates (证书), and what is read of them: lists, one by its id, who drew on it.

An enterprise reads its own. An office with a post of a kind that issues, changes or draws on them reads what it issued
itself or an office below did, and all of the country where that post is good anywhere. A delegate (受委托单位) reads
what was issued by the filings whose work it does, or what they are about. Parties read what was issued by the filings
that they are named for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor, Scope
from core.database.paging import Page, PageRequest, ascending, fetch, newest_first
from core.errors import invalid, not_found
from core.text import fold
from enterprise.certificates.declarations import EXPIRED
from enterprise.certificates.models import Certificate, CertificateVersion, CounterDraw
from enterprise.certificates.register import SUBJECT
from enterprise.filings.declaring.declarations import APPLICANT
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import Filing
from enterprise.filings.sides import delegations, parties
from enterprise.filings.sides.access import posts_of
from enterprise.queries import named

_NEWEST = newest_first("certificates", Certificate.created_at, Certificate.id)
_DRAWN = newest_first("counter_draws", CounterDraw.made_at, CounterDraw.id)
_VERSIONS = ascending("certificate_versions", CertificateVersion.number)
_MANY = 5000
_WHOLE_COUNTRY = Scope(national=True, areas=())


@dataclass(frozen=True, slots=True)
class CertificateFilters:
    """Filters of the list, combined with AND; `q` is a number or a fragment of the holder's name. `status` may be
    `expired`, in which those stand whose last day is over."""

    kind: str | None = None
    status: str | None = None
    q: str | None = None


def certificates(
    session: Session, engine: Filings, actor: Actor, filters: CertificateFilters, request: PageRequest
) -> Page:
    """The certificates that somebody reads, newest first."""
    kinds = engine.kinds.certificates
    if filters.kind is not None and filters.kind not in kinds:
        raise invalid("/kind", "unknown_kind", "没有这类证书，请重新选择")
    known = {status for one in kinds.values() for status in one.by_code} | {EXPIRED}
    if filters.status is not None and filters.status not in known:
        raise invalid("/status", "unknown_option", "没有这个状态，请重新选择")
    # What is sought is found by number or holder: no plan may begin with the area, which has most rows.
    conditions = [_reach(session, engine, actor, by_area=not filters.q)]
    if filters.kind is not None:
        conditions.append(Certificate.kind == filters.kind)
    if filters.status is not None:
        conditions.append(_stands(engine, filters.status))
    if filters.q:
        conditions.append(_sought(session, engine, actor, filters.q))
    return fetch(session, select(Certificate), _NEWEST, request, *conditions)


def may_read_certificate(session: Session, engine: Filings, actor: Actor, certificate_id: UUID) -> bool:
    """For the subject registry."""
    return _found(session, engine, actor, certificate_id) is not None


def get_certificate(session: Session, engine: Filings, actor: Actor, certificate_id: UUID) -> Certificate:
    """The certificate; 404 for who may not read it."""
    found = _found(session, engine, actor, certificate_id)
    if found is None or found.kind not in engine.kinds.certificates:
        raise not_found()
    return found


def versions(session: Session, certificate: Certificate, request: PageRequest) -> Page:
    """What it said, the oldest version first."""
    return fetch(
        session, select(CertificateVersion), _VERSIONS, request, CertificateVersion.certificate_id == certificate.id
    )


def draws(session: Session, certificate: Certificate, request: PageRequest) -> Page:
    """What was drawn on its counters, newest first, each with the filing that drew."""
    asked = select(CounterDraw, Filing).join(Filing, Filing.id == CounterDraw.filing_id)
    return fetch(session, asked, _DRAWN, request, CounterDraw.certificate_id == certificate.id)


def of_filing(session: Session, filing: Filing) -> list[Certificate]:
    """Those that a filing has issued, and the one that it is about; at most ten."""
    asked = select(Certificate).where(or_(Certificate.filing_id == filing.id, Certificate.id == filing.subject_id))
    return list(session.scalars(asked.order_by(Certificate.created_at, Certificate.id).limit(10)))


def _found(session: Session, engine: Filings, actor: Actor, certificate_id: UUID) -> Certificate | None:
    return session.scalars(
        select(Certificate).where(Certificate.id == certificate_id, _reach(session, engine, actor))
    ).first()


def _reach(session: Session, engine: Filings, actor: Actor, *, by_area: bool = True) -> ColumnElement[bool]:
    """Which certificates somebody reads, as a condition; `by_area`: an index on area or kind may find them."""
    if actor.enterprise_id is not None:
        own = Certificate.enterprise_id == actor.enterprise_id
        if actor.system is not None:
            kinds = [kind for kind in engine.kinds.values() if actor.works_in(kind.system)]
            own = and_(own, Certificate.kind.in_([one.code for kind in kinds for one in kind.certificates]))
        return own if APPLICANT.verb in actor.verbs else false()
    of_kinds: dict[str, list[FilingKind]] = {}
    for kind in engine.kinds.values():
        for one in kind.certificates:
            of_kinds.setdefault(one.code, []).append(kind)
    found = (_of_kind(session, actor, code, kinds, by_area) for code, kinds in of_kinds.items())
    sides = [side for side in found if side is not None]
    return or_(false(), *sides) if len(sides) != 1 else sides[0]


def _of_kind(
    session: Session, actor: Actor, code: str, kinds: Sequence[FilingKind], by_area: bool
) -> ColumnElement[bool] | None:  # fmt: skip
    held = [post for kind in kinds for post in kind.posts if post.verb in actor.verbs and posts_of(actor, kind)]
    is_kind = (Certificate.kind if by_area else func.coalesce(Certificate.kind, "")) == code
    if any(post.anywhere for post in held):
        return is_kind
    sides: list[ColumnElement[bool]] = []
    if held:
        above = actor.scope.strictly_above_condition(Certificate)
        own = or_(Certificate.office_id.is_(None), Certificate.office_id.in_(actor.offices), above)
        area = actor.scope.condition if by_area else actor.scope.unindexed_condition
        sides.append(and_(area(Certificate), own))
    for _, _, delegated in delegations.conditions(session, actor, kinds):
        about = select(Filing.subject_id).where(delegated, Filing.subject_type == SUBJECT)
        sides += [Certificate.filing_id.in_(select(Filing.id).where(delegated)), Certificate.id.in_(about)]
    for kind in kinds:
        stands = parties.stands_to(actor, kind)
        if stands is not None:
            sides.append(Certificate.filing_id.in_(select(Filing.id).where(stands)))
    return and_(is_kind, or_(*sides)) if sides else None


def _stands(engine: Filings, status: str) -> ColumnElement[bool]:
    """A condition of the status as it is shown: one that holds is expired after its last day."""
    over = and_(Certificate.valid_to.is_not(None), Certificate.valid_to < clock.today())
    holding = [and_(Certificate.kind == one.code, Certificate.status.in_(one.holding))
               for one in engine.kinds.certificates.values()]  # fmt: skip
    if status == EXPIRED:
        return and_(over, or_(false(), *holding))
    lasting = or_(Certificate.valid_to.is_(None), Certificate.valid_to >= clock.today())
    ended = [one.code for one in engine.kinds.certificates.values() if status in one.by_code.keys() - one.holding]
    return and_(Certificate.status == status, or_(lasting, Certificate.kind.in_(ended)))


def _sought(session: Session, engine: Filings, actor: Actor, q: str) -> ColumnElement[bool]:
    # With the kinds, by which the index of numbers begins.
    by_number = and_(Certificate.kind.in_(engine.kinds.certificates), Certificate.number == q.strip().upper())
    if actor.enterprise_id is not None:
        return or_(by_number, Certificate.number.contains(q.strip().upper(), autoescape=True))
    everywhere = any(
        post.anywhere and post.verb in actor.verbs
        for kind in engine.kinds.values() if kind.certificates for post in kind.posts
    )  # fmt: skip
    ids = named(session, _WHOLE_COUNTRY if everywhere else actor.scope, fold(q), _MANY)
    if ids is None:
        raise invalid("/q", "too_many", "符合的企业太多，请输入更完整的企业名称或证书编号")
    return or_(by_number, Certificate.enterprise_id.in_(ids))
