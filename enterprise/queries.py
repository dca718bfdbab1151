"""What is read of the register: one enterprise by its code, and the list of a scope with its search."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from accounts.models import Region
from accounts.queries import provinces_of
from core.actor import Scope
from core.database.name_search import having, like_pattern, rarest_pair
from core.database.paging import Page, PageRequest, ascending, fetch, nothing
from core.identifiers import normalise_uscc
from core.text import fold
from enterprise.models import AREAS, REGISTRATION, Enterprise, EnterpriseBigram, EnterpriseProduct

# A pair of characters that more names of the area have than this (有限, 公司) narrows nothing:
# walking the area in the order of names fills a page sooner than fetching and sorting them all.
_COMMON = 5_000
_BY_NAME = ascending("enterprises", Enterprise.name, Enterprise.id)


def by_uscc(session: Session, uscc: str) -> Enterprise | None:
    """An enterprise from anywhere in the country by its unified social credit code, as typed."""
    return session.scalar(
        select(Enterprise).where(Enterprise.uscc == normalise_uscc(uscc), Enterprise.source != REGISTRATION)
    )


def search(
    session: Session,
    scope: Scope,
    *,
    q: str | None = None,
    product_code: str | None = None,
    request: PageRequest | None = None,
    within: Sequence[ColumnElement[bool]] = (),
    only: Sequence[ColumnElement[bool]] = (),
) -> Page:
    """The enterprises of a scope by name, optionally those whose name contains `q`; items are `Enterprise`.

    `within` are conditions over `Enterprise` that name a region of the scope, `only` any others.

    `q` is compared as `name_search.fold` writes it, `%` and `_` stand for themselves. Counting
    stops at 10 000.
    """
    request = request or PageRequest()
    conditions = _conditions(session, scope, fold(q or ""), product_code, within)
    if conditions is None:
        return nothing(_BY_NAME, request)
    registered = Enterprise.source != REGISTRATION
    page = fetch(session, select(Enterprise), _BY_NAME, request, *conditions, registered, *only)
    return replace(page, items=[row[0] for row in page.items])


def named(session: Session, scope: Scope, q: str, limit: int) -> list[UUID] | None:
    """Ids of the enterprises in the provinces of a scope whose name contains `q`; None when they are more than `limit`.

    Of whole provinces, because what refers to an enterprise may lie where the enterprise was before it moved.
    """
    provinces = provinces_of(session, scope)
    wide = Scope(provinces is None, tuple((1, code) for code in provinces or ()))
    conditions = _conditions(session, wide, fold(q), None)
    if conditions is None:
        return []
    ids = session.scalars(select(Enterprise.id).where(*conditions).limit(limit + 1)).all()
    return None if len(ids) > limit else list(ids)


def _conditions(
    session: Session,
    scope: Scope,
    fragment: str,
    product_code: str | None,
    within: Sequence[ColumnElement[bool]] = (),
) -> list[ColumnElement[bool]] | None:
    """WHERE conditions over `Enterprise` (which may draw in the other tables); None: nothing can match."""
    if not scope.national and not scope.areas:
        return None
    conditions: list[ColumnElement[bool]] = [*within]
    area_of: Any = Enterprise
    if product_code:
        conditions += [
            EnterpriseProduct.enterprise_id == Enterprise.id,
            EnterpriseProduct.product_code == product_code,
        ]
        area_of = EnterpriseProduct
    if fragment:
        conditions.append(Enterprise.folded_name.like(like_pattern(fragment), escape="\\"))
        provinces = provinces_of(session, scope)
        pair, count = rarest_pair(session, EnterpriseBigram, fragment, provinces, _COMMON)
        if count == 0:
            return None
        if count <= _COMMON:
            conditions += having(EnterpriseBigram, pair, provinces)
            conditions.append(EnterpriseBigram.enterprise_id == Enterprise.id)
            return [*conditions, scope.unindexed_condition(Enterprise)]
    # Where a region is named, its index is the one to use.
    return [*conditions, scope.unindexed_condition(area_of) if within else scope.condition(area_of)]


def name_of_place(session: Session, place: Enterprise | Mapping[str, Any]) -> str:
    """The name of the region in which an enterprise lies, which its bureau (市场监管局) bears too.

    `place`: an enterprise, or its columns.
    """
    areas = [place[area] if isinstance(place, Mapping) else getattr(place, area) for area in AREAS]
    code = next(code for code in reversed(areas) if code is not None)
    return session.get_one(Region, code).name
