"""Personal data (个人信息) of those whom inspectors met or named in field records: contacts, escorts (陪同人员)."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session

from core.persons.holdings import Answers, Column, Fate, Holding, Holds, Subject
from core.persons.reasons import DUTY, PERSON_GONE, REGISTER
from core.workflows import history
from inspection.corrections import former_versions
from inspection.dictionaries.models import ProductTypes
from inspection.models import CorrectionRequest, Inspection, InspectionVersion
from inspection.records.content import (
    ASKED,
    answers_place,
    asked_columns,
    content_digest,
    content_of,
    request_place,
    unlike,
    version_place,
)
from inspection.statistics.models import EnterpriseTally
from inspection.workflows import SUBMITTED, VOIDED

_PURPOSE = "产品质量监督检查和监督抽查"
_BASIS = "个人信息保护法第十三条第一款第（三）项；产品质量法第十五条、第十八条"
_KEPT = "随检查案卷，依档案管理规定；暂存记录至提交或删除"
_MARKS = "何时由谁、以何意见办理"


def _standing(
    session: Session, record_id: UUID, _changed: Mapping[str, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    record = session.get_one(Inspection, record_id, populate_existing=True)
    if record.status not in (SUBMITTED, VOIDED):
        return []
    said = {"content": content_digest(content_of(record), record_id)}
    return [said, *former_versions.stated_anew(session, record_id)]


def _unlike(session: Session, record_id: UUID) -> list[str]:
    record = session.get_one(Inspection, record_id, populate_existing=True)
    if record.status not in (SUBMITTED, VOIDED):
        return []
    return [*unlike(session, record), *(["replaced_content"] if former_versions.unlike(session, record_id) else [])]


def _asked(
    session: Session, request_id: UUID, _changed: Mapping[str, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    request = session.get_one(CorrectionRequest, request_id, populate_existing=True)
    return [{ASKED.name: ASKED.digest(asked_columns(request))}]


def _unlike_asked(session: Session, request_id: UUID) -> list[str]:
    request = session.get_one(CorrectionRequest, request_id, populate_existing=True)
    recorded = history.last_payload(session, request_id).get(ASKED.name)
    return [] if recorded is None or ASKED.fits(recorded, asked_columns(request)) else [ASKED.name]


HOLDINGS = (
    Holding(
        table=cast(Table, Inspection.__table__), title="检查或抽查记录", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        since="created_at", subject=Subject(("inspection", "spot_check"), _standing, unlike=_unlike),
        answers=Answers(lambda row, _column: answers_place(row["id"])),
        columns=(
            Column("data", Holds.ANSWERS, "检查表的填写内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("returned", Holds.JSON, "退回更正：" + _MARKS, Fate.PSEUDONYMISE, PERSON_GONE),
            Column("corrected", Holds.JSON, "更正：" + _MARKS, Fate.PSEUDONYMISE, PERSON_GONE),
            Column("voided", Holds.JSON, "作废：" + _MARKS, Fate.PSEUDONYMISE, PERSON_GONE),
            Column("org_name", Holds.OWN, "企业名称", Fate.KEEP, REGISTER),
            Column("username", Holds.OWN, "填报账号", Fate.KEEP, DUTY),
            Column("operator_name", Holds.OWN, "填报人", Fate.KEEP, DUTY),
            Column("begun_by_name", Holds.OWN, "起草人", Fate.KEEP, DUTY),
        ),
    ),
    Holding(
        table=cast(Table, InspectionVersion.__table__), title="更正前的记录", purpose=_PURPOSE, basis=_BASIS,
        kept=_KEPT, parent="inspections", link="inspection_id", since="replaced_at",
        answers=Answers(lambda row, _column: version_place(row["inspection_id"], row["version"])),
        columns=(
            Column("data", Holds.ANSWERS, "更正前的填写内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("reason", Holds.TEXT, "更正原因", Fate.PSEUDONYMISE, PERSON_GONE),
        ),
    ),
    Holding(
        table=cast(Table, CorrectionRequest.__table__), title="更正申请", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        since="created_at", subject=Subject(("correction_request",), _asked, unlike=_unlike_asked),
        answers=Answers(lambda row, column: request_place(row["id"], column), inner=True),
        columns=(
            Column("before", Holds.ANSWERS, "更正前的填写内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("asked", Holds.ANSWERS, "申请更正的内容", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("reason", Holds.TEXT, "更正原因", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("requested", Holds.OWN, "申请人（工作人员）", Fate.KEEP, DUTY),
            Column("decided", Holds.JSON, "审核：" + _MARKS, Fate.PSEUDONYMISE, PERSON_GONE),
        ),
    ),
    Holding(
        table=cast(Table, EnterpriseTally.__table__), title="企业台账", purpose="工作统计", basis=_BASIS, kept="长期",
        searched=False,
        columns=(
            Column("org_name", Holds.OWN, "企业名称", Fate.KEEP, REGISTER),
            Column("folded_name", Holds.OWN, "企业名称（检索用）", Fate.KEEP, REGISTER),
            Column("org_key", Holds.OWN, "统一社会信用代码，没有的为名称和地址", Fate.KEEP, REGISTER),
        ),
    ),
    Holding(
        table=cast(Table, ProductTypes.__table__), title="产品监管类型", purpose="产品目录", basis=_BASIS, kept="长期",
        since="set_at", searched=False, columns=(Column("set_by", Holds.OWN, "设定人", Fate.KEEP, DUTY),),
    ),
)  # fmt: skip
