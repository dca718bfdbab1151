"""Commands for regions (行政区划): loading them, and reorganisations (区划调整)."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from accounts.administration.operations import login
from accounts.models import Reorganisation
from accounts.regions import moves as region_moves
from accounts.regions import reorganisations
from accounts.regions.loading import area_rows, load_regions
from accounts.regions.reorganisations import LABELS, Kind, Preview, Wanted
from accounts.workflows import REORGANISATION
from core import clock
from core.commands import HasDatabase, table
from core.db import Database

TABLES = {
    "account_applications": "账号申请", "enforcement_papers": "执法文书", "enterprise_products": "企业产品",
    "enterprise_tallies": "检查台账", "enterprises": "企业名录", "filings": "办件", "inspections": "检查和抽查",
    "rating_codes": "评价二维码", "rating_deltas": "评价数字（未汇总）", "rating_tag_tallies": "评价标签数字",
    "rating_tallies": "评价数字", "ratings": "评价", "self_check_topics": "自查主题", "todos": "待办",
}  # fmt: skip


@click.group("regions")
def regions_group() -> None:
    """Regions (行政区划) and their reorganisations (区划调整)."""


@regions_group.command("load")
@click.pass_obj
def load_command(obj: HasDatabase) -> None:
    """Load the regions that come with the product; loading again changes nothing.

    Regions that are not there any more get an end date and stay: old records keep them. A region that would get another
    superior or code, or leave offices or records behind, is a reorganisation: nothing is loaded, and the commands to
    give are named.

    \b
    Example:
      ./manage regions load
    """
    with obj.database.write() as session:
        counts = load_regions(session, area_rows())
    click.echo(
        f"行政区划：新增 {counts.created}，更新 {counts.updated}，无变化 {counts.unchanged}，撤销 {counts.retired}"
    )


@regions_group.group("reorganise")
def reorganise() -> None:
    """Give a region another superior or code, or merge it into another, on a day (区划调整).

    Offices, users, kept figures, rights and the scope of all records move together; records keep the names of their
    time, and old codes are still understood. A day to come is noted, and the server does it then; today or earlier is
    done at once, while the server serves. What was interrupted goes on when the same command is given again, or by the
    server.
    """


def _planned(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--dry-run", is_flag=True, help="Only say what would move."),
        click.option("--note", help="Kept in the history, for example the number of the decree."),
        click.option(
            "--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day it takes effect; today if left out."
        ),
    ):
        command = option(command)
    return command


@reorganise.command("superior")
@click.argument("code")
@click.option("--to", "parent", metavar="CODE", required=True, help="The new superior.")
@_planned
@click.pass_obj
def superior_command(obj: HasDatabase, /, code: str, parent: str, **plan: Any) -> None:
    """Give the region CODE another superior (变更上级).

    \b
    Example:
      ./manage regions reorganise superior 320402 --to 320500 --on 2027-01-01 --dry-run
    """
    _do(obj.database, [(Kind.SUPERIOR, code, parent, None, None)], plan)


@reorganise.command("new-code")
@click.argument("code")
@click.option("--to", "new", metavar="CODE", required=True, help="The new code.")
@click.option("--name", help="The new name, if it changes.")
@click.option("--superior", "parent", metavar="CODE", help="The new superior, if it changes too.")
@_planned
@click.pass_obj
def new_code_command(
    obj: HasDatabase, /, code: str, new: str, name: str | None, parent: str | None, **plan: Any
) -> None:
    """Give the region CODE another code (变更代码), for example when a county becomes a district.

    \b
    Example:
      ./manage regions reorganise new-code 320482 --to 320413 --name 金坛区 --on 2027-01-01
    """
    _do(obj.database, [(Kind.NEW_CODE, code, new, name, parent)], plan)


@reorganise.command("merge")
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@click.option("--into", metavar="CODE", required=True, help="The region they become part of.")
@click.option("--name", help="The name of a region that is made by it.")
@click.option("--superior", "parent", metavar="CODE", help="Its superior, if it is not that of the first CODE.")
@_planned
@click.pass_obj
def merge_command(
    obj: HasDatabase, /, codes: tuple[str, ...], into: str, name: str | None, parent: str | None, **plan: Any
) -> None:
    """Merge the regions CODE... into another (并入), which may be a new one.

    Their bureaus are closed: users go to the bureau of that region, which goes on with what was begun.

    \b
    Examples:
      ./manage regions reorganise merge 320404 --into 320402 --on 2027-01-01
      ./manage regions reorganise merge 500105 500112 --into 500157 --name 两江新区 --on 2027-01-01
    """
    _do(obj.database, [(Kind.MERGED, code, into, name, parent) for code in codes], plan)


def _do(
    database: Database, moves: list[tuple[Kind, str, str, str | None, str | None]], plan: dict[str, Any]
) -> None:  # fmt: skip
    given: datetime | None = plan["day"]
    day = given.date() if given is not None else clock.today()
    wanted = [Wanted(kind, code, into, day, name, parent, plan["note"]) for kind, code, into, name, parent in moves]
    if plan["dry_run"]:
        with database.read() as session:
            for one in wanted:
                _print_preview(one, reorganisations.preview(session, one))
        click.echo("以上仅为预览，未作任何变更")
        return
    with database.write() as session:
        records = [reorganisations.plan(session, one, by=login()) for one in wanted]
        losing = [reorganisations.losing_roles(session, one) for one in wanted]
    for record, lost in zip(records, losing, strict=True):
        click.echo(f"已登记：{_what(record)}，自 {record.day} 起施行（编号 {record.id}）")
        _print_losing(lost)
    if day <= clock.today():
        _carry_out(database, {record.id for record in records})


def _what(record: Reorganisation | Wanted) -> str:
    label = LABELS[Kind(record.kind)]
    return f"{record.code} {label} {record.into_code}" + (f"（{record.name}）" if record.name else "")


def _print_losing(losing: Iterable[reorganisations.Losing]) -> None:
    for username, roles in losing:
        click.echo(f"  用户 {username} 不再担任：{'、'.join(roles)}")


def _print_preview(wanted: Wanted, preview: Preview) -> None:
    click.echo(f"{_what(wanted)}，自 {wanted.day} 起：{'/'.join(preview.moving.old)} → {'/'.join(preview.moving.new)}")
    click.echo(
        f"  机关 {preview.offices} 个；撤并 {'、'.join(preview.closed) or '无'}；随之转入的用户 {preview.users} 个"
    )
    _print_losing(preview.losing)
    for name, rows in preview.rows.items():
        click.echo(f"  {TABLES.get(name, name)} {rows} 条")


def _carry_out(database: Database, ids: set[UUID] | None = None) -> None:
    moved = region_moves.carry_out(database)
    click.echo(f"已迁移 {moved} 条")
    with database.read() as session:
        rows = [one for one in reorganisations.listed(session) if ids is None or one.id in ids]
    for record in rows:
        if record.status == reorganisations.PLANNED and record.day <= clock.today():
            click.echo(f"{_what(record)}：须等有关的前一项调整完成，由服务器继续，或稍后执行 ./manage regions apply")
        elif record.status == reorganisations.SETTLING:
            minutes = int(region_moves.SETTLE.total_seconds() // 60)
            click.echo(
                f"{_what(record)}：已生效；{minutes} 分钟后由服务器再核对一遍，或届时执行 ./manage regions apply"
            )


@regions_group.command("apply")
@click.pass_obj
def apply_command(obj: HasDatabase) -> None:
    """Do the reorganisations that are due now, as the server does about once a minute.

    \b
    Example:
      ./manage regions apply
    """
    _carry_out(obj.database)


@regions_group.command("reorganisations")
@click.pass_obj
def list_command(obj: HasDatabase) -> None:
    """List reorganisations, the newest first.

    \b
    Example:
      ./manage regions reorganisations
    """
    with obj.database.read() as session:
        rows = reorganisations.listed(session)
    table(
        ["编号", "施行日", "调整", "状态", "已迁移", "登记人"],
        [
            [str(one.id), one.day.isoformat(), _what(one), REORGANISATION.statuses[one.status], str(one.moved),
             one.planned_by]
            for one in rows
        ],
    )  # fmt: skip


@regions_group.command("cancel")
@click.argument("reorganisation_id", metavar="ID", type=click.UUID)
@click.pass_obj
def cancel_command(obj: HasDatabase, reorganisation_id: UUID) -> None:
    """Take back a reorganisation whose day has not come.

    \b
    Example:
      ./manage regions cancel 5a2f6f0e-6c8e-4d0a-9f0b-6a1f0c3d2b71
    """
    with obj.database.write() as session:
        record = reorganisations.cancel(session, reorganisation_id, by=login())
    click.echo(f"已取消：{_what(record)}")
