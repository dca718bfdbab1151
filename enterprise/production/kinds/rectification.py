"""Rectification (整改): spec/c §2.6; seed 000, 上传整改报告."""

from datetime import date

from assets.files.file_types import FROM_PHONES
from assets.files.purposes import Category, FilePurpose
from core.clock import LOCAL
from core.errors import Fault
from enterprise.filings.declaring.declarations import APPLICANT, Document, Move, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.production.kinds.posts import OFFICE
from enterprise.production.publications import PROBLEMS, PublishedCheck, note_rectification, publish

CANCELLED = frozenset({"cancelled", "acknowledged"})
"""Statuses of an order that was taken back."""

MOST_PAGES = 20
"""Files that one report may consist of: each page of it may be a photo."""


def _due_after_order(move: Move) -> list[Fault]:
    due_on = move.data.get("due_on")
    if due_on is not None and date.fromisoformat(due_on) < move.filing.created_at.astimezone(LOCAL).date():
        return [Fault("/data/due_on", "out_of_range", "整改期限不能早于下达日期，请重新选择")]
    return []


def _show_to_enterprise(move: Move) -> None:
    """List the order among the enterprise's supervision checks (监督检查), unless it is listed with a check already."""
    session, actor, filing = move.session, move.actor, move.filing
    assert actor is not None
    if filing.subject_id is not None:
        return
    checked_on = filing.data.get("check_date")
    day = date.fromisoformat(checked_on) if checked_on else filing.created_at.astimezone(LOCAL).date()
    publish(
        session,
        PublishedCheck(
            id=filing.id, uscc=filing.uscc, kind="rectification", product_code=None, checked_on=day,
            office_name=actor.office_name, inspectors=actor.operator_name or "", result=PROBLEMS,
            problems=filing.data["problem"],
        ),
    )  # fmt: skip
    note_rectification(session, filing.id, filing.id)


# Seed 000: "支持.doc或.jpg和.pdf".
REPORT_UPLOAD = FilePurpose("rectification_report", "整改报告", (".doc", ".jpg", ".jpeg", *FROM_PHONES, ".pdf"))
# One paper report is photographed page by page.
REPORT = Document(Category("rectification_report", "整改报告", frozenset({REPORT_UPLOAD}), max_count=MOST_PAGES))
KIND = FilingKind(
    code="rectification",
    system="production",
    title="整改",
    form_code="production-rectification",
    statuses=[
        Status("to_upload", "待上传整改报告", APPLICANT, edits=APPLICANT, todo="待上传整改报告"),
        Status("to_follow", "待跟踪检查", OFFICE, todo="整改待跟踪检查"),
        Status("closed", "检查结束", end=True),
        # Ordered by mistake (spec a §5.3): it stays readable, with a to-do of the enterprise until it acknowledges.
        Status("cancelled", "已撤销", APPLICANT, todo="整改已撤销，无需上传整改报告", dated=False, finished=True),
        Status("acknowledged", "企业已知悉", end=True, shown_as="cancelled"),
    ],
    due_from="due_on",
    fixed=frozenset({"problem", "due_on", "check_date"}),
    listed=("check_date", "problem"),
    check=_due_after_order,
    opened=_show_to_enterprise,
    documents=[REPORT],
    steps=[
        Step("open", "下达整改", None, "to_upload", OFFICE),
        Step("submit", "上传整改报告", "to_upload", "to_follow", APPLICANT, sends=True),
        Step("close", "检查结束", "to_follow", "closed", OFFICE),
        Step("return", "退回", "to_follow", "to_upload", OFFICE, comment=True, asks_back=True),
        Step("cancel", "撤销", ["to_upload", "to_follow"], "cancelled", OFFICE, comment=True),
        Step("acknowledge", "知悉", "cancelled", "acknowledged", APPLICANT),
    ],
)
