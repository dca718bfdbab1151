"""Commands for the dictionaries: product items and test items, of a province or of the whole country."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select

from accounts.administration.operations import login
from core.commands import HasDatabase, table
from enterprise.products import PRODUCTS, REGULATION_TYPES
from inspection import campaigns
from inspection.dictionaries import keeping, product_types
from inspection.dictionaries.entries import ACTIVE, MERGED, PRODUCT_ITEMS, RETIRED, TEST_ITEMS
from inspection.dictionaries.keeping import KEEPING
from inspection.dictionaries.models import DictionaryEntry
from inspection.dictionaries.seeds import load_seeds

_ENTRY_ID = click.argument("entry_id", metavar="ID", type=click.UUID)


@click.group()
def dictionaries() -> None:
    """Dictionaries of product items and test items.

    Entries that inspectors added are kept by their province (the role `dictionary_keeper`, and the province's
    `account_approver`); here those of every province and of the whole country can be kept.
    """


@dictionaries.command("load")
@click.pass_obj
def load_command(obj: HasDatabase) -> None:
    """Load the entries that come with the product, and the standing campaign (专项行动).

    Loading again changes nothing; entries that inspectors added, and what a keeper changed, stay.

    \b
    Example:
      ./manage dictionaries load
    """
    with obj.database.write() as session:
        new = load_seeds(session)
        campaign = campaigns.load_standing(session)
    click.echo(f"词条：新增 {new}；专项行动：新增 {int(campaign)}")


@dictionaries.command("list")
@click.argument("code", metavar="PRODUCT", type=click.Choice(list(PRODUCTS)))
@click.option("--test-items", is_flag=True, help="Test items (检验项目) instead of product items.")
@click.option("--status", type=click.Choice([ACTIVE, RETIRED, MERGED]), default=ACTIVE, show_default=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True)
@click.pass_obj
def list_command(obj: HasDatabase, code: str, test_items: bool, status: str, limit: int) -> None:
    """List the entries of PRODUCT with their ids, those of the whole country first.

    \b
    Examples:
      ./manage dictionaries list 06
      ./manage dictionaries list 06 --test-items --status retired
    """
    with obj.database.read() as session:
        found = session.scalars(
            select(DictionaryEntry)
            .where(
                DictionaryEntry.dictionary == (TEST_ITEMS if test_items else PRODUCT_ITEMS),
                DictionaryEntry.product_code == code,
                DictionaryEntry.status == status,
            )
            .order_by(DictionaryEntry.area1, DictionaryEntry.created_at, DictionaryEntry.id)
            .limit(limit)
        ).all()
        rows = [[str(one.id), one.name, *_described(one)] for one in found]
    if rows:
        table(["编号", "名称", "监管类型", "范围", "说明"], rows)
    click.echo(f"共 {len(rows)} 个{KEEPING.statuses[status]}的词条")


def _described(entry: DictionaryEntry) -> list[str]:
    notes = [f"建议项，依据 {entry.source}"] if entry.proposed else []
    notes += [f"{entry.retired_on} 停用"] if entry.retired_on else []
    notes += [f"并入 {entry.alias_of}"] if entry.alias_of else []
    return [REGULATION_TYPES.get(entry.regulation_type or "", ""), entry.area1 or "全国", "；".join(notes)]


def _act(obj: HasDatabase, entry_id: UUID, action: str, body: dict[str, Any]) -> None:
    with obj.database.write() as session:
        entry = keeping.keep_by_administrator(session, entry_id, action, body, login())
        shown = f"“{entry.name}”：{KEEPING.statuses[entry.status]}，第 {entry.version} 版"
    click.echo(f"{shown}；各服务进程 5 秒内生效")


def _reason(*, required: bool) -> Callable[[Any], Any]:
    return click.option("--reason", required=required, help="Why; it stands in the history.")


@dictionaries.command("rename")
@_ENTRY_ID
@click.argument("name", metavar="NAME")
@_reason(required=False)
@click.pass_obj
def rename_command(obj: HasDatabase, entry_id: UUID, name: str, reason: str | None) -> None:
    """Give an entry another NAME; its former one leads to it, records keep the one of their time.

    \b
    Example:
      ./manage dictionaries rename 8733864b-d53c-5c6e-95ad-f8b90280418a 架空绞线
    """
    _act(obj, entry_id, "rename", {"name": name, "reason": reason})


@dictionaries.command("retype")
@_ENTRY_ID
@click.argument("kind", metavar="TYPE", type=click.Choice(list(REGULATION_TYPES)))
@_reason(required=True)
@click.pass_obj
def retype_command(obj: HasDatabase, entry_id: UUID, kind: str, reason: str) -> None:
    """Correct the regulation type (监管类型) of a product item; checks until today may have the former one.

    \b
    Example:
      ./manage dictionaries retype 8733864b-d53c-5c6e-95ad-f8b90280418a licence --reason 登记有误
    """
    _act(obj, entry_id, "retype", {"regulation_type": kind, "reason": reason})


@dictionaries.command("retire")
@_ENTRY_ID
@_reason(required=True)
@click.pass_obj
def retire_command(obj: HasDatabase, entry_id: UUID, reason: str) -> None:
    """Offer an entry no longer; checks of later days that name it are refused.

    \b
    Example:
      ./manage dictionaries retire 8733864b-d53c-5c6e-95ad-f8b90280418a --reason 不再实行许可
    """
    _act(obj, entry_id, "retire", {"reason": reason})


@dictionaries.command("restore")
@_ENTRY_ID
@_reason(required=False)
@click.pass_obj
def restore_command(obj: HasDatabase, entry_id: UUID, reason: str | None) -> None:
    """Offer a retired entry again, or make one that was merged an entry of its own again.

    \b
    Example:
      ./manage dictionaries restore 8733864b-d53c-5c6e-95ad-f8b90280418a
    """
    _act(obj, entry_id, "restore", {"reason": reason})


@dictionaries.command("merge")
@_ENTRY_ID
@click.argument("into", metavar="INTO", type=click.UUID)
@_reason(required=False)
@click.pass_obj
def merge_command(obj: HasDatabase, entry_id: UUID, into: UUID, reason: str | None) -> None:
    """Make an entry another name of INTO, an entry of the same product and regulation type; its id stays valid.

    \b
    Example:
      ./manage dictionaries merge 0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10 8733864b-d53c-5c6e-95ad-f8b90280418a
    """
    _act(obj, entry_id, "merge", {"into": into, "reason": reason})


@dictionaries.command("adopt")
@_ENTRY_ID
@_reason(required=False)
@click.pass_obj
def adopt_command(obj: HasDatabase, entry_id: UUID, reason: str | None) -> None:
    """Confirm an entry that was proposed from a public standard: it is no longer marked as a proposal.

    \b
    Example:
      ./manage dictionaries adopt 8733864b-d53c-5c6e-95ad-f8b90280418a
    """
    _act(obj, entry_id, "adopt", {"reason": reason})


@dictionaries.command("types")
@click.argument("code", metavar="PRODUCT", type=click.Choice(list(PRODUCTS)))
@click.argument("kinds", metavar="[TYPE]...", nargs=-1, type=click.Choice(list(REGULATION_TYPES)))
@click.option("--reset", is_flag=True, help="Back to what the catalogue assumes.")
@click.pass_obj
def types_command(obj: HasDatabase, code: str, kinds: tuple[str, ...], reset: bool) -> None:
    """Show, or say, which regulation types (监管类型) fit PRODUCT, the usual one first.

    Product items of another type are still taken, with a warning.

    \b
    Examples:
      ./manage dictionaries types 05
      ./manage dictionaries types 05 licence ccc
      ./manage dictionaries types 05 --reset
    """
    if kinds or reset:
        with obj.database.write() as session:
            product_types.set_fitting(session, code, () if reset else kinds, login())
    with obj.database.read() as session:
        fitting = product_types.fitting(session, code)
    click.echo(f"{PRODUCTS[code].name}：{'、'.join(REGULATION_TYPES[one] for one in fitting)}")
