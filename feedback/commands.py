"""Commands for ratings: folding and recomputing the figures, expiring codes."""

import click

from core.commands import HasDatabase
from feedback.codes import operations as codes
from feedback.statistics import tallies


@click.group()
def ratings() -> None:
    """Ratings (好差评): figures and codes. The server does by itself what `fold` and `expire` do."""


@ratings.command("fold")
@click.pass_obj
def fold_command(obj: HasDatabase) -> None:
    """Add the figures noted since the last minute to the tallies.

    \b
    Example:
      ./manage ratings fold
    """
    click.echo(f"已汇总 {tallies.fold_everything(obj.database)} 条")


@ratings.command("reconcile")
@click.pass_obj
def reconcile_command(obj: HasDatabase) -> None:
    """Recompute the tallies from codes, ratings and follow-ups, and mend those that differ.

    One transaction over all ratings, during which nobody can rate: run it when few people do. Figures do not follow
    ratings, follow-ups or codes that were changed past their history: as long as there are such, nothing is mended.

    \b
    Example:
      ./manage ratings reconcile

    \b
    Exit status:
      0  the tallies are right now
      1  nothing was mended: there are breaks, one a line: subject, row of its history, reason
    """
    with obj.database.write() as session:
        found = tallies.reconcile(session)
    for broken in found.broken:
        click.echo(str(broken), err=True)
    if found.broken:
        message = f"发现 {len(found.broken)} 处与操作记录不一致，未更正统计；请用 ./manage history verify 核对并追查"
        click.echo(message, err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"一致 {found.right}，已更正 {found.wrong}")


@ratings.command("expire")
@click.pass_obj
def expire_command(obj: HasDatabase) -> None:
    """Expire the codes whose last day is over.

    \b
    Example:
      ./manage ratings expire
    """
    click.echo(f"已过期 {codes.expiry().run(obj.database)} 个")
