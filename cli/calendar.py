"""Commands for the working calendar (工作日历). They are in this room because they recount deadlines of other rooms."""

from collections.abc import Iterator
from datetime import date, timedelta

import click
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from accounts.administration.operations import region_of
from accounts.models import Region
from core import clock
from core.commands import HasDatabase, table
from core.db import Database
from core.deadlines import calendar_years, clocks
from core.deadlines.working_days import WorkingCalendar
from core.models import CalendarDay, CalendarRegionDay, CalendarYear
from enterprise.filings.many import clock_jobs as filings
from enterprise.systems import KINDS
from feedback.follow_ups import recounting as ratings

_LONGEST = 366
_KINDS = {"working": "工作日", "off": "休息日"}


class Days(click.ParamType[list[date]]):
    """A day, or the first and the last of several: 2027-02-05 or 2027-02-05..2027-02-11."""

    name = "days"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> list[date]:
        """The days; fails with a sentence that says how to write them."""
        first, _, last = value.partition("..")
        try:
            start, end = date.fromisoformat(first), date.fromisoformat(last or first)
        except ValueError:
            self.fail(f"“{value}”不是日期，请写成 2027-02-05，连续多日写成 2027-02-05..2027-02-11", param, ctx)
        if not 0 <= (end - start).days < _LONGEST:
            self.fail(f"“{value}”的起止日期颠倒或超过一年，请核对", param, ctx)
        return [start + timedelta(days=n) for n in range((end - start).days + 1)]


@click.group()
def calendar() -> None:
    """The working calendar (工作日历): days set here take precedence over the arrangement that comes with the product.

    \b
    When the State Council has announced a year's holidays, set its days, then state that it is complete:
      ./manage calendar set 2027-02-05..2027-02-11 off
      ./manage calendar set 2027-02-13 working
      ./manage calendar complete 2027
    Deadlines that were counted on guessed days until then are counted anew. Regions have holidays of their own:
      ./manage calendar set 2027-04-09..2027-04-10 off --region 450000
    """


@calendar.command("set")
@click.argument("days", metavar="DATE", type=Days())
@click.argument("kind", type=click.Choice(["working", "off"]))
@click.option("--region", "region_code", metavar="CODE", help="Only for offices of this region and below it.")
@click.pass_obj
def set_command(obj: HasDatabase, days: list[date], kind: str, region_code: str | None) -> None:
    """Say that DATE is a working day or a day off, whatever the published arrangement says; DATE..DATE for several.

    \b
    Examples:
      ./manage calendar set 2027-02-06 working
      ./manage calendar set 2027-02-05..2027-02-11 off
      ./manage calendar set 2027-04-09 off --region 450000
    """
    where = "全国"
    with obj.database.write() as session:
        if region_code is None:
            for day in days:
                session.merge(CalendarDay(day=day, working=kind == "working"))
        else:
            region = region_of(session, region_code)
            where = region.name
            _clear(session, region, days)
            session.add_all(
                CalendarRegionDay(
                    area1=region.area1, area2=region.area2, area3=region.area3, day=day, working=kind == "working"
                )
                for day in days
            )
        calendar = clocks.working_calendar(session)
    click.echo(f"{where}：{_shown(days)} 已设为{_KINDS[kind]}")
    _say_what_stays(calendar, days)


@calendar.command("unset")
@click.argument("days", metavar="DATE", type=Days())
@click.option("--region", "region_code", metavar="CODE", help="What was set for this region.")
@click.pass_obj
def unset_command(obj: HasDatabase, days: list[date], region_code: str | None) -> None:
    """Take back what was set for DATE; the arrangement that comes with the product holds again.

    \b
    Examples:
      ./manage calendar unset 2027-02-06
      ./manage calendar unset 2027-04-09 --region 450000
    """
    with obj.database.write() as session:
        if region_code is None:
            session.execute(delete(CalendarDay).where(CalendarDay.day.in_(days)))
        else:
            _clear(session, region_of(session, region_code), days)
        calendar = clocks.working_calendar(session)
    click.echo(f"{_shown(days)} 已恢复为默认安排")
    _say_what_stays(calendar, days)


def _say_what_stays(calendar: WorkingCalendar, days: list[date]) -> None:
    """Say that deadlines counted on known days are not recounted, because they were announced."""
    if any(calendar.knows(day.year) for day in days):
        click.echo("该年安排此前已确定：已经告知的期限不变，新的期限按本次设定计算")


def _clear(session: Session, region: Region, days: list[date]) -> None:
    columns = (CalendarRegionDay.area1, CalendarRegionDay.area2, CalendarRegionDay.area3)
    here = (
        column.is_(None) if code is None else column == code
        for column, code in zip(columns, (region.area1, region.area2, region.area3), strict=True)
    )
    session.execute(delete(CalendarRegionDay).where(*here, CalendarRegionDay.day.in_(days)))


def _shown(days: list[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} 至 {days[-1]}（{len(days)} 天）"


@calendar.command("complete")
@click.argument("year", type=click.IntRange(2000, 2999))
@click.pass_obj
def complete_command(obj: HasDatabase, year: int) -> None:
    """State that all holidays and make-up days of YEAR are set, and recount deadlines counted on guessed days.

    Until then statutory holidays and weekends are assumed, with a warning, and dates counted by them are marked as
    provisional. Only open deadlines change; each change is in the history. Running it again changes nothing.

    \b
    Example:
      ./manage calendar complete 2027

    \b
    Exit status:
      0  the year counts as known
      2  no day of that year is set
    """
    with obj.database.write() as session:
        set_days = session.scalars(select(CalendarDay.day)).all()
        if not any(day.year == year for day in set_days):
            raise click.UsageError(f"{year}年还没有录入任何日期，请先用 calendar set 录入放假和调休")
        session.merge(CalendarYear(year=year))
    click.echo(f"{year}年的安排已录入完整")
    calendar_years.ask(obj.database)
    _recount(obj.database)


@calendar.command("recount")
@click.pass_obj
def recount_command(obj: HasDatabase) -> None:
    """Recount provisional deadlines whose days are known now. The server does so every minute.

    \b
    Example:
      ./manage calendar recount
    """
    _recount(obj.database)


def _recount(database: Database) -> None:
    click.echo("正在重新核算暂定期限；数量很大时需要较久，可以中断，运行中的服务会接着完成")
    kinds = {kind.code: kind for kind in KINDS}
    counted = (("差评", ratings.recounting()), ("办件", filings.recounting(kinds)))
    done = {name: one.run(database) for name, one in counted}
    counts = "、".join(f"{name} {number} 件" for name, number in done.items() if number)
    click.echo(f"已重新核算暂定期限：{counts}" if counts else "没有需要重新核算的暂定期限")


@calendar.command("list")
@click.pass_obj
def list_command(obj: HasDatabase) -> None:
    """List the days that were set, by date, and say which year's days are guessed.

    \b
    Example:
      ./manage calendar list
    """
    with obj.database.read() as session:
        rows = sorted(_set_days(session))
        complete = session.scalars(select(CalendarYear.year).order_by(CalendarYear.year)).all()
        unknown = clocks.working_calendar(session).unknown_years(clock.today())
    if rows:
        table(["日期", "适用地区", "安排"], [list(row) for row in rows])
    else:
        click.echo("没有调整过的日期")
    if complete:
        click.echo(f"已录入完整的年份：{'、'.join(map(str, complete))}")
    for year in unknown:
        click.echo(clocks.warning_of(year), err=True)


def _set_days(session: Session) -> Iterator[tuple[str, str, str]]:
    for day in session.scalars(select(CalendarDay)):
        yield day.day.isoformat(), "全国", _KINDS["working" if day.working else "off"]
    for one in session.scalars(select(CalendarRegionDay)):
        code = one.area3 or one.area2 or one.area1
        region = session.get(Region, code)
        name = f"{region.name if region else ''}（{code}）"
        yield one.day.isoformat(), name, _KINDS["working" if one.working else "off"]
