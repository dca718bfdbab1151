"""Commands for the database and for idempotency keys; and what all commands share."""

from datetime import timedelta
from typing import Protocol

import click

from core.database import migrate, preparing
from core.db import Database
from core.jobs.sweeping import KEYS_KEPT, sweep_idempotency_keys
from core.text import clean_line


class HasDatabase(Protocol):
    """What the command line hands to a command."""

    @property
    def database(self) -> Database:
        """The installation's database."""


def cleaned(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """For options and arguments that are text: cleaned like all text that comes in."""
    return None if value is None else clean_line(value)


def table(headings: list[str], rows: list[list[str]]) -> None:
    """Print rows in columns; a Chinese character is two columns wide."""
    widths = [max(_width(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    for row in [headings, *rows]:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    return sum(2 if ord(character) >= 0x2E80 else 1 for character in text)


@click.group()
def database() -> None:
    """The schema of the database."""


class HasCopies(HasDatabase, Protocol):
    """The same, for commands that keep a copy before they change the schema."""

    def keep_a_copy(self) -> None:
        """Keep a copy of the database and print where."""


@database.command("upgrade")
@click.option("--without-copy", is_flag=True, help="Keep no copy of the database before; for a disk without room.")
@click.pass_obj
def upgrade_command(obj: HasCopies, without_copy: bool) -> None:
    """Bring the database to the newest schema; doing it again changes nothing.

    A database with data is copied first: SQLite to a file beside its own, and as a backup where BACKUP_DIR is set.

    \b
    Example:
      ./manage database upgrade
    """
    with preparing.one_at_a_time(obj.database.engine, lambda: click.echo("另一个进程正在准备数据库，等待其完成")):
        if migrate.is_current(obj.database.engine):
            migrate.refuse_other_tables(obj.database.engine)
            click.echo("数据库已是最新结构")
            return
        if not without_copy:
            obj.keep_a_copy()
        migrate.upgrade(obj.database.engine)
        click.echo("数据库已升级到最新结构")


@database.command("check")
@click.pass_obj
def check_command(obj: HasDatabase) -> None:
    """Say whether the database has the newest schema, and whether that is the one the code expects.

    \b
    Example:
      ./manage database check

    \b
    Exit status:
      0  both hold
      1  the database must be upgraded, or tables and migrations differ
      2  it was made by a state of the program that was never released, and cannot be upgraded
    """
    migrate.refuse_other_tables(obj.database.engine)
    if not migrate.is_current(obj.database.engine):
        click.echo("数据库结构不是最新，请执行 ./manage database upgrade", err=True)
        raise click.exceptions.Exit(1)
    differences = migrate.differences(obj.database.engine)
    for difference in differences:
        click.echo(difference, err=True)
    if differences:
        click.echo("数据库结构与程序不一致，请联系开发人员", err=True)
        raise click.exceptions.Exit(1)
    click.echo("数据库已是最新结构，与程序一致")


@click.group("idempotency-keys")
def idempotency_keys_group() -> None:
    """The keys by which writes that are sent again are recognised."""


@idempotency_keys_group.command("sweep")
@click.option(
    "--older-than", "days", metavar="DAYS", type=click.IntRange(1, 36_500), default=KEYS_KEPT.days,
    show_default=True, help="Delete keys older than so many days.",
)  # fmt: skip
@click.pass_obj
def sweep_command(obj: HasDatabase, days: int) -> None:
    """Delete old keys. A write of that time that a phone then sends again is handled as a new one.

    The server does it by itself once a day, for those older than the default.

    \b
    Examples:
      ./manage idempotency-keys sweep
      ./manage idempotency-keys sweep --older-than 365
    """
    deleted = sweep_idempotency_keys(obj.database, timedelta(days=days))
    click.echo(f"已删除 {deleted} 条")
