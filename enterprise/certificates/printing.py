"""The print of a certificate (证书打印), and what `/v/{code}` says of it: genuine, replaced, ended, expired."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from accounts.models import Office
from assets.paper.form_sheet import fields_of, sheet, tables_of
from assets.paper.papers import Paper, data_of
from core.forms.library import FormLibrary
from core.forms.sealing import readable
from core.prints import operations as prints
from core.prints.operations import Look, Shown
from enterprise.certificates.declarations import CertificateKind
from enterprise.certificates.models import Certificate
from enterprise.certificates.register import SUBJECT, is_over, newest, version_place

_OVER = "已过期"


def prepared(
    session: Session, forms: FormLibrary, kind: CertificateKind, certificate: Certificate, public_url: str
) -> Paper:
    """What is printed of a certificate now, with the code of this print; one that has ended says so and has none."""
    said = _said(session, forms, kind, certificate)
    digest, url, across = prints.digest(said), "", ""
    if certificate.status not in kind.holding:
        across = kind.label(certificate.status)
    elif is_over(certificate):
        across = _OVER
    if not across:
        url = f"{public_url}{prints.PAGE}{prints.issue(session, SUBJECT, certificate.id, digest)}"
    return Paper(certificate.number, kind.paper, data_of(said, digest, url, across=across))


def look(forms: FormLibrary, kinds: Mapping[str, CertificateKind]) -> Look:
    """For the page of a print: what the certificate is now; no more than number, holder, validity, issuer, and the
    fields that its kind names as public."""

    def shown(session: Session, certificate_id: UUID) -> Shown | None:
        certificate = session.get(Certificate, certificate_id)
        kind = kinds.get(certificate.kind) if certificate is not None else None
        if certificate is None or kind is None:
            return None
        said = _said(session, forms, kind, certificate)
        labels = {
            item["field"]: item["text"]
            for section in forms.get(kind.form_code).form.definition["sections"] for item in section["items"]
            if "field" in item
        }  # fmt: skip
        public = [(labels[name], said["fields"][name]) for name in kind.public if said["fields"].get(name)]
        over = is_over(certificate) and certificate.status in kind.holding
        return Shown(
            said["title"], certificate.number, certificate.issued_on, certificate.org_name,
            {prints.digest(said): ""}, voided=certificate.status not in kind.holding,
            expired=over, status=_OVER if over else kind.label(certificate.status),
            more=(("有效期", said["valid"]), ("发证机关", said["issuer"]), *public),
        )  # fmt: skip

    return shown


def _said(session: Session, forms: FormLibrary, kind: CertificateKind, certificate: Certificate) -> dict[str, Any]:
    """What the paper says, whenever it is printed."""
    row = newest(session, certificate)
    form = forms.get(row.form_code, row.form_version).form
    data = readable(form, row.data, version_place(row.id), clear=True)
    office = session.get(Office, certificate.office_id) if certificate.office_id is not None else None
    until = f" 至 {row.valid_to.isoformat()}" if row.valid_to is not None else " 起长期有效"
    valid = row.valid_from.isoformat() + until
    return {
        "form": form.code, "title": kind.title, "office": "", "number": certificate.number,
        "version": row.number, "holder": row.org_name, "uscc": certificate.uscc,
        "issuer": office.name if office is not None else "", "issued": row.issued_on.isoformat(),
        "issued-words": _words(row.issued_on), "valid": valid, "fields": fields_of(form, data),
        "tables": tables_of(form, data), **sheet(form, data),
    }  # fmt: skip


def _words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
