"""What endpoints answer of certificates (证书): a row of the list, one whole, its versions, what was drawn on it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office
from core import clock
from core.forms.library import FormLibrary
from core.forms.sealing import readable
from enterprise.certificates import counting
from enterprise.certificates.declarations import EXPIRED, CertificateKind
from enterprise.certificates.models import Certificate, CertificateVersion, CounterDraw
from enterprise.certificates.register import is_over, newest, version_place


def shown_status(kind: CertificateKind, certificate: Certificate) -> str:
    """Its status, or `expired` where it would hold but for its last day."""
    over = is_over(certificate) and certificate.status in kind.holding
    return EXPIRED if over else certificate.status


def row_answer(kind: CertificateKind, certificate: Certificate, offices: dict[Any, str]) -> dict[str, Any]:
    """A certificate in a list; `offices`: names by id."""
    status, office_id = shown_status(kind, certificate), certificate.office_id
    return {
        "id": str(certificate.id),
        "kind": certificate.kind,
        "title": kind.title,
        "number": certificate.number,
        "status": status,
        "status_label": kind.label(status),
        "holds": certificate.status in kind.holding and status != EXPIRED,
        "version": certificate.versions,
        "uscc": certificate.uscc,
        "org_name": certificate.org_name,
        "office": {"id": str(office_id), "name": offices[office_id]} if office_id in offices else None,
        "issued_on": certificate.issued_on.isoformat(),
        "valid_from": certificate.valid_from.isoformat(),
        "valid_to": certificate.valid_to.isoformat() if certificate.valid_to is not None else None,
        "filing_id": str(certificate.filing_id),
    }


def rows_answer(
    session: Session, kinds: dict[str, CertificateKind], certificates: Sequence[Certificate]
) -> list[dict[str, Any]]:
    """Some of them, with the names of their offices read at once; of a kind that is declared no more, none."""
    offices = office_names(session, certificates)
    return [row_answer(kinds[one.kind], one, offices) for one in certificates if one.kind in kinds]


def office_names(session: Session, certificates: Sequence[Certificate]) -> dict[Any, str]:
    """The names of the offices that issued them, by id."""
    ids = {one.office_id for one in certificates if one.office_id is not None}
    found = session.execute(select(Office.id, Office.name).where(Office.id.in_(ids))) if ids else ()
    return {row.id: row.name for row in found}


def whole_answer(
    session: Session, forms: FormLibrary, kind: CertificateKind, certificate: Certificate
) -> dict[str, Any]:
    """What it says now, personal data masked, with the counters of its lines."""
    (row,) = rows_answer(session, {kind.code: kind}, [certificate])
    version = newest(session, certificate)
    return {**row, **_content(forms, version), "counters": _counters(session, kind, certificate)}


def version_answer(forms: FormLibrary, row: CertificateVersion) -> dict[str, Any]:
    """A version in a list."""
    return {
        "number": row.number,
        "filing_id": str(row.filing_id),
        "made_at": clock.rfc3339(row.made_at),
        "issued_on": row.issued_on.isoformat(),
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat() if row.valid_to is not None else None,
        **_content(forms, row),
    }


def draw_answer(draw: CounterDraw, by: Any) -> dict[str, Any]:
    """What a filing drew; `by`: that filing."""
    return {
        "filing_id": str(draw.filing_id),
        "filing_title": by.title,
        "filing_number": by.number,
        "line": draw.line,
        "name": draw.name,
        "asked": counting.shown(draw.asked),
        "found": counting.shown(draw.found) if draw.found is not None else None,
        "status": draw.status,
        "made_at": clock.rfc3339(draw.made_at),
        "settled_at": clock.rfc3339(draw.settled_at) if draw.settled_at is not None else None,
    }


def _content(forms: FormLibrary, row: CertificateVersion) -> dict[str, Any]:
    form = forms.get(row.form_code, row.form_version).form
    return {
        "form": {"code": form.code, "version": form.version, "title": form.title},
        "data": readable(form, row.data, version_place(row.id), clear=False),
    }


def _counters(session: Session, kind: CertificateKind, certificate: Certificate) -> list[dict[str, Any]]:
    """Each line with what it has, what is used and what is reserved."""
    if kind.counters is None:
        return []
    labels = {one.name: one.label for one in kind.counters.each}
    order = list(labels)
    rows = sorted(
        counting.of(session, certificate.id).values(), key=lambda row: (row.line, order.index(row.name))
    )  # fmt: skip
    return [
        {
            "line": row.line,
            "name": row.name,
            "label": labels[row.name],
            "total": counting.shown(row.total),
            "used": counting.shown(row.used),
            "pending": counting.shown(row.pending),
            "left": counting.shown(row.total - row.used - row.pending),
        }
        for row in rows
    ]
