"""Commands for filings (办件) of all systems."""

from datetime import datetime
from pathlib import Path

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from core.commands import HasDatabase
from core.forms.library import FormLibrary
from core.workflows.events import Events
from core.workflows.subjects import SubjectRegistry
from enterprise.filings.declaring.drawings import page
from enterprise.filings.many import campaigns
from enterprise.systems import KINDS, filing_engine

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


@filings.command("open")
@click.option("--kind", "kind_code", metavar="CODE", required=True, help="Which kind, for example self_check_sales.")
@click.option("--region", "region_code", metavar="CODE", required=True, help="All enterprises of this region.")
@click.option("--product", "product_code", metavar="CODE", help="Only those of this product category.")
@click.option("--title", help="Title that distinguishes this campaign from others of the kind; else the kind's own.")
@click.option("--due-on", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="To-dos are red after this day.")
@click.option("--title-region", help="Leads the titles of the papers, for example 天宁区; else the name of the region.")
@click.option("--dry-run", is_flag=True, help="Only say for how many; change nothing.")
@click.pass_obj
def open_command(
    obj: HasDatabase,
    kind_code: str,
    region_code: str,
    product_code: str | None,
    title: str | None,
    due_on: datetime | None,
    title_region: str | None,
    dry_run: bool,
) -> None:
    """Open a filing for every enterprise of a region: a campaign (专项自查).

    Enterprises that have one of that kind and title are passed over, so that the command may be
    interrupted and run again. A kind that is about something (a licence, a topic, a problem found)
    is opened one by one by those who know it, not here.

    \b
    Examples:
      ./manage filings open --kind self_check_production --region 320400 --product 06 --dry-run
      ./manage filings open --kind self_check_sales --region 320402 --title 2027年春季自查 --due-on 2027-03-31

    \b
    Exit status:
      0  every enterprise has one
      1  refused; nothing was changed
    """
    engine = filing_engine(FormLibrary(obj.database), SubjectRegistry(), Events())
    with obj.database.read() as session:
        day = due_on.date() if due_on else None
        ordered = campaigns.campaign(session, engine, kind_code, region_code, product_code, title, day, title_region)
        engine.forms.get(ordered.kind.form_code)
    with tqdm(unit="家", disable=None, desc="发起办件") as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = campaigns.run(obj.database, engine, ordered, dry=dry_run, progress=show)
    done, passed = ("将发起", "将略过") if dry_run else ("已发起", "已略过")
    click.echo(f"符合条件的企业{report.matched}家：{done}{report.opened}件，{passed}{report.matched - report.opened}家")
