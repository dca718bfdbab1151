"""Commands for support groups (技术支持群), which people find under 使用帮助."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

from accounts.support import groups
from core import clock
from core.commands import HasDatabase, cleaned, table


@click.group("help")
def help_group() -> None:
    """Support groups (技术支持群) of provinces, shown under 使用帮助."""


@help_group.command("set")
@click.option("--province", metavar="CODE", required=True, help="Six digits.")
@click.option("--name", required=True, callback=cleaned, help="A group of this name in the province is changed.")
@click.option("--qq", "qq_group", metavar="NUMBER", required=True, callback=cleaned, help="QQ group, the fallback.")
@click.option(
    "--picture", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="QR code of the WeChat group, PNG or JPEG; shown for seven days.",
)  # fmt: skip
@click.pass_obj
def set_command(obj: HasDatabase, province: str, name: str, qq_group: str, picture: Path | None) -> None:
    """Set a support group, or renew its picture. Without --picture the one that is there stays as it is.

    \b
    Example:
      ./manage help set --province 320000 --name 江苏技术支持一群 --qq 123456789 --picture group.png
    """
    content = groups.read_picture(picture) if picture else None
    with obj.database.write() as session:
        group_id = groups.set_group(session, province, name, qq_group, content)
    until = f"，二维码显示至 {_minute(clock.now() + groups.PICTURE_KEPT)}" if content else ""
    click.echo(f"已设置支持群 {name}{until}")
    click.echo(f"编号：{group_id}")


@help_group.command("list")
@click.option("--province", metavar="CODE", help="Only this province.")
@click.pass_obj
def list_command(obj: HasDatabase, province: str | None) -> None:
    """List support groups and until when their pictures are shown.

    \b
    Example:
      ./manage help list --province 320000
    """
    with obj.database.read() as session:
        found = groups.groups_of(session, province)
    rows = []
    for group in found:
        until = groups.picture_until(group)
        shown = "无" if until is None else _minute(until)
        over = "（已过期，请重新上传）" if until is not None and until <= clock.now() else ""
        rows.append([group.province, group.name, group.qq_group, shown + over, str(group.id)])
    table(["省", "名称", "QQ群", "二维码显示至", "编号"], rows)


@help_group.command("remove")
@click.argument("group_id", metavar="ID", type=click.UUID)
@click.pass_obj
def remove_command(obj: HasDatabase, group_id: UUID) -> None:
    """Remove a support group by its id, which `help list` shows.

    \b
    Example:
      ./manage help remove 6b0c6a2e-6f0b-4f57-9a53-6f1f4b9f5a77
    """
    with obj.database.write() as session:
        removed = groups.remove_group(session, group_id)
    if not removed:
        raise click.ClickException("没有这个编号的支持群，请用 ./manage help list 核对")
    click.echo("已删除")


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(clock.LOCAL):%Y-%m-%d %H:%M}"
