"""Personal data (个人信息) of those whom enterprises name in their filings (办件): contacts, who filled them in."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from core.persons.holdings import Answers, Column, Fate, Holding, Holds, Subject
from core.persons.reasons import DUTY, PERSON_GONE, REGISTER
from enterprise.filings import integrity
from enterprise.filings.content import CONTENT, content_digest, data_place, step_digest, step_place, version_place
from enterprise.filings.models import Filing, FilingStep, FilingVersion

_PURPOSE = "企业的申报、自查和整改"
_BASIS = "个人信息保护法第十三条第一款第（三）项；工业产品生产许可证管理条例、产品质量法"
_KEPT = "随办件案卷，依档案管理规定；草稿至提交或删除"


def _standing(
    session: Session, filing_id: UUID, changed: Mapping[str, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    """The digests of the versions that were changed: `integrity.recorded_digests`."""
    numbers = [row["number"] for row in changed.get(FilingVersion.__tablename__, ())]
    columns = (getattr(FilingVersion, name) for name in ("id", "filing_id", "number", *CONTENT))
    rows = session.execute(
        select(*columns).where(FilingVersion.filing_id == filing_id, FilingVersion.number.in_(numbers))
    )
    sent: list[Mapping[str, Any]] = [
        {"content": content_digest(dict(row)), "sent": row["number"]} for row in rows.mappings()
    ]
    ids = [row["id"] for row in changed.get(FilingStep.__tablename__, ())]
    said = session.execute(select(cast(Table, FilingStep.__table__)).where(FilingStep.id.in_(ids))).mappings()
    return [*sent, *({"step_data": str(row["id"]), "step_content": step_digest(dict(row))} for row in said)]


HOLDINGS = (
    Holding(
        table=cast(Table, Filing.__table__), title="办件", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        since="created_at", subject=Subject(("filing",), _standing, unlike=integrity.unlike),
        answers=Answers(lambda row, _column: data_place(row["id"])),
        columns=(
            Column("data", Holds.ANSWERS, "填报内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("opinion", Holds.TEXT, "审核意见", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("org_name", Holds.OWN, "企业名称", Fate.KEEP, REGISTER),
        ),
    ),
    Holding(
        table=cast(Table, FilingVersion.__table__), title="已提交的办件", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        parent="filings", link="filing_id", since="sent_at",
        answers=Answers(lambda row, _column: version_place(row["id"])),
        columns=(
            Column("data", Holds.ANSWERS, "提交的内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("operator_name", Holds.OWN, "提交人", Fate.KEEP, DUTY),
        ),
    ),
    Holding(
        table=cast(Table, FilingStep.__table__), title="办件环节所填内容", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        parent="filings", link="filing_id", since="taken_at",
        answers=Answers(lambda row, _column: step_place(row["id"])),
        columns=(
            Column("data", Holds.ANSWERS, "环节所填内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("operator_name", Holds.OWN, "办理人", Fate.KEEP, DUTY),
        ),
    ),
)  # fmt: skip
