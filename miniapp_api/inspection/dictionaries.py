"""Dictionaries of a product: product items (生产产品) and test items (检验项目).

Both have the same endpoints: each function is registered under both addresses. The address decides the dictionary,
which the function receives as its argument `dictionary`.
"""

from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.workflows import history
from inspection.dictionaries import entries as dictionaries
from inspection.dictionaries import keeping
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from inspection.models import DictionaryEntry
from miniapp_api.http.answers import Untyped, answers
from miniapp_api.http.bodies import AtOnceQuery, Body
from miniapp_api.http.gates import gate

bp = APIBlueprint("dictionaries", __name__, tag="Inspection")

OF_PRODUCT_ITEMS = {"dictionary": PRODUCT_ITEMS}
OF_TEST_ITEMS = {"dictionary": TEST_ITEMS}


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
    status: Literal["active", "retired", "merged"] = Field(
        "active", description="`active` may be chosen; `retired` and `merged` are for whoever keeps the words"
    )

    def is_paged(self) -> bool:
        """Whether a page is asked for."""
        return self.q is not None or super().is_paged()


@bp.get("/products/<string:code>/items", endpoint="list_product_items", defaults=OF_PRODUCT_ITEMS)
@bp.get("/products/<string:code>/test-items", endpoint="list_test_items", defaults=OF_TEST_ITEMS)
@gate(Verb.INSPECTION_READ)
@bp.input(EntriesQuery, location="query", arg_name="query")
def list_entries(session: Session, actor: Actor, dictionary: str, code: str, query: EntriesQuery) -> dict[str, Any]:
    """The entries that may be chosen: as printed, then those added last first; `q` searches their names."""
    page = dictionaries.entries(session, actor, dictionary, code, query.q, query.status, query.request())
    return page.as_json(dictionaries.row_as_json)


@bp.put("/products/<string:code>/items/<uuid:item_id>")
@gate(Verb.INSPECTION_WRITE)
@answers(Untyped, 200, 201)
@bp.input(ProductItemBody, arg_name="body")
def add_product_item(
    session: Session, actor: Actor, code: str, item_id: UUID, body: ProductItemBody
) -> tuple[dict[str, Any], int]:
    """Add an entry under the phone's id; a name that exists answers the existing one.

    A regulation type that differs from the one it has, or that its product rarely has, is answered with a warning.
    """
    added = dictionaries.add(session, actor, PRODUCT_ITEMS, code, item_id, body.name, body.regulation_type)
    return _added_answer(*added)


@bp.put("/products/<string:code>/test-items/<uuid:item_id>")
@gate(Verb.INSPECTION_WRITE)
@answers(Untyped, 200, 201)
@bp.input(TestItemBody, arg_name="body")
def add_test_item(
    session: Session, actor: Actor, code: str, item_id: UUID, body: TestItemBody
) -> tuple[dict[str, Any], int]:
    """Add an entry under the phone's id; a name that exists answers the existing one."""
    return _added_answer(*dictionaries.add(session, actor, TEST_ITEMS, code, item_id, body.name, None))


def _added_answer(entry: DictionaryEntry, new: bool, warnings: list[dict[str, str]]) -> tuple[dict[str, Any], int]:
    return {**dictionaries.as_json(entry), "warnings": warnings}, 201 if new else 200


@bp.get("/products/<string:code>/items/<uuid:item_id>", endpoint="read_product_item", defaults=OF_PRODUCT_ITEMS)
@bp.get("/products/<string:code>/test-items/<uuid:item_id>", endpoint="read_test_item", defaults=OF_TEST_ITEMS)
@gate(Verb.INSPECTION_READ)
def read_entry(session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID) -> dict[str, Any]:
    """One entry, with its other names and former regulation types."""
    return keeping.entry_answer(session, actor, dictionaries.get_readable(session, actor, dictionary, code, item_id))


@bp.get(
    "/products/<string:code>/items/<uuid:item_id>/history", endpoint="product_item_history", defaults=OF_PRODUCT_ITEMS
)
@bp.get(
    "/products/<string:code>/test-items/<uuid:item_id>/history", endpoint="test_item_history", defaults=OF_TEST_ITEMS
)
@gate(Verb.DICTIONARIES_KEEP)
@bp.input(AtOnceQuery, location="query", arg_name="query")
def read_history(
    session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, query: AtOnceQuery
) -> dict[str, Any]:
    """What its keepers did, oldest first; for keepers."""
    entry = dictionaries.get_readable(session, actor, dictionary, code, item_id)
    keeping.refuse_part_of_province(actor, entry)
    return history.page(session, entry.id, query.request()).as_json(history.show_row)
