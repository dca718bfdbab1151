"""Commands for offices (机关)."""

from uuid import UUID

import click
from sqlalchemy import select

from accounts import offices, queries
from accounts.administration import operations
from accounts.models import Office, OfficeKind, Region
from core.commands import HasDatabase, cleaned, table
from core.database.name_search import like_pattern


@click.group("offices")
def offices_group() -> None:
    """Offices (机关): where users hold their roles. Bureaus of regions are made when they are first needed."""


@offices_group.command("create")
@click.option("--name", required=True, callback=cleaned)
@click.option("--region", "code", metavar="CODE", required=True, help="Six digits; the region the office sits in.")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in OfficeKind]), default=OfficeKind.STATION.value,
    show_default=True,
)  # fmt: skip
@click.option("--parent", "parent_id", metavar="ID", type=click.UUID, help="Superior; usually the region's bureau.")
@click.pass_obj
def create_office_command(obj: HasDatabase, name: str, code: str, kind: str, parent_id: UUID | None) -> None:
    """Create an office and print its id. It covers the region it sits in; `offices cover` changes that.

    \b
    Example:
      ./manage offices create --name 天宁区某街道市场监管所 --region 320402
    """
    operations.refuse_enterprise("/kind", kind == OfficeKind.ENTERPRISE)
    with obj.database.write() as session:
        if parent_id is not None:
            operations.office_of(session, parent_id)
        region = operations.region_of(session, code)
        office_id = offices.create_office(session, name, kind, region, parent_id)
    click.echo(f"已创建机关 {name}")
    click.echo(f"编号：{office_id}")


@offices_group.command("list")
@click.option("--region", metavar="CODE", help="Only this region and those below it.")
@click.option("--q", "fragment", help="A part of the name.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_obj
def list_offices_command(obj: HasDatabase, region: str | None, fragment: str | None, limit: int) -> None:
    """List offices with their ids and the regions they cover, by region.

    \b
    Example:
      ./manage offices list --region 320400
    """
    statement = select(Office).outerjoin(Region, Region.code == Office.region_code)
    if fragment:
        statement = statement.where(Office.name.like(like_pattern(fragment), escape="\\"))
    with obj.database.read() as session:
        if region:
            statement = statement.where(queries.in_region(session, region))
        found = session.scalars(statement.order_by(Office.region_code, Office.name).limit(limit)).all()
    table(
        ["编号", "名称", "区划", "管辖", "服务电话"],
        [
            [
                str(o.id),
                o.name + ("（已撤并）" if o.closed_on else ""),
                o.region_code or "",
                "、".join(str(code) for _, code in o.areas),
                o.hotline or "",
            ]
            for o in found
        ],
    )
    click.echo(f"共 {len(found)} 个")


@offices_group.command("cover")
@click.argument("office_id", metavar="OFFICE_ID", type=click.UUID)
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@click.pass_obj
def cover_command(obj: HasDatabase, office_id: UUID, codes: tuple[str, ...]) -> None:
    """Set the regions that an office covers, in place of those it covered before.

    \b
    Example:
      ./manage offices cover 5a2f6f0e-6c8e-4d0a-9f0b-6a1f0c3d2b71 320402 320404
    """
    with obj.database.write() as session:
        name = operations.office_of(session, office_id).name
        offices.cover(session, office_id, list(codes))
    click.echo(f"{name} 现管辖：{'、'.join(sorted(set(codes)))}")


@offices_group.command("hotline")
@click.argument("office_id", metavar="OFFICE_ID", type=click.UUID)
@click.argument("number", required=False)
@click.option("--none", "none", is_flag=True, help="The office has no number of its own any more.")
@click.pass_obj
def hotline_command(obj: HasDatabase, office_id: UUID, number: str | None, none: bool) -> None:
    """Set where the public calls an office (服务电话); the rating pages show it beside 12315.

    \b
    Examples:
      ./manage offices hotline 5a2f6f0e-6c8e-4d0a-9f0b-6a1f0c3d2b71 0519-86660000
      ./manage offices hotline 5a2f6f0e-6c8e-4d0a-9f0b-6a1f0c3d2b71 --none
    """
    if (number is None) == (not none):
        raise click.UsageError("give either NUMBER or --none")
    with obj.database.write() as session:
        office = operations.office_of(session, office_id)
        offices.set_hotline(session, office, number)
        message = f"{office.name} 服务电话：{office.hotline}" if office.hotline else f"{office.name} 不再显示服务电话"
    click.echo(message)
