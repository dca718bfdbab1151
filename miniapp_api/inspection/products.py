"""The thirteen products (产品) that inspections are about."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.database.paging import whole
from enterprise.products import PRODUCTS
from inspection.dictionaries import product_types
from miniapp_api.http.answers import Answer, Page, answers
from miniapp_api.http.filters import ProductCode
from miniapp_api.http.gates import gate
from miniapp_api.inspection.dictionaries import RegulationType

bp = APIBlueprint("products", __name__, tag="Inspection")


class Product(Answer):
    """A product category (重点产品)."""

    code: ProductCode
    name: str
    default: bool = Field(description="true of the one that is chosen at first, 电线电缆")
    regulation_types: list[RegulationType] = Field(description="those that fit the product, the usual one first")


@bp.get("/products")
@gate(Verb.INSPECTION_READ)
@answers(Page[Product])
def list_products(session: Session, actor: Actor) -> dict[str, Any]:
    """The thirteen products with the regulation types that fit them; 电线电缆 is the default."""
    fitting = product_types.all_fitting(session)
    return whole(
        [
            {
                "code": product.code,
                "name": product.name,
                "default": product.default,
                "regulation_types": list(fitting[product.code]),
            }
            for product in PRODUCTS.values()
        ]
    )
