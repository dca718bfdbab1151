"""Kinds of rating codes, and the channels (渠道) by which ratings come in."""

from uuid import UUID

PER_VISIT, PER_MATTER = "per_visit", "per_matter"
KINDS = {PER_VISIT: "一次一评", PER_MATTER: "一事一评"}

WEB_TODO, QR_ONCE, QR_MATTER = "web_todo", "qr_once", "qr_matter"
CHANNELS = {WEB_TODO: "网上一事一评", QR_ONCE: "扫码一次一评", QR_MATTER: "扫码一事一评"}

PENDING, SHOWN, WITHHELD, HIDDEN = "pending", "shown", "withheld", "hidden"
PUBLICITY = {PENDING: "文字待审核", SHOWN: "公开", WITHHELD: "文字不公开", HIDDEN: "不公开"}
"""What the public reads: level and tags at once, the text once it is `shown`, nothing of a voided rating (`hidden`)."""

STAFF_MARK = (
    "提交前不久，同一网络地址有本单位人员登录。大厅和办公室常共用一个地址，此标记仅供参考，不能说明评价由工作人员提交"
)
"""The note beside the mark 来自办公网络: it proves little."""


def channel_of(kind: str, filing_id: UUID | None) -> str:
    """The channel of a code's ratings."""
    if filing_id is not None:
        return WEB_TODO
    return QR_ONCE if kind == PER_VISIT else QR_MATTER
