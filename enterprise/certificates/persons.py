"""Personal data (个人信息) of those whom certificates name: what stands in their versions."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from core.persons.holdings import Answers, Column, Fate, Holding, Holds, Subject
from core.persons.reasons import PERSON_GONE, REGISTER
from enterprise.certificates.models import Certificate, CertificateVersion
from enterprise.certificates.register import SUBJECT, content_digest, version_place

_PURPOSE = "证书、证明和许可证的发放与核验"
_BASIS = "个人信息保护法第十三条第一款第（三）项；行政许可法"
_KEPT = "随办件案卷，依档案管理规定"


def _standing(
    session: Session, certificate_id: UUID, changed: Mapping[str, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    """The digests of the versions that were changed."""
    ids = [row["id"] for row in changed.get(CertificateVersion.__tablename__, ())]
    number = session.scalars(select(Certificate.number).where(Certificate.id == certificate_id)).one()
    rows = session.scalars(
        select(CertificateVersion).where(CertificateVersion.id.in_(ids)).execution_options(populate_existing=True)
    )
    return [{"certificate_version": str(row.id), "content": content_digest(number, row)} for row in rows]


HOLDINGS = (
    Holding(
        table=cast(Table, Certificate.__table__), title="证书", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        since="created_at", subject=Subject((SUBJECT,), _standing),
        columns=(Column("org_name", Holds.OWN, "持有单位", Fate.KEEP, REGISTER),),
    ),
    Holding(
        table=cast(Table, CertificateVersion.__table__), title="证书的内容", purpose=_PURPOSE, basis=_BASIS,
        kept=_KEPT, parent="certificates", link="certificate_id", since="made_at",
        answers=Answers(lambda row, _column: version_place(row["id"])),
        columns=(
            Column("data", Holds.ANSWERS, "证书的内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("org_name", Holds.OWN, "持有单位", Fate.KEEP, REGISTER),
        ),
    ),
)  # fmt: skip
