"""CCC免办 as `spec/e` has it: review by four posts, return to the one that asked, a proof with its products, amendment
before write-off alone, write-off against two counters at any port, use of the goods afterwards.

Declared as its system will declare it; the forms are short. `ccc` takes it into its room.
"""

from typing import Any

from accounts.models import Office, OfficeKind
from accounts.verbs import Verb
from assets.files.purposes import Category
from core.deadlines.periods import MONTH
from core.errors import Fault
from enterprise.certificates.declarations import (
    RELEASE,
    RESERVE,
    SETTLE,
    TAKE,
    About,
    Amends,
    CertificateKind,
    CertificateStatus,
    Counter,
    Counters,
    Draws,
    Issues,
    Number,
    Turns,
    Validity,
)
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    AUTHOR,
    BACK,
    CONTINUE,
    DEADLINE,
    DECLARATION_ATTACHMENT,
    NATURAL,
    SYSTEM,
    WORKING,
    Clock,
    Document,
    Move,
    Post,
    Status,
    Step,
)
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.steps.routing import by_choice, by_place
from tests.kinds.forms import form, item, options

ACCEPT = Post("ccc_acceptance", "受理岗", Verb.CCC_ACCEPT.value)
FIRST = Post("ccc_first_review", "初审岗", Verb.CCC_FIRST_REVIEW.value)
FINAL = Post("ccc_final_review", "终审岗", Verb.CCC_FINAL_REVIEW.value)
COMPARE = Post("ccc_comparison", "材料对比岗", Verb.CCC_COMPARE.value)
AMEND = Post("ccc_amendment", "证明修改确认岗", Verb.CCC_AMEND.value)
PORT = Post("ccc_write_off", "核销岗", Verb.CCC_WRITE_OFF.value)
ANY_PORT = Post("ccc_write_off_anywhere", "核销岗（全国）", Verb.CCC_WRITE_OFF.value, anywhere=True)
SUPERVISE = Post("ccc_supervision", "后续监管岗", Verb.CCC_SUPERVISE.value)
STOP = Post("ccc_termination", "强制终止", Verb.CCC_TERMINATE.value)

CLAUSES = options(
    research="为科研、测试所需的产品",
    maintenance="直接为最终用户维修目的所需的产品",
    display="仅用于商业展示，但不销售的产品",
)
MODES = options(general="一般贸易", temporary="暂时进出货物")
UNITS = options(piece="个", set="台", kilogram="千克")
PRODUCTS = item("products", "产品", "group", required=True, items=[
    item("hs_code", "HS编码", "text", required=True),
    item("name", "需免办产品名称", "text", required=True),
    item("spec_model", "规格型号", "text", required=True),
    item("trademark", "商标", "text", required=True),
    item("manufacturer", "生产厂名", "text", required=True),
    item("qty", "数量/重量", "number", required=True, scale=4),
    item("unit", "单位", "choice", required=True, options=UNITS),
    item("hs_qty", "HS标准量", "number", required=True, scale=4),
])  # fmt: skip
APPLICATION = form(
    "ccc-application",
    "免于办理强制性产品认证申请",
    item("clause", "免办条款", "choice", required=True, options=CLAUSES),
    item(
        "trade_mode", "贸易方式", "choice", required=True, options=options(general="一般贸易", temporary="暂时进出货物")
    ),
    item("final_use_division", "产品最终使用地", "region", required=True),
    item("final_use_address", "最终使用地详细地址", "text", required=True),
    item("invoice_no", "发票号", "text"),
    item("import_purpose", "进口用途/免办理由", "text", required=True),
    PRODUCTS,
)
RETURN = form(
    "ccc-return",
    "送补正",
    item("parts", "须修改的部分", "multi", required=True,
         options=options(basic="基本信息", products="产品", documents="附件")),
)  # fmt: skip
ISSUE = form("ccc-issue", "发证", item("valid_to", "证明有效期", "date"))
PAPER = form(
    "ccc-proof",
    "免于办理强制性产品认证证明",
    item("clause", "免办条款", "choice", required=True, options=CLAUSES),
    item("trade_mode", "贸易方式", "choice", options=MODES),
    item("final_use_address", "最终使用地", "text"),
    PRODUCTS,
)
AMENDMENT = form(
    "ccc-amendment",
    "证明修改",
    item("valid_to", "证明有效期", "date"),
    item("change_reason", "企业更改原因", "text"),
    PRODUCTS,
)


def _lines(*quantities: dict[str, Any]) -> dict[str, Any]:
    return item("lines", "核销产品", "group", required=True, items=[
        item("line", "证明附表行号", "number", required=True, scale=0), *quantities,
    ])  # fmt: skip


BOTH = (item("qty", "本次数量/重量", "number", scale=4), item("hs_qty", "本次HS标准量", "number", scale=4))
PREWRITEOFF = form("ccc-prewriteoff", "预核销", item("port", "进出口口岸", "text", required=True), _lines(*BOTH))
FOUND = form("ccc-found", "核销确认", _lines(*BOTH))
WRITEOFF = form("ccc-writeoff", "直接核销", _lines(*BOTH))
USAGE = form(
    "ccc-usage",
    "产品使用记录",
    item("use", "用途", "choice", required=True, options=options(use="使用单位", back="退运", destroy="销毁")),
    item("unit", "单位名称", "text", required=True),
    _lines(item("quantity", "本次数量", "number", scale=4)),
)
FORMS = (APPLICATION, RETURN, ISSUE, PAPER, AMENDMENT, PREWRITEOFF, FOUND, WRITEOFF, USAGE)
INVOICE = Document(Category("invoice", "发票", frozenset({DECLARATION_ATTACHMENT})), required="never")

PROOF = CertificateKind(
    code="ccc_proof",
    title="免于办理强制性产品认证证明",
    form_code="ccc-proof",
    number=Number("{office}{year}{seq:06}"),
    statuses=[
        CertificateStatus("valid", "有效"),
        CertificateStatus("amending", "修改中"),
        CertificateStatus("written_off", "已核销完毕"),
        CertificateStatus("void", "失效", holds=False),
    ],
    validity=Validity(MONTH, 12, until="valid_to"),
    counters=Counters(
        "products",
        [
            Counter("qty", "数量/重量", "qty", "unit"),
            Counter("hs_qty", "HS标准量", "hs_qty", decisive=False),
            Counter("usage", "使用数量", "qty", "unit", decisive=False),
        ],
        used_up="written_off",
    ),
    public=("clause",),
)


def _bureau(office: Office) -> str:
    """The first two digits of its region."""
    return (office.region_code or "00")[:2]


def _invoice_with_its_number(move: Move) -> list[Fault]:
    """No number is demanded, but a number demands its paper (§3.1)."""
    present = {one["category"] for one in move.filing.documents}
    if not move.data.get("invoice_no") or "invoice" in present:
        return []
    return [Fault("/documents", "required", "请上传“发票”")]


REVIEW = {"accepting": ACCEPT, "first_review": FIRST, "final_review": FINAL, "comparing": COMPARE}
APPLICATION_KIND: dict[str, Any] = {
    "code": "ccc_application",
    "title": "CCC免办申请",
    "form_code": "ccc-application",
    "statuses": [
        Status("draft", "未提交", AUTHOR, edits=AUTHOR),
        Status("accepting", "受理中", ACCEPT, todo="免办申请待受理"),
        Status("first_review", "初审中", FIRST, todo="免办申请待初审"),
        Status("final_review", "终审中", FINAL, todo="免办申请待终审"),
        Status("comparing", "文件对比中_送纸质材料", COMPARE, todo="免办申请待对比材料"),
        Status("returned", "返回修改", APPLICANT, edits=APPLICANT, todo="免办申请须补正",
               locks=["clause", "final_use_division"]),
        Status("issued", "已发证", end=True),
        Status("refused", "拒绝受理", end=True),
        Status("failed", "审核未通过", end=True),
        Status("terminated", "强制终止流程", end=True),
        Status("deleted", "已删除", end=True),
    ],
    "steps": [
        Step("agree", "我同意", None, "draft", APPLICANT),
        Step("submit", "提交申请", "draft", "accepting", AUTHOR, sends=True),
        Step("submit", "提交申请", "returned", BACK, APPLICANT, sends=True),
        Step("delete", "删除", "draft", "deleted", AUTHOR),
        Step("expire", "逾期删除", "draft", "deleted", SYSTEM),
        *[
            Step("return", "送补正", status, "returned", post, comment=True, asks_back=True, form="ccc-return")
            for status, post in REVIEW.items()
        ],
        Step("refuse", "拒绝受理", "accepting", "refused", ACCEPT, comment=True),
        Step("accept", "受理", "accepting", "first_review", ACCEPT),
        Step("pass", "初审通过", "first_review", "final_review", FIRST),
        *[
            Step("fail", "不通过", status, "failed", post, comment=True)
            for status, post in REVIEW.items() if status != "accepting"
        ],
        Step("compare", "送纸质材料", "final_review", "comparing", FINAL),
        *[
            Step("issue", "发证", status, "issued", REVIEW[status], form="ccc-issue", certificate=Issues(PROOF))
            for status in ("final_review", "comparing")
        ],
        Step("terminate", "强制终止", [*REVIEW, "returned"], "terminated", STOP, comment=True),
    ],
    "clocks": [
        Clock("keep", 10, NATURAL, DEADLINE, ["draft"], shift=False, rings="expire", label="草稿保留期限"),
        Clock("review", 5, WORKING, DEADLINE, list(REVIEW), pauses_in=["returned"], again=CONTINUE, label="审批期限",
              amber_days=2),
    ],
    "documents": [INVOICE],
    "number": Number("MB{year}{office}{seq:06}", office=_bureau),
    "route": by_place("final_use_division", OfficeKind.BUREAU.value),
    "listed": ("clause",),
    "check": _invoice_with_its_number,
}  # fmt: skip
AMENDMENT_KIND: dict[str, Any] = {
    "code": "ccc_amendment",
    "title": "CCC免办证明修改",
    "form_code": "ccc-amendment",
    "about": About(PROOF, when=["valid"], copies=["products"]),
    "one_open": True,
    "statuses": [
        Status("opened", "待企业修改", APPLICANT, edits=APPLICANT, todo="请修改免办证明"),
        Status("submitted", "已提交新证明", AMEND, todo="免办证明修改待确认"),
        Status("returned", "重新修改证明", APPLICANT, edits=APPLICANT, todo="请重新修改免办证明"),
        Status("confirmed", "已修改", end=True),
        Status("given_up", "已撤销修改", end=True),
    ],
    "steps": [
        Step("open", "返回企业修改", None, "opened", AMEND,
             certificate=Turns(PROOF, "amending", when=["valid"], untouched=True)),
        Step("submit", "提交", ["opened", "returned"], "submitted", APPLICANT, sends=True),
        Step("return", "重新修改", "submitted", "returned", AMEND, comment=True),
        Step("confirm", "确认", "submitted", "confirmed", AMEND,
             certificate=Amends(PROOF, to="valid", when=["amending"], untouched=True)),
        Step("give_up", "撤销修改", ["opened", "submitted", "returned"], "given_up", AMEND, comment=True,
             certificate=Turns(PROOF, "valid", when=["amending"])),
    ],
}  # fmt: skip
DRAWN = Draws({"qty": "qty", "hs_qty": "hs_qty"}, when=["valid"], message="本次预核销数量不能大于剩余可核销数量")
PREWRITEOFF_KIND: dict[str, Any] = {
    "code": "ccc_prewriteoff",
    "title": "CCC免办预核销",
    "form_code": "ccc-prewriteoff",
    "about": About(PROOF, when=["valid"]),
    "draws": DRAWN,
    "route": by_choice("port", OfficeKind.PORT_BUREAU.value),
    "statuses": [
        Status("draft", "未提交", APPLICANT, edits=APPLICANT),
        Status("submitted", "待确认", PORT, todo="预核销待确认"),
        Status("confirmed", "已确认", end=True),
        Status("rejected", "未确认", end=True),
    ],
    "steps": [
        Step("open", "预核销", None, "draft", APPLICANT),
        Step("submit", "提交", "draft", "submitted", APPLICANT, sends=True, draw=RESERVE),
        Step("confirm", "确认", "submitted", "confirmed", PORT, form="ccc-found", draw=SETTLE),
        Step("reject", "不予确认", "submitted", "rejected", PORT, comment=True, draw=RELEASE),
    ],
}
WRITEOFF_KIND: dict[str, Any] = {
    "code": "ccc_writeoff",
    "title": "CCC免办核销",
    "form_code": "ccc-writeoff",
    "about": About(PROOF, when=["valid"]),
    "draws": DRAWN,
    "number": Number("HX{year}{seq:06}"),
    "numbered_by": ["enter"],
    "statuses": [Status("done", "已核销", end=True)],
    "steps": [Step("enter", "核销", None, "done", ANY_PORT, draw=TAKE)],
}
USAGE_KIND: dict[str, Any] = {
    "code": "ccc_usage",
    "title": "CCC免办产品使用记录",
    "form_code": "ccc-usage",
    "about": About(PROOF, when=["valid", "written_off"], expired=True),
    "draws": Draws({"usage": "quantity"}, when=["valid", "written_off"], message="本次使用数量不能大于剩余数量"),
    "statuses": [
        Status("draft", "未提交", APPLICANT, edits=APPLICANT),
        Status("submitted", "已提交", SUPERVISE, todo="产品使用记录待审核"),
        Status("passed", "已审核", end=True),
    ],
    "steps": [
        Step("open", "填写使用记录", None, "draft", APPLICANT),
        Step("submit", "提交", "draft", "submitted", APPLICANT, sends=True, draw=RESERVE),
        Step("pass", "审核通过", "submitted", "passed", SUPERVISE, draw=SETTLE),
        Step("return", "审核不通过", "submitted", "draft", SUPERVISE, comment=True, draw=RELEASE),
    ],
}


def ccc_kinds() -> tuple[FilingKind, ...]:
    """All kinds of the system, its applications first."""
    declared = (APPLICATION_KIND, AMENDMENT_KIND, PREWRITEOFF_KIND, WRITEOFF_KIND, USAGE_KIND)
    return tuple(FilingKind(**one) for one in declared)
