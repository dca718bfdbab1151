"""What the dictionaries say to a record: its product, product items and test items, and that they fit together."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import Fault
from core.identifiers import as_uuid
from enterprise.products import PRODUCTS, REGULATION_TYPES
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from inspection.dictionaries.lookup import CachedEntry, Dictionary


def product_faults(product_code: Any) -> list[Fault]:
    """Whether the product is one of the thirteen."""
    if product_code in (None, ""):
        return [Fault("/product_code", "required", "请选择产品")]
    if not isinstance(product_code, str) or product_code not in PRODUCTS:
        return [Fault("/product_code", "unknown_product", "没有所选的产品，请重新选择产品")]
    return []


def resolve_products(
    session: Session,
    dictionary: Dictionary,
    values: dict[str, Any],
    product_code: str,
    area1: str,
    day: date,
    *,
    submit: bool,
    corresponding: bool,
) -> list[Fault]:
    """Replace the ids of product items by those that hold, keep their names beside them, and check
    that they belong to the product and, if `corresponding`, to the regulation types; each as it was on `day`.

    Rule: "监管类型与生产产品需符合对应关系" (seed 001, annex 7, part 2(一)1-3).
    """
    sent = values.get("products")
    if not isinstance(sent, list):
        return []
    ids = [as_uuid(value) for value in sent]
    found = dictionary.resolve(session, PRODUCT_ITEMS, {i for i in ids if i is not None}, area1)
    faults, chosen = [], {}
    for place, entry_id in enumerate(ids):
        entry = found.get(entry_id) if entry_id is not None else None
        if entry is None or entry.product_code != product_code:
            message = "所选产品不在产品目录中，请点“新增”添加后再选择"
            faults.append(Fault(f"/products/{place}", "unknown_product_item", message))
        elif submit and entry.is_retired_on(day):
            faults.append(_retired(f"/products/{place}", entry))
        else:
            chosen[entry.id] = entry
    if faults:
        return faults
    _note_retired(values, chosen.values())
    values["products"] = [str(i) for i in chosen]
    values["product_names"] = [entry.name for entry in chosen.values()]
    if corresponding:
        types = set(values.get("regulation_types") or [])
        of_products = set().union(*(entry.types_on(day) for entry in chosen.values()))
        lonely_types = "、".join(REGULATION_TYPES[t] for t in sorted(types - of_products) if t in REGULATION_TYPES)
        lonely_products = "、".join(e.name for e in chosen.values() if not e.types_on(day) & types)
        if lonely_types:
            message = f"监管类型与生产产品不对应：“{lonely_types}”没有对应的生产产品"
            faults.append(Fault("/regulation_types", "no_correspondence", message))
        if lonely_products:
            message = f"监管类型与生产产品不对应：“{lonely_products}”的监管类型未选择"
            faults.append(Fault("/products", "no_correspondence", message))
    return faults


def resolve_test_items(
    session: Session,
    dictionary: Dictionary,
    values: dict[str, Any],
    product_code: str,
    area1: str,
    day: date,
    *,
    submit: bool,
) -> list[Fault]:
    """Replace the ids of test items by those that hold and keep their names; each may stand once."""
    rows = values.get("items")
    if not isinstance(rows, list):
        return []
    ids = [as_uuid(row.get("item_id")) if isinstance(row, dict) else None for row in rows]
    found = dictionary.resolve(session, TEST_ITEMS, {i for i in ids if i is not None}, area1)
    faults: list[Fault] = []
    seen: dict[UUID, CachedEntry] = {}
    for place, (row, entry_id) in enumerate(zip(rows, ids, strict=True)):
        if not isinstance(row, dict) or "item_id" not in row:
            continue  # the form reports it
        entry = found.get(entry_id) if entry_id is not None else None
        path = f"/items/{place}/item_id"
        if entry is None or entry.product_code != product_code:
            faults.append(Fault(path, "unknown_test_item", "检验项目不在目录中，请点“新增检验项目”添加后再选择"))
        elif entry.id in seen:
            faults.append(Fault(path, "repeated_test_item", f"检验项目“{entry.name}”重复，请删除重复的一行"))
        elif submit and entry.is_retired_on(day):
            faults.append(_retired(path, entry))
        else:
            seen[entry.id] = entry
            row["item_id"], row["item_name"] = str(entry.id), entry.name
    _note_retired(values, seen.values())
    return faults


def _retired(path: str, entry: CachedEntry) -> Fault:
    message = f"“{entry.name}”已于 {entry.retired_on} 由省级停用，之后的检查不能再选，请改选列表中的其他名称"
    return Fault(path, "retired_item", message)


def _note_retired(values: dict[str, Any], chosen: Iterable[CachedEntry]) -> None:
    """Keep the names of entries that are retired by now, for a warning of the record."""
    if retired := [entry.name for entry in chosen if entry.retired_on is not None]:
        values["retired_names"] = retired
