"""A kind that no system has, declared like any other: all that the coming systems need of the engine."""

from decimal import Decimal
from typing import Any

from sqlalchemy import MetaData, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from assets.files.purposes import Category
from core.deadlines.clocks import CONTINUE, NATURAL, WORKING, ZERO
from core.errors import Problem
from core.workflows import counters
from core.workflows.workflow import BACK, SYSTEM
from enterprise.filings.kinds import (
    DECLARATION_ATTACHMENT,
    ENTERPRISE,
    OFFICE,
    ClockRule,
    Document,
    FilingKind,
    Filings,
    FilingStep,
    TodoRule,
)
from enterprise.filings.models import Filing

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


def _draw_one(_engine: Filings, session: Session, _filing: Filing) -> None:
    model: Any = Quota
    if not counters.draw(session, model, "uses", 1, used="used", total="total"):
        raise Problem("too_early", "数量已用完")


def invented(publicity: ClockRule | None = None, **changes: Any) -> FilingKind:
    """The kind, with a publicity period of one's choice; other changes are of the declaration."""
    shown = publicity or ClockRule("publicity", WORKING, 5, on_restart=ZERO)
    steps = [
        FilingStep("open", "发起", None, "draft", ENTERPRISE),
        FilingStep("submit", "提交", "draft", "first", ENTERPRISE, sends=True),
        FilingStep("ask", "要求补正", "first", "correcting", OFFICE, comment=True, asks_back=True),
        FilingStep("pass", "初审通过", "first", "second", OFFICE),
        FilingStep("ask", "要求补正", "second", "correcting", OFFICE, comment=True, asks_back=True),
        FilingStep("correct", "补正", "correcting", BACK, ENTERPRISE, sends=True),
        FilingStep("publish", "公示", "second", "public", OFFICE, starts=shown),
        FilingStep("object", "收到异议", "public", "objected", OFFICE, comment=True, pauses=shown.name),
        FilingStep("resume", "恢复公示", "objected", "public", OFFICE, starts=shown),
        FilingStep("end", "公示结束", "public", "confirming", OFFICE, needs_over=shown.name, stops=shown.name),
        FilingStep(
            "confirm", "确认", "confirming", "valid", OFFICE, confirmations=3,
            starts=ClockRule("validity", NATURAL, 30, on_restart=CONTINUE, rings="expire"),
        ),
        FilingStep("return", "退回", "confirming", "second", OFFICE, comment=True),
        FilingStep("use", "使用", "valid", "used", ENTERPRISE, effect=_draw_one, stops="validity"),
        FilingStep("expire", "到期", "valid", "expired", SYSTEM),
    ]  # fmt: skip
    declared: dict[str, Any] = {
        "code": "invented",
        "title": "虚构事项",
        "form_code": "invented",
        "statuses": {
            "draft": "填写中", "first": "初审", "second": "复审", "correcting": "补正中", "public": "公示中",
            "objected": "异议处理中", "confirming": "待确认", "valid": "有效", "used": "已使用", "expired": "已到期",
        },
        "steps": steps,
        "final": frozenset({"used", "expired"}),
        "editable": frozenset({"draft", "correcting"}),
        "opened_by": "enterprise",
        "rateable": True,
        "documents": [Document(Category("plan", "方案", frozenset({DECLARATION_ATTACHMENT})), "never")],
        "todos": {"first": TodoRule("待初审", "office"), "correcting": TodoRule("待补正", "enterprise")},
    }  # fmt: skip
    return FilingKind(**{**declared, **changes})


def campaign() -> FilingKind:
    """A kind that a bureau opens for all enterprises that match a filter; one at a time for each."""
    return FilingKind(
        code="invented_campaign",
        title="虚构专项自查",
        form_code="invented",
        statuses={"to_fill": "待填报", "sent": "已填报"},
        steps=[
            FilingStep("open", "布置", None, "to_fill", OFFICE),
            FilingStep("submit", "提交", "to_fill", "sent", ENTERPRISE, sends=True),
        ],
        final=frozenset({"sent"}),
        editable=frozenset({"to_fill"}),
        opened_by="office",
        one_open=True,
        todos={"to_fill": TodoRule("专项自查待填报", "enterprise")},
    )
