"""Commands for filings (办件) of all systems."""

from pathlib import Path

import click

from enterprise.filings.drawings import page
from enterprise.systems import KINDS

_PAGE = Path(__file__).resolve().parent.parent / "docs" / "workflows.md"


@click.group()
def filings() -> None:
    """Filings of enterprises."""


@filings.command("draw")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=_PAGE)
def draw_command(file: Path) -> None:
    """Draw the workflow of every kind of filing into FILE (docs/workflows.md when none is named).

    The drawings are made from the declarations; run it after a kind was changed.

    \b
    Examples:
      ./manage filings draw
      ./manage filings draw /tmp/workflows.md
    """
    try:
        file.write_text(page(KINDS), encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"无法写入“{file}”，请检查目录是否存在、是否有写入权限") from error
    click.echo(f"已写入 {file}：{len(KINDS)} 种办件")
