"""The tables of steps of accounts (seed 001, annex 7, part 2(5); spec/a_inspection §1.1)."""

from accounts.models import AccountApplication, Reorganisation, User, UserStatus
from accounts.verbs import Verb
from core.workflows.witnesses import Witness
from core.workflows.workflow import APPLICANT, SYSTEM, Step, Workflow

APPLIED = Witness("application", ("id", "username", "password_hash", "region_code"))
"""What an approval makes a user of: nobody puts an own password into an application that waits."""

APPLICATION = Workflow(
    "account_application",
    AccountApplication,
    {"pending": "待审核", "approved": "审核通过", "rejected": "审核不通过"},
    [
        Step("apply", None, "pending", APPLICANT),
        Step("approve", "pending", "approved", Verb.ACCOUNTS_DECIDE),
        Step("reject", "pending", "rejected", Verb.ACCOUNTS_DECIDE),
    ],
    witness=APPLIED,
)

_RIGHTS = ("id", "username", "password_hash", "must_change_password", "office_id", "roles", "status", "version")
ACCOUNT = Witness("account", _RIGHTS, (*_RIGHTS, "system"))
"""What gives a user rights: nobody gets any by writing into the table, or `history verify` shows it."""

USER = Workflow(
    "user",
    User,
    {
        UserStatus.PENDING: "待审核",
        UserStatus.ACTIVE: "正常",
        UserStatus.REJECTED: "未通过",
        UserStatus.DISABLED: "停用",
    },
    [
        Step("create", None, UserStatus.ACTIVE, SYSTEM),
        Step("apply", None, UserStatus.PENDING, APPLICANT),
        Step("apply_again", UserStatus.REJECTED, UserStatus.PENDING, APPLICANT),
        Step("approve", UserStatus.PENDING, UserStatus.ACTIVE, Verb.ACCOUNTS_DECIDE),
        Step("reject", UserStatus.PENDING, UserStatus.REJECTED, Verb.ACCOUNTS_DECIDE),
        Step("disable", UserStatus.ACTIVE, UserStatus.DISABLED, Verb.ACCOUNTS_MANAGE),
        Step("enable", UserStatus.DISABLED, UserStatus.ACTIVE, Verb.ACCOUNTS_MANAGE),
        Step("move", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ACCOUNTS_MANAGE),
        *(Step("hand_over", s, s, Verb.ACCOUNTS_MANAGE) for s in (UserStatus.ACTIVE, UserStatus.DISABLED)),
        Step("reset_password", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ACCOUNTS_MANAGE),
        # A phone or computer was lost: all sign-ins (登录) end, the password stays.
        Step("end_sessions", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ACCOUNTS_MANAGE),
        # By two people, where the one who asks may not do all that the user may (`resets.py`).
        *(
            Step(action, UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ACCOUNTS_MANAGE)
            for action in ("propose_reset", "confirm_reset")
        ),
        *(Step("cancel_reset", status, status, Verb.ACCOUNTS_MANAGE) for status in UserStatus),
        # Of an enterprise's account (企业账号), by whoever issues these; never of an officer's (`get_manageable`).
        Step("enterprise_disable", UserStatus.ACTIVE, UserStatus.DISABLED, Verb.ENTERPRISES_MANAGE),
        Step("enterprise_enable", UserStatus.DISABLED, UserStatus.ACTIVE, Verb.ENTERPRISES_MANAGE),
        Step("enterprise_end_sessions", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ENTERPRISES_MANAGE),
        Step("enterprise_reset_password", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ENTERPRISES_MANAGE),
        Step("hand_over_again", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ENTERPRISES_MANAGE),
        Step("change_password", UserStatus.ACTIVE, UserStatus.ACTIVE, SYSTEM),
        # At a sign-in, where the hash was made with the parameters of an earlier release.
        Step("renew_hash", UserStatus.ACTIVE, UserStatus.ACTIVE, SYSTEM),
        # The second factor (动态口令): by the person, and by a superior where the phone and all codes are lost.
        *(
            Step(action, UserStatus.ACTIVE, UserStatus.ACTIVE, SYSTEM)
            for action in ("enrol_second_factor", "renew_recovery_codes", "remove_second_factor")
        ),
        Step("reset_second_factor", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ACCOUNTS_MANAGE),
        Step("enterprise_reset_second_factor", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ENTERPRISES_MANAGE),
        Step("confirm_reset_second_factor", UserStatus.ACTIVE, UserStatus.ACTIVE, Verb.ACCOUNTS_MANAGE),
        Step("administrator_reset_second_factor", UserStatus.ACTIVE, UserStatus.ACTIVE, SYSTEM),
        # WeChat accounts (微信绑定) by which people sign in under the name: `sign_in/binding_witness.py`.
        *(
            Step(action, status, status, SYSTEM)
            for action in ("bind_wechat", "unbind_wechat", "end_wechat_bindings")
            for status in UserStatus
        ),
        # The address (邮箱) of the user name, and what its links bring about: `mail/`.
        *(
            Step(action, UserStatus.ACTIVE, UserStatus.ACTIVE, SYSTEM)
            for action in ("set_email", "remove_email", "reset_by_link", "accept_invitation")
        ),
        # Their bureau was merged into another (`regions/moves.py`).
        *(Step("office_merged", status, status, SYSTEM) for status in UserStatus),
        # By the administrator of the installation, on the command line (`administration/`).
        Step("administrator_move", UserStatus.ACTIVE, UserStatus.ACTIVE, SYSTEM),
        *(Step("administrator_hand_over", s, s, SYSTEM) for s in (UserStatus.ACTIVE, UserStatus.DISABLED)),
        Step("administrator_disable", UserStatus.ACTIVE, UserStatus.DISABLED, SYSTEM),
        Step("administrator_enable", UserStatus.DISABLED, UserStatus.ACTIVE, SYSTEM),
        Step("administrator_reset_password", UserStatus.ACTIVE, UserStatus.ACTIVE, SYSTEM),
    ],
    witness=ACCOUNT,
)

REORGANISATION = Workflow(
    "reorganisation",
    Reorganisation,
    {
        "planned": "已登记", "moving": "正在迁移", "settling": "核对中", "done": "已完成", "cancelled": "已取消",
    },
    [
        Step("plan", None, "planned", SYSTEM),
        Step("cancel", "planned", "cancelled", SYSTEM),
        Step("begin", "planned", "moving", SYSTEM),
        Step("settle", "moving", "settling", SYSTEM),
        Step("finish", "settling", "done", SYSTEM),
    ],
)  # fmt: skip
