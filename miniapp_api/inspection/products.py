"""The thirteen products (产品) that inspections are about."""

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.database.paging import whole
from enterprise.products import PRODUCTS
from inspection.dictionaries import product_types
from miniapp_api.http.gates import gate

bp = APIBlueprint("products", __name__, tag="Inspection")


@bp.get("/products")
@gate(Verb.INSPECTION_READ)
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
