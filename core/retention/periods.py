"""How long data is kept (保存期限), by class: settings in days, each with its least by law or procedure.

The settings are part of `core.config.Settings` under the same names; one below its least is refused at the start. What
is kept as long as its case file (案卷) has no period here: `docs/privacy.md`, "How long".
"""

from dataclasses import dataclass
from datetime import timedelta

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings


@dataclass(frozen=True, slots=True)
class Period:
    """A class of data: the setting, its Chinese name, the days by default and at least, and why at least so many."""

    setting: str
    title: str
    default: int
    least: int
    because: str


_SIX_MONTHS = 183
_NETWORK_LOGS = "网络安全法：网络日志留存不少于六个月"
_APPEALS = "行政诉讼法第四十六条：知道行政行为之日起六个月内可以起诉"

PERIODS = {
    one.setting: one
    for one in (
        Period("keep_failed_sign_ins_days", "未成功的登录审计", _SIX_MONTHS, _SIX_MONTHS, _NETWORK_LOGS),
        Period("keep_access_log_days", "查阅日志", 365, _SIX_MONTHS, _NETWORK_LOGS),
        Period("keep_sessions_days", "已结束的会话", 90, 30, "识别异常登录须与此前的登录比较"),
        Period("keep_sms_codes_days", "短信验证码", 2, 1, "每日发送次数按自然日计算"),
        Period("keep_idempotency_keys_days", "重发识别", 180, 30, "手机可能离线一个月后才重新发送"),
        Period("keep_unclaimed_files_days", "未使用的附件", 1, 1, "照片先于记录上传"),
        Period("keep_rating_persons_days", "已办结评价的姓名、号码和原文", 1095, _SIX_MONTHS, _APPEALS),
        Period("keep_refused_applications_days", "未通过的账号申请", 365, _SIX_MONTHS, _APPEALS),
        Period("keep_drafts_days", "未再保存的暂存记录", 365, 90, "企业停产、现场不能检查时，暂存记录可能搁置一个季度"),
        Period("keep_deleted_drafts_days", "已删除的暂存记录的内容", 30, 1, "误删后须能查明"),
        Period("keep_sending_tries_days", "已办结办件的提交尝试", 365, _SIX_MONTHS, _APPEALS),
        Period(
            "keep_outbox_keys_days", "已更换的手机导出密钥", 1095, _SIX_MONTHS, "手机可能离线数月后才导入导出的文件"
        ),
    )
}


def _days(setting: str) -> int:
    return Field(default=PERIODS[setting].default, le=36_500, validate_default=True)  # type: ignore[no-any-return]


class RetentionSettings(BaseSettings):
    """The periods, in days."""

    keep_failed_sign_ins_days: int = _days("keep_failed_sign_ins_days")
    keep_access_log_days: int = _days("keep_access_log_days")
    keep_sessions_days: int = _days("keep_sessions_days")
    keep_sms_codes_days: int = _days("keep_sms_codes_days")
    keep_idempotency_keys_days: int = _days("keep_idempotency_keys_days")
    keep_unclaimed_files_days: int = _days("keep_unclaimed_files_days")
    keep_rating_persons_days: int = _days("keep_rating_persons_days")
    keep_refused_applications_days: int = _days("keep_refused_applications_days")
    keep_drafts_days: int = _days("keep_drafts_days")
    keep_deleted_drafts_days: int = _days("keep_deleted_drafts_days")
    keep_sending_tries_days: int = _days("keep_sending_tries_days")
    keep_outbox_keys_days: int = _days("keep_outbox_keys_days")

    @field_validator(*PERIODS)
    @classmethod
    def _at_least(cls, days: int, info: ValidationInfo) -> int:
        period = PERIODS[str(info.field_name)]
        if days < period.least:
            raise ValueError(f"must be at least {period.least} days ({period.title}: {period.because})")
        return days

    def kept(self, setting: str) -> timedelta:
        """The period of a class."""
        return timedelta(days=getattr(self, setting))
