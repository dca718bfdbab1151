"""Campaigns (专项自查): a kind of filing opened for all enterprises of a region, as an administrator orders it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from accounts.models import Region
from accounts.regions.loading import current_region
from core import clock
from core.db import Database
from core.errors import invalid
from core.text import clean_line, demanded
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.steps.opening import open_for_all, without
from enterprise.models import REGISTRATION, Enterprise, EnterpriseProduct
from enterprise.products import PRODUCTS

_BATCH = 200
Progress = Callable[[int, int], None]
"""Called after each batch with the enterprises that are done, and all of them."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is opened for whom: a kind, a region, one product category or all; `title` distinguishes two campaigns.

    `title_region` precedes the titles of its papers (spec/a §10); without one it is the region's name.
    """

    kind: FilingKind
    region: Region
    product_code: str | None = None
    title: str | None = None
    due_on: date | None = None
    title_region: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """How many enterprises match, and for how many a filing was opened (or would be)."""

    matched: int
    opened: int


def campaign(
    session: Session,
    engine: Filings,
    kind_code: str,
    region_code: str,
    product_code: str | None = None,
    title: str | None = None,
    due_on: date | None = None,
    title_region: str | None = None,
) -> Campaign:
    """Raises 422 for a kind that cannot be opened in bulk, an unknown region or product, or a day that is over."""
    kind = engine.kinds.get(kind_code)
    if kind is None:
        raise invalid("/kind", "unknown_kind", f"没有这种办件，可选：{'、'.join(engine.kinds)}")
    if kind.subject_type is not None or kind.due_from is not None:
        raise invalid("/kind", "unknown_kind", f"“{kind.title}”不能批量发起，请逐件发起")
    region = current_region(session, region_code)
    if region is None:
        raise invalid("/region", "unknown_region", "没有这个行政区划代码，请核对后重试")
    if product_code is not None and product_code not in PRODUCTS:
        raise invalid("/product", "unknown_product", f"没有这个产品类别，可选：{'、'.join(PRODUCTS)}")
    if title is not None:
        title = demanded(clean_line(title), "/title", "请填写名称")
    if title is not None and not 0 < len(title) <= 200:
        raise invalid("/title", "too_long", "名称应为1到200个字，请重新填写")
    if due_on is not None and due_on < clock.today():
        raise invalid("/due_on", "out_of_range", "截止日期不能早于今天，请重新选择")
    if title_region is not None:
        title_region = demanded(clean_line(title_region), "/title_region", "请填写标题中的地区名称")
        if len(title_region) > 50:
            raise invalid("/title_region", "too_long", "标题中的地区名称不能超过50个字，请缩短后重试")
    return Campaign(kind, region, product_code, title, due_on, title_region or region.name)


def run(database: Database, engine: Filings, ordered: Campaign, *, dry: bool, progress: Progress) -> Opened:
    """Open them in batches, each a transaction; done again it opens what is missing. `dry`: only count."""
    with database.read() as session:
        total = session.execute(
            select(func.count()).select_from(_matching(ordered).with_only_columns(Enterprise.id).subquery())
        ).scalar_one()
    matched = opened = 0
    for ids in _batches(database, ordered):
        with database.read() if dry else database.write() as session:
            enterprises = session.scalars(select(Enterprise).where(Enterprise.id.in_(ids))).all()
            opened += _open(session, engine, ordered, enterprises, dry=dry)
        matched += len(ids)
        progress(matched, max(total, matched))
    return Opened(matched, opened)


def _open(session: Session, engine: Filings, ordered: Campaign, enterprises: Sequence[Enterprise], *, dry: bool) -> int:
    if dry:
        return len(without(session, ordered.kind, enterprises, about=None, title=ordered.title))
    return open_for_all(
        session, engine, ordered.kind, enterprises, title=ordered.title, due_on=ordered.due_on,
        title_region=ordered.title_region,
    )  # fmt: skip


def _batches(database: Database, ordered: Campaign) -> Iterator[list[UUID]]:
    after: UUID | None = None
    while True:
        statement = _matching(ordered).with_only_columns(Enterprise.id).order_by(Enterprise.id).limit(_BATCH)
        with database.read() as session:
            ids = list(session.scalars(statement if after is None else statement.where(Enterprise.id > after)))
        if not ids:
            return
        yield ids
        after = ids[-1]


def _matching(ordered: Campaign) -> Select[Enterprise]:
    column = (Enterprise.area1, Enterprise.area2, Enterprise.area3)[ordered.region.depth - 1]
    statement = select(Enterprise).where(column == ordered.region.code, Enterprise.source != REGISTRATION)
    if ordered.product_code is None:
        return statement
    return statement.where(
        Enterprise.id.in_(
            select(EnterpriseProduct.enterprise_id).where(EnterpriseProduct.product_code == ordered.product_code)
        )
    )
