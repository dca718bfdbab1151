"""Dictionaries of a product: product items (生产产品) and test items (检验项目).

Both have the same endpoints: each function is registered under both addresses. The address decides the dictionary,
which the function receives as its argument `dictionary`.
"""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.workflows import history
from inspection.dictionaries import entries as dictionaries
from inspection.dictionaries import keeping, models
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from miniapp_api.http.answers import Answer, HistoryRow, Page, Warning, absent, answers
from miniapp_api.http.bodies import AtOnceQuery, Body
from miniapp_api.http.gates import gate

bp = APIBlueprint("dictionaries", __name__, tag="Inspection")

RegulationType = Literal["licence", "ccc", "other"]
EntryStatus = Literal["active", "retired", "merged"]

OF_PRODUCT_ITEMS = {"dictionary": PRODUCT_ITEMS}
OF_TEST_ITEMS = {"dictionary": TEST_ITEMS}


class ProductItemBody(Body):
    """A product item to add (新增产品)."""

    name: str = Field(min_length=1, max_length=100)
    regulation_type: RegulationType | None = None


class TestItemBody(Body):
    """A test item to add (新增检验项目)."""

    __test__ = False
    name: str = Field(min_length=1, max_length=100)


class DictionaryEntry(Answer):
    """An entry of a dictionary; only product items have a regulation type."""

    id: UUID
    name: str
    is_custom: bool = Field(description="whether it was added in a province")
    status: EntryStatus
    version: int
    retired_on: date | None = Field(description="the last day on which it may be used")
    merged_into: UUID | None
    proposed: bool = Field(description="taken from a public standard, and confirmed by no keeper yet")
    source: str | None = Field(description="the public standard")
    regulation_type: RegulationType | None = absent("product items only")


class AddedEntry(DictionaryEntry):
    """The entry to which the phone's id leads from now on."""

    warnings: list[Warning]


class FormerType(Answer):
    """A regulation type that an entry had."""

    regulation_type: RegulationType
    until: date = Field(description="the last day")


class DictionaryEntryDetails(DictionaryEntry):
    """An entry with its other names."""

    other_names: list[str]
    former_types: list[FormerType]
    added_by: str | None = Field(description="user name; null for whoever does not keep the dictionary")
    added_at: datetime


class KeptEntry(DictionaryEntryDetails):
    """An entry after an action of its keeper."""

    warnings: list[Warning]


class EntryContent(Answer):
    """What an entry said after a move."""

    name: str
    regulation_type: RegulationType | None
    alias_of: UUID | None
    retired_on: date | None


class EntryMove(HistoryRow):
    """A move of an entry."""

    model_config = ConfigDict(extra="forbid")

    changed: dict[str, list[str | None]] = absent("by field of the content: before and after")
    content: EntryContent = absent()
    reason: str | None = absent()


class EntriesQuery(AtOnceQuery):
    """Filters of the entries; without `q` and without a page the first thousand come at once."""

    at_once = dictionaries.LISTED
    q: str | None = Field(None, max_length=100, description="a part of the name")
    status: EntryStatus = Field(
        "active", description="`active` may be chosen; `retired` and `merged` are for whoever keeps the words"
    )

    def is_paged(self) -> bool:
        """Whether a page is asked for."""
        return self.q is not None or super().is_paged()


@bp.get("/products/<string:code>/items", endpoint="list_product_items", defaults=OF_PRODUCT_ITEMS)
@bp.get("/products/<string:code>/test-items", endpoint="list_test_items", defaults=OF_TEST_ITEMS)
@gate(Verb.INSPECTION_READ)
@answers(Page[DictionaryEntry])
@bp.input(EntriesQuery, location="query", arg_name="query")
def list_entries(session: Session, actor: Actor, dictionary: str, code: str, query: EntriesQuery) -> dict[str, Any]:
    """The entries that may be chosen: printed ones in their order, then added ones, newest first."""
    page = dictionaries.entries(session, actor, dictionary, code, query.q, query.status, query.request())
    return page.as_json(dictionaries.row_as_json)


@bp.put("/products/<string:code>/items/<uuid:item_id>")
@gate(Verb.INSPECTION_WRITE)
@answers(AddedEntry, 200, 201)
@bp.input(ProductItemBody, arg_name="body")
def add_product_item(
    session: Session, actor: Actor, code: str, item_id: UUID, body: ProductItemBody
) -> tuple[dict[str, Any], int]:
    """Add an entry under the phone's id; for a name that exists the existing entry is answered.

    A warning says when the existing entry has another regulation type, or when the type is unusual for the product.
    """
    added = dictionaries.add(session, actor, PRODUCT_ITEMS, code, item_id, body.name, body.regulation_type)
    return _added_answer(*added)


@bp.put("/products/<string:code>/test-items/<uuid:item_id>")
@gate(Verb.INSPECTION_WRITE)
@answers(AddedEntry, 200, 201)
@bp.input(TestItemBody, arg_name="body")
def add_test_item(
    session: Session, actor: Actor, code: str, item_id: UUID, body: TestItemBody
) -> tuple[dict[str, Any], int]:
    """Add an entry under the phone's id; for a name that exists the existing entry is answered."""
    return _added_answer(*dictionaries.add(session, actor, TEST_ITEMS, code, item_id, body.name, None))


def _added_answer(
    entry: models.DictionaryEntry, new: bool, warnings: list[dict[str, str]]
) -> tuple[dict[str, Any], int]:
    return {**dictionaries.as_json(entry), "warnings": warnings}, 201 if new else 200


@bp.get("/products/<string:code>/items/<uuid:item_id>", endpoint="read_product_item", defaults=OF_PRODUCT_ITEMS)
@bp.get("/products/<string:code>/test-items/<uuid:item_id>", endpoint="read_test_item", defaults=OF_TEST_ITEMS)
@gate(Verb.INSPECTION_READ)
@answers(DictionaryEntryDetails)
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
@answers(Page[EntryMove])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def read_history(
    session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, query: AtOnceQuery
) -> dict[str, Any]:
    """The moves of an entry, oldest first; for keepers of the dictionary."""
    entry = dictionaries.get_readable(session, actor, dictionary, code, item_id)
    keeping.refuse_part_of_province(actor, entry)
    return history.page(session, entry.id, query.request()).as_json(history.as_json)
