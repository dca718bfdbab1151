"""Products, product items (生产产品) and test items (检验项目)."""

from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.paging import whole
from enterprise.products import PRODUCTS
from inspection import dictionaries
from inspection.dictionaries import PRODUCT_ITEMS, TEST_ITEMS
from miniapp_api.answers import answers
from miniapp_api.bodies import AtOnceQuery, Body
from miniapp_api.gates import gate

bp = APIBlueprint("products", __name__, tag="Inspection")


class ProductItemBody(Body):
    """A product item to add (新增产品)."""

    name: str = Field(min_length=1, max_length=100)
    regulation_type: Literal["licence", "ccc", "other"] | None = None


class TestItemBody(Body):
    """A test item to add (新增检验项目)."""

    __test__ = False
    name: str = Field(min_length=1, max_length=100)


class EntriesQuery(AtOnceQuery):
    """A page of a dictionary, or what matches `q`; without either the first thousand entries."""

    at_once = dictionaries.LISTED
    q: str | None = Field(None, max_length=100, description="a part of the name")

    def is_paged(self) -> bool:
        """Whether a page is asked for."""
        return self.q is not None or super().is_paged()


@bp.get("/products")
@gate(Verb.INSPECTION_READ, transaction=False)
def list_products(actor: Actor) -> dict[str, Any]:
    """The thirteen products; 电线电缆 is the default."""
    return whole(
        [
            {
                "code": product.code,
                "name": product.name,
                "default": product.default,
                "regulation_types": list(product.regulation_types),
            }
            for product in PRODUCTS.values()
        ]
    )


@bp.get("/products/<string:code>/items")
@gate(Verb.INSPECTION_READ)
@bp.input(EntriesQuery, location="query", arg_name="query")
def list_product_items(session: Session, actor: Actor, code: str, query: EntriesQuery) -> dict[str, Any]:
    """The product items that may be chosen, those added last first; `q` searches their names."""
    page = dictionaries.entries(session, actor, PRODUCT_ITEMS, code, query.q, query.request())
    return page.as_json(dictionaries.show_row)


@bp.put("/products/<string:code>/items/<uuid:item_id>")
@gate(Verb.INSPECTION_WRITE)
@answers(200, 201)
@bp.input(ProductItemBody, arg_name="body")
def add_product_item(
    session: Session, actor: Actor, code: str, item_id: UUID, body: ProductItemBody
) -> tuple[dict[str, Any], int]:
    """Add a product item under the phone's id; a name that exists answers the existing one."""
    item, new = dictionaries.add(session, actor, PRODUCT_ITEMS, code, item_id, body.name, body.regulation_type)
    return item, 201 if new else 200


@bp.get("/products/<string:code>/test-items")
@gate(Verb.INSPECTION_READ)
@bp.input(EntriesQuery, location="query", arg_name="query")
def list_test_items(session: Session, actor: Actor, code: str, query: EntriesQuery) -> dict[str, Any]:
    """The test items that may be judged, those added last first; `q` searches their names."""
    page = dictionaries.entries(session, actor, TEST_ITEMS, code, query.q, query.request())
    return page.as_json(dictionaries.show_row)


@bp.put("/products/<string:code>/test-items/<uuid:item_id>")
@gate(Verb.INSPECTION_WRITE)
@answers(200, 201)
@bp.input(TestItemBody, arg_name="body")
def add_test_item(
    session: Session, actor: Actor, code: str, item_id: UUID, body: TestItemBody
) -> tuple[dict[str, Any], int]:
    """Add a test item under the phone's id; a name that exists answers the existing one."""
    item, new = dictionaries.add(session, actor, TEST_ITEMS, code, item_id, body.name, None)
    return item, 201 if new else 200
