"""Commands for tallies, checks and spot checks."""

import click

from core.commands import HasDatabase, table
from inspection.kinds import KINDS
from inspection.records import name_mismatches
from inspection.statistics import tallies
from inspection.submissions import sheet_numbers


@click.group("tallies")
def tallies_group() -> None:
    """The kept figures (台账) that statistics and searches read."""


@tallies_group.command("reconcile")
@click.pass_obj
def reconcile_command(obj: HasDatabase) -> None:
    """Recompute the kept figures from the records and correct those that differ.

    One transaction over all records: run it when few people write.

    \b
    Example:
      ./manage tallies reconcile
    """
    with obj.database.write() as session:
        found = tallies.reconcile(session)
    click.echo(f"一致 {found.right}，已更正 {found.mended}，已补建 {found.added}，已清零 {found.emptied}")


@click.group("inspections")
def inspections_group() -> None:
    """Checks (检查) and spot checks."""


@inspections_group.command("other-names")
@click.pass_obj
def other_names_command(obj: HasDatabase) -> None:
    """List the submitted records whose code belongs to an enterprise of another name in the register.

    By the register as it is now, former names aside. Nothing is changed: correct (更正) the code or the name. Where the
    last column says 是, the enterprise of the register reads the finding as its own until then.

    \b
    Example:
      ./manage inspections other-names
    """
    with obj.database.read() as session:
        rows = [
            [
                str(one.record.id), KINDS[one.record.kind].label, one.record.office_name, one.record.username,
                str(one.record.check_date or ""), one.record.uscc or "", one.sent, one.registered,
                "是" if one.record.name_differs else "否", "是" if one.published else "否",
            ]
            for one in name_mismatches.name_mismatches(session)
        ]  # fmt: skip
    if rows:
        heads = ["记录编号", "类型", "填报单位", "用户名", "检查日期", "统一社会信用代码", "所填名称", "名录中的名称"]
        table([*heads, "填报时已确认", "已告知名录中的企业"], rows)
    click.echo(f"共 {len(rows)} 处名称与名录不一致")


@click.group("spot-checks")
def spot_checks_group() -> None:
    """Spot checks (监督抽查)."""


@spot_checks_group.command("shared-sheets")
@click.pass_obj
def shared_sheets_command(obj: HasDatabase) -> None:
    """List the records that share the number of one sampling sheet (抽样单编号).

    They are from before numbers were compared without case, width, dashes and blanks; no new ones can be submitted.
    Correct (更正) those that are of another paper.

    \b
    Example:
      ./manage spot-checks shared-sheets
    """
    with obj.database.read() as session:
        rows = [
            [
                str(one.data.get("sheet_no", "")), str(one.id), one.office_name,
                one.username, one.org_name or "", str(one.check_date or ""),
            ]
            for one in sheet_numbers.shared(session)
        ]  # fmt: skip
    if rows:
        table(["抽样单编号", "记录编号", "填报单位", "用户名", "企业名称", "抽样日期"], rows)
    click.echo(f"共 {len(rows)} 条记录与其他记录共用抽样单编号")
