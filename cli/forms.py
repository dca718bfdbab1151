"""Commands for forms (表单). They are in this room because `core` may not import spreadsheets."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import click
from sqlalchemy import select

from assets.tables.cells import column_letters, no_value
from assets.tables.reading import read_sheets
from cli.form_workbooks import write_form_workbook
from core import clock
from core.commands import HasDatabase, table
from core.forms.library import FormLibrary
from core.forms.publishing import Outcome, publish_definition, publish_files
from core.forms.sheet import FORM_SHEETS, SheetFaults, definition_from_rows
from core.models import FormVersion

_FILE = click.Path(path_type=Path)


@click.group()
def forms() -> None:
    """Forms: publish, import from and export to Excel, list."""


@forms.command("publish")
@click.argument("path", metavar="FILE.json|DIR", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def publish_command(obj: HasDatabase, path: Path) -> None:
    """Publish a form file, or all *.json files of a folder.

    A published version is frozen: for a change, give the file the next version number. Publishing
    the same file again changes nothing. Phones get the new version within seconds.

    \b
    Examples:
      ./manage forms publish inspection/forms
      ./manage forms publish our-checks.v2.json

    \b
    Exit status:
      0  everything is published
      1  some files were refused; the others are published
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise click.UsageError(f"目录“{path}”中没有 .json 文件")
    _show(publish_files(FormLibrary(obj.database), files))


def _show(outcomes: Iterable[Outcome]) -> None:
    """Print the outcome for each form; exit with status 1 if one was refused."""
    refused = False
    for outcome in outcomes:
        for fault in outcome.faults:
            click.echo(fault, err=True)
        if outcome.faults:
            refused = True
        else:
            click.echo(f"{outcome.name}: {'已发布' if outcome.new else '此前已发布，无变化'}（{outcome.title}）")
    if refused:
        raise click.exceptions.Exit(1)


@forms.command("import")
@click.argument("file", metavar="SHEET.xlsx", type=_FILE)
@click.option("--publish", is_flag=True, help="Publish the form if it has no fault.")
@click.option("--out", metavar="FILE", type=_FILE, help="Write the form as a .json file.")
@click.pass_obj
def import_command(obj: HasDatabase, file: Path, publish: bool, out: Path | None) -> None:
    """Read a form from an Excel workbook with the sheets form, items and rules.

    `forms export` writes such a workbook, from which an own form can be made. Without an option the workbook
    is only checked. Each fault is reported with its sheet and cell.

    \b
    Examples:
      ./manage forms import our-checks.xlsx
      ./manage forms import our-checks.xlsx --out our-checks.v2.json --publish

    \b
    Exit status:
      0  no fault
      1  faults in the form; nothing was published or written
      2  the file cannot be read
    """
    try:
        sheets = read_sheets(file)
        if without_value := _without_value(sheets):
            raise SheetFaults(without_value)
        definition = definition_from_rows(sheets)
    except SheetFaults as found:
        for sheet, cell, message in found.faults:
            click.echo(f"{sheet}!{cell}: {message}", err=True)
        click.echo(f"共 {len(found.faults)} 处错误，未导入", err=True)
        raise click.exceptions.Exit(1) from found
    items = sum(len(section["items"]) for section in definition["sections"])
    click.echo(f"{definition['code']} 第 {definition['version']} 版“{definition['title']}”：{items} 项，没有错误")
    if out is not None:
        try:
            out.write_text(json.dumps(definition, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise click.UsageError(f"无法写入文件“{out}”，请检查目录是否存在、是否有写入权限") from error
        click.echo(f"已写入 {out}")
    if publish:
        _show([publish_definition(FormLibrary(obj.database), definition, file.name)])


def _without_value(sheets: Mapping[str, list[list[object]]]) -> list[tuple[str, str, str]]:
    """Cells without a known value (formulas with an error, for example), which must not be read as empty: sheet, cell,
    message."""
    return [
        (sheet, f"{column_letters(x)}{y}", message)
        for sheet in FORM_SHEETS
        for y, row in enumerate(sheets.get(sheet, ()), start=1)
        for x, cell in enumerate(row)
        if (message := no_value(cell)) is not None
    ]


@forms.command("export")
@click.argument("code")
@click.argument("version", nargs=-1, type=int, metavar="[VERSION]")
@click.argument("file", metavar="FILE.xlsx", type=_FILE)
@click.pass_obj
def export_command(obj: HasDatabase, code: str, version: tuple[int, ...], file: Path) -> None:
    """Write a published form (the newest version if none is given) as an Excel workbook.

    \b
    Examples:
      ./manage forms export gpc-production our-checks.xlsx
      ./manage forms export gpc-production 1 our-checks.xlsx
    """
    if len(version) > 1 or file.suffix.lower() != ".xlsx":
        raise click.UsageError("用法：forms export CODE [VERSION] FILE.xlsx")
    statement = select(FormVersion).where(FormVersion.code == code).order_by(FormVersion.version.desc()).limit(1)
    if version:
        statement = statement.where(FormVersion.version == version[0])
    with obj.database.read() as session:
        found = session.scalar(statement)
    if found is None:
        wanted = f"{code} 第 {version[0]} 版" if version else code
        raise click.UsageError(f"没有发布过表单 {wanted}，请用 forms list 查看")
    write_form_workbook(file, json.loads(found.definition))
    click.echo(f"已将 {found.code} 第 {found.version} 版写入 {file}")


@forms.command("list")
@click.pass_obj
def list_command(obj: HasDatabase) -> None:
    """List the published versions of all forms.

    \b
    Example:
      ./manage forms list
    """
    with obj.database.read() as session:
        published = session.scalars(select(FormVersion).order_by(FormVersion.code, FormVersion.version)).all()
    rows = []
    for form in published:
        definition = json.loads(form.definition)
        day = form.published_at.astimezone(clock.LOCAL).date().isoformat()
        accepted = definition.get("accept_until", "")
        rows.append([form.code, str(form.version), definition["kind"], definition["title"], day, accepted])
    table(["代码", "版本", "类型", "标题", "发布日期", "旧版可用至"], rows)
