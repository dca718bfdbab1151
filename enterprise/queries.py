"""What is read of the register: one enterprise by its code, and the list of a reach with its search."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from accounts.models import Region
from core.actor import Reach
from core.identifiers import normalise_uscc
from core.name_search import bigrams, fold, like_pattern
from core.paging import Page, PageRequest, fetch
from enterprise.models import Enterprise, EnterpriseBigram, EnterpriseProduct

# A pair of characters that more names of the area have than this (有限, 公司) narrows nothing:
# walking the area in the order of names fills a page sooner than fetching and sorting them all.
_COMMON = 5_000
# Few enough to look no further for a rarer pair.
_RARE = 50
_PAIRS_TRIED = 8


def by_uscc(session: Session, uscc: str) -> Enterprise | None:
    """An enterprise from anywhere in the country by its unified social credit code, as typed."""
    return session.scalar(select(Enterprise).where(Enterprise.uscc == normalise_uscc(uscc)))


def search(
    session: Session,
    reach: Reach,
    *,
    q: str | None = None,
    product_code: str | None = None,
    request: PageRequest | None = None,
) -> Page:
    """The enterprises of a reach by name, optionally those whose name contains `q`; items are `Enterprise`.

    `q` is compared as `name_search.fold` writes it, `%` and `_` stand for themselves. Counting
    stops at 10 000.
    """
    request = request or PageRequest()
    conditions = _conditions(session, reach, fold(q or ""), product_code)
    if conditions is None:
        return Page([], request, 0, True)
    ordered = select(Enterprise).order_by(Enterprise.name, Enterprise.id)
    page = fetch(session, ordered, Enterprise.id, request, *conditions)
    return replace(page, items=[row[0] for row in page.items])


def named(session: Session, reach: Reach, q: str, limit: int) -> list[UUID] | None:
    """Ids of the enterprises in the provinces of a reach whose name contains `q`; None when they are more than `limit`.

    Of whole provinces, because what refers to an enterprise may lie where the enterprise was before it moved.
    """
    provinces = _provinces(session, reach)
    wide = Reach(provinces is None, tuple((1, code) for code in provinces or ()))
    conditions = _conditions(session, wide, fold(q), None)
    if conditions is None:
        return []
    ids = session.scalars(select(Enterprise.id).where(*conditions).limit(limit + 1)).all()
    return None if len(ids) > limit else list(ids)


def _conditions(
    session: Session, reach: Reach, fragment: str, product_code: str | None
) -> list[ColumnElement[bool]] | None:
    """WHERE conditions over `Enterprise` (which may draw in the other tables); None: nothing can match."""
    if not reach.national and not reach.areas:
        return None
    conditions: list[ColumnElement[bool]] = []
    area_of: Any = Enterprise
    if product_code:
        conditions += [
            EnterpriseProduct.enterprise_id == Enterprise.id,
            EnterpriseProduct.product_code == product_code,
        ]
        area_of = EnterpriseProduct
    if fragment:
        conditions.append(Enterprise.folded_name.like(like_pattern(fragment), escape="\\"))
        if len(fragment) > 1:
            provinces = _provinces(session, reach)
            pair, count = _rarest_pair(session, fragment, provinces)
            if count == 0:
                return None
            if count <= _COMMON:
                conditions += _having(pair, provinces)
                conditions.append(EnterpriseBigram.enterprise_id == Enterprise.id)
                return [*conditions, *_within(reach)]
    if not reach.national:
        conditions.append(reach.condition(area_of))
    return conditions


def _provinces(session: Session, reach: Reach) -> list[str] | None:
    """The provinces that the reach touches; None for the whole country."""
    if reach.national:
        return None
    codes = {code for _, code in reach.areas}
    return sorted(session.scalars(select(Region.area1).where(Region.code.in_(codes)).distinct()))


def _having(pair: str, provinces: list[str] | None) -> list[ColumnElement[bool]]:
    conditions = [EnterpriseBigram.bigram == pair]
    if provinces is not None:
        conditions.append(EnterpriseBigram.area1.in_(provinces))
    return conditions


def _rarest_pair(session: Session, fragment: str, provinces: list[str] | None) -> tuple[str, int]:
    """A pair of the fragment that few names have, and how many (counted to just above `_COMMON`)."""
    best = ("", _COMMON + 2)
    for pair in sorted(bigrams(fragment))[:_PAIRS_TRIED]:
        some = (
            select(EnterpriseBigram.enterprise_id)
            .where(*_having(pair, provinces))
            .limit(min(_COMMON + 1, best[1]))
            .subquery()
        )
        count = session.execute(select(func.count()).select_from(some)).scalar_one()
        if count < best[1]:
            best = (pair, count)
        if count <= _RARE:
            break
    return best


def _within(reach: Reach) -> list[ColumnElement[bool]]:
    """The reach as a test on rows found by their pair: expressions, so that no plan begins with an area."""
    if reach.national:
        return []
    columns = (Enterprise.area1, Enterprise.area2, Enterprise.area3)
    return [or_(*(func.coalesce(columns[depth - 1], "") == code for depth, code in reach.areas))]
