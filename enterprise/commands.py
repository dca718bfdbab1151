"""Commands for the register of enterprises."""

from pathlib import Path

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from assets.spreadsheets import SpreadsheetError, write_csv
from core.commands import HasDatabase
from core.db import Database
from enterprise.register_import import ImportReport, import_register
from enterprise.register_rows import Refusal

_SHOWN = 20


@click.group()
def enterprises() -> None:
    """The register of enterprises."""


@enterprises.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write every refused row with its reason to this .csv file.",
)
@click.pass_obj
def import_command(obj: HasDatabase, file: Path, report_file: Path | None) -> None:
    """Import a register of enterprises from FILE (.xlsx or .csv).

    The first sheet is read. Columns are found by their Chinese headings, in any order; needed are
    统一社会信用代码, 企业名称 and 行政区划代码 (six digits, or the name of the county); known are
    also 住所, 生产地址, 法定代表人, 企业规模 and 产品类别 (codes or names, separated by 、). Format the
    column of codes as text: as numbers Excel keeps only 15 digits.

    Good rows are stored even when others are refused. Importing the same file again changes nothing.

    \b
    Examples:
      ./manage enterprises import register.xlsx
      ./manage enterprises import register.csv --report refused.csv

    \b
    Exit status:
      0  every row is in
      1  some rows were refused
      2  the file cannot be used; nothing was changed
    """
    try:
        # Opened first: a report that cannot be written should be known before the import.
        output = report_file.open("wb") if report_file else None
    except OSError as error:
        raise click.UsageError(f"无法写入报告文件“{report_file}”，请检查目录是否存在、是否有写入权限") from error
    try:
        report = _import_with_bar(obj.database, file)
        if output:
            output.writelines(_report_csv(report.refusals))
    except SpreadsheetError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(2) from error
    finally:
        if output:
            output.close()
    _print(report)
    if report.refused:
        raise click.exceptions.Exit(1)


def _import_with_bar(database: Database, file: Path) -> ImportReport:
    with tqdm(unit="行", disable=None, desc="导入企业名录") as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return import_register(database, file, progress=show)


def _report_csv(refusals: list[Refusal]) -> list[bytes]:
    rows = ((refusal.row, refusal.column, refusal.value, refusal.reason) for refusal in refusals)
    return list(write_csv(["行号", "列", "内容", "原因"], rows))


def _print(report: ImportReport) -> None:
    click.echo(
        f"共{report.rows}行：新增{report.created}，更新{report.updated}，"
        f"无变化{report.unchanged}，未导入{report.refused}"
    )
    if report.unknown_headers:
        click.echo(f"未识别的列（已忽略）：{'、'.join(report.unknown_headers)}")
    for refusal in report.refusals[:_SHOWN]:
        click.echo(f"  [{refusal.column}] {refusal.reason}")
    if len(report.refusals) > _SHOWN:
        click.echo(f"  另有{len(report.refusals) - _SHOWN}条未列出，可用 --report 写入文件")
