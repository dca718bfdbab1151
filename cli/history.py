"""The command that verifies the history: it asks every room, so it stands above them."""

import sys
from collections.abc import Iterator

import click
from sqlalchemy.orm import Session
from tqdm import tqdm  # type: ignore[import-untyped]

from accounts import integrity as accounts_integrity
from core.commands import HasDatabase
from core.workflows import history
from core.workflows.history import Broken
from enterprise.filings.integrity import verify_filings
from enterprise.systems import KINDS
from feedback import integrity as feedback_integrity
from inspection import integrity as inspection_integrity


def _breaks(session: Session, bar: tqdm) -> Iterator[Broken]:
    """All that does not hold; the bar shows how far the search is, and how many filings were looked at."""
    looked_at = 0

    def seen(more: int) -> None:
        nonlocal looked_at
        looked_at += more
        bar.set_postfix_str(f"{looked_at} 条")

    steps = (
        ("操作记录", history.verify(session)),
        ("检查记录", inspection_integrity.verify(session)),
        ("办件", verify_filings(session, {kind.code: kind for kind in KINDS}, seen)),
        ("评价", feedback_integrity.verify(session)),
        ("用户、账号申请和区划调整", accounts_integrity.verify(session)),
    )
    bar.total = len(steps)
    for name, breaks in steps:
        bar.set_description(f"核对{name}")
        yield from breaks
        bar.update()


@click.group("history")
def history_group() -> None:
    """The history (操作记录) of records, filings, ratings, codes, users, applications, reorganisations, words."""


@history_group.command("verify")
@click.pass_obj
def verify_command(obj: HasDatabase) -> None:
    """Verify the hash chain of every history, and that every record stands where its history ends.

    Shows changed and removed rows, changed payloads, records that are gone or were changed past their history, and
    filings and ratings that do not say what was sent. Payloads that were erased by law are no break.

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
            with bar.external_write_mode(file=sys.stderr):
                click.echo(str(broken), err=True)
    if breaks:
        click.echo(f"发现 {breaks} 处异常，请保留数据库备份并追查", err=True)
        raise click.exceptions.Exit(1)
    click.echo("操作记录完整，记录与操作记录一致")
