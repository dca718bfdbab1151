"""Commands for the ground floor: database, working calendar, receipts; and what all commands share."""

from datetime import datetime, timedelta
from typing import Protocol

import click
from sqlalchemy import select

from core import clock, clocks, migrate, preparing
from core.db import Database
from core.models import CalendarDay, CalendarYear
from core.sweeping import RECEIPTS_KEPT, sweep_receipts
from core.text import clean_line


class HasDatabase(Protocol):
    """What the command line hands to a command."""

    @property
    def database(self) -> Database:
        """The installation's database."""


def cleaned(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """For options and arguments that are text: cleaned as all that comes in, so that what is said is what is kept."""
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
    """And what keeps a copy before the schema is changed."""

    def keep_a_copy(self) -> None:
        """Say what was kept."""


@database.command("upgrade")
@click.option("--without-copy", is_flag=True, help="Keep no copy of the database before; for a disk without room.")
@click.pass_obj
def upgrade_command(obj: HasCopies, without_copy: bool) -> None:
    """Bring the database to the newest schema; doing it again changes nothing.

    A database that holds something is kept before: SQLite as a copy beside its file, and as a backup where BACKUP_DIR
    is set.

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


@click.group()
def calendar() -> None:
    """The working calendar (工作日历): days that are set here go before the arrangement that comes with the product.

    \b
    When the State Council has announced a year's holidays, set its days, then state that it is complete:
      ./manage calendar set 2027-02-08 off
      ./manage calendar set 2027-02-13 working
      ./manage calendar complete 2027
    """


@calendar.command("set")
@click.argument("day", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("kind", type=click.Choice(["working", "off"]))
@click.pass_obj
def set_command(obj: HasDatabase, day: datetime, kind: str) -> None:
    """Say that DATE is a working day or a day off, whatever the published arrangement says.

    \b
    Examples:
      ./manage calendar set 2027-02-06 working
      ./manage calendar set 2027-02-08 off
    """
    with obj.database.write() as session:
        session.merge(CalendarDay(day=day.date(), working=kind == "working"))
    click.echo(f"{day.date()} 已设为{'工作日' if kind == 'working' else '休息日'}")


@calendar.command("complete")
@click.argument("year", type=click.IntRange(2000, 2999))
@click.pass_obj
def complete_command(obj: HasDatabase, year: int) -> None:
    """State that all holidays and make-up days of YEAR are set. Until then weekends are guessed, with a warning.

    \b
    Example:
      ./manage calendar complete 2027

    \b
    Exit status:
      0  the year counts as known
      2  no day of that year is set
    """
    with obj.database.write() as session:
        days = session.scalars(select(CalendarDay.day)).all()
        if not any(day.year == year for day in days):
            raise click.UsageError(f"{year}年还没有录入任何日期，请先用 calendar set 录入放假和调休")
        session.merge(CalendarYear(year=year))
    click.echo(f"{year}年的安排已录入完整")


@calendar.command("list")
@click.pass_obj
def list_command(obj: HasDatabase) -> None:
    """List the days that were set, by date, and say which year's days are guessed.

    \b
    Example:
      ./manage calendar list
    """
    with obj.database.read() as session:
        days = session.scalars(select(CalendarDay).order_by(CalendarDay.day)).all()
        complete = session.scalars(select(CalendarYear.year).order_by(CalendarYear.year)).all()
        unknown = clocks.working_calendar(session).unknown_years(clock.today())
    if days:
        table(["日期", "安排"], [[day.day.isoformat(), "工作日" if day.working else "休息日"] for day in days])
    else:
        click.echo("没有调整过的日期")
    if complete:
        click.echo(f"已录入完整的年份：{'、'.join(map(str, complete))}")
    for year in unknown:
        click.echo(clocks.warning_of(year), err=True)


@click.group("receipts")
def receipts_group() -> None:
    """Receipts, by which writes that are sent again are recognised."""


@receipts_group.command("sweep")
@click.option(
    "--older-than", "days", metavar="DAYS", type=click.IntRange(1, 36_500), default=RECEIPTS_KEPT.days,
    show_default=True, help="Delete receipts older than so many days.",
)  # fmt: skip
@click.pass_obj
def sweep_command(obj: HasDatabase, days: int) -> None:
    """Delete old receipts. A phone that then sends such an old write again is judged anew.

    The server does it by itself once a day, for those older than the default.

    \b
    Examples:
      ./manage receipts sweep
      ./manage receipts sweep --older-than 365
    """
    deleted = sweep_receipts(obj.database, timedelta(days=days))
    click.echo(f"已删除 {deleted} 条")
