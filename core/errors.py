"""The catalogue of problems: every refusal that a caller can meet, with its status and Chinese title.

Rooms raise `Problem("code")`; only `miniapp_api/` turns it into `application/problem+json`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a body: `path` is a JSON Pointer, `message` a Chinese sentence a user can act on.

    `tab` is the title of the tab (分页) of the form on which the place stands, where the form has tabs.
    """

    path: str
    code: str
    message: str
    tab: str | None = None

    def under(self, prefix: str) -> "Fault":
        """The same fault where the body stands inside of another one."""
        return replace(self, path=prefix + self.path)

    def as_json(self) -> dict[str, str]:
        """As it is answered; without `tab` where the form has none."""
        tab = {} if self.tab is None else {"tab": self.tab}
        return {"path": self.path, "code": self.code, "message": self.message, **tab}


Warned = dict[str, str]
"""What an answer says beside a write that was accepted: `code`, `message`, and `path` where it is about a field."""


# code: (HTTP status, title)
CATALOGUE: dict[str, tuple[int, str]] = {
    "malformed_json": (400, "请求内容不是有效的 JSON，请检查后重试"),
    "bad_request": (400, "请求有误，请检查后重试"),
    "unauthenticated": (401, "登录已失效，请重新登录"),
    "wechat_code_refused": (401, "微信登录凭证无效、已使用或已过期，请重新操作"),
    "query_failed": (401, "名称、代码或查询码不正确，请核对后重试"),
    "login_failed": (401, "用户名或密码错误，请核对后重试"),
    "forbidden": (403, "您没有执行该操作的权限；如需办理，请联系上级管理员"),
    "two_people_needed": (403, "该账号的权限超出您的权限，重置须由两人办理：请先提出，再由另一名管理员确认"),
    "another_person_needed": (
        403,
        "重置须由两个人办理：不能确认自己提出的重置；三十天内重置过对方账号、或为其开通账号的，也不能互相确认。请由另一名管理员确认",
    ),
    "account_pending": (403, "账号待上级审核，审核通过后方可登录"),
    "account_rejected": (403, "账号审核未通过，请按审核意见修改后重新申请"),
    "account_disabled": (403, "账号已停用，请联系上级管理员"),
    "wechat_blocked": (403, "微信判定该微信号存在风险，不能用微信登录，请使用用户名和密码"),
    "captcha_required": (403, "请输入图形验证码；看不清可以换一张，看不见图片可以改答文字题"),
    "otp_required": (403, "请输入动态口令：打开手机上的动态口令程序，输入 6 位数字，或输入一个恢复码"),
    "otp_enrolment_required": (403, "您的岗位须启用动态口令后才能使用系统，请先按提示启用"),
    "password_change_required": (403, "首次登录须先修改密码，请修改后继续"),
    "not_found": (404, "没有找到这条记录，可能已删除，或不在您的权限范围内；请返回列表刷新"),
    "unknown_code": (404, "二维码无效，请核对后重新扫码"),
    "method_not_allowed": (405, "不支持该请求方法，请更新小程序后重试"),
    "already_submitted": (409, "该记录已提交，不能再次填报或删除；如需改动请使用更正，不应存在的请作废"),
    "handed_over": (409, "该记录已移交其他人员继续填报，本机内容未上传，请与其核对"),
    "stale_version": (409, "内容已有新的版本，请刷新核对后再保存；本机所填内容请先留存"),
    "not_importable": (422, "导出文件中的这一项不能导入，请在手机联网后自行发送"),
    "wechat_not_set_up": (409, "本系统没有开通微信登录，请使用用户名和密码"),
    "not_known": (409, "名录中没有该代码的企业，不能并入；请核对后单独办理"),
    "mail_not_set_up": (409, "本系统没有配置邮件服务，请改用其他方式办理，或请系统管理员配置"),
    "wechat_not_bound": (409, "该微信号还没有绑定账号，请用用户名和密码登录后绑定"),
    "wrong_status": (409, "当前状态不能执行该操作，请刷新后重试"),
    "already_open": (409, "已有未办结的同类办件，请先办结后再发起"),
    "already_confirmed": (409, "您已确认过，请等待其他人员确认"),
    "correct_directly": (409, "该记录可以直接更正，无需申请；请直接提交更正"),
    "rectification_open": (409, "该检查已下达整改且尚未办结，不能作废，请先办结或撤销整改"),
    "too_early": (409, "期限未满，暂不能执行该操作，请在期满后再试"),
    "duplicate_check": (409, "该企业当日已有同类检查记录，请核对；确认不是重复填报后可继续提交"),
    "name_differs": (409, "企业名称与名录不一致，请核对统一社会信用代码和企业名称；确认所填无误的，可确认后继续提交"),
    "otp_enrolled": (409, "已启用动态口令；更换手机的，请先用原口令或恢复码停用，再重新启用"),
    "otp_not_begun": (409, "启用已超时或尚未开始，请重新生成二维码后再输入口令"),
    "otp_not_enrolled": (409, "该账号没有启用动态口令，无需重置或停用，请核对账号"),
    "username_taken": (409, "用户名已被使用，请更换用户名"),
    "name_taken": (409, "已有同名词条，请改用“合并”，或换一个名称"),
    "not_generated": (409, "请先点击生成，二维码链接生成后才能生成二维码"),
    "already_rated": (409, "该事项已评价，感谢您的参与"),
    "assigned_to_other": (409, "该差评已指派其他承办人，请由其办理或联系好差评管理员重新指派"),
    "too_late": (409, "期限已过，不能执行该操作；如确需办理，请联系办理机关"),
    "no_preview": (409, "该文件不能在线预览，请下载后用手机或电脑上的文档软件打开"),
    "preview_failed": (409, "无法生成预览，文件可能已损坏或设有密码，请下载后打开核对"),
    "id_taken": (409, "该编号已被其他记录使用，请重新生成编号"),
    "code_expired": (410, "二维码已过期，请联系服务窗口"),
    "link_over": (410, "链接无效、已使用或已过期，请重新申请"),
    "code_disabled": (410, "二维码已停用，请联系服务窗口"),
    "payload_too_large": (413, "请求内容过大，请减少内容后重试"),
    "unsupported_media_type": (415, "不支持的内容类型，请使用 application/json，或更新小程序后重试"),
    "invalid": (422, "填报内容有误，请按提示修改后重新提交"),
    "unknown_parameter": (422, "查询条件中有不支持的参数，请按提示删除或改正后重试"),
    "export_too_large": (422, "导出的记录过多，请缩小筛选范围后重试"),
    "upload_quota": (422, "您上传后未使用的文件过多，请先提交或删除相关记录，或次日再试"),
    "login_throttled": (429, "密码或验证码错误次数过多，请稍后再试"),
    "rating_window": (429, "同一手机号在限定天数内只能填报一次，请稍后再试"),
    "too_many_requests": (429, "请求过于频繁，请稍后再试"),
    "internal_error": (500, "系统出现错误，请稍后重试；多次出现请联系管理员并提供请求编号"),
    "disk_full": (
        503,
        "服务器磁盘空间不足，暂时不能保存；已填内容请先留在手机上，查阅不受影响，请联系管理员清理磁盘后重试",
    ),
    "busy": (503, "当前上传、下载文件的人较多，请稍后重试"),
    "storage_unavailable": (503, "文件存储暂不可用，请稍后重试"),
    "scanner_unavailable": (503, "病毒扫描暂不可用，文件未保存，请稍后重试"),
    "converter_unavailable": (503, "文档预览暂不可用，请下载后用手机或电脑上的文档软件打开"),
    "font_missing": (503, "服务器上没有中文字体，暂不能生成图片，请联系管理员"),
    "sms_unavailable": (503, "短信暂时无法发送，请稍后重试"),
    "wechat_unavailable": (503, "微信接口暂不可用，请稍后重试"),
    "not_ready": (503, "服务暂不可用，请稍后重试"),
}


class Problem(Exception):
    """A refusal from the catalogue.

    `extra` is added to the standard members of the answer (for example `current_version`);
    `retry_after` is in whole seconds.
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        errors: Iterable[Fault] = (),
        *,
        retry_after: int | None = None,
        **extra: Any,
    ) -> None:
        self.code = code
        self.status, self.title = CATALOGUE[code]
        self.detail = detail
        self.errors = list(errors)
        self.retry_after = retry_after
        self.extra = extra
        super().__init__(f"{code}: {detail or self.title}")


def invalid(path: str, code: str, message: str) -> Problem:
    """A 422 with one fault."""
    return Problem("invalid", errors=[Fault(path, code, message)])


def not_found() -> Problem:
    """What a caller meets who may not see a record, and what a missing record answers."""
    return Problem("not_found")


def not_done_in_time() -> Problem:
    """503 for a file that was not worked on to its end in time: the fault of the machine, not of the file."""
    return Problem("not_ready", "服务器正忙，文件没有处理完，请稍后重试", retry_after=5)


def disk_full() -> Problem:
    """What a write meets while there is no room; the phone tries again by itself."""
    return Problem("disk_full", retry_after=60)
