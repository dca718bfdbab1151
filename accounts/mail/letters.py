"""What the mails to users say: plain text, without the name or the number of a person."""

from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.deliveries.operations import Mail


@dataclass(frozen=True, slots=True)
class Site:
    """Where links lead (`https://host`), and whether a mail server is set up."""

    address: str
    sends_mail: bool

    def page(self, page: str, token: str) -> str:
        """A page of the phone's app; the token stands behind `#`, so that no server and no proxy logs it."""
        return f"{self.address}/app/#/{page}?token={token}"


def confirm(site: Site, username: str, token: str, until: datetime) -> Mail:
    """To an address that somebody gave as theirs."""
    return Mail(
        "请确认邮箱",
        f"用户名 {username} 请求把本邮箱用于找回密码。\n\n"
        f"请在 {_local(until)} 前打开下面的链接，登录该账号后确认：\n{site.page('pages/mail/confirm', token)}\n\n"
        "如果不是您本人操作，请不要打开链接，也不要把链接转给他人。\n",
    )


def reset(site: Site, username: str, token: str, until: datetime) -> Mail:
    """To the confirmed address of who forgot a password."""
    return Mail(
        "重置密码",
        f"有人为用户名 {username} 申请重置密码。\n\n"
        f"请在 {_local(until)} 前打开下面的链接，设置新密码。链接只能使用一次：\n"
        f"{site.page('pages/mail/password', token)}\n\n"
        "如果不是您本人申请，请忽略本邮件，密码不会改变；请不要把链接转给他人。\n",
    )


def invite(site: Site, username: str, office: str, token: str, until: datetime) -> Mail:
    """To an address that an officer gave for a new account."""
    return Mail(
        "账号已开通，请设置密码",
        f"{office}为您开通了账号，用户名：{username}\n\n"
        f"请在 {_local(until)} 前打开下面的链接，设置密码后登录。链接只能使用一次：\n"
        f"{site.page('pages/mail/password', token)}\n\n"
        "如果您不认识该账号，请忽略本邮件；请不要把链接转给他人。\n",
    )


def password_was_set(username: str, at: datetime) -> Mail:
    """To the confirmed address, after a password was set by a link."""
    return Mail(
        "密码已重置",
        f"用户名 {username} 的密码已于 {_local(at)} 通过邮件链接重置，此前的登录已全部退出。\n\n"
        "如果不是您本人操作，请立即联系上级管理员停用该账号。\n",
    )


def address_was_changed(username: str, at: datetime) -> Mail:
    """To the former address."""
    return Mail(
        "邮箱已更换或停用",
        f"用户名 {username} 已于 {_local(at)} 更换或停用邮箱，本邮箱不再用于该账号。\n\n"
        "如果不是您本人操作，请立即联系上级管理员停用该账号。\n",
    )


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(clock.LOCAL):%Y-%m-%d %H:%M}"
