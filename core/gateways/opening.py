"""Gateways to the outside world as the settings name them; None where a gateway is not set up."""

from core.config import Settings
from core.gateways.mail import MailServer
from core.gateways.sms import LogSender, SmsSender
from core.gateways.tencent_sms import TencentSender
from core.gateways.wechat import WeChat


def open_sms(settings: Settings) -> SmsSender | None:
    """The sender of one-time codes; None: numbers are not proved."""
    if settings.sms_sender == "log":
        return LogSender()
    if settings.sms_sender == "tencent":
        return TencentSender(
            settings.tencent_secret_id,
            settings.tencent_secret_key.get_secret_value(),
            sdk_app_id=settings.tencent_sms_app_id,
            sign_name=settings.tencent_sms_sign_name,
            template_id=settings.tencent_sms_template_id,
            region=settings.tencent_sms_region,
            endpoint=settings.tencent_sms_endpoint,
        )
    return None


def open_mail(settings: Settings) -> MailServer | None:
    """The mail server for messages to administrators."""
    if not settings.smtp_host:
        return None
    return MailServer(
        settings.smtp_host, settings.smtp_port, settings.smtp_security, settings.mail_from, settings.smtp_username,
        settings.smtp_password.get_secret_value(),
    )  # fmt: skip


def open_wechat(settings: Settings) -> WeChat | None:
    """The mini-program's account at WeChat."""
    if not settings.wechat_appid:
        return None
    return WeChat(settings.wechat_appid, settings.wechat_secret.get_secret_value(), settings.wechat_base_url)
