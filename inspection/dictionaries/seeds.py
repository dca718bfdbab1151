"""The entries that come with the product: product items (生产产品) and test items (检验项目) of the whole country."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core import clock
from core.text import fold
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from inspection.dictionaries.models import DictionaryEntry
from inspection.dictionaries.proposed_test_items import PROPOSED

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
_SEED_TEST_ITEMS: dict[str, tuple[str, ...]] = {
    "06": ("导体电阻", "绝缘厚度", "护套厚度", "绝缘抗张强度", "绝缘断裂伸长率", "护套抗张强度",
           "护套断裂伸长率", "热延伸", "热失重", "燃烧性能(阻燃)", "结构尺寸", "标志"),
}  # fmt: skip


def load_seeds(session: Session) -> int:
    """Store the entries that come with the product; returns how many were new.

    Loading again changes nothing, also after a keeper renamed, merged or retired some of them.
    """
    known = set(session.scalars(select(DictionaryEntry.id).where(DictionaryEntry.area1 == "")).all())
    new = [row for row in _rows() if row["id"] not in known]
    for row in new:
        session.execute(insert(DictionaryEntry).values(**row, created_at=clock.now()))
    return len(new)


def _rows() -> Iterator[dict[str, Any]]:
    for code, items in _SEED_PRODUCT_ITEMS.items():
        for name, regulation_type in items:
            yield _row(PRODUCT_ITEMS, code, name) | {"regulation_type": regulation_type}
    for code, names in _SEED_TEST_ITEMS.items():
        for name in names:
            yield _row(TEST_ITEMS, code, name)
    for code, standards in PROPOSED.items():
        for standard, names in standards.items():
            for name in names:
                yield _row(TEST_ITEMS, code, name) | {"proposed": True, "source": standard}


def _row(dictionary: str, code: str, name: str) -> dict[str, Any]:
    return {
        "id": uuid5(_IDS, f"{dictionary}/{code}/{name}"), "dictionary": dictionary, "product_code": code, "name": name,
        "folded_name": fold(name), "area1": "",
    }  # fmt: skip
