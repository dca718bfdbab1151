"""The command `import` of a group, built from an importer: a preview with a question, a report, an exit status."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import cleandoc
from pathlib import Path
from typing import Any, BinaryIO

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from assets.tables.workbook_checks import SpreadsheetError
from assets.tables.writing import write_csv
from core.commands import HasDatabase
from enterprise.imports.table_import import (
    REPORT_COLUMNS,
    ImportReport,
    Progress,
    TableImport,
    report_rows,
)

_SHOWN = 20

_SHARED_HELP = """\
The sheet with these headings is read (--sheet, where several have them); titles above them, totals (合计) and
notes below are passed over. An empty cell leaves what is stored, the word 清空 empties the field. A merged cell
counts for each row that it covers; formulas with an error (#N/A) are refused. Days may be written as 2026-1-5,
2026.1.5, 2026年1月5日 or 20260105.

What would change in rows stored before is shown, old → new, and asked for; --yes answers it, --dry-run only
shows. Good rows are stored even when others are refused. Importing the same file again changes nothing.

\b
Examples:
  ./manage {group} import {group}.xlsx --dry-run
  ./manage {group} import {group}.xlsx
  ./manage {group} import {group}.csv --yes --report report.csv

\b
Exit status:
  0  every row is in (with --dry-run: would be)
  1  some rows were refused
  2  the file cannot be used; nothing was changed
  3  the changes were not agreed to; nothing was changed
"""

Importer = Callable[[HasDatabase, Path, str | None], TableImport[Any]]


def import_command(group: click.Group, title: str) -> Callable[[Importer], click.Command]:
    """Turn an importer into the command `import` of a group; `title` labels the progress bar.

    The help text is the importer's docstring, which says what the file must hold, and the part that all imports share.
    """

    def made(importer: Importer) -> click.Command:
        own, shared = cleandoc(importer.__doc__ or ""), _SHARED_HELP.format(group=group.name)

        @group.command("import", help=f"{own}\n\n{shared}")
        @click.argument("file", type=click.Path(path_type=Path))
        @click.option("--sheet", help="The sheet to read, by its name.")
        @click.option("--dry-run", is_flag=True, help="Show what would change and what would be refused, no more.")
        @click.option("--yes", is_flag=True, help="Change stored values without asking.")
        @click.option(
            "--report",
            "report_file",
            type=click.Path(path_type=Path, dir_okay=False, writable=True),
            help="Write every change, and every refused row with its reason, to this .csv file.",
        )
        @click.pass_obj
        def command(
            obj: HasDatabase, file: Path, sheet: str | None, dry_run: bool, yes: bool, report_file: Path | None
        ) -> None:
            with _output(report_file) as output:
                try:
                    opened = importer(obj, file, sheet)
                except SpreadsheetError as error:
                    click.echo(str(error), err=True)
                    raise click.exceptions.Exit(2) from error
                _run(opened, title, output, dry_run=dry_run, yes=yes)

        return command

    return made


@contextmanager
def _output(report_file: Path | None) -> Iterator[BinaryIO | None]:
    """The report file, opened before the import: nothing is imported when the report cannot be written."""
    if report_file is None:
        yield None
        return
    try:
        output = report_file.open("wb")
    except OSError as error:
        raise click.UsageError(f"无法写入报告文件“{report_file}”，请检查目录是否存在、是否有写入权限") from error
    with output:
        yield output


def _run(opened: TableImport[Any], title: str, output: BinaryIO | None, *, dry_run: bool, yes: bool) -> None:
    report = _with_bar(f"{title}：核对", opened.preview)
    if output:
        output.writelines(write_csv(REPORT_COLUMNS, report_rows(report.changes, report.refusals)))
    _print_changes(report)
    if dry_run:
        _print(report, "试运行，未写入任何内容。")
    elif report.changed and not yes and not _agreed(report):
        click.echo("未写入任何内容。确认无误后请重新执行并同意，或加上 --yes", err=True)
        raise click.exceptions.Exit(3)
    else:
        report = _with_bar(title, opened.apply)
        _print(report, "")
    if report.refused:
        raise click.exceptions.Exit(1)


def _agreed(report: ImportReport) -> bool:
    refused = f"（另有{report.refused}行有误，不会导入）" if report.refused else ""
    try:
        return click.confirm(f"将更改已有企业或证书的{report.changed}处内容{refused}，是否继续？", default=False)
    except click.Abort:  # standard input is closed: there is nobody to answer
        click.echo()
        return False


def _with_bar(title: str, step: Callable[[Progress], ImportReport]) -> ImportReport:
    with tqdm(unit="行", disable=None, desc=title) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return step(show)


def _print_changes(report: ImportReport) -> None:
    for one in report.changes[:_SHOWN]:
        click.echo(f"  第{one.row}行{one.letter}列 [{one.column}] {one.old or '（空）'} → {one.new or '（清空）'}")
    if report.changed > _SHOWN:
        click.echo(f"  另有{report.changed - _SHOWN}处更改未列出，可用 --report 写入文件")


def _listed(things: Iterable[str]) -> str:
    shown = list(things)
    return "、".join(shown[:_SHOWN]) + (f" 等{len(shown)}处" if len(shown) > _SHOWN else "")


def _print(report: ImportReport, prefix: str) -> None:
    click.echo(
        f"{prefix}共{report.rows}行：新增{report.created}，更新{report.updated}，"
        f"无变化{report.unchanged}，未导入{report.refused}"
    )
    if report.unknown_headers:
        click.echo(f"未识别的列（已忽略）：{_listed(report.unknown_headers)}")
    if report.skipped:
        click.echo(f"不是数据的行（已跳过）：{_listed(f'第{number}行{kind}' for number, kind in report.skipped)}")
    if report.hidden_rows:
        click.echo(f"隐藏或被筛选掉的行也已读取：{_listed(f'第{number}行' for number in report.hidden_rows)}")
    if report.hidden_columns:
        click.echo(f"隐藏的列也已读取：{_listed(report.hidden_columns)}")
    for refusal in report.refusals[:_SHOWN]:
        click.echo(f"  [{refusal.column}] {refusal.reason}")
    if len(report.refusals) > _SHOWN:
        click.echo(f"  另有{len(report.refusals) - _SHOWN}条未列出，可用 --report 写入文件")
