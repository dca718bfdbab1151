"""Personal data (个人信息) in law enforcement papers: those who were met, witnesses (见证人), and the officers."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session

from core.persons.holdings import Answers, Column, Fate, Holding, Holds, Subject
from core.persons.reasons import DUTY, PERSON_GONE, REGISTER
from inspection.enforcement.content import content_digest, data_place, unlike, values_of
from inspection.enforcement.models import EnforcementOfficer, EnforcementPaper

_PURPOSE = "行政检查和责令改正"
_BASIS = "个人信息保护法第十三条第一款第（三）项；行政处罚法第四十七条（执法全过程记录）"
_KEPT = "随案卷，依档案管理规定"


def _standing(
    session: Session, paper_id: UUID, _changed: Mapping[str, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    paper = session.get_one(EnforcementPaper, paper_id, populate_existing=True)
    return [{"content": content_digest(paper_id, values_of(paper))}]


def _unlike(session: Session, paper_id: UUID) -> list[str]:
    return unlike(session, session.get_one(EnforcementPaper, paper_id, populate_existing=True))


HOLDINGS = (
    Holding(
        table=cast(Table, EnforcementPaper.__table__), title="执法文书", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        since="created_at",
        subject=Subject(("enforcement_paper",), _standing, unlike=_unlike),
        answers=Answers(lambda row, _column: data_place(row["id"])),
        columns=(
            Column("data", Holds.ANSWERS, "文书的填写内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("receipt", Holds.JSON, "送达回证的填写内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("org_name", Holds.OWN, "企业名称", Fate.KEEP, REGISTER),
            Column("operator_name", Holds.OWN, "承办人", Fate.KEEP, DUTY),
            Column("decided", Holds.JSON, "审批：何时由谁、以何意见办理", Fate.PSEUDONYMISE, PERSON_GONE),
        ),
    ),
    Holding(
        table=cast(Table, EnforcementOfficer.__table__), title="执法人员", purpose="执法文书载明执法证号", basis=_BASIS,
        kept="在岗期间", since="updated_at", searched=False,
        columns=(
            Column("name", Holds.OWN, "执法人员姓名", Fate.KEEP, DUTY),
            Column("certificate_no", Holds.OWN, "执法证号", Fate.KEEP, DUTY),
        ),
    ),
)  # fmt: skip
