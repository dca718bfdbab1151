"""Commands for the templates of papers (文书模板): a bureau puts its own in place of a built-in one without code."""

import json
import shutil
from pathlib import Path
from typing import Any, Protocol

import click

from assets.paper import papers as printing
from assets.paper.compiling import CompilingFailed
from assets.paper.fonts import CharactersMissing, FontMissing
from assets.paper.form_sheet import fields_of, groups_of, sheet
from assets.paper.papers import SHARED, Paper, Press
from core import clock
from core.config import Settings
from core.forms.form import Form

ROOT = Path(__file__).resolve().parent.parent
_PLAIN_FORM = "gpc-production"
"""Printed blank by templates that belong to no single form."""


class HasSettings(Protocol):
    """What the command line hands to these commands."""

    @property
    def settings(self) -> Settings: ...


@click.group()
def papers() -> None:
    """Templates of papers (文书模板): list, copy to change, check the own ones.

    They are written in typst (https://typst.app/docs).
    A file in DATA_DIR/papers takes the place of the built-in template of the same name. Fonts in DATA_DIR/fonts (.ttf,
    .otf) can be named in it; 方正小标宋 (FZXiaoBiaoSong-B05S) is used for titles as soon as it lies there.
    """


@papers.command("list")
@click.pass_obj
def list_command(obj: HasSettings) -> None:
    """List the templates, and which of them the bureau has replaced.

    \b
    Example:
      ./manage papers list
    """
    for name, path in sorted(built_in().items()):
        own = own_folder(obj.settings) / name
        click.echo(f"{name}\t{'本局模板' if own.is_file() else '内置模板'}\t{_first_line(path)}")


@papers.command("copy")
@click.argument("name")
@click.pass_obj
def copy_command(obj: HasSettings, name: str) -> None:
    """Copy the built-in template NAME to DATA_DIR/papers, where it can be changed.

    \b
    Example:
      ./manage papers copy onsite-sales.typ

    \b
    Exit status:
      0  done
      1  there is no such template, or the bureau's own is there already
    """
    source, target = built_in().get(name), own_folder(obj.settings) / name
    if source is None or target.exists():
        said = "已有本局模板，未覆盖" if source is not None else "没有这份内置模板，可用的见 ./manage papers list"
        click.echo(f"{name}：{said}", err=True)
        raise click.exceptions.Exit(1)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    click.echo(f"已复制到 {target}，修改后请执行 ./manage papers check")


@papers.command("check")
@click.pass_obj
def check_command(obj: HasSettings) -> None:
    """Print each of the bureau's own templates blank; a broken one is named with its line.

    While a template is broken the built-in one is printed in its place.

    \b
    Example:
      ./manage papers check

    \b
    Exit status:
      0  all can be printed
      1  some cannot
    """
    broken = False
    templates = built_in()
    for own in sorted(own_folder(obj.settings).glob("*.typ")):
        fault = None if own.name in templates else "没有同名的内置模板，不会使用；请核对文件名"
        if fault is None:
            fault = _fault(obj.settings, templates[own.name])
        broken = broken or fault is not None
        click.echo(f"{own.name}：{fault or '可以打印'}")
    if broken:
        raise click.exceptions.Exit(1)


def own_folder(settings: Settings) -> Path:
    """Where a bureau's own templates lie."""
    return settings.data_dir / "papers"


def built_in() -> dict[str, Path]:
    """The built-in templates of records and filings, by file name; of what they share `parts.typ`."""
    folders = [
        SHARED,
        ROOT / "inspection/papers",
        ROOT / "inspection/enforcement/papers",
        *sorted((ROOT / "enterprise").glob("*/papers")),
    ]
    return {path.name: path for folder in folders for path in sorted(folder.glob("*.typ"))}


def blank(template: Path) -> Paper:
    """The paper of a form that nobody has filled in, as that template prints it."""
    form = Form.compile(_definition(template.stem) or _definition(_PLAIN_FORM) or {})
    said: dict[str, Any] = {
        "form": form.code, "title": form.title, "office": "某某市场监督管理局", "district": "某某区",
        "issued_on": "", "served_title": "",
        "decided": {"at": "", "by": "", "opinion": ""}, "prepared_by": "",
        "groups": groups_of(form, {}), "year": clock.today().year,
        "fields": fields_of(form, {}), "number": "", "org_name": "", "uscc": "",
        **sheet(form, {}),
    }  # fmt: skip
    return Paper(template.stem, template, printing.data_of(said, "", "", across="样张"))


def _definition(code: str) -> dict[str, Any] | None:
    """The newest version of a form that comes with the product."""
    found = [*ROOT.glob(f"inspection/**/forms/{code}.v*.json"), *ROOT.glob(f"enterprise/*/forms/{code}.v*.json")]
    read = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    return max(read, key=lambda form: int(form["version"]), default=None)


def _fault(settings: Settings, template: Path) -> str | None:
    press = Press(own_folder(settings), settings.data_dir / "fonts", lambda _key: b"")
    try:
        press.printed(blank(template), {})
    except (CompilingFailed, CharactersMissing, FontMissing) as error:
        return str(error)
    return None


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("// ")
