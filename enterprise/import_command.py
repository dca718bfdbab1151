"""What the commands that import a table share: a progress bar, a report, an exit status."""

from collections.abc import Callable
from functools import partial
from inspect import cleandoc
from pathlib import Path

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from assets.spreadsheets import SpreadsheetError, write_csv
from core.commands import HasDatabase
from enterprise.table_import import ImportReport, Progress, Refusal

_SHOWN = 20

_MANNERS = """\
Good rows are stored even when others are refused. Importing the same file again changes nothing.

\b
Examples:
  ./manage {group} import {group}.xlsx
  ./manage {group} import {group}.csv --report refused.csv

\b
Exit status:
  0  every row is in
  1  some rows were refused
  2  the file cannot be used; nothing was changed
"""

Importer = Callable[[HasDatabase, Path, Progress], ImportReport]


def import_command(group: click.Group, title: str) -> Callable[[Importer], click.Command]:
    """Make an importer the command `import` of a group; `title` stands at the bar.

    Its docstring, which says what the file must hold, is the help, followed by what all imports share.
    """

    def made(importer: Importer) -> click.Command:
        own, shared = cleandoc(importer.__doc__ or ""), _MANNERS.format(group=group.name)

        @group.command("import", help=f"{own}\n\n{shared}")
        @click.argument("file", type=click.Path(path_type=Path))
        @click.option(
            "--report",
            "report_file",
            type=click.Path(path_type=Path, dir_okay=False, writable=True),
            help="Write every refused row with its reason to this .csv file.",
        )
        @click.pass_obj
        def command(obj: HasDatabase, file: Path, report_file: Path | None) -> None:
            _run(title, partial(importer, obj), file, report_file)

        return command

    return made


def _run(title: str, importer: Callable[[Path, Progress], ImportReport], file: Path, report_file: Path | None) -> None:
    try:
        # Opened first: a report that cannot be written should be known before the import.
        output = report_file.open("wb") if report_file else None
    except OSError as error:
        raise click.UsageError(f"无法写入报告文件“{report_file}”，请检查目录是否存在、是否有写入权限") from error
    try:
        report = _with_bar(title, importer, file)
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


def _with_bar(title: str, importer: Callable[[Path, Progress], ImportReport], file: Path) -> ImportReport:
    with tqdm(unit="行", disable=None, desc=title) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return importer(file, show)


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
