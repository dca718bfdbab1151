"""Dictionaries that inspectors may add to: product items (生产产品) and test items (检验项目).

"输入新增产品名称后点击‘添加’按钮方为添加成功" (seed 001, annex 7): adding is a call of its own, and a
name that was typed but not added is refused in a record. What becomes of an entry later is the
business of its keeper (`keeping.py`).
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, literal, select
from sqlalchemy.orm import Session, aliased

from core import clock
from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import Order, Page, PageRequest, fetch
from core.db import UTCDateTime, dialect_of, insert_into
from core.errors import Problem, invalid, not_found
from core.text import MEANINGLESS, clean_line, fold, has_words
from enterprise.products import PRODUCTS, REGULATION_TYPES
from inspection.dictionaries import product_types
from inspection.dictionaries.models import DictionaryEntry

PRODUCT_ITEMS, TEST_ITEMS = "product_items", "test_items"
ACTIVE, RETIRED, MERGED = "active", "retired", "merged"
LISTED = 1000
Warnings = list[dict[str, str]]

_NO_TIME = literal(datetime(1970, 1, 1, tzinfo=UTC), UTCDateTime())
_AS_PRINTED_THEN_NEWEST = Order(
    "dictionary",
    (
        (DictionaryEntry.area1, False),
        (case((DictionaryEntry.area1 == "", DictionaryEntry.created_at), else_=_NO_TIME), False),
        (DictionaryEntry.created_at, True),
        (DictionaryEntry.id, True),
    ),
)


def as_json(entry: DictionaryEntry) -> dict[str, Any]:
    """An entry as the HTTP contract writes it; test items have no regulation type."""
    shown: dict[str, Any] = {
        "id": str(entry.id),
        "name": entry.name,
        "is_custom": entry.area1 != "",
        "status": entry.status,
        "version": entry.version,
        "retired_on": entry.retired_on.isoformat() if entry.retired_on else None,
        "merged_into": str(entry.alias_of) if entry.alias_of else None,
        "proposed": entry.proposed,
        "source": entry.source,
    }
    if entry.dictionary == PRODUCT_ITEMS:
        shown["regulation_type"] = entry.regulation_type
    return shown


def row_as_json(row: Any) -> dict[str, Any]:
    """The same for a row of a list."""
    return as_json(row.DictionaryEntry)


def entries(
    session: Session, actor: Actor, dictionary: str, product_code: str, q: str | None, status: str, request: PageRequest
) -> Page:
    """The entries of a product: those of the whole country as printed, then those added in the actor's province.

    What was added last comes first; `q` searches names as a substring. Raises 404 for an unknown product.
    """
    if product_code not in PRODUCTS:
        raise not_found()
    province = actor.chain[0]
    conditions = [
        DictionaryEntry.dictionary == dictionary,
        DictionaryEntry.product_code == product_code,
        DictionaryEntry.status == status,
        DictionaryEntry.area1.in_(["", province]),
        ~_hidden_behind_own(province),
    ]
    if q:
        conditions.append(DictionaryEntry.folded_name.like(like_pattern(q), escape="\\"))
    return fetch(session, select(DictionaryEntry), _AS_PRINTED_THEN_NEWEST, request, *conditions)


def _hidden_behind_own(province: str) -> ColumnElement[bool]:
    """An entry of the whole country that came later than the province's own of that name: the own one counts."""
    own = aliased(DictionaryEntry)
    return (DictionaryEntry.area1 == "") & (
        select(own.id)
        .where(
            own.dictionary == DictionaryEntry.dictionary,
            own.product_code == DictionaryEntry.product_code,
            own.area1 == (province or "-"),
            own.folded_name == DictionaryEntry.folded_name,
            own.alias_of.is_(None),
        )
        .exists()
    )


def get_readable(session: Session, actor: Actor, dictionary: str, product_code: str, entry_id: UUID) -> DictionaryEntry:
    """One entry of the whole country or of the actor's province; 404 otherwise."""
    entry = session.get(DictionaryEntry, entry_id, populate_existing=True)
    if entry is None or (entry.dictionary, entry.product_code) != (dictionary, product_code):
        raise not_found()
    if entry.area1 not in ("", actor.chain[0]) and not actor.scope.national:
        raise not_found()
    return entry


def may_read(session: Session, actor: Actor, entry_id: UUID) -> bool:
    """For the subject registry."""
    entry = session.get(DictionaryEntry, entry_id)
    return entry is not None and (entry.area1 in ("", actor.chain[0]) or actor.scope.national)


def add(
    session: Session,
    actor: Actor,
    dictionary: str,
    product_code: str,
    entry_id: UUID,
    name: str,
    regulation_type: str | None,
) -> tuple[DictionaryEntry, bool, Warnings]:
    """Add an entry under the id that the phone made; returns the entry that holds, whether it is new, and warnings.

    When the name exists already (compared folded), the existing entry is answered and `entry_id`
    stays valid as another name for it. Raises 404 for an unknown product, 409 `id_taken`, 422 for
    a product item without regulation type and for a name that its keeper retired.
    """
    if product_code not in PRODUCTS:
        raise not_found()
    name = checked_name(name)
    province = actor.chain[0]
    taken = session.get(DictionaryEntry, entry_id)
    if taken is not None:
        if (taken.dictionary, taken.product_code) != (dictionary, product_code) or not _was_named(session, taken, name):
            raise Problem("id_taken")
        holds = canonical(session, taken)
        return holds, False, _warnings(session, holds, regulation_type)
    if dictionary == PRODUCT_ITEMS and regulation_type is None:
        raise invalid("/regulation_type", "required", "请选择该产品的监管类型")
    values = {
        "id": entry_id, "dictionary": dictionary, "product_code": product_code, "name": name,
        "folded_name": fold(name), "regulation_type": regulation_type, "area1": province, "version": 1,
        "former_types": [], "proposed": False, "created_by": actor.user_id, "created_at": clock.now(),
    }  # fmt: skip
    fresh = insert_into(dialect_of(session), DictionaryEntry)
    existing = _by_name(session, dictionary, product_code, province, name)
    if existing is None:
        statement = fresh.on_conflict_do_nothing().returning(DictionaryEntry.id)
        row = {**values, "alias_of": None, "status": ACTIVE}
        if session.execute(statement, row).scalar_one_or_none() is not None:
            entry = session.get_one(DictionaryEntry, entry_id)
            return entry, True, _warnings(session, entry, regulation_type)
        existing = _by_name(session, dictionary, product_code, province, name)
        if existing is None:  # the id, not the name, was taken at this moment
            raise Problem("id_taken")
    if existing.status == RETIRED:
        what = f"“{existing.name}”已由省级停用，不能再添加，请从列表中选择其他名称；确需使用请联系省级词条管理员恢复"
        raise invalid("/name", "retired", what)
    if existing.id != entry_id:
        # The same call at the same moment may have taken the id.
        another_name = fresh.on_conflict_do_nothing(index_elements=["id"])
        row = {**values, "alias_of": existing.id, "status": MERGED}
        if session.execute(another_name.returning(DictionaryEntry.id), row).scalar_one_or_none() is None:
            return add(session, actor, dictionary, product_code, entry_id, name, regulation_type)
    return existing, False, _warnings(session, existing, regulation_type)


def checked_name(sent: str) -> str:
    """A name as it is stored; 422 where it says nothing or is too long."""
    name = clean_line(sent)
    if not name:
        raise invalid("/name", "required", "请填写名称")
    if not has_words(name):
        raise invalid("/name", "meaningless", f"名称{MEANINGLESS}")
    if len(fold(name)) > 100:
        raise invalid("/name", "too_long", "名称不能超过100个字，请缩短后重试")
    return name


def _warnings(session: Session, entry: DictionaryEntry, sent_type: str | None) -> Warnings:
    """Warnings for an added entry: it has another regulation type, or one that is unusual for its product."""
    if entry.dictionary != PRODUCT_ITEMS or entry.regulation_type is None:
        return []
    has = REGULATION_TYPES[entry.regulation_type]
    if sent_type is not None and sent_type != entry.regulation_type:
        message = (
            f"“{entry.name}”在本省已登记为“{has}”，您选择的“{REGULATION_TYPES[sent_type]}”未保存；"
            "填报时请按已登记的监管类型选择，如登记有误请联系省级词条管理员更正"
        )
        return [{"code": "other_regulation_type", "message": message}]
    return unusual_type(session, entry.product_code, entry.name, entry.regulation_type)


def unusual_type(session: Session, product_code: str, name: str, regulation_type: str) -> Warnings:
    """A warning where that regulation type does not fit the product (`product_types.py`)."""
    product, fitting = PRODUCTS[product_code], product_types.fitting(session, product_code)
    if regulation_type in fitting:
        return []
    usual = "、".join(REGULATION_TYPES[one] for one in fitting)
    message = (
        f"“{product.name}”一般属于“{usual}”，“{name}”的监管类型为“{REGULATION_TYPES[regulation_type]}”，请核对；"
        "如选错请联系省级词条管理员更正"
    )
    return [{"code": "unusual_regulation_type", "message": message}]


def _by_name(session: Session, dictionary: str, product_code: str, province: str, name: str) -> DictionaryEntry | None:
    """The entry of that name: the province's own first; where nothing bears it now, what it is another name of."""
    found = session.scalar(
        select(DictionaryEntry)
        .where(
            DictionaryEntry.dictionary == dictionary,
            DictionaryEntry.product_code == product_code,
            DictionaryEntry.area1.in_(["", province]),
            DictionaryEntry.folded_name == fold(name),
        )
        .order_by(DictionaryEntry.alias_of.is_not(None), DictionaryEntry.area1.desc(), DictionaryEntry.created_at)
        .limit(1)
    )
    return None if found is None else canonical(session, found)


def _was_named(session: Session, entry: DictionaryEntry, name: str) -> bool:
    """Whether it has that name, or had it before it was renamed."""
    if entry.folded_name == fold(name):
        return True
    former = select(DictionaryEntry.id).where(
        DictionaryEntry.dictionary == entry.dictionary,
        DictionaryEntry.product_code == entry.product_code,
        DictionaryEntry.folded_name == fold(name),
        DictionaryEntry.area1 == entry.area1,
        DictionaryEntry.alias_of == entry.id,
    )
    return session.scalar(former.limit(1)) is not None


def chain_of(session: Session, entry: DictionaryEntry) -> list[DictionaryEntry]:
    """The entry and what it is another name of, step by step; the last holds. What was merged may be merged again."""
    chain = [entry]
    while chain[-1].alias_of is not None:
        chain.append(session.get_one(DictionaryEntry, chain[-1].alias_of))
    return chain


def canonical(session: Session, entry: DictionaryEntry) -> DictionaryEntry:
    """The entry that holds for one that may be another name."""
    return chain_of(session, entry)[-1]
