"""Commands for users."""

from typing import Protocol
from uuid import UUID

import click
from sqlalchemy import select

from accounts import queries
from accounts.administration import operations
from accounts.handing_over import Handed
from accounts.models import Office, Region, User, UserStatus
from accounts.verbs import Role
from core.commands import HasDatabase, cleaned, table
from core.workflows.events import Events

_USERNAME = click.argument("username", callback=cleaned)
_HAND_OVER_TO = click.option(
    "--hand-over-to", "heir", metavar="USERNAME", callback=cleaned,
    help="Who goes on with drafts and assigned bad ratings.",
)  # fmt: skip


@click.group()
def users() -> None:
    """Users: create, list, move, hand over, disable, reset a password."""


@users.command("create")
@click.option(
    "--username", required=True, callback=cleaned, help="3 to 64 letters, digits, Chinese characters or - _ . @"
)
@click.option("--level", type=click.Choice(["province", "city", "county"]), help="Level of the region.")
@click.option("--region", metavar="CODE", help="Six digits; the user belongs to the bureau of this region.")
@click.option("--office", "office_id", metavar="ID", type=click.UUID, help="Another office, instead of --region.")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice([role.value for role in Role]),
    help="May be given several times; the usual roles of the level if left out.",
)  # fmt: skip
@click.pass_obj
def create_command(
    obj: HasDatabase, username: str, level: str | None, region: str | None, office_id: UUID | None,
    roles: tuple[str, ...],
) -> None:  # fmt: skip
    """Create a user and print a one-time password, which must be changed after the first sign-in.

    \b
    Examples:
      ./manage users create --level province --region 320000 --username jiangsu
      ./manage users create --level county --region 320402 --username tianning --role inspector
    """
    if (region is None) == (office_id is None):
        raise click.UsageError("give either --region or --office")
    password, office = operations.create_user(
        obj.database, username, region_code=region, level=level, office_id=office_id,
        roles=[Role(role) for role in roles], by=operations.login(),
    )  # fmt: skip
    click.echo(f"已创建用户 {username}（{office}）")
    _print_password(password)


def _print_password(password: str) -> None:
    click.echo(f"一次性密码：{password}")
    click.echo("密码只显示这一次；首次登录后须修改")


@users.command("reset-password")
@_USERNAME
@click.pass_obj
def reset_command(obj: HasDatabase, username: str) -> None:
    """Give USERNAME a new one-time password and print it.

    Ends all sessions of the user and lifts the block after too many wrong passwords.

    \b
    Example:
      ./manage users reset-password tianning
    """
    password = operations.reset_password(obj.database, username, by=operations.login())
    click.echo(f"已重置用户 {username} 的密码，原有登录全部失效")
    _print_password(password)


@users.command("reset-second-factor")
@_USERNAME
@click.pass_obj
def reset_second_factor_command(obj: HasDatabase, username: str) -> None:
    """Take the second factor (动态口令) of USERNAME, who lost the phone and all recovery codes. Ends all sessions.

    \b
    Example:
      ./manage users reset-second-factor changzhou
    """
    operations.reset_second_factor(obj.database, username, by=operations.login())
    click.echo(f"已取消用户 {username} 的动态口令，原有登录全部失效；本人下次登录后可重新启用")


class HasEvents(HasDatabase, Protocol):
    """The same, with what other rooms do when people move."""

    @property
    def events(self) -> Events:
        """Events with the listeners of all rooms."""


_MOVED = {"drafts": "暂存记录", "ratings": "差评"}


def _print_handed(handed: Handed) -> None:
    for role in handed.roles_dropped:
        click.echo(f"不再担任：{role}")
    for name, number in (handed.handed_over or {}).items():
        click.echo(f"已移交{_MOVED.get(name, name)} {number} 条")


@users.command("disable")
@_USERNAME
@click.option("--reason", required=True, help="Shown to those who manage the user, and kept in the history.")
@_HAND_OVER_TO
@click.pass_obj
def disable_command(obj: HasEvents, username: str, reason: str, heir: str | None) -> None:
    """Disable USERNAME; the next request of a signed-in phone is refused.

    \b
    Examples:
      ./manage users disable tianning --reason 调离
      ./manage users disable tianning --reason 调离 --hand-over-to tianning_wang
    """
    handed = operations.set_enabled(
        obj.database, username, enabled=False, reason=reason, by=operations.login(), events=obj.events, heir=heir
    )
    click.echo(f"已停用用户 {username}，原有登录全部失效")
    _print_handed(handed)


@users.command("move")
@_USERNAME
@click.option("--region", metavar="CODE", help="To the bureau of this region.")
@click.option("--office", "office_id", metavar="ID", type=click.UUID, help="To another office, instead of --region.")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice([role.value for role in Role]),
    help="The roles from now on; if left out, those of before without what only the former level brings.",
)  # fmt: skip
@_HAND_OVER_TO
@click.pass_obj
def move_command(
    obj: HasEvents, username: str, region: str | None, office_id: UUID | None, roles: tuple[str, ...], heir: str | None
) -> None:
    """Move USERNAME to another office (调动). What was submitted stays with the office it was entered for.

    \b
    Example:
      ./manage users move tianning --region 320404 --hand-over-to tianning_wang
    """
    if (region is None) == (office_id is None):
        raise click.UsageError("give either --region or --office")
    handed, office = operations.move(
        obj.database, obj.events, username, region_code=region, office_id=office_id,
        roles=[Role(role) for role in roles], heir=heir, by=operations.login(),
    )  # fmt: skip
    click.echo(f"用户 {username} 已调入{office}")
    _print_handed(handed)


@users.command("hand-over")
@_USERNAME
@click.option("--to", "heir", metavar="USERNAME", required=True, callback=cleaned, help="Who goes on with them.")
@click.pass_obj
def hand_over_command(obj: HasEvents, username: str, heir: str) -> None:
    """Give the drafts and assigned bad ratings of USERNAME, disabled or not, to a colleague.

    \b
    Example:
      ./manage users hand-over tianning --to tianning_wang
    """
    handed = operations.hand_over(obj.database, obj.events, username, heir, by=operations.login())
    _print_handed(handed)
    if not handed.handed_over:
        click.echo("没有需要移交的内容")


@users.command("enable")
@_USERNAME
@click.pass_obj
def enable_command(obj: HasDatabase, username: str) -> None:
    """Enable USERNAME again.

    \b
    Example:
      ./manage users enable tianning
    """
    operations.set_enabled(obj.database, username, enabled=True, reason=None, by=operations.login())
    click.echo(f"已启用用户 {username}")


_STATUSES = {"pending": "待审核", "active": "正常", "rejected": "未通过", "disabled": "停用"}


@users.command("list")
@click.option("--status", type=click.Choice([status.value for status in UserStatus]))
@click.option("--region", metavar="CODE", help="Only this region and those below it.")
@click.option("--q", "fragment", help="A part of the user name.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_obj
def list_command(obj: HasDatabase, status: str | None, region: str | None, fragment: str | None, limit: int) -> None:
    """List users, by region and name.

    \b
    Examples:
      ./manage users list --status pending
      ./manage users list --region 320400
    """
    statement = (
        select(User, Office.name.label("office"), Office.region_code)
        .join(Office, Office.id == User.office_id)
        .outerjoin(Region, Region.code == Office.region_code)
        .order_by(Office.region_code, User.username)
        .limit(limit)
    )
    if status:
        statement = statement.where(User.status == status)
    if fragment:
        statement = statement.where(User.username.icontains(fragment, autoescape=True))
    with obj.database.read() as session:
        if region:
            statement = statement.where(queries.in_region(session, region))
        rows = session.execute(statement).all()
    table(
        ["用户名", "状态", "区划", "机关", "角色"],
        [
            [user.username, _STATUSES[user.status], region_code or "", office, "、".join(user.roles)]
            for user, office, region_code in rows
        ],
    )
    click.echo(f"共 {len(rows)} 个" + ("（只列出前面这些，可用 --limit 增加）" if len(rows) == limit else ""))
