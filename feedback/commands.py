"""Commands for ratings: folding and recomputing the figures, expiring codes."""

from itertools import chain

import click

from core.commands import HasDatabase
from core.integrity import verify_ends
from feedback import codes, tallies
from feedback.workflows import CODE, RATING


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

    One transaction over all ratings, during which nobody can rate: run it when few people do.

    \b
    Example:
      ./manage ratings reconcile
    """
    with obj.database.write() as session:
        found = tallies.reconcile(session)
    click.echo(f"一致 {found.right}，已更正 {found.wrong}")


@ratings.command("expire")
@click.pass_obj
def expire_command(obj: HasDatabase) -> None:
    """Expire the codes whose last day is over.

    \b
    Example:
      ./manage ratings expire
    """
    expired = 0
    while True:
        with obj.database.write() as session:
            now = codes.expire_due(session)
        expired += now
        if not now:
            break
    click.echo(f"已过期 {expired} 个")


@ratings.command("verify")
@click.pass_obj
def verify_command(obj: HasDatabase) -> None:
    """Verify that every rating and every code stands where its history ends.

    The chains themselves are verified by `./manage history verify`.

    \b
    Example:
      ./manage ratings verify

    \b
    Exit status:
      0  everything holds
      1  there are breaks, one a line: subject, row of its history, reason
    """
    broken = 0
    with obj.database.read() as session:
        for one in chain(verify_ends(session, RATING), verify_ends(session, CODE)):
            broken += 1
            click.echo(f"{one.subject_type} {one.subject_id} {one.seq}: {one.reason}", err=True)
    if broken:
        raise click.exceptions.Exit(1)
    click.echo("评价与二维码的操作记录完整")
