"""The steps of field records and of applications for their correction (seed 001, annex 7; spec/a_inspection §3.4)."""

from accounts.verbs import Verb
from core.workflows.workflow import SYSTEM, Step, Workflow
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import CorrectionRequest, Inspection
from inspection.records.content import ASKED

DRAFT, SUBMITTED, VOIDED, DELETED = "draft", "submitted", "voided", "deleted"

_STATUSES = {DRAFT: "暂存", SUBMITTED: "已提交", VOIDED: "已作废", DELETED: "已删除"}
_WRITE = Verb.INSPECTION_WRITE

_UNTIL_SUBMITTED = (
    Step("save", None, DRAFT, _WRITE),
    Step("save", DRAFT, DRAFT, _WRITE),
    Step("delete", DRAFT, DELETED, _WRITE),
    # When its user leaves or is moved (`handing_over.py`).
    Step("hand_over", DRAFT, DRAFT, SYSTEM),
    # Nobody saved it for long (`retention.py`).
    Step("expire", DRAFT, DELETED, SYSTEM),
    Step("submit", None, SUBMITTED, _WRITE),
    Step("submit", DRAFT, SUBMITTED, _WRITE),
)
_DISPOSE = Step("dispose", SUBMITTED, SUBMITTED, _WRITE)
_WHEN_SUBMITTED = (
    Step("correct", SUBMITTED, SUBMITTED, _WRITE),
    Step("return", SUBMITTED, SUBMITTED, _WRITE),
    Step("void", SUBMITTED, VOIDED, _WRITE),
)

WORKFLOWS = {
    CHECK: Workflow("inspection", Inspection, _STATUSES, [*_UNTIL_SUBMITTED, _DISPOSE, *_WHEN_SUBMITTED]),
    SPOT_CHECK: Workflow("spot_check", Inspection, _STATUSES, [*_UNTIL_SUBMITTED, *_WHEN_SUBMITTED]),
}

PENDING, APPROVED, REJECTED, WITHDRAWN = "pending", "approved", "rejected", "withdrawn"
REQUEST = Workflow(
    "correction_request",
    CorrectionRequest,
    {PENDING: "待审核", APPROVED: "已采纳", REJECTED: "未采纳", WITHDRAWN: "已撤回"},
    [
        Step("ask", None, PENDING, _WRITE),
        Step("approve", PENDING, APPROVED, _WRITE),
        Step("reject", PENDING, REJECTED, _WRITE),
        # By the applicant, also by applying anew.
        Step("withdraw", PENDING, WITHDRAWN, _WRITE),
        # Because its record was voided.
        Step("lapse", PENDING, WITHDRAWN, SYSTEM),
        # By the applicant, who has read the refusal.
        Step("read", REJECTED, REJECTED, _WRITE),
    ],
    witness=ASKED,
)
"""The steps of an application for a correction (更正申请)."""
