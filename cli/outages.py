"""Commands for outages (系统故障). They are in this room because they recount deadlines of other rooms."""

from datetime import datetime
from uuid import UUID, uuid4

import click
from sqlalchemy import func, select
from tqdm import tqdm  # type: ignore[import-untyped]

from accounts.administration.operations import region_of
from accounts.models import Region
from composition.recountings import recountings
from core import clock
from core.commands import HasDatabase, cleaned, table
from core.database.paging import PageRequest
from core.db import Database
from core.deadlines import outage_recounts, outages
from core.deadlines.outages import ENTERED, SYSTEMS
from core.models import Outage

_MINUTE = "%Y-%m-%d %H:%M"
_WHEN = click.DateTime([_MINUTE, "%Y-%m-%dT%H:%M"])
_LISTED = 200


@click.group("outages")
def outages_group() -> None:
    """Outages (系统故障), which move deadlines: those whose last day fell into one end with the next working day.

    \b
    Examples:
      ./manage outages add --from "2026-11-30 20:00" --to "2026-12-01 08:00" --reason 机房停电
      ./manage outages add --from "2026-11-30 20:00" --to "2026-12-01 08:00" --reason 网络中断 --region 320400
      ./manage outages withdraw 0b6f… --reason 录入有误
    """


@outages_group.command("add")
@click.option("--from", "starts_at", type=_WHEN, required=True, help="Local time: 2026-11-30 20:00.")
@click.option("--to", "ends_at", type=_WHEN, required=True, help="Local time.")
@click.option("--reason", required=True, callback=cleaned, help="People read it beside the deadline that was moved.")
@click.option("--system", type=click.Choice(list(SYSTEMS)), default="all", show_default=True)
@click.option("--region", "region_code", metavar="CODE", help="Only in this region; left out: everywhere.")
@click.option("--correct", "outage_id", type=click.UUID, metavar="ID", help="Correct this one instead of adding one.")
@click.pass_obj
def add_command(
    obj: HasDatabase, starts_at: datetime, ends_at: datetime, reason: str, system: str, region_code: str | None,
    outage_id: UUID | None,
) -> None:  # fmt: skip
    """Enter an outage, or correct one, and move the deadlines that fell into it; both are in its history.

    \b
    Example:
      ./manage outages add --from "2026-11-30 20:00" --to "2026-12-01 08:00" --reason 机房停电
    """
    body = {
        "system": system, "starts_at": starts_at.replace(tzinfo=clock.LOCAL),
        "ends_at": ends_at.replace(tzinfo=clock.LOCAL), "reason": reason,
    }  # fmt: skip
    with obj.database.write() as session:
        region = region_of(session, region_code) if region_code else None
        place = (region.area1, region.area2, region.area3) if region is not None else ()
        if outage_id is not None:
            body["version"] = outages.get(session, outage_id).version
        found = outages.enter(session, None, outage_id or uuid4(), place, body)
        click.echo(f"已{'更正' if outage_id else '录入'}系统故障，编号：{found.id}")
    _recount(obj.database)


@outages_group.command("withdraw")
@click.argument("outage_id", metavar="ID", type=click.UUID)
@click.option("--reason", required=True, callback=cleaned, help="Why it is taken back; kept in its history.")
@click.pass_obj
def withdraw_command(obj: HasDatabase, outage_id: UUID, reason: str) -> None:
    """Take back an outage; deadlines go back to their own day, unless that is over already: nobody is made late.

    \b
    Example:
      ./manage outages withdraw 5b0f3c1e-6c0e-4c57-8f0b-8f6d3f1f2a10 --reason 录入有误
    """
    with obj.database.write() as session:
        outages.withdraw(session, None, outage_id, {"reason": reason})
    click.echo("已撤回")
    _recount(obj.database)


@outages_group.command("list")
@click.pass_obj
def list_command(obj: HasDatabase) -> None:
    """List outages, the latest 200 first, with how many deadlines they moved.

    \b
    Example:
      ./manage outages list
    """
    with obj.database.read() as session:
        rows = [row.Outage for row in outages.listed(session, None, PageRequest(1, _LISTED)).items]
        codes = [code for code in map(_region_code, rows) if code is not None]
        regions = session.scalars(select(Region).where(Region.code.in_(codes)))
        names = {region.code: region.name for region in regions}
    if not rows:
        click.echo("没有录入过系统故障")
        return
    table(
        ["编号", "系统", "地区", "开始", "结束", "原因", "状态", "移动的期限"],
        [
            [
                str(one.id), SYSTEMS[one.system], names.get(_region_code(one) or "", "全国"),
                _minute(one.starts_at), _minute(one.ends_at), one.reason,
                "有效" if one.status == ENTERED else "已撤回",
                f"{one.moved} 件" + ("" if one.recounted_at else "（核算中）"),
            ]
            for one in rows
        ],
    )  # fmt: skip


def _region_code(outage: Outage) -> str | None:
    return outage.area3 or outage.area2 or outage.area1


def _minute(moment: datetime) -> str:
    return moment.astimezone(clock.LOCAL).strftime(_MINUTE)


def _recount(database: Database) -> None:
    """Count open deadlines anew, with a bar; when it is interrupted the running server goes on."""
    moved = 0
    with database.read() as session:
        waiting = session.scalar(select(func.count()).select_from(Outage).where(Outage.recounted_at.is_(None)))
    with tqdm(unit="件", disable=None, desc="重新核算期限") as bar:

        def show(looked: int, changed: int) -> None:
            nonlocal moved
            moved += changed
            bar.update(looked)
            bar.set_postfix_str(f"已调整 {moved} 件")

        outage_recounts.run(database, recountings(), progress=show)
    if waiting:
        click.echo(f"已重新核算期限，调整 {moved} 件；此刻新产生的期限由运行中的服务在几分钟内核算")
