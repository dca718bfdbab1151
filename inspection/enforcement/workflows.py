"""The steps of a law enforcement paper; which of them a kind has, `operations.py` asks."""

from accounts.verbs import Verb
from core.workflows.workflow import Step, Workflow
from inspection.enforcement.models import EnforcementPaper

DRAFT, PENDING, ISSUED, SERVED, VOIDED, DELETED = "draft", "pending", "issued", "served", "voided", "deleted"
STATUSES = {
    DRAFT: "草稿", PENDING: "待审批", ISSUED: "已生效", SERVED: "已送达", VOIDED: "已作废", DELETED: "已删除",
}  # fmt: skip
_WRITE, _APPROVE = Verb.INSPECTION_WRITE, Verb.INSPECTION_APPROVE

PAPER = Workflow(
    "enforcement_paper",
    EnforcementPaper,
    STATUSES,
    [
        Step("save", None, DRAFT, _WRITE),
        Step("save", DRAFT, DRAFT, _WRITE),
        Step("delete", DRAFT, DELETED, _WRITE),
        Step("submit", DRAFT, PENDING, _WRITE),
        Step("withdraw", PENDING, DRAFT, _WRITE),
        Step("approve", PENDING, ISSUED, _APPROVE),
        Step("reject", PENDING, DRAFT, _APPROVE),
        Step("issue", DRAFT, ISSUED, _WRITE),
        Step("serve", ISSUED, SERVED, _WRITE),
        # 复查: what an order demands was looked at; its to-do closes.
        Step("recheck", ISSUED, ISSUED, _WRITE),
        Step("recheck", SERVED, SERVED, _WRITE),
        Step("void", ISSUED, VOIDED, _WRITE),
        Step("void", SERVED, VOIDED, _WRITE),
    ],
)
