"""Dictionaries that inspectors may add to: product items (生产产品) and test items (检验项目).

"输入新增产品名称后点击‘添加’按钮方为添加成功" (seed 001, annex 7): adding is a call of its own, and a
name that was typed but not added is refused in a record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import case, insert, literal, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.db import UTCDateTime, dialect_of, insert_into
from core.errors import Problem, invalid, not_found
from core.name_search import like_pattern
from core.paging import Order, Page, PageRequest, fetch
from core.text import MEANINGLESS, clean_line, fold, has_words
from enterprise.products import PRODUCTS
from inspection.models import DictionaryEntry

PRODUCT_ITEMS, TEST_ITEMS = "product_items", "test_items"
LISTED = 1000
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
_IDS = UUID("b3d6f5b8-3f0e-4c39-8a51-0c7f3d1c9a10")

# spec/a_inspection §2.1 (电线电缆) and §6.2; the other products start with their own names.
_SEED_PRODUCT_ITEMS: dict[str, list[tuple[str, str]]] = {
    "01": [("危险化学品", "licence")],
    "02": [("危险化学品包装物、容器", "licence")],
    "03": [("车载常压罐体", "licence")],
    "04": [("热轧钢筋", "licence"), ("冷轧带肋钢筋", "licence")],
    "05": [("水泥", "licence")],
    "06": [
        ("架空绞线", "licence"),
        ("塑料绝缘控制电缆", "licence"),
        ("额定电压1kV和3kV挤包绝缘电力电缆", "licence"),
        ("额定电压6kV到30kV挤包绝缘电力电缆", "licence"),
        ("架空绝缘电缆", "licence"),
        ("电线组件", "ccc"),
        ("额定电压450/750V及以下橡皮绝缘电线电缆", "ccc"),
        ("额定电压450/750V及以下聚氯乙烯绝缘电线电缆", "ccc"),
    ],
    "07": [("家用燃气器具", "ccc"), ("瓶装液化石油气调压器", "licence"), ("燃气用软管", "other")],
    "08": [("烟花爆竹", "other")],
    "09": [("电动自行车", "ccc")],
    "10": [("电动自行车充电器", "ccc"), ("电动自行车电池", "other")],
    "11": [("摩托车", "ccc")],
    "12": [("汽车零部件（强制性产品认证）", "ccc"), ("汽车零部件（其他）", "other")],
    "13": [("防火门", "other")],
}
_SEED_TEST_ITEMS: dict[str, list[str]] = {
    "06": ["导体电阻", "绝缘厚度", "护套厚度", "绝缘抗张强度", "绝缘断裂伸长率", "护套抗张强度",
           "护套断裂伸长率", "热延伸", "热失重", "燃烧性能(阻燃)", "结构尺寸", "标志"],
}  # fmt: skip


def load_seeds(session: Session) -> int:
    """Store the entries that come with the product; returns how many were new. Loading again changes nothing."""
    rows = [
        (PRODUCT_ITEMS, code, name, regulation_type)
        for code, items in _SEED_PRODUCT_ITEMS.items()
        for name, regulation_type in items
    ] + [(TEST_ITEMS, code, name, None) for code, names in _SEED_TEST_ITEMS.items() for name in names]
    present = set(session.scalars(select(DictionaryEntry.id).where(DictionaryEntry.area1 == "")).all())
    new = 0
    for dictionary, code, name, regulation_type in rows:
        entry_id = uuid5(_IDS, f"{dictionary}/{code}/{name}")
        if entry_id not in present:
            session.execute(
                insert(DictionaryEntry).values(
                    id=entry_id, dictionary=dictionary, product_code=code, name=name, folded_name=fold(name),
                    regulation_type=regulation_type, area1="", alias_of=None, created_by=None,
                    created_at=clock.now(),
                )
            )  # fmt: skip
            new += 1
    return new


def show(entry: DictionaryEntry) -> dict[str, Any]:
    """An entry as the HTTP contract writes it; test items have no regulation type."""
    shown: dict[str, Any] = {"id": str(entry.id), "name": entry.name, "is_custom": entry.area1 != ""}
    if entry.dictionary == PRODUCT_ITEMS:
        shown["regulation_type"] = entry.regulation_type
    return shown


def entries(
    session: Session, actor: Actor, dictionary: str, product_code: str, q: str | None, request: PageRequest
) -> Page:
    """The entries of a product: those of the whole country as printed, then those added in the actor's province.

    What was added last comes first; `q` searches names as a substring. Raises 404 for an unknown product.
    """
    if product_code not in PRODUCTS:
        raise not_found()
    conditions = [
        DictionaryEntry.dictionary == dictionary,
        DictionaryEntry.product_code == product_code,
        DictionaryEntry.alias_of.is_(None),
        DictionaryEntry.area1.in_(["", actor.chain[0]]),
    ]
    if q:
        conditions.append(DictionaryEntry.folded_name.like(like_pattern(q), escape="\\"))
    return fetch(session, select(DictionaryEntry), _AS_PRINTED_THEN_NEWEST, request, *conditions)


def show_row(row: Any) -> dict[str, Any]:
    """An entry in a list."""
    return show(row.DictionaryEntry)


def add(
    session: Session,
    actor: Actor,
    dictionary: str,
    product_code: str,
    entry_id: UUID,
    name: str,
    regulation_type: str | None,
) -> tuple[dict[str, Any], bool]:
    """Add an entry under the id that the phone made; returns the entry that holds and whether it is new.

    When the name exists already (compared folded), the existing entry is answered and `entry_id`
    stays valid as another name for it. Raises 404 for an unknown product, 409 `id_taken`, 422 for
    a product item without regulation type.
    """
    if product_code not in PRODUCTS:
        raise not_found()
    name = clean_line(name)
    if not name:
        raise invalid("/name", "required", "请填写名称")
    if not has_words(name):
        raise invalid("/name", "meaningless", f"名称{MEANINGLESS}")
    if len(fold(name)) > 100:
        raise invalid("/name", "too_long", "名称不能超过100个字，请缩短后重试")
    province = actor.chain[0]
    taken = session.get(DictionaryEntry, entry_id)
    if taken is not None:
        if taken.dictionary != dictionary or taken.product_code != product_code or taken.folded_name != fold(name):
            raise Problem("id_taken")
        return show(_canonical(session, taken)), False
    if dictionary == PRODUCT_ITEMS and regulation_type is None:
        raise invalid("/regulation_type", "required", "请选择该产品的监管类型")
    values = {
        "id": entry_id, "dictionary": dictionary, "product_code": product_code, "name": name,
        "folded_name": fold(name), "regulation_type": regulation_type, "area1": province,
        "created_by": actor.user_id, "created_at": clock.now(),
    }  # fmt: skip
    fresh = insert_into(dialect_of(session), DictionaryEntry)
    existing = _by_name(session, dictionary, product_code, province, name)
    if existing is None:
        statement = fresh.on_conflict_do_nothing().returning(DictionaryEntry.id)
        if session.execute(statement, {**values, "alias_of": None}).scalar_one_or_none() is not None:
            return show(session.get_one(DictionaryEntry, entry_id)), True
        existing = _by_name(session, dictionary, product_code, province, name)
        if existing is None:  # the id, not the name, was taken at this moment
            raise Problem("id_taken")
    if existing.id != entry_id:
        # The same call at the same moment may have taken the id.
        another_name = fresh.on_conflict_do_nothing(index_elements=["id"])
        named = session.execute(another_name.returning(DictionaryEntry.id), {**values, "alias_of": existing.id})
        if named.scalar_one_or_none() is None:
            return add(session, actor, dictionary, product_code, entry_id, name, regulation_type)
    return show(existing), False


def _by_name(session: Session, dictionary: str, product_code: str, province: str, name: str) -> DictionaryEntry | None:
    return session.scalar(
        select(DictionaryEntry)
        .where(
            DictionaryEntry.dictionary == dictionary,
            DictionaryEntry.product_code == product_code,
            DictionaryEntry.area1.in_(["", province]),
            DictionaryEntry.folded_name == fold(name),
            DictionaryEntry.alias_of.is_(None),
        )
        .order_by(DictionaryEntry.area1)
        .limit(1)
    )


def _canonical(session: Session, entry: DictionaryEntry) -> DictionaryEntry:
    return entry if entry.alias_of is None else session.get_one(DictionaryEntry, entry.alias_of)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a record needs to know of an entry: the id that holds, its name and regulation type."""

    id: UUID
    product_code: str
    name: str
    regulation_type: str | None
    area1: str


class Dictionary:
    """Look-up of entries by id, kept per process: entries never change once they are committed."""

    KEPT = 20_000

    def __init__(self) -> None:
        self._kept: dict[tuple[str, UUID], Entry] = {}

    def resolve(self, session: Session, dictionary: str, ids: Iterable[UUID], area1: str) -> dict[UUID, Entry]:
        """The entries behind those ids (other names resolved); unknown ids, and those added in
        another province than `area1`, are left out."""
        wanted = list(ids)
        found = {i: self._kept[dictionary, i] for i in wanted if (dictionary, i) in self._kept}
        missing = [i for i in wanted if i not in found]
        if missing:
            rows = session.scalars(
                select(DictionaryEntry).where(DictionaryEntry.dictionary == dictionary, DictionaryEntry.id.in_(missing))
            ).all()
            if len(self._kept) > self.KEPT:
                self._kept.clear()
            for row in rows:
                holds = _canonical(session, row)
                entry = Entry(holds.id, holds.product_code, holds.name, holds.regulation_type, holds.area1)
                found[row.id] = self._kept[dictionary, row.id] = entry
        return {i: entry for i, entry in found.items() if entry.area1 in ("", area1)}
