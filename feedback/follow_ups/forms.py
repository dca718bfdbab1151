"""What may be done about a rating now, each step with the form that it asks for; a client draws them and knows no step.

A step that would be refused for who asks, or for what was found before, is none of these. One that has to wait for
another (a call-back) is, and says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office, User, UserStatus
from accounts.verbs import verbs_of
from core import clock
from core.actor import Actor
from core.workflows import history
from feedback.follow_ups import steps
from feedback.follow_ups.steps import AT_ONCE, CLASSES, DEADLINE, EXPLAIN, TEXT_LIMIT
from feedback.models import Rating, RatingFollowUp
from feedback.ratings import numbers
from feedback.ratings.fields import COMMENT_LIMIT
from feedback.workflows import ANSWERED, HANDLE

CHOICE, TEXT, FILES = "choice", "text", "files"
MOST_HANDLERS = 200

LABELS = {
    "assign": "指派承办人", numbers.REVEAL: "查看手机号", "contact": "登记回访", "verify": "核实", "rectify": "整改",
    "explain": "解释说明", "reply": "反馈", "close": "办结", "return": "退回重新处理", "appeal": "申诉",
    "uphold": "驳回申诉", "void": "剔除评价", "release": "公开文字", "withhold": "不公开文字",
    "open": "收到差评", "count": "收到评价", "hand_over": "承办人变动", "recount": "按公布的工作日重新计算期限",
    "postpone": "因系统故障顺延期限", history.ERASE: "依法删除个人信息",
}  # fmt: skip
"""All moves of a rating in words."""

_NEXT = {"contact", "verify", "rectify", "explain", "reply", "close", "void", "uphold"}
"""Steps that lead on, as long as none of them has to wait."""
_CALL_FIRST = "实名差评请先登记至少一次回访，再作处理"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a step's form: `options` of a choice by value, `purposes` of files with the endings they take."""

    name: str
    label: str
    type: str = TEXT
    required: bool = True
    options: Mapping[str, str] = field(default_factory=dict)
    max_length: int | None = TEXT_LIMIT


@dataclass(frozen=True, slots=True)
class StepForm:
    """A step that may be taken now; `waits`: what has to be done before."""

    action: str
    fields: tuple[Field, ...] = ()
    waits: str | None = None

    @property
    def label(self) -> str:
        """Its name as a verb."""
        return LABELS[self.action]

    @property
    def leads_on(self) -> bool:
        """Whether it is what comes next."""
        return self.action in _NEXT and self.waits is None


def forms_of(
    session: Session, actor: Actor, rating: Rating, row: RatingFollowUp | None, actions: Iterable[str]
) -> list[StepForm]:
    """The forms of these actions, as the rating stands now."""
    found = [form for action in actions if (form := _form(session, actor, rating, row, action)) is not None]
    called = row is None or row.contacts > 0
    # A call-back leads on until there was one; after that it can be repeated, and other steps come next.
    return sorted(found, key=lambda form: not form.leads_on or (form.action == "contact" and called))


def _form(
    session: Session, actor: Actor, rating: Rating, row: RatingFollowUp | None, action: str
) -> StepForm | None:  # fmt: skip
    if action == "release":
        return StepForm(action)
    if action == "withhold":
        return StepForm(action, (Field("reason", "不公开的原因", max_length=COMMENT_LIMIT),))
    if row is None or _own_decision(action, actor, row):
        return None
    waits = _CALL_FIRST if rating.real_name and row.contacts == 0 else None
    match action:
        case "assign":
            return StepForm(action, (_choice("handler_id", "承办人", _handlers(session, rating)),))
        case numbers.REVEAL:
            why = Field("reason", "再次查看的原因（该评价已反馈或正在申诉）")
            return StepForm(action, (why,) if rating.status in ANSWERED else ())
        case "contact":
            return StepForm(action, _CONTACT)
        case "verify":
            return StepForm(action, _VERIFY, waits)
        case "rectify" if row.classification != EXPLAIN:
            return StepForm(action, _rectify(row), waits)
        case "explain" if row.classification in (None, EXPLAIN):
            return StepForm(action, (Field("explanation", "解释说明"),), waits)
        case "appeal" if rating.due_on is None or clock.today() <= rating.due_on:
            return StepForm(action, _APPEAL)
        case "reply" | "close" | "return" | "uphold" | "void":
            return StepForm(action, _SIMPLE[action])
        case _:
            return None


def _own_decision(action: str, actor: Actor, row: RatingFollowUp) -> bool:
    """Nobody decides on what they did themselves (`operations.py`)."""
    own = {"close": row.replied_by, "return": row.replied_by, "uphold": row.appellant_id, "void": row.appellant_id}
    return action in own and own[action] == actor.user_id


def _choice(name: str, label: str, options: Mapping[str, str]) -> Field:
    return Field(name, label, CHOICE, options=options, max_length=None)


def _rectify(row: RatingFollowUp) -> tuple[Field, ...]:
    measures = Field("measures", "整改措施")
    longer = Field("extension_reason", "延长整改期限的原因")
    if row.classification is None:
        classes = {one: CLASSES[one] for one in (AT_ONCE, DEADLINE)}
        why = Field("extension_reason", "延长整改期限的原因（限期整改时填写）", required=False)
        return (_choice("classification", "处理方式", classes), measures, *(() if row.extended else (why,)))
    return (measures, longer) if row.classification == DEADLINE and not row.extended else (measures,)


_CONTACT = (
    _choice("channel", "回访方式", steps.CONTACT_CHANNELS), _choice("result", "回访结果", steps.CONTACT_RESULTS),
    Field("note", "回访情况", required=False),
)  # fmt: skip
_VERIFY = (
    _choice("verify_result", "核实结果", steps.VERIFY_RESULTS), _choice("classification", "处理方式", steps.CLASSES),
)  # fmt: skip
_APPEAL = (Field("reason", "申诉理由"), Field("evidence", "申诉证据", FILES, max_length=steps.EVIDENCE.max_count))
_OPINION = Field("opinion", "意见")
_SIMPLE = {
    "reply": (Field("feedback_text", "反馈内容"), _choice("feedback_channel", "反馈方式", steps.FEEDBACK_CHANNELS)),
    "close": (
        _choice("satisfied_after", "整改后满意情况", steps.SATISFIED), Field("opinion", "审核意见", required=False),
    ),
    "return": (_OPINION,), "uphold": (_OPINION,), "void": (_OPINION,),
}  # fmt: skip


def _handlers(session: Session, rating: Rating) -> dict[str, str]:
    """Who may be made the handler: those of the rated office, or of the one into which it was merged."""
    chain = [code for code in (rating.area1, rating.area2, rating.area3) if code]
    around = session.scalars(select(Office).where(Office.region_code.in_(chain)))
    merged = str(rating.office_id)
    offices = [one.id for one in around if one.id == rating.office_id or merged in one.absorbed]
    users = session.scalars(
        select(User).where(User.office_id.in_(offices), User.status == UserStatus.ACTIVE).order_by(User.username)
    )
    named: dict[str, str] = {}
    for user in users:
        if HANDLE in verbs_of(user.roles) and len(named) < MOST_HANDLERS:
            named[str(user.id)] = f"{user.full_name}（{user.username}）" if user.full_name else user.username
    return named


def said_of(row: RatingFollowUp, shown: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the follow-up says, in words; `shown` is what the reader may read of it."""
    words: tuple[tuple[str, str, Mapping[str, str] | None], ...] = (
        ("verify_result", "核实结果", steps.VERIFY_RESULTS), ("classification", "处理方式", CLASSES),
        ("measures", "整改措施", None), ("extension_reason", "延长期限的原因", None),
        ("explanation", "解释说明", None), ("feedback_text", "反馈内容", None),
        ("feedback_channel", "反馈方式", steps.FEEDBACK_CHANNELS), ("appeal_reason", "申诉理由", None),
        ("opinion", "审核意见", None), ("satisfied_after", "整改后满意情况", steps.SATISFIED),
    )  # fmt: skip
    said = []
    for name, label, options in words:
        value = shown.get(name)
        if value:
            said.append({"label": label, "text": options.get(value, value) if options else value})
    if row.closed_in_time is not None:
        said.append({"label": "是否按期", "text": "按期办结" if row.closed_in_time else "超期办结"})
    return said
