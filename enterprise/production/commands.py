"""Commands for production licences (工业产品生产许可)."""

from pathlib import Path

import click

from core.commands import HasDatabase
from core.errors import Problem
from core.forms.library import FormLibrary
from core.workflows.events import Events
from core.workflows.subjects import SubjectRegistry
from enterprise.imports.import_command import import_command
from enterprise.imports.table_import import TableImport
from enterprise.production.kinds import declaration
from enterprise.production.licence_import import LicenceRow, open_licences
from enterprise.systems import filing_engine


@click.group()
def licences() -> None:
    """The register of production licences."""


@import_command(licences, "导入生产许可证")
def import_licences_command(obj: HasDatabase, file: Path, sheet: str | None) -> TableImport[LicenceRow]:
    """Import a register of licences from FILE (.xlsx or .csv).

    Columns are found by their Chinese headings, in any order; needed are
    证书编号, 统一社会信用代码, 产品类别 and 产品明细; known are also 发证日期, 有效期至, 发证机关 and
    状态 (有效, 过期, 注销, 撤销 or 吊销). The enterprises must be in the register already. For each
    licence its enterprise finds a row 更新申报 among its filings.
    """
    forms = FormLibrary(obj.database)
    try:
        forms.get(declaration.KIND.form_code)
    except Problem as problem:
        raise Problem("not_ready", "数据申报的表单尚未发布，请先执行 ./manage prepare") from problem
    engine = filing_engine(forms, SubjectRegistry(), Events())
    return open_licences(obj.database, engine, file, sheet=sheet)
