"""The command that verifies the history. It is in this room because it verifies the records of all others."""

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
    """All breaks; the bar shows the step, and the number of filings verified."""
    verified = 0

    def show_verified(more: int) -> None:
        nonlocal verified
        verified += more
        bar.set_postfix_str(f"{verified} 条")

    steps = (
        ("操作记录", history.verify(session)),
        ("检查记录", inspection_integrity.verify(session)),
        ("办件", verify_filings(session, {kind.code: kind for kind in KINDS}, show_verified)),
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
    """Verify the hash chain of every history, and that every record matches its last entry.

    Shows changed and removed entries, changed payloads, records that are missing or were changed without an entry, and
    filings and ratings whose content is not what was sent. Payloads that were erased by law are no break.

    \b
    Example:
      ./manage history verify

    \b
    Exit status:
      0  no break
      1  there are breaks, one per line: subject, row of its history, reason
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
