"""A kind that no system has, declared like any other: all that the coming systems need of the engine."""

from decimal import Decimal
from typing import Any

from sqlalchemy import MetaData, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assets.files.purposes import Category
from core.errors import Problem
from core.workflows import counters
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    BACK,
    CONTINUE,
    DEADLINE,
    DECLARATION_ATTACHMENT,
    NATURAL,
    SYSTEM,
    WORKING,
    ZERO,
    Clock,
    Document,
    Move,
    Status,
    Step,
)
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.production.kinds.posts import OFFICE

FORM: dict[str, Any] = {
    "code": "invented",
    "version": 1,
    "title": "虚构事项",
    "kind": "filing",
    "sections": [
        {
            "code": "body",
            "title": "内容",
            "items": [{"field": "wish", "text": "申请事项", "type": "text", "required": True}],
        }
    ],
}


class QuotaBase(DeclarativeBase):
    """Apart from the tables of the product."""

    metadata = MetaData()


class Quota(QuotaBase):
    """Something of which there is only so much."""

    __tablename__ = "invented_quotas"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    used: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    total: Mapped[Decimal] = mapped_column(Numeric(12, 3))


def _draw_one(move: Move) -> None:
    model: Any = Quota
    if not counters.draw(move.session, model, "uses", 1, used="used", total="total"):
        raise Problem("too_early", "数量已用完")


def publicity(unit: str, days: int, again: str = ZERO) -> Clock:
    """A publicity period that an objection pauses, and that is over after its last day."""
    return Clock("publicity", days, unit, DEADLINE, ["public"], pauses_in=["objected"], again=again, shift=False)


STATUSES = [
    Status("draft", "填写中", APPLICANT, edits=APPLICANT),
    Status("first", "初审", OFFICE, todo="待初审"),
    Status("second", "复审", OFFICE),
    Status("correcting", "补正中", APPLICANT, edits=APPLICANT, todo="待补正"),
    Status("public", "公示中", OFFICE),
    Status("objected", "异议处理中", OFFICE),
    Status("confirming", "待确认", OFFICE),
    Status("valid", "有效", APPLICANT),
    Status("used", "已使用", end=True),
    Status("expired", "已到期", end=True),
]
STEPS = [
    Step("open", "发起", None, "draft", APPLICANT),
    Step("submit", "提交", "draft", "first", APPLICANT, sends=True),
    Step("ask", "要求补正", ["first", "second"], "correcting", OFFICE, comment=True, asks_back=True),
    Step("pass", "初审通过", "first", "second", OFFICE),
    Step("correct", "补正", "correcting", BACK, APPLICANT, sends=True),
    Step("publish", "公示", "second", "public", OFFICE),
    Step("object", "收到异议", "public", "objected", OFFICE, comment=True),
    Step("resume", "恢复公示", "objected", "public", OFFICE),
    Step("end", "公示结束", "public", "confirming", OFFICE, needs_over="publicity"),
    Step("confirm", "确认", "confirming", "valid", OFFICE),
    Step("return", "退回", "confirming", "second", OFFICE, comment=True),
    Step("use", "使用", "valid", "used", APPLICANT, effect=_draw_one),
    Step("expire", "到期", "valid", "expired", SYSTEM),
]


def invented(shown: Clock | None = None, **changes: Any) -> FilingKind:
    """The kind, with a publicity period of one's choice; other changes are of the declaration."""
    validity = Clock("validity", 30, NATURAL, DEADLINE, ["valid"], again=CONTINUE, shift=False, rings="expire")
    declared: dict[str, Any] = {
        "code": "invented",
        "title": "虚构事项",
        "form_code": "invented",
        "statuses": STATUSES,
        "steps": STEPS,
        "clocks": [shown or publicity(WORKING, 5), validity],
        "rateable": True,
        "applicants": ["organisation", "person"],
        "documents": [Document(Category("plan", "方案", frozenset({DECLARATION_ATTACHMENT})), "never")],
    }
    return FilingKind(**{**declared, **changes})


def campaign() -> FilingKind:
    """A kind that a bureau opens for all enterprises that match a filter; one at a time for each."""
    return FilingKind(
        code="invented_campaign",
        title="虚构专项自查",
        form_code="invented",
        statuses=[
            Status("to_fill", "待填报", APPLICANT, edits=APPLICANT, todo="专项自查待填报"),
            Status("sent", "已填报", end=True),
        ],
        steps=[
            Step("open", "布置", None, "to_fill", OFFICE),
            Step("submit", "提交", "to_fill", "sent", APPLICANT, sends=True),
        ],
        one_open=True,
    )
