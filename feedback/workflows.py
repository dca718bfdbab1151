"""The tables of steps of rating codes and of ratings with their follow-up (差评整改); spec/b_rating §3.2, §4."""

from accounts.verbs import Verb
from core.workflows.workflow import APPLICANT, SYSTEM, Step, Workflow
from feedback.models import FreedNumber, Rating, RatingCode

NOT_GENERATED, ACTIVE, USED, EXPIRED, DISABLED = "not_generated", "active", "used", "expired", "disabled"

_GENERATE = Verb.RATINGS_GENERATE

CODE = Workflow(
    "rating_code",
    RatingCode,
    {NOT_GENERATED: "未生成", ACTIVE: "有效", USED: "已评价", EXPIRED: "已过期", DISABLED: "已停用"},
    [
        Step("create", None, NOT_GENERATED, _GENERATE),
        # By a finished filing: the enterprise needs no picture, so nobody presses 生成.
        Step("invite", None, ACTIVE, SYSTEM),
        Step("generate", NOT_GENERATED, ACTIVE, _GENERATE),
        Step("disable", NOT_GENERATED, DISABLED, _GENERATE),
        Step("disable", ACTIVE, DISABLED, _GENERATE),
        Step("use", ACTIVE, USED, SYSTEM),
        Step("expire", ACTIVE, EXPIRED, SYSTEM),
    ],
)

TO_VERIFY, VERIFIED, RECTIFYING, EXPLAINED = "to_verify", "verified", "rectifying", "explained"
FED_BACK, CLOSED, APPEALING, VOIDED = "fed_back", "closed", "appealing", "voided"

ANSWERED = frozenset({FED_BACK, APPEALING})
"""The rater was called back and answered, or an appeal waits: the number is read for a reason that is stated alone."""

FINAL = frozenset({CLOSED, VOIDED})
"""A rating in these is over: `closed_at` is set."""

HANDLE, SUPERVISE = Verb.RATINGS_HANDLE, Verb.RATINGS_SUPERVISE

WRITTEN = frozenset(
    {"note", "measures", "explanation", "feedback_text", "appeal_reason", "reason", "opinion", "extension_reason"}
)
"""What others write about a rating, in its follow-up and in its history: it may name the rater."""

RATING = Workflow(
    "rating",
    Rating,
    {
        TO_VERIFY: "待核实", VERIFIED: "已核实", RECTIFYING: "整改中", EXPLAINED: "已解释说明",
        FED_BACK: "已反馈", CLOSED: "已办结", APPEALING: "申诉中", VOIDED: "已剔除",
    },
    [
        Step("count", None, CLOSED, APPLICANT),
        Step("open", None, TO_VERIFY, APPLICANT),
        Step("assign", TO_VERIFY, TO_VERIFY, SUPERVISE),
        # A handler may leave at any time; whoever comes after must be able to go on.
        Step("assign", VERIFIED, VERIFIED, SUPERVISE),
        Step("assign", RECTIFYING, RECTIFYING, SUPERVISE),
        Step("assign", EXPLAINED, EXPLAINED, SUPERVISE),
        Step("assign", FED_BACK, FED_BACK, SUPERVISE),
        # When the handler leaves (`handing_over.py`).
        *(
            Step("hand_over", s, s, SYSTEM)
            for s in (TO_VERIFY, VERIFIED, RECTIFYING, EXPLAINED, FED_BACK, APPEALING)
        ),
        # The rater's whole number, read to call back.
        *(
            Step("reveal_number", s, s, HANDLE)
            for s in (TO_VERIFY, VERIFIED, RECTIFYING, EXPLAINED, FED_BACK, APPEALING)
        ),
        # When guessed working days become known (`recounting.py`).
        *(
            Step("recount", s, s, SYSTEM)
            for s in (TO_VERIFY, VERIFIED, RECTIFYING, EXPLAINED, FED_BACK, APPEALING)
        ),
        # When an outage (系统故障) moves the deadline (`recounting.py`).
        *(
            Step("postpone", s, s, SYSTEM)
            for s in (TO_VERIFY, VERIFIED, RECTIFYING, EXPLAINED, FED_BACK, APPEALING)
        ),
        Step("contact", TO_VERIFY, TO_VERIFY, HANDLE),
        Step("contact", VERIFIED, VERIFIED, HANDLE),
        Step("contact", RECTIFYING, RECTIFYING, HANDLE),
        Step("contact", EXPLAINED, EXPLAINED, HANDLE),
        Step("contact", FED_BACK, FED_BACK, HANDLE),
        Step("verify", TO_VERIFY, VERIFIED, HANDLE),
        Step("rectify", VERIFIED, RECTIFYING, HANDLE),
        Step("explain", VERIFIED, EXPLAINED, HANDLE),
        Step("reply", RECTIFYING, FED_BACK, HANDLE),
        Step("reply", EXPLAINED, FED_BACK, HANDLE),
        Step("close", FED_BACK, CLOSED, SUPERVISE),
        Step("return", FED_BACK, RECTIFYING, SUPERVISE),
        Step("appeal", TO_VERIFY, APPEALING, HANDLE),
        Step("appeal", VERIFIED, APPEALING, HANDLE),
        Step("uphold", APPEALING, VERIFIED, SUPERVISE),
        Step("void", APPEALING, VOIDED, SUPERVISE),
        Step("release", CLOSED, CLOSED, SUPERVISE),
        Step("withhold", CLOSED, CLOSED, SUPERVISE),
    ],
    personal=WRITTEN,
)  # fmt: skip

FREED = Workflow(
    "freed_number",
    FreedNumber,
    {"freed": "已解除限制"},
    [Step("free", None, "freed", SUPERVISE)],
    personal=WRITTEN,
)
