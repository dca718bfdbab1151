"""The table of steps of field records (seed 001, annex 7, part 2; spec/a_inspection §3.4)."""

from accounts.verbs import Verb
from core.workflow import SYSTEM, Step, Workflow
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import Inspection

DRAFT, SUBMITTED, VOIDED, DELETED = "draft", "submitted", "voided", "deleted"

_STATUSES = {DRAFT: "暂存", SUBMITTED: "已提交", VOIDED: "已作废", DELETED: "已删除"}
_WRITE = Verb.INSPECTION_WRITE

WORKFLOWS = {
    CHECK: Workflow(
        "inspection",
        Inspection,
        _STATUSES,
        [
            Step("save", None, DRAFT, _WRITE),
            Step("save", DRAFT, DRAFT, _WRITE),
            Step("delete", DRAFT, DELETED, _WRITE),
            # By whoever manages its user (`handing_over.py`).
            Step("hand_over", DRAFT, DRAFT, SYSTEM),
            Step("submit", None, SUBMITTED, _WRITE),
            Step("submit", DRAFT, SUBMITTED, _WRITE),
            Step("dispose", SUBMITTED, SUBMITTED, _WRITE),
            Step("correct", SUBMITTED, SUBMITTED, _WRITE),
            Step("void", SUBMITTED, VOIDED, _WRITE),
        ],
    ),
    SPOT_CHECK: Workflow(
        "spot_check",
        Inspection,
        _STATUSES,
        [
            Step("save", None, DRAFT, _WRITE),
            Step("save", DRAFT, DRAFT, _WRITE),
            Step("delete", DRAFT, DELETED, _WRITE),
            # By whoever manages its user (`handing_over.py`).
            Step("hand_over", DRAFT, DRAFT, SYSTEM),
            Step("submit", None, SUBMITTED, _WRITE),
            Step("submit", DRAFT, SUBMITTED, _WRITE),
            Step("correct", SUBMITTED, SUBMITTED, _WRITE),
            Step("void", SUBMITTED, VOIDED, _WRITE),
        ],
    ),
}
