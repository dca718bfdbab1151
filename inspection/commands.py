"""Commands for dictionaries and tallies."""

import click

from core.commands import HasDatabase
from inspection import campaigns, tallies
from inspection.dictionaries import load_seeds


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
