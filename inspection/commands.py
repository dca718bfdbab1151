"""Commands for dictionaries, tallies and the history."""

from itertools import chain

import click

from accounts.workflows import APPLICATION, USER
from core import history as core_history
from core.commands import HasDatabase
from core.integrity import verify_ends
from inspection import campaigns, tallies
from inspection.dictionaries import load_seeds
from inspection.integrity import verify_contents


@click.group()
def dictionaries() -> None:
    """Dictionaries of product items and test items."""


@dictionaries.command("load")
@click.pass_obj
def load_command(obj: HasDatabase) -> None:
    """Load the entries that come with the product, and the standing campaign (专项行动).

    Loading again changes nothing; entries that inspectors added stay.

    \b
    Example:
      ./manage dictionaries load
    """
    with obj.database.write() as session:
        new = load_seeds(session)
        campaign = campaigns.load_standing(session)
    click.echo(f"词条：新增 {new}；专项行动：新增 {int(campaign)}")


@click.group("tallies")
def tallies_group() -> None:
    """The kept figures (台账) that statistics and searches read."""


@tallies_group.command("reconcile")
@click.pass_obj
def reconcile_command(obj: HasDatabase) -> None:
    """Recompute the kept figures from the records and mend those that differ.

    One transaction over all records: run it when few people write.

    \b
    Example:
      ./manage tallies reconcile
    """
    with obj.database.write() as session:
        found = tallies.reconcile(session)
    click.echo(f"一致 {found.right}，已更正 {found.mended}，已补建 {found.added}，已清零 {found.emptied}")


@click.group("history")
def history_group() -> None:
    """The history (操作记录) of records, users and applications."""


@history_group.command("verify")
@click.pass_obj
def verify_command(obj: HasDatabase) -> None:
    """Verify the hash chain of every history, and that every record stands where its history ends.

    Shows changed and removed rows, changed payloads, and records changed past their history. Payloads that
    were erased by law are no break.

    \b
    Example:
      ./manage history verify

    \b
    Exit status:
      0  everything holds
      1  there are breaks, one a line: subject, row of its history, reason
    """
    breaks = 0
    with obj.database.read() as session:
        for broken in chain(
            core_history.verify(session),
            verify_contents(session),
            verify_ends(session, USER),
            verify_ends(session, APPLICATION),
        ):
            breaks += 1
            click.echo(f"{broken.subject_type} {broken.subject_id} #{broken.seq}: {broken.reason}", err=True)
    if breaks:
        click.echo(f"发现 {breaks} 处异常，请保留数据库备份并追查", err=True)
        raise click.exceptions.Exit(1)
    click.echo("操作记录完整，记录与操作记录一致")
