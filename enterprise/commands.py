"""Commands for the register of enterprises."""

from pathlib import Path

import click

from core.commands import HasDatabase
from enterprise.imports.import_command import import_command
from enterprise.imports.register_import import RegisterImport, open_register
from enterprise.systems import follow_register


@click.group()
def enterprises() -> None:
    """The register of enterprises."""


@import_command(enterprises, "导入企业名录")
def import_enterprises_command(obj: HasDatabase, file: Path, sheet: str | None) -> RegisterImport:
    """Import a register of enterprises from FILE (.xlsx or .csv).

    Columns are found by their Chinese headings, in any order; needed are
    统一社会信用代码, 企业名称 and 行政区划代码 (six digits, or the name of the county); known are
    also 住所, 生产地址, 法定代表人, 企业规模 and 产品类别 (codes or names, separated by 、). Format the
    column of codes as text: as numbers Excel keeps only 15 digits.
    """
    return open_register(obj.database, file, on_move=follow_register, sheet=sheet)
