"""What the steps of a paper are called and what each asks for: screens are drawn from this and know no step by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from inspection.enforcement.kinds import RECEIPT_FORM, PaperKind
from inspection.enforcement.models import EnforcementPaper
from inspection.enforcement.workflows import DRAFT, ISSUED, PENDING, SERVED, VOIDED

Comment = Literal["none", "optional", "required"]


@dataclass(frozen=True, slots=True)
class PaperStep:
    """`comment_label`: what is asked for in words; `hint`: what becomes of it, or of the step. `form`: code of the form
    that goes with the step. `asks`: it is asked about before, `hint` being what follows."""

    label: str
    comment: Comment = "none"
    comment_label: str = ""
    hint: str = ""
    form: str | None = None
    asks: bool = False
    danger: bool = False


STEPS = {
    "submit": PaperStep("提交审批", hint="提交后由负责人审批，审批前可以撤回。"),
    "approve": PaperStep("同意", "optional", "审批意见", "不填写的，记为“同意”。意见印在审批表上。"),
    "reject": PaperStep("不同意", "required", "不同意的理由", "文书退回填报人修改，填报人会看到这段话。"),
    "withdraw": PaperStep("撤回", hint="撤回后可以修改，须重新提交审批。", asks=True),
    "issue": PaperStep("出具", hint="出具后编号生效，内容不能再修改；有误的只能作废后重新制作。", asks=True),
    "serve": PaperStep("填写送达回证", form=RECEIPT_FORM),
    "recheck": PaperStep("登记复查", "required", "复查情况", "写明复查日期、是否已改正。到期复查的待办随之办结。"),
    "void": PaperStep("作废", "required", "作废原因", "作废后不能恢复，已打印的文书扫码会显示已作废。", danger=True),
    "delete": PaperStep("删除", hint="删除后不能恢复。", asks=True, danger=True),
}  # fmt: skip
"""In the order in which they are offered: the first one is what is to be done next."""


def offered(actions: Iterable[str]) -> list[dict[str, Any]]:
    """The steps that are offered, in their order, with their words."""
    allowed = frozenset(actions)
    return [
        {
            "action": action, "label": step.label, "comment": step.comment, "comment_label": step.comment_label or None,
            "hint": step.hint or None, "form": step.form, "asks": step.asks, "danger": step.danger,
        }
        for action, step in STEPS.items() if action in allowed
    ]  # fmt: skip


def standing(paper: EnforcementPaper, kind: PaperKind) -> str:
    """Where a paper stands and what comes next, in a sentence."""
    if paper.status == DRAFT:
        rejected = paper.decided is not None and not paper.decided["approved"]
        if kind.approved:
            return "负责人没有同意，请修改后重新提交审批。" if rejected else "填写完整后提交负责人审批。"
        return "填写完整后出具，出具时编号。"
    if paper.status == PENDING:
        return "等待负责人审批。审批前可以打印草稿核对。"
    if paper.status == ISSUED and kind.served:
        return "已生效。请打印送达，送达后填写送达回证。"
    return {ISSUED: "已生效，可以打印。", SERVED: "已送达。", VOIDED: "已作废，不再有效。"}[paper.status]


def prints(paper: EnforcementPaper, title: str) -> list[dict[str, str]]:
    """What can be printed of a paper now: names and where each is answered, as PDF and as editable Word."""
    base = f"/api/v1/enforcement-papers/{paper.id}"
    found = [{"title": title, "pdf": f"{base}/record.pdf", "word": f"{base}/record.docx"}]
    if paper.receipt is not None:
        found.append({"title": "送达回证", "pdf": f"{base}/receipt.pdf", "word": f"{base}/receipt.docx"})
    return found
