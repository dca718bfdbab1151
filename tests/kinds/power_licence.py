"""What becomes of a power licence after its issue, as `spec/d` has it: renewal (许可证延续) and cancellation (注销)."""

from typing import Any

from enterprise.certificates.declarations import About, Amends, Turns
from enterprise.filings.declaring.declarations import APPLICANT, AUTHOR, Claim, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from tests.kinds.forms import form, item, options
from tests.kinds.power_new import ACCEPT, APPROVER, ELECTRICIAN, LICENCE

RENEWAL_FORM = form(
    "power-renewal",
    "许可证延续",
    item("level", "等级", "choice", required=True, options=options(one="一级", five="五级")),
    item("leader_id", "技术负责人身份证号", "resident_id", required=True, sensitive=True),
)
CANCEL_FORM = form("power-cancel", "许可证注销", item("matter", "注销原因", "text", required=True))
FORMS = (RENEWAL_FORM, CANCEL_FORM)


def power_renewal() -> FilingKind:
    return FilingKind(
        code="power_renewal",
        title="许可证延续",
        form_code="power-renewal",
        about=About(LICENCE, copies=["level", "leader_id"]),
        one_open=True,
        claims=[Claim(ELECTRICIAN.name, ELECTRICIAN.keys, ["queued"], ELECTRICIAN.message)],
        statuses=[
            Status("draft", "填报中", AUTHOR, edits=AUTHOR),
            Status("queued", "待审查", APPROVER),
            Status("renewed", "已延续", end=True),
            Status("denied", "不予延续", end=True),
        ],
        steps=[
            Step("open", "延续", None, "draft", APPLICANT),
            Step("submit", "提交", "draft", "queued", AUTHOR, sends=True),
            Step("approve", "准予", "queued", "renewed", APPROVER, certificate=Amends(LICENCE, anew=True)),
            Step("deny", "不予延续", "queued", "denied", APPROVER, comment=True),
        ],
    )


def power_cancel() -> FilingKind:
    """Asked for by the holder, or opened and done by the office by itself (许可法 70)."""
    ended: dict[str, Any] = {"certificate": Turns(LICENCE, "cancelled")}
    return FilingKind(
        code="power_cancel",
        title="许可证注销",
        form_code="power-cancel",
        about=About(LICENCE, expired=True),
        one_open=True,
        statuses=[
            Status("draft", "填报中", APPLICANT, edits=APPLICANT),
            Status("queued", "待注销", APPROVER),
            Status("cancelled", "已注销", end=True),
        ],
        steps=[
            Step("open", "注销申请", None, "draft", APPLICANT),
            Step("order", "依职权注销", None, "queued", ACCEPT),
            Step("submit", "提交", "draft", "queued", APPLICANT, sends=True),
            Step("cancel", "注销", "queued", "cancelled", APPROVER, comment=True, **ended),
        ],
    )
