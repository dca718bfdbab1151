"""Products, product items (生产产品) and test items (检验项目)."""

from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core import history
from core.actor import Actor
from core.database.paging import whole
from enterprise.products import PRODUCTS
from inspection.dictionaries import entries as dictionaries
from inspection.dictionaries import keeping as word_keeping
from inspection.dictionaries import product_types
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from miniapp_api.http.answers import Untyped, answers
from miniapp_api.http.bodies import AsSent, AtOnceQuery, Body
from miniapp_api.http.gates import AfterCommit, gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("products", __name__, tag="Inspection")


class ProductItemBody(Body):
    """A product item to add (新增产品)."""

    name: str = Field(min_length=1, max_length=100)
    regulation_type: Literal["licence", "ccc", "other"] | None = None


class TestItemBody(Body):
    """A test item to add (新增检验项目)."""

    __test__ = False
    name: str = Field(min_length=1, max_length=100)


class KeptBody(AsSent):
    """What every action of a keeper sends: the version that was read, and why."""

    version: int = Field(ge=1)
    reason: str | None = Field(None, max_length=500)


class ReasonedBody(KeptBody):
    """An action that wants a reason."""

    reason: str = Field(min_length=1, max_length=500)


class RenameBody(KeptBody):
    """The name from now on."""

    name: str = Field(min_length=1, max_length=100)


class RetypeBody(ReasonedBody):
    """The regulation type (监管类型) from now on."""

    regulation_type: Literal["licence", "ccc", "other"]


class MergeBody(KeptBody):
    """The entry that it becomes another name of."""

    into: UUID = Field(strict=False)


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


def _word_endpoints(noun: str, dictionary: str, body_type: type[Body], word: str) -> None:
    """A dictionary's list, its entries, adding, and the actions of its keeper (词条管理)."""
    place = f"/products/<string:code>/{noun}"

    @bp.get(place, endpoint=f"list_{word}s")
    @gate(Verb.INSPECTION_READ)
    @bp.input(EntriesQuery, location="query", arg_name="query")
    def list_entries(session: Session, actor: Actor, code: str, query: EntriesQuery) -> dict[str, Any]:
        """The entries that may be chosen: as printed, then those added last first; `q` searches their names."""
        page = dictionaries.entries(session, actor, dictionary, code, query.q, query.status, query.request())
        return page.as_json(dictionaries.row_as_json)

    @bp.put(f"{place}/<uuid:item_id>", endpoint=f"add_{word}")
    @gate(Verb.INSPECTION_WRITE)
    @answers(Untyped, 200, 201)
    @bp.input(body_type, arg_name="body")
    def add(session: Session, actor: Actor, code: str, item_id: UUID, body: Any) -> tuple[dict[str, Any], int]:
        """Add an entry under the phone's id; a name that exists answers the existing one.

        A regulation type that differs from the one it has, or that its product rarely has, is answered with a warning.
        """
        kind = getattr(body, "regulation_type", None)
        entry, new, warnings = dictionaries.add(session, actor, dictionary, code, item_id, body.name, kind)
        return {**dictionaries.as_json(entry), "warnings": warnings}, 201 if new else 200

    @bp.get(f"{place}/<uuid:item_id>", endpoint=f"read_{word}")
    @gate(Verb.INSPECTION_READ)
    def read(session: Session, actor: Actor, code: str, item_id: UUID) -> dict[str, Any]:
        """One entry, with its other names and former regulation types."""
        return word_keeping.entry_answer(
            session, actor, dictionaries.get_readable(session, actor, dictionary, code, item_id)
        )

    @bp.get(f"{place}/<uuid:item_id>/history", endpoint=f"{word}_history")
    @gate(Verb.DICTIONARIES_KEEP)
    @bp.input(AtOnceQuery, location="query", arg_name="query")
    def read_history(session: Session, actor: Actor, code: str, item_id: UUID, query: AtOnceQuery) -> dict[str, Any]:
        """What its keepers did, oldest first; for keepers."""
        entry = dictionaries.get_readable(session, actor, dictionary, code, item_id)
        word_keeping.refuse_part_of_province(actor, entry)
        return history.page(session, entry.id, query.request()).as_json(history.show_row)

    def keeper_endpoint(action: str, action_body: type[AsSent], summary: str) -> None:
        def act(session: Session, actor: Actor, code: str, item_id: UUID, body: AsSent) -> AfterCommit:
            sent = body.model_dump(mode="json", exclude_none=True)
            entry, warnings = word_keeping.keep(session, actor, dictionary, code, item_id, action, sent)
            answer = {**word_keeping.entry_answer(session, actor, entry), "warnings": warnings}

            def tell() -> dict[str, Any]:
                wiring().tools.dictionary.forget()
                return answer

            return AfterCommit(tell)

        act.__doc__ = summary
        guarded = gate(Verb.DICTIONARIES_KEEP)(bp.input(action_body, arg_name="body")(act))
        bp.post(f"{place}/<uuid:item_id>/actions/{action}", endpoint=f"{action}_{word}")(guarded)

    for action, action_body, summary in _KEEPER_ACTIONS:
        if action != "retype" or dictionary == PRODUCT_ITEMS:
            keeper_endpoint(action, action_body, summary)


_KEEPER_ACTIONS: tuple[tuple[str, type[AsSent], str], ...] = (
    ("rename", RenameBody, "Give an entry of the own province another name; its former name leads to it."),
    ("retype", RetypeBody, "Mend the regulation type; checks of days until today may still have the former one."),
    ("retire", ReasonedBody, "Offer an entry no longer; checks of later days that name it are refused."),
    ("restore", KeptBody, "Offer a retired entry again, or make one that was merged an entry of its own again."),
    ("merge", MergeBody, "Make an entry another name of one of the same product; its id stays valid."),
    ("adopt", KeptBody, "Confirm an entry that was proposed from a public standard."),
)
_word_endpoints("items", PRODUCT_ITEMS, ProductItemBody, "product_item")
_word_endpoints("test-items", TEST_ITEMS, TestItemBody, "test_item")
