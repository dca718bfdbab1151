"""The steps of a follow-up: each validates the fields of its body and returns what it changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import User, UserStatus
from accounts.verbs import verbs_of
from assets.files.claiming import Claim, claim
from assets.files.form_files import PHOTO
from assets.files.purposes import Category, categories
from core import clock
from core.actor import Actor
from core.errors import Fault, Problem
from core.identifiers import as_uuid
from core.text import MEANINGLESS, clean, has_words
from enterprise.filings.declaring.declarations import DECLARATION_ATTACHMENT
from feedback.codes.kinds import HIDDEN
from feedback.follow_ups.deadlines import columns, deadline
from feedback.models import Rating, RatingCode, RatingContact, RatingFollowUp
from feedback.ratings import numbers
from feedback.ratings.masking import mask
from feedback.statistics import counts as figures
from feedback.workflows import ANSWERED, HANDLE, RATING, VERIFIED

TEXT_LIMIT = 500

VERIFY_RESULTS = {
    "confirmed": "属实", "partly": "部分属实", "unfounded": "不属实", "mistaken": "误评", "unreachable": "无法联系",
}  # fmt: skip
AT_ONCE, DEADLINE, EXPLAIN = "at_once", "deadline", "explain"
CLASSES = {AT_ONCE: "立行立改", DEADLINE: "限期整改", EXPLAIN: "解释说明"}
CONTACT_CHANNELS = {"phone": "电话", "sms": "短信", "wechat": "微信", "visit": "上门"}
CONTACT_RESULTS = {"reached": "已联系", "no_answer": "无人接听", "refused": "拒绝回访", "wrong_number": "号码有误"}
FEEDBACK_CHANNELS = {**CONTACT_CHANNELS, "page": "查询页面"}
SATISFIED = {"satisfied": "满意", "dissatisfied": "不满意", "not_stated": "未表态"}

EVIDENCE = Category("appeal_evidence", "申诉证据", frozenset({PHOTO, DECLARATION_ATTACHMENT}), max_count=9)
_ALLOWED = categories(EVIDENCE)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step changes: columns of the rating and of its follow-up, the history's payload, figures, a call-back."""

    rating: Mapping[str, Any] = field(default_factory=dict)
    follow_up: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    change: figures.Change | None = None
    contact: RatingContact | None = None


Reader = Callable[[Session, Actor, Rating, RatingFollowUp, Mapping[str, Any]], StepResult]


class _Body:
    """Reads the fields of a body and gathers their faults."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.faults: list[Fault] = []

    def text(self, name: str, label: str, *, required: bool = True) -> str | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            self.faults.append(Fault(f"/{name}", "wrong_type", f"{label}应为文字，请重新填写"))
            return None
        text = clean(value or "")
        if required and not text:
            self.faults.append(Fault(f"/{name}", "required", f"请填写{label}"))
        elif required and not has_words(text):
            self.faults.append(Fault(f"/{name}", "meaningless", f"{label}{MEANINGLESS}"))
        elif len(text) > TEXT_LIMIT:
            self.faults.append(Fault(f"/{name}", "too_long", f"{label}不能超过{TEXT_LIMIT}个字，请缩短后重试"))
        return text or None

    def choice(self, name: str, label: str, options: Mapping[str, str]) -> str:
        value = self.body.get(name)
        if not isinstance(value, str) or value not in options:
            self.faults.append(Fault(f"/{name}", "unknown_option", f"请选择{label}：{'、'.join(options.values())}"))
            return ""
        return value

    def ids(self, name: str, label: str) -> list[UUID]:
        value = self.body.get(name)
        if not isinstance(value, list) or not value:
            self.faults.append(Fault(f"/{name}", "required", f"请上传{label}"))
            return []
        found = []
        for place, one in enumerate(value):
            file_id = as_uuid(one)
            if file_id is not None:
                found.append(file_id)
            else:
                self.faults.append(Fault(f"/{name}/{place}", "bad_format", "文件编号不正确，请重新上传"))
        return found

    def call_back(self, rating: Rating, row: RatingFollowUp) -> None:
        """A fault unless whoever gave their name was called at least once (实名差评回访)."""
        if rating.real_name and row.contacts == 0:
            self.faults.append(Fault("/contacts", "call_back_required", "实名差评请先登记至少一次回访，再作处理"))

    def refuse_faulty(self) -> None:
        if self.faults:
            raise Problem("invalid", errors=self.faults)


def _assign(
    session: Session, _actor: Actor, rating: Rating, _row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    """To a handler of the office that is rated (谁办理、谁负责)."""
    body = _Body(sent)
    handler_id = as_uuid(sent.get("handler_id"))
    handler = session.get(User, handler_id) if handler_id is not None else None
    fits = (
        handler is not None and handler.status == UserStatus.ACTIVE
        and offices.acts_for(session, handler.office_id, rating.office_id)
    )  # fmt: skip
    if handler is None or not fits or HANDLE not in verbs_of(handler.roles):
        body.faults.append(Fault("/handler_id", "unknown_handler", "请选择被评价单位的差评承办人"))
        body.refuse_faulty()
        raise AssertionError
    values = {"handler_id": handler.id, "assigned_at": clock.now()}
    return StepResult(follow_up=values, payload={"handler": handler.username})


def _contact(
    _session: Session, actor: Actor, rating: Rating, row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    body = _Body(sent)
    channel = body.choice("channel", "回访方式", CONTACT_CHANNELS)
    result = body.choice("result", "回访结果", CONTACT_RESULTS)
    note = body.text("note", "回访情况", required=False)
    body.refuse_faulty()
    contact = RatingContact(
        rating_id=rating.id, at=clock.now(), by=actor.user_id, operator_name=actor.operator_name,
        channel=channel, result=result, note=note,
    )  # fmt: skip
    first = rating.real_name and row.contacts == 0
    return StepResult(
        follow_up={"contacts": row.contacts + 1},
        payload={"channel": channel, "result": result, **({"note": note} if note else {})},
        change=figures.Change({"real_bad_called": 1}) if first else None,
        contact=contact,
    )


def _reveal(
    session: Session, actor: Actor, rating: Rating, _row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    """Nothing changes but the history: who read the number, when, and once the rater was answered, what for."""
    numbers.refuse_reveal(actor, rating, session.get_one(RatingCode, rating.code_id).created_by)
    if rating.status not in ANSWERED:
        return StepResult()
    body = _Body(sent)
    reason = body.text("reason", "再次查看手机号的原因（该评价已反馈或正在申诉）")
    body.refuse_faulty()
    return StepResult(payload={"reason": reason})


def _verify(
    _session: Session, _actor: Actor, rating: Rating, row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    body = _Body(sent)
    result = body.choice("verify_result", "核实结果", VERIFY_RESULTS)
    classification = body.choice("classification", "处理方式", CLASSES)
    body.call_back(rating, row)
    body.refuse_faulty()
    values = {"verify_result": result, "classification": classification}
    return StepResult(follow_up=values, payload=values)


def _classification(row: RatingFollowUp, body: _Body, *classes: str) -> str:
    """The class that was found when verifying; after a refused appeal against an unverified rating it is asked now."""
    if row.classification is None:
        return body.choice("classification", "处理方式", {one: CLASSES[one] for one in classes})
    if row.classification not in classes:
        label = CLASSES[row.classification]
        raise Problem("wrong_status", f"处理方式为“{label}”，不能执行该操作", current_status=VERIFIED)
    return row.classification


def _rectify(
    session: Session, _actor: Actor, rating: Rating, row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    body = _Body(sent)
    classification = _classification(row, body, AT_ONCE, DEADLINE)
    measures = body.text("measures", "整改措施")
    extends = classification == DEADLINE and not row.extended
    reason = body.text("extension_reason", "延长整改期限的原因") if extends else None
    body.call_back(rating, row)
    body.refuse_faulty()
    values = {"classification": classification, "measures": measures}
    if not extends:
        return StepResult(follow_up=values, payload=values)
    day = rating.submitted_at.astimezone(clock.LOCAL).date()
    due = deadline(session, (rating.area1, rating.area2, rating.area3), day, extended=True)
    extended = {**values, "extended": True, "extension_reason": reason}
    return StepResult(columns(due), extended, {**extended, "due_on": due.day.isoformat()})


def _explain(
    _session: Session, _actor: Actor, rating: Rating, row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    body = _Body(sent)
    values = {
        "classification": _classification(row, body, EXPLAIN) if row.classification else EXPLAIN,
        "explanation": body.text("explanation", "解释说明"),
    }
    body.call_back(rating, row)
    body.refuse_faulty()
    return StepResult(follow_up=values, payload=values)


def _reply(
    _session: Session, actor: Actor, _rating: Rating, _row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    body = _Body(sent)
    text = body.text("feedback_text", "反馈内容")
    channel = body.choice("feedback_channel", "反馈方式", FEEDBACK_CHANNELS)
    body.refuse_faulty()
    values = {"feedback_text": text, "feedback_channel": channel}
    return StepResult(follow_up={**values, "feedback_at": clock.now(), "replied_by": actor.user_id}, payload=values)


def _close(
    _session: Session, _actor: Actor, rating: Rating, row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    body = _Body(sent)
    satisfied = body.choice("satisfied_after", "整改后满意情况", SATISFIED)
    opinion = body.text("opinion", "审核意见", required=False)
    body.refuse_faulty()
    assert rating.due_on is not None
    in_time = clock.today() <= rating.due_on
    return StepResult(
        {"closed_at": clock.now()},
        {
            "satisfied_after": satisfied, "opinion": opinion, "closed_in_time": in_time,
            "public_reply": mask(row.feedback_text or "", rating.rater_name),
        },
        {"satisfied_after": satisfied, "opinion": opinion, "closed_in_time": in_time},
        figures.Change({"closed": 1, "closed_in_time": int(in_time)}),
    )  # fmt: skip


def _decided(
    _session: Session, _actor: Actor, _rating: Rating, _row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    """Returned to the handler, or an appeal decided: with an opinion."""
    body = _Body(sent)
    opinion = body.text("opinion", "意见")
    body.refuse_faulty()
    return StepResult(follow_up={"opinion": opinion}, payload={"opinion": opinion})


def _uphold(session: Session, actor: Actor, rating: Rating, row: RatingFollowUp, sent: Mapping[str, Any]) -> StepResult:
    """The appeal is refused: the rating stands, and with that it is verified. The due date stays."""
    decided = _decided(session, actor, rating, row, sent)
    result = row.verify_result or "confirmed"
    return StepResult(follow_up={**decided.follow_up, "verify_result": result}, payload=decided.payload)


def _appeal(
    session: Session, actor: Actor, rating: Rating, _row: RatingFollowUp, sent: Mapping[str, Any]
) -> StepResult:
    if rating.due_on is not None and clock.today() > rating.due_on:
        raise Problem("too_late", f"申诉须在 {rating.due_on.isoformat()} 前提出，期限已过")
    body = _Body(sent)
    reason = body.text("reason", "申诉理由")
    files = body.ids("evidence", "申诉证据")
    body.refuse_faulty()
    wanted = [Claim(EVIDENCE.code, file_id, f"/evidence/{place}") for place, file_id in enumerate(files)]
    faults = claim(session, actor.user_id, (RATING.subject_type, rating.id), wanted, _ALLOWED)
    if faults:
        raise Problem("invalid", errors=faults)
    evidence = [{"category": EVIDENCE.code, "file_id": str(file_id)} for file_id in files]
    values = {"appeal_reason": reason, "appellant_id": actor.user_id, "appeal_evidence": evidence}
    return StepResult(follow_up=values, payload={"reason": reason, "evidence": [str(file_id) for file_id in files]})


def _void(session: Session, actor: Actor, rating: Rating, row: RatingFollowUp, sent: Mapping[str, Any]) -> StepResult:
    """剔除: the rating leaves every figure, and the public."""
    decided = _decided(session, actor, rating, row, sent)
    counted = figures.of_rating(
        rating.level, real_name=rating.real_name, from_staff=rating.from_staff_address, tags=rating.tags
    )
    if rating.real_name and row.contacts:
        counted = figures.Change({**counted.counts, "real_bad_called": 1}, counted.tags)
    gone = {"closed_at": clock.now(), "publicity": HIDDEN}
    return StepResult(gone, decided.follow_up, decided.payload, figures.negative(counted))


READERS: dict[str, Reader] = {
    "assign": _assign, numbers.REVEAL: _reveal, "contact": _contact, "verify": _verify,
    "rectify": _rectify, "explain": _explain,
    "reply": _reply, "close": _close, "return": _decided, "appeal": _appeal, "uphold": _uphold, "void": _void,
}  # fmt: skip
