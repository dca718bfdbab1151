"""What the keeper of a dictionary does (词条管理); `dictionaries.py` says how the two dictionaries share endpoints."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from inspection.dictionaries import keeping
from miniapp_api.http.answers import answers
from miniapp_api.http.bodies import AsSent
from miniapp_api.http.gates import AfterCommit, gate
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.dictionaries import OF_PRODUCT_ITEMS, OF_TEST_ITEMS, KeptEntry, RegulationType

View = TypeVar("View", bound=Callable[..., Any])

bp = APIBlueprint("dictionary_keeping", __name__, tag="Inspection")


class KeptBody(AsSent):
    """Body of every action: the version that was read, and the reason."""

    version: int = Field(ge=1)
    reason: str | None = Field(None, max_length=500)


class ReasonedBody(KeptBody):
    """Body of an action that needs a reason."""

    reason: str = Field(min_length=1, max_length=500)


class RenameBody(KeptBody):
    """The new name."""

    name: str = Field(min_length=1, max_length=100)


class RetypeBody(ReasonedBody):
    """The new regulation type (监管类型), and the reason."""

    regulation_type: RegulationType


class MergeBody(KeptBody):
    """The entry of which this one becomes another name."""

    into: UUID = Field(strict=False)


def _of_product_items(action: str) -> Callable[[View], View]:
    """Registers a function as an action of the keepers of product items (生产产品)."""
    path = f"/products/<string:code>/items/<uuid:item_id>/actions/{action}"
    return bp.post(path, endpoint=f"{action}_product_item", defaults=OF_PRODUCT_ITEMS)


def _of_test_items(action: str) -> Callable[[View], View]:
    """The same for test items (检验项目)."""
    path = f"/products/<string:code>/test-items/<uuid:item_id>/actions/{action}"
    return bp.post(path, endpoint=f"{action}_test_item", defaults=OF_TEST_ITEMS)


@_of_product_items("rename")
@_of_test_items("rename")
@gate(Verb.DICTIONARIES_KEEP)
@answers(KeptEntry)
@bp.input(RenameBody, arg_name="body")
def rename(session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, body: RenameBody) -> AfterCommit:
    """Rename an entry of the own province; its former name still leads to it."""
    return _move(session, actor, dictionary, code, item_id, "rename", body)


@_of_product_items("retype")
@gate(Verb.DICTIONARIES_KEEP)
@answers(KeptEntry)
@bp.input(RetypeBody, arg_name="body")
def retype(session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, body: RetypeBody) -> AfterCommit:
    """Correct the regulation type; checks of days until today may still have the former one."""
    return _move(session, actor, dictionary, code, item_id, "retype", body)


@_of_product_items("retire")
@_of_test_items("retire")
@gate(Verb.DICTIONARIES_KEEP)
@answers(KeptEntry)
@bp.input(ReasonedBody, arg_name="body")
def retire(
    session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, body: ReasonedBody
) -> AfterCommit:
    """Retire an entry: it is offered no longer, and checks of later days that name it are refused."""
    return _move(session, actor, dictionary, code, item_id, "retire", body)


@_of_product_items("restore")
@_of_test_items("restore")
@gate(Verb.DICTIONARIES_KEEP)
@answers(KeptEntry)
@bp.input(KeptBody, arg_name="body")
def restore(session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, body: KeptBody) -> AfterCommit:
    """Restore an entry that was retired or merged."""
    return _move(session, actor, dictionary, code, item_id, "restore", body)


@_of_product_items("merge")
@_of_test_items("merge")
@gate(Verb.DICTIONARIES_KEEP)
@answers(KeptEntry)
@bp.input(MergeBody, arg_name="body")
def merge(session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, body: MergeBody) -> AfterCommit:
    """Merge an entry into another of the same product; its id stays valid as another name."""
    return _move(session, actor, dictionary, code, item_id, "merge", body)


@_of_product_items("adopt")
@_of_test_items("adopt")
@gate(Verb.DICTIONARIES_KEEP)
@answers(KeptEntry)
@bp.input(KeptBody, arg_name="body")
def adopt(session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, body: KeptBody) -> AfterCommit:
    """Confirm an entry that was proposed from a public standard."""
    return _move(session, actor, dictionary, code, item_id, "adopt", body)


def _move(
    session: Session, actor: Actor, dictionary: str, code: str, item_id: UUID, action: str, body: KeptBody
) -> AfterCommit:
    """Take an action; after the commit this process forgets its cached dictionary and answers the entry."""
    sent = body.model_dump(mode="json", exclude_none=True)
    entry, warnings = keeping.keep(session, actor, dictionary, code, item_id, action, sent)
    answer = {**keeping.entry_answer(session, actor, entry), "warnings": warnings}

    def forget_and_answer() -> dict[str, Any]:
        wiring().tools.dictionary.forget()
        return answer

    return AfterCommit(forget_and_answer)
