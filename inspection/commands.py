"""Commands for dictionaries, tallies and the history."""

import sys
from collections.abc import Iterator

import click
from sqlalchemy.orm import Session
from tqdm import tqdm  # type: ignore[import-untyped]

from accounts.workflows import APPLICATION, USER
from core import history as core_history
from core.commands import HasDatabase
from core.history import Broken
from core.integrity import verify_ends
from enterprise.filings.integrity import verify_filings
from enterprise.systems import KINDS
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


def _breaks(session: Session, bar: tqdm) -> Iterator[Broken]:
    """All that does not hold; the bar shows how far the search is, and how many filings were looked at."""
    looked_at = 0

    def seen(more: int) -> None:
        nonlocal looked_at
        looked_at += more
        bar.set_postfix_str(f"{looked_at} 条")

    steps = (
        ("操作记录", core_history.verify(session)),
        ("检查记录", verify_contents(session)),
        ("办件", verify_filings(session, {kind.code: kind for kind in KINDS}, seen)),
        ("用户", verify_ends(session, USER)),
        ("账号申请", verify_ends(session, APPLICATION)),
    )
    bar.total = len(steps)
    for name, breaks in steps:
        bar.set_description(f"核对{name}")
        yield from breaks
        bar.update()


@click.group("history")
def history_group() -> None:
    """The history (操作记录) of records, filings, users and applications."""


@history_group.command("verify")
@click.pass_obj
def verify_command(obj: HasDatabase) -> None:
    """Verify the hash chain of every history, and that every record stands where its history ends.

    Shows changed and removed rows, changed payloads, records changed past their history, and filings that
    do not say what was sent. Payloads that were erased by law are no break. Ratings have `ratings verify`.

    \b
    Example:
      ./manage history verify

    \b
    Exit status:
      0  everything holds
      1  there are breaks, one a line: subject, row of its history, reason
    """
    breaks = 0
    with obj.database.read() as session, tqdm(unit="步", disable=None) as bar:
        for broken in _breaks(session, bar):
            breaks += 1
            line = f"{broken.subject_type} {broken.subject_id} #{broken.seq}: {broken.reason}"
            with bar.external_write_mode(file=sys.stderr):
                click.echo(line, err=True)
    if breaks:
        click.echo(f"发现 {breaks} 处异常，请保留数据库备份并追查", err=True)
        raise click.exceptions.Exit(1)
    click.echo("操作记录完整，记录与操作记录一致")
