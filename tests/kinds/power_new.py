"""许可证新申请 as `spec/d` has it: posts, deficiency, return to the post that asked, different people, passing on.

Declared as its system will declare it; the forms are short. `power` takes it into its room.
"""

from dataclasses import replace
from typing import Any

from accounts.models import OfficeKind
from accounts.verbs import Verb
from assets.files.purposes import Category
from enterprise.certificates.declarations import CertificateKind, CertificateStatus, Issues, Number, Validity
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    AUTHOR,
    BACK,
    CONTINUE,
    DEADLINE,
    DECLARATION_ATTACHMENT,
    STAYS,
    SYSTEM,
    WORKING,
    YEAR,
    Claim,
    Clock,
    Days,
    Document,
    Lock,
    Move,
    Post,
    Status,
    Step,
)
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.steps.routing import by_choice, by_place
from tests.kinds.forms import form, item, options

FORMAL = Post("power_formal_check", "形审岗", Verb.POWER_FORMAL_CHECK.value)
ACCEPT = Post("power_acceptance", "受理岗", Verb.POWER_ACCEPT.value)
EXAMINER = Post("power_examiner", "审查岗", Verb.POWER_EXAMINE.value)
APPROVER = Post("power_approver", "批准岗", Verb.POWER_APPROVE.value)
ISSUER = Post("power_certificates", "制证岗", Verb.POWER_ISSUE.value)
OFFICES = (FORMAL, ACCEPT, EXAMINER, APPROVER, ISSUER)


MODES = options(general="一般", deficient="容缺", ftz="自贸区")
APPLICATION = form(
    "power-new",
    "承装（修、试）电力设施许可证申请",
    item("province", "所在省", "region", required=True),
    item("mode", "办理方式", "choice", required=True, options=options(general="一般", deficient="容缺", ftz="自贸区")),
    item("level", "等级", "choice", required=True, options=options(one="一级", five="五级")),
    item("leader_id", "技术负责人身份证号", "resident_id", required=True, sensitive=True),
)
RETURN = form(
    "power-return",
    "补正通知",
    item("parts", "须补正的内容", "text", required=True),
    item("again_by", "补正至", "date"),
)
COMMITTEE = form(
    "power-committee",
    "委员会审议",
    item("held_on", "审议日期", "date", required=True, not_future=True),
    item("votes", "同意票数", "number", required=True),
)
PASS_ON = form("power-pass-on", "指派", item("office", "办理机关", "text", required=True))
PAPER = form(
    "power-licence",
    "承装（修、试）电力设施许可证",
    item("level", "等级", "choice", required=True, options=options(one="一级", five="五级")),
    item("leader_id", "技术负责人身份证号", "resident_id", required=True, sensitive=True),
)
FORMS = (APPLICATION, RETURN, COMMITTEE, PASS_ON, PAPER)

LICENCE = CertificateKind(
    code="power_licence",
    title="承装（修、试）电力设施许可证",
    form_code="power-licence",
    number=Number("{office}-{seq:05}-{year}"),
    statuses=[
        CertificateStatus("valid", "有效"),
        CertificateStatus("cancelled", "已注销", holds=False),
        CertificateStatus("revoked", "已吊销", holds=False),
    ],
    validity=Validity(YEAR, 6),
    claims=["electrician"],
    listed=["level"],
    public=["level"],
)


OWED = Document(
    Category("finance", "财务报表", frozenset({DECLARATION_ATTACHMENT})), when={"item": "mode", "in": ["general"]}
)
SUPPLIED = Document(Category("insurance", "社保证明", frozenset({DECLARATION_ATTACHMENT})), statuses=["deficient_wait"])
DECISION = Document(Category("decision", "许可决定书", frozenset({DECLARATION_ATTACHMENT})))
ELECTRICIAN = Claim(
    "electrician", lambda _filing, data: [data["leader_id"]] if data.get("leader_id") else [],
    ["queued", "returned", "accepted", "deficient_wait", "examining", "committee", "approved"], "该身份证号码已被使用",
)  # fmt: skip
DECIDING = ["accepted", "examining", "committee", "approved"]
UNDECIDED = ["queued", "accepted", "deficient_wait", "examining", "committee"]


def _papers_owed(move: Move) -> str | None:
    """容缺: what is owed is awaited at once."""
    return "await_papers" if move.filing.data["mode"] == "deficient" else None


STATUSES = [
    Status("draft", "填报中", AUTHOR, edits=AUTHOR),
    Status("queued", "待形审", [FORMAL, ACCEPT], todo="许可申请待形审"),
    Status(
        "returned", "补正", APPLICANT, edits=APPLICANT, todo="许可申请须补正",
        locks=["province", Lock("level", {"item": "mode", "in": ["ftz"]})],
    ),
    Status("accepted", "已受理", EXAMINER, todo="许可申请待审查"),
    Status(
        "deficient_wait", "容缺待补", APPLICANT, edits=APPLICANT, todo="请补交容缺材料", opens=["documents/insurance"],
    ),
    Status("examining", "审查中", EXAMINER),
    Status("committee", "委员会审议", APPROVER, todo="许可申请待批准"),
    Status("approved", "准予", ISSUER, todo="许可证待制证"),
    Status("issued", "已发证", end=True),
    Status("denied", "不予许可", end=True),
    Status("not_accepted", "不予受理", end=True),
    Status("terminated", "已终止", end=True),
]  # fmt: skip
STEPS = [
    Step("open", "新申请", None, "draft", APPLICANT),
    Step("submit", "资料提交", "draft", "queued", AUTHOR, sends=True),
    Step("submit", "补正提交", "returned", BACK, APPLICANT, sends=True),
    Step("return", "补正", ["queued", "examining"], "returned", [FORMAL, EXAMINER], comment=True, asks_back=True,
         form="power-return"),
    Step("refuse", "不予受理", "queued", "not_accepted", ACCEPT, comment=True),
    Step("pass_on", "指派", ["queued", "accepted"], STAYS, ACCEPT, comment=True, form="power-pass-on",
         route=by_choice("office", OfficeKind.ENERGY_BRANCH.value)),
    Step("accept", "受理", "queued", "accepted", ACCEPT, then=_papers_owed),
    Step("await_papers", "容缺", "accepted", "deficient_wait", SYSTEM),
    Step("supply", "补交", "deficient_wait", "accepted", APPLICANT, sends=True),
    Step("default", "逾期未补", "deficient_wait", "denied", SYSTEM),
    Step("examine", "审查", "accepted", "examining", EXAMINER),
    Step("refer", "提交委员会", "examining", "committee", EXAMINER),
    Step("approve", "准予", "committee", "approved", APPROVER, form="power-committee", other_than=["refer"],
         shown_to=OFFICES),
    Step("deny", "不予许可", "committee", "denied", APPROVER, comment=True, other_than=["refer"]),
    Step("issue", "发证", "approved", "issued", ISSUER, documents=[DECISION], certificate=Issues(LICENCE)),
    Step("extend", "延长", ["accepted", "examining", "committee"], STAYS, APPROVER, comment=True,
         extends=("decision", 10)),
    Step("terminate", "终止", UNDECIDED, "terminated", APPLICANT),
]  # fmt: skip

UNCERTIFIED = [replace(step, certificate=None) for step in STEPS]
"""Without the licence; with `claims=()`, several filings may name one person."""


CLOCKS = [
    Clock("notice", 5, WORKING, DEADLINE, ["queued"], label="补正告知期限"),
    Clock(
        "decision", Days(["mode"], {("ftz",): 15}, 20), WORKING, DEADLINE, DECIDING,
        pauses_in=["deficient_wait", "returned"], again=CONTINUE, label="许可办理期限", amber_days=3,
    ),
    Clock("papers", 15, WORKING, DEADLINE, ["deficient_wait"], rings="default", label="容缺补交期限"),
]  # fmt: skip


def power_new(**changes: Any) -> FilingKind:
    """The kind; changes are of the declaration."""
    declared: dict[str, Any] = {
        "code": "power_new",
        "title": "许可证新申请",
        "form_code": "power-new",
        "statuses": STATUSES,
        "steps": STEPS,
        "clocks": CLOCKS,
        "documents": [OWED, SUPPLIED],
        "route": by_place("province", OfficeKind.ENERGY_BRANCH.value),
        "one_open": True,
        "listed": ("level",),
        "claims": [ELECTRICIAN],
    }
    return FilingKind(**{**declared, **changes})
