"""What happens to certificates (证书): issued, amended, given another status. Each has a history of its own.

Whoever changes one has locked its filing, then the number series, then the certificate: in this order everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, privacy
from core.actor import Actor
from core.deadlines.periods import counted
from core.deadlines.working_days import WorkingCalendar
from core.errors import Problem, invalid
from core.forms.library import FormLibrary
from core.forms.sealing import opened, readable, sealed
from core.workflows import history
from core.workflows.contents import keyed_digest
from enterprise.catalogues.words import CatalogueWords
from enterprise.certificates import counting, noted, numbers
from enterprise.certificates.declarations import Amends, CertificateKind, Turns, Validity
from enterprise.certificates.models import Certificate, CertificateVersion

SUBJECT = "certificate"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Act:
    """What changes a certificate: a step of a filing, by whom, and what it says in clear (`data`).

    `areas` and `office_id` are those of the office that handles the filing.
    """

    session: Session
    forms: FormLibrary
    action: str
    actor: Actor | None
    now: datetime
    filing_id: UUID
    holder: tuple[UUID, str, str]
    office_id: UUID | None
    areas: tuple[str, str | None, str | None]
    data: Mapping[str, Any]
    comment: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


def version_place(version_id: UUID) -> str:
    """The place to which the data of a version are sealed."""
    return privacy.place("certificate_versions", "data", version_id)


def lock(session: Session, certificate_id: UUID) -> Certificate | None:
    """The certificate, which nobody else changes before this transaction ends."""
    asked = select(Certificate).where(Certificate.id == certificate_id).with_for_update()
    return session.scalars(asked.execution_options(populate_existing=True)).first()


def of_filing(session: Session, kind: CertificateKind, filing_id: UUID) -> UUID | None:
    """The certificate that was issued by a filing."""
    asked = select(Certificate.id).where(Certificate.filing_id == filing_id, Certificate.kind == kind.code)
    return session.scalars(asked.order_by(Certificate.created_at.desc()).limit(1)).first()


def is_over(certificate: Certificate) -> bool:
    """Whether its last day is over."""
    return certificate.valid_to is not None and certificate.valid_to < clock.today()


def wrong_status(kind: CertificateKind, certificate: Certificate) -> Problem:
    """409 for a certificate that does not stand where something may be done."""
    label = kind.label(certificate.status)
    return Problem(
        "wrong_status", f"{kind.title}当前状态为“{label}”，不能办理", current_status=certificate.status
    )  # fmt: skip


def issue(kind: CertificateKind, act: Act) -> Certificate:
    """A new certificate (发证), with the next number. 422 where what it would say is not whole."""
    session, today = act.session, clock.today()
    number = numbers.give(session, kind.number, kind.code, act.office_id, act.data)
    enterprise_id, uscc, org_name = act.holder
    valid_to = _until(kind.validity, act.data, today) if kind.validity is not None else None
    area1, area2, area3 = act.areas
    certificate = Certificate(
        id=uuid4(), kind=kind.code, number=number, status=kind.statuses[0].code, version=1, versions=0,
        filing_id=act.filing_id, enterprise_id=enterprise_id, uscc=uscc, org_name=org_name, office_id=act.office_id,
        area1=area1, area2=area2, area3=area3, issued_on=today, valid_from=today, valid_to=valid_to,
        created_at=act.now, updated_at=act.now,
    )  # fmt: skip
    session.add(certificate)
    session.flush()
    _say(kind, certificate, act)
    _told(act, certificate, None, {"number": number})
    return certificate


def amend(amends: Amends, certificate: Certificate, act: Act) -> None:
    """A new version of a locked certificate (变更、延续). 409 where it does not stand where that may be done."""
    kind, former = amends.kind, certificate.status
    _refuse(kind, certificate, amends.when, untouched=amends.untouched, session=act.session)
    today = clock.today()
    certificate.uscc, certificate.org_name = act.holder[1], act.holder[2]
    certificate.issued_on = today
    if kind.validity is not None and amends.anew:
        lasting = certificate.valid_to if certificate.valid_to is not None and certificate.valid_to >= today else None
        certificate.valid_from = lasting + _DAY if lasting is not None else today
        certificate.valid_to = _until(kind.validity, act.data, lasting or today)
    elif kind.validity is not None and kind.validity.until is not None and act.data.get(kind.validity.until):
        certificate.valid_to = _until(kind.validity, act.data, certificate.valid_from)
    certificate.status, certificate.version = amends.to or former, certificate.version + 1
    certificate.updated_at = act.now
    _say(kind, certificate, act)
    _told(act, certificate, former, {})


def turn(turns: Turns, certificate: Certificate, act: Act) -> None:
    """Give a locked certificate another status (注销、暂停). 409 where it does not stand where that may be done."""
    _refuse(turns.kind, certificate, turns.when, untouched=turns.untouched, session=act.session)
    set_status(certificate, turns.to, act)


def set_status(certificate: Certificate, status: str, act: Act) -> None:
    """Write another status, with its history."""
    former = certificate.status
    certificate.status, certificate.version, certificate.updated_at = status, certificate.version + 1, act.now
    act.session.flush()
    _told(act, certificate, former, {})


def note_draws(certificate: Certificate, act: Act) -> None:
    """Tell the history of a locked certificate what the filing has drawn on its counters now (核销)."""
    drawn = noted.drawn(act.session, certificate.id, act.filing_id)
    _told(act, certificate, certificate.status, {"draws": drawn})


def _refuse(
    kind: CertificateKind, certificate: Certificate, when: Sequence[str], *, untouched: bool, session: Session
) -> None:
    if certificate.kind != kind.code or certificate.status not in (when or kind.holding):
        raise wrong_status(kind, certificate)
    if untouched and counting.are_touched(session, certificate.id):
        said = f"{kind.title}已有核销或待确认的数量，不能办理"
        raise Problem("wrong_status", said, current_status=certificate.status)


def _until(validity: Validity, data: Mapping[str, Any], start: date) -> date:
    said = data.get(validity.until) if validity.until is not None else None
    if isinstance(said, str) and said:
        until = date.fromisoformat(said)
        if until < clock.today():
            raise invalid(f"/data/{validity.until}", "out_of_range", "有效期不能早于今天，请重新选择")
        return until
    return counted(start, validity.unit, validity.number, WorkingCalendar())


def _say(kind: CertificateKind, certificate: Certificate, act: Act) -> None:
    """Keep what the certificate says from now on as its next version, and set up its counters."""
    session, form = act.session, act.forms.get(kind.form_code).form
    fields = {item.name for item in form.items}
    said = {name: value for name, value in act.data.items() if name in fields}
    checked = form.check(said, submit=True, today=clock.today(), words=CatalogueWords(session))
    if checked.faults:
        raise Problem("invalid", errors=[fault.under("/data") for fault in checked.faults])
    certificate.versions += 1
    row = CertificateVersion(
        id=uuid4(), certificate_id=certificate.id, number=certificate.versions, filing_id=act.filing_id,
        form_code=form.code, form_version=form.version, data={}, org_name=certificate.org_name,
        issued_on=certificate.issued_on, valid_from=certificate.valid_from, valid_to=certificate.valid_to,
        made_at=act.now,
    )  # fmt: skip
    row.data = sealed(form, checked.values, version_place(row.id))
    session.add(row)
    session.flush()
    act.more.update({"certificate_version": str(row.id), "content": content_digest(certificate.number, row)})
    if kind.counters is not None:
        counting.set_up(session, kind.counters, certificate.id, checked.values)
        act.more["totals"] = noted.totals(session, certificate.id)


def content_digest(number: str, row: CertificateVersion) -> str:
    """Keyed digest of a version, kept in the certificate's history."""
    named = ("number", "form_code", "form_version", "org_name", "issued_on", "valid_from", "valid_to")
    content = {name: str(getattr(row, name)) for name in named}
    data = opened(row.data, version_place(row.id))
    return keyed_digest("certificate", {**content, "of": number, "data": data, "certificate": str(row.certificate_id)})


def _told(act: Act, certificate: Certificate, former: str | None, more: Mapping[str, Any]) -> None:
    """Append the history row of what happened."""
    actor = act.actor
    payload = {
        **(actor.as_payload() if actor is not None else {}), **more, **act.more, "filing": str(act.filing_id),
        "valid_to": certificate.valid_to.isoformat() if certificate.valid_to is not None else None,
        **({"comment": act.comment} if act.comment else {}), **noted.standing(certificate),
    }  # fmt: skip
    history.append(
        act.session,
        history.Move(
            SUBJECT, certificate.id, act.action, former, certificate.status, certificate.version,
            actor.user_id if actor is not None else None, payload,
        ),
    )  # fmt: skip


def newest(session: Session, certificate: Certificate) -> CertificateVersion:
    """What a certificate says now."""
    mine = (CertificateVersion.certificate_id == certificate.id, CertificateVersion.number == certificate.versions)
    return session.scalars(select(CertificateVersion).where(*mine)).one()


def data_of(session: Session, forms: FormLibrary, certificate: Certificate, *, clear: bool) -> dict[str, Any]:
    """What a certificate says now, personal data in clear or masked."""
    row = newest(session, certificate)
    form = forms.get(row.form_code, row.form_version).form
    return readable(form, row.data, version_place(row.id), clear=clear)
