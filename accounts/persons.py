"""Personal data (个人信息) of those who have an account or applied for one."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session

from accounts.access_log.models import AccessEntry
from accounts.mail import addresses
from accounts.mail.addresses import EMAIL
from accounts.mail.models import MailLink, UserEmail
from accounts.models import (
    AccountApplication,
    RecoveryCode,
    Reorganisation,
    ResetProposal,
    SecondFactor,
    SignIn,
    Throttle,
    User,
    UserSession,
    UserStatus,
    WeChatBinding,
)
from accounts.sign_in import binding_witness
from accounts.sign_in.binding_witness import BINDINGS
from core.persons.holdings import Column, Fate, Holding, Holds, Subject
from core.persons.person import GONE
from core.persons.reasons import AUDIT, CREDENTIAL, DUTY, NOTHING, PERSON_GONE, ROW_GONE
from core.workflows import history

_PURPOSE = "账号的审核、联系和安全"
_BASIS = "个人信息保护法第十三条第一款第（三）项：履行法定职责所必需"
_WITH_ACCOUNT = "与账号同期；账号停用后可依申请删除"


def _busy(row: Any) -> str | None:
    if row["status"] in (UserStatus.ACTIVE, UserStatus.PENDING):
        return (
            f"账号 {row['username']} 仍在使用或待审核，联系方式为履行职责所必需；"
            f"请先停用（./manage users disable {row['username']} --reason …）再删除"
        )
    return None


def _standing(
    session: Session, user_id: UUID, changed: Mapping[str, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    """The bindings and the address that are left, where the erasure changed any or took them all.

    Else it goes on to say what was stated before: stated anew, one that was put into the table would be right.
    """
    stated: dict[str, Any] = {}
    left, address = binding_witness.standing(session, user_id), addresses.standing(session, user_id)
    if not left["bindings"] or WeChatBinding.__tablename__ in changed:
        stated[BINDINGS.name] = BINDINGS.digest(left)
    if address["address_hash"] is None or UserEmail.__tablename__ in changed:
        stated[EMAIL.name] = EMAIL.digest(address)
    return [stated] if stated else []


def _unlike(session: Session, user_id: UUID) -> list[str]:
    bound = history.last_payload(session, user_id, binding_witness.STATING)
    mailed = history.last_payload(session, user_id, addresses.STATING)
    proven = {
        BINDINGS.name: binding_witness.fits(bound, binding_witness.standing(session, user_id)),
        EMAIL.name: addresses.fits(mailed, addresses.standing(session, user_id)),
    }
    return [name for name, fits in proven.items() if not fits]


def _undecided(row: Any) -> str | None:
    if row["status"] == "pending":
        return f"账号申请 {row['username']} 尚未审核，请先审核（通过或不通过）再删除"
    return None


HOLDINGS = (
    Holding(
        table=cast(Table, User.__table__), title="账号", purpose=_PURPOSE, basis=_BASIS, kept=_WITH_ACCOUNT,
        since="created_at", subject=Subject(("user",), _standing, unlike=_unlike), busy=_busy,
        columns=(
            Column("mobile", Holds.NUMBER, "手机号", Fate.ERASE, NOTHING),
            Column("full_name", Holds.NAME, "姓名", Fate.ERASE, NOTHING),
            Column("username", Holds.OWN, "用户名", Fate.KEEP, AUDIT),
            Column("unit_name", Holds.OWN, "单位名称", Fate.KEEP, "单位不是个人；说明该账号当时以何单位履职"),
            Column("status_reason", Holds.TEXT, "停用或审核意见", Fate.PSEUDONYMISE, PERSON_GONE),
        ),
    ),
    Holding(
        table=cast(Table, UserSession.__table__), title="登录会话", purpose="保持登录，识别异常登录", basis=_BASIS,
        kept="结束后90天", parent="users", link="user_id", since="created_at", deletes=True, searched=False,
        columns=(
            Column("operator_name", Holds.OWN, "操作人", Fate.ERASE, ROW_GONE),
            Column("address", Holds.OWN, "来源地址", Fate.ERASE, ROW_GONE),
            Column("user_agent", Holds.OWN, "设备和浏览器", Fate.ERASE, ROW_GONE),
        ),
    ),
    Holding(
        table=cast(Table, WeChatBinding.__table__), title="微信绑定", purpose="以微信登录",
        basis="本人绑定，即个人同意（第十三条第一款第（一）项）",
        kept="解除绑定为止；半年未用自动解除", parent="users", link="user_id", since="bound_at", deletes=True,
        searched=False,
        columns=(
            Column("openid", Holds.OWN, "微信标识", Fate.ERASE, ROW_GONE),
            Column("openid_hash", Holds.OWN, "微信标识的散列", Fate.ERASE, ROW_GONE),
            Column("operator_name", Holds.OWN, "操作人", Fate.ERASE, ROW_GONE),
        ),
    ),
    Holding(
        table=cast(Table, UserEmail.__table__), title="邮箱", purpose="找回密码，通知账号变动",
        basis="本人确认，即个人同意（第十三条第一款第（一）项）", kept="本人停用或更换为止", parent="users",
        link="user_id", since="confirmed_at", deletes=True, searched=False,
        columns=(
            Column("address", Holds.OWN, "邮箱", Fate.ERASE, ROW_GONE),
            Column("address_hash", Holds.OWN, "邮箱的散列", Fate.ERASE, ROW_GONE),
        ),
    ),
    Holding(
        table=cast(Table, MailLink.__table__), title="邮件链接", purpose="确认邮箱，重置密码，开通账号", basis=_BASIS,
        kept="使用即删除；至多七天", parent="users", link="user_id", since="created_at", deletes=True, searched=False,
        columns=(Column("address", Holds.OWN, "待确认的邮箱", Fate.ERASE, ROW_GONE),),
    ),
    Holding(
        table=cast(Table, SecondFactor.__table__), title="动态口令", purpose="账号安全", basis=_BASIS,
        kept=_WITH_ACCOUNT, parent="users", link="user_id", since="begun_at", searched=False,
        columns=(Column("secret", Holds.OWN, "动态口令的密钥", Fate.KEEP, CREDENTIAL),),
    ),
    Holding(
        table=cast(Table, RecoveryCode.__table__), title="动态口令恢复码", purpose="账号安全", basis=_BASIS,
        kept=_WITH_ACCOUNT, parent="users", link="user_id", searched=False,
        columns=(Column("code_hash", Holds.OWN, "恢复码的散列", Fate.KEEP, CREDENTIAL),),
    ),
    Holding(
        table=cast(Table, ResetProposal.__table__), title="重置申请", purpose="两人复核的密码重置", basis=_BASIS,
        kept="三天", parent="users", link="user_id", since="at", deletes=True,
        columns=(
            Column("reason", Holds.TEXT, "重置原因", Fate.ERASE, ROW_GONE),
            Column("proposed_as", Holds.JSON, "提出人", Fate.ERASE, ROW_GONE),
        ),
    ),
    Holding(
        table=cast(Table, SignIn.__table__), title="登录审计", purpose="安全审计",
        basis="网络安全法：留存网络日志不少于六个月", kept="失败的半年；成功的长期",
        parent="users", link="username", parent_key="username", since="at", searched=False,
        columns=(
            Column("username", Holds.OWN, "用户名", Fate.KEEP, AUDIT),
            Column("operator_name", Holds.OWN, "操作人", Fate.KEEP, AUDIT),
            Column("address", Holds.OWN, "来源地址", Fate.KEEP, AUDIT),
        ),
    ),
    Holding(
        table=cast(Table, AccessEntry.__table__), title="查阅日志", purpose="说明谁查阅、导出了哪些个人信息",
        basis="个人信息保护法第五十一条；网络安全法：留存网络日志不少于六个月", kept="一年，不少于六个月",
        parent="users", link="user_id", since="at", searched=False,
        columns=(
            Column("username", Holds.OWN, "用户名", Fate.KEEP, AUDIT),
            Column("operator_name", Holds.OWN, "操作人", Fate.KEEP, AUDIT),
            Column("address", Holds.OWN, "来源地址", Fate.KEEP, AUDIT),
            Column("asked", Holds.TEXT, "查询条件", Fate.KEEP, AUDIT),
        ),
    ),
    Holding(
        table=cast(Table, AccountApplication.__table__), title="账号申请", purpose=_PURPOSE, basis=_BASIS,
        kept="审核后可依申请删除", since="created_at", subject=Subject(("account_application",)),
        busy=_undecided,
        columns=(
            Column("mobile", Holds.NUMBER, "手机号", Fate.ERASE, NOTHING, empty=""),
            Column("applicant_name", Holds.NAME, "姓名", Fate.PSEUDONYMISE, PERSON_GONE, empty=GONE),
            Column("username", Holds.OWN, "申请的用户名", Fate.KEEP, AUDIT),
            Column("unit_name", Holds.OWN, "单位名称", Fate.KEEP, "单位不是个人；说明以何单位申请"),
            Column("reason", Holds.OWN, "申请理由", Fate.ERASE, NOTHING),
            Column("password_hash", Holds.OWN, "密码的散列", Fate.ERASE, NOTHING),
            Column("opinion", Holds.TEXT, "审核意见", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("decided_as", Holds.OWN, "审核人", Fate.KEEP, DUTY),
        ),
    ),
    Holding(
        table=cast(Table, Throttle.__table__), title="登录限制计数", purpose="防止猜测密码", basis=_BASIS,
        kept="窗口结束后一小时内删除", searched=False,
        columns=(
            Column(
                "key", Holds.OWN, "用户名或来源地址", Fate.KEEP,
                "防攻击计数，窗口结束即自动删除；期间删除会放开对该账号的限制",
            ),
        ),
    ),
    Holding(
        table=cast(Table, Reorganisation.__table__), title="区划调整", purpose="区划调整的办理",
        basis=_BASIS, kept="长期", since="planned_at", searched=False,
        columns=(Column("planned_by", Holds.OWN, "登记人", Fate.KEEP, DUTY),),
    ),
)  # fmt: skip
