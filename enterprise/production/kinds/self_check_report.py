"""Self-check report (生产企业自查报告): spec/c §2.4-2.5; seed 000, 自查报告."""

from uuid import UUID

from sqlalchemy.orm import Session

from assets.files.purposes import Category, FilePurpose
from core.clock import LOCAL
from core.errors import Fault, Problem
from enterprise.filings.declaring.declarations import APPLICANT, Document, Move, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.production.kinds.posts import OFFICE
from enterprise.production.models import SelfCheckTopic


def _topic_is_open(move: Move) -> list[Fault]:
    if move.filing.sent:
        # Sent in time and taken back: without this a topic that closed meanwhile would hold it for ever.
        return []
    topic, today = move.session.get(SelfCheckTopic, move.filing.subject_id), move.now.astimezone(LOCAL).date()
    if topic is None or not topic.active:
        return [Fault("/subject", "topic_closed", "该自查主题已停用，请选择其他主题")]
    if today < topic.open_from or (topic.open_to is not None and today > topic.open_to):
        return [Fault("/subject", "topic_closed", "现在不在该自查主题的填报期内，请核对填报起止日期，或选择其他主题")]
    return []


def _was_never_read(move: Move) -> None:
    """What an office has read or returned stays readable for it, whatever was sent since (seed 000: 已阅…不可删除)."""
    if move.filing.opinion is not None:  # with which it was returned
        raise Problem("wrong_status", "局方已阅过该报告，不可删除", current_status=move.filing.status)


def _named_by_topic(session: Session, topic_id: UUID) -> str:
    return f"自查报告：{session.get_one(SelfCheckTopic, topic_id).title}"


# Seed 000: "支持.doc或.docx和.pdf".
REPORT_UPLOAD = FilePurpose("self_check_report", "自查报告", (".doc", ".docx", ".pdf"))
KIND = FilingKind(
    code="self_check_report",
    system="production",
    title="生产企业自查报告",
    form_code="production-self-check-report",
    statuses=[
        Status("draft", "填报中", APPLICANT, edits=APPLICANT),
        Status("unread", "未阅", OFFICE, todo="自查报告待阅"),
        # Spec c §2.5: the list shows 未阅 with a tag 修改中; the bureau sees the version that was sent.
        Status("editing", "修改中", APPLICANT, edits=APPLICANT, shown_as="unread"),
        Status("read", "已阅", finished=True),
        Status("returned", "被退回", APPLICANT, edits=APPLICANT, todo="自查报告被退回"),
        Status("deleted", "已删除", end=True),
    ],
    subject_type="self_check_topic",
    documents=[Document(Category("self_check_report", "自查报告（盖章）", frozenset({REPORT_UPLOAD})))],
    listed=("check_date",),
    titled=_named_by_topic,
    check=_topic_is_open,
    # Seed 000: "若为“已阅”状态，则该数据不可撤回修改", "…不可删除".
    refusals={
        ("read", "withdraw"): "该报告已阅，不可撤回修改",
        ("read", "delete"): "该报告已阅，不可删除",
        ("returned", "delete"): "该报告已被局方退回，不可删除，请修改后重新提交",
    },
    steps=[
        Step("open", "添加", None, "draft", APPLICANT),
        Step("submit", "提交", ["draft", "editing"], "unread", APPLICANT, sends=True),
        Step("submit", "重新提交", "returned", "unread", APPLICANT, sends=True),
        Step("withdraw", "撤回修改", "unread", "editing", APPLICANT),
        Step("cancel", "取消修改", "editing", "unread", APPLICANT, restores=True),
        Step("delete", "删除", "draft", "deleted", APPLICANT),
        # One that is being changed is listed as 未阅, and only that may be deleted.
        Step("delete", "删除", ["unread", "editing"], "deleted", APPLICANT, guard=_was_never_read),
        Step("read", "阅读", "unread", "read", OFFICE, many=True),
        # A locked or illegible report; that it was opened, and so marked as read, must not shut its enterprise out.
        Step("return", "退回", ["unread", "read"], "returned", OFFICE, comment=True),
    ],
)
