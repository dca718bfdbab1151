"""Commands for catalogues (目录词典): `./manage catalogues hs_codes import FILE`."""

from pathlib import Path

import click

from core.commands import HasDatabase
from enterprise.catalogues.declared import CATALOGUES, Catalogue
from enterprise.catalogues.importing import CatalogueFacts, open_catalogue
from enterprise.imports.import_command import import_command
from enterprise.imports.table_import import TableImport


@click.group()
def catalogues() -> None:
    """Catalogues that forms search: HS codes, product features, indicators."""


def _group_of(catalogue: Catalogue) -> click.Group:
    group = click.Group(f"catalogues {catalogue.code}", help=f"The catalogue {catalogue.code} ({catalogue.title}).")

    def importer(obj: HasDatabase, file: Path, sheet: str | None) -> TableImport[CatalogueFacts]:
        return open_catalogue(obj.database, file, catalogue, sheet=sheet)

    further = "、".join(["顺序", "有效期起", "有效期止", *(detail.heading for detail in catalogue.details)])
    needed = "代码, 名称 and 上级代码" if catalogue.below else "代码 and 名称"
    importer.__doc__ = f"""Import {catalogue.title} from FILE (.xlsx or .csv).

    Columns are found by their Chinese headings, in any order; needed are {needed}; known are also {further}. Format the
    column of codes as text. Entries that the file does not have stay as they are; what has ended gets a 有效期止.
    """
    import_command(group, f"导入{catalogue.title}")(importer)
    return group


for _catalogue in CATALOGUES.values():
    catalogues.add_command(_group_of(_catalogue), _catalogue.code)
