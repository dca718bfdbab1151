"""Commands for deliveries."""

from uuid import UUID

import click

from core import clock
from core.commands import HasDatabase, table
from core.deliveries import operations
from core.deliveries.models import CHANNELS, STATUSES
from core.masking import mask_email

_LISTED = 200


@click.group("deliveries")
def deliveries_group() -> None:
    """Messages (投递) to the outside world: those that wait, were delivered, or died.

    \b
    Examples:
      ./manage deliveries list --status dead
      ./manage deliveries retry --all
    """


@deliveries_group.command("list")
@click.option("--status", type=click.Choice(list(STATUSES)), help="Only these; left out: all.")
@click.pass_obj
def list_command(obj: HasDatabase, status: str | None) -> None:
    """List messages, the newest 200, with recipients masked.

    \b
    Example:
      ./manage deliveries list --status dead
    """
    with obj.database.read() as session:
        found = operations.listed(session, status, _LISTED)
    if not found:
        click.echo("没有消息")
        return
    table(
        ["编号", "方式", "用途", "收件人", "产生时间", "状态", "次数", "最近失败原因"],
        [
            [
                str(one.id), CHANNELS.get(one.channel, one.channel), one.purpose, mask_email(one.recipient) or "—",
                clock.rfc3339(one.created_at), STATUSES[one.status], str(one.tries), one.error or "",
            ]
            for one in found
        ],
    )  # fmt: skip


@deliveries_group.command("retry")
@click.argument("ids", metavar="ID...", type=click.UUID, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that died.")
@click.pass_obj
def retry_command(obj: HasDatabase, ids: tuple[UUID, ...], everything: bool) -> None:
    """Send messages again that died; the running server does it within seconds. Those out of date stay dead.

    \b
    Examples:
      ./manage deliveries retry 5b0f3c1e-6c0e-4c57-8f0b-8f6d3f1f2a10
      ./manage deliveries retry --all
    """
    if not ids and not everything:
        raise click.UsageError("name the messages, or all of them with --all")
    with obj.database.write() as session:
        count = operations.send_again(session, None if everything else ids)
    click.echo(f"已重新排队 {count} 条")
