"""Which regulation types (监管类型) fit a product: by the catalogue (spec §2.1), or as the administrator sets it."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import clock
from core.db import dialect_of, insert_into
from enterprise.products import PRODUCTS
from inspection.dictionaries.models import ProductTypes


def fitting(session: Session, product_code: str) -> tuple[str, ...]:
    """Those that fit one product, the usual one first."""
    chosen = session.get(ProductTypes, product_code)
    return PRODUCTS[product_code].regulation_types if chosen is None else tuple(chosen.regulation_types)


def all_fitting(session: Session) -> dict[str, tuple[str, ...]]:
    """Those that fit each of the thirteen products."""
    chosen = {row.product_code: tuple(row.regulation_types) for row in session.scalars(select(ProductTypes))}
    return {code: chosen.get(code, product.regulation_types) for code, product in PRODUCTS.items()}


def set_fitting(session: Session, product_code: str, regulation_types: Sequence[str], by: str) -> None:
    """From now on these fit the product; none: what the catalogue assumes. Entries added before stay as they are."""
    if not regulation_types:
        session.execute(delete(ProductTypes).where(ProductTypes.product_code == product_code))
        return
    chosen = {"regulation_types": list(dict.fromkeys(regulation_types)), "set_by": by, "set_at": clock.now()}
    statement = insert_into(dialect_of(session), ProductTypes).values(product_code=product_code, **chosen)
    session.execute(statement.on_conflict_do_update(index_elements=["product_code"], set_=chosen))
