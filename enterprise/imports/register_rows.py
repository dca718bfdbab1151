"""Rows of a register file (企业名录表): its columns, and how each cell is validated."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Region
from accounts.regions.abolished import abolished_message
from accounts.regions.loading import current_region
from assets.tables.cells import cell_text, has_lost_digits
from core import clock
from core.identifiers import normalise_uscc, uscc_fault
from core.text import clean_person, fold
from enterprise.imports.table_cells import CellFault, Faults, name_text, read_cells
from enterprise.imports.table_layout import TableLayout
from enterprise.operations import SCALES, EnterpriseFacts
from enterprise.products import PRODUCTS, product_code

# The heading of the template comes first, then other headings that registers use for the same field.
LAYOUT = TableLayout(
    headings={
        "uscc": ("统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "企业统一社会信用代码"),
        "name": ("企业名称", "单位名称", "企业全称", "公司名称", "市场主体名称", "生产企业名称"),
        "region_code": ("行政区划代码", "行政区划", "所属区划", "所属区县", "所在区县", "所属辖区", "区县"),
        "address": ("住所", "企业地址", "注册地址", "企业住所", "住所地", "注册住所"),
        "production_address": ("生产地址", "生产场所", "生产经营地址", "实际生产地址"),
        "legal_representative": ("法定代表人", "法人代表", "法定代表人姓名", "法人"),
        "scale": ("企业规模", "规模"),
        "product_codes": ("产品类别", "产品种类", "重点产品", "重点产品类别"),
    },
    required=("uscc", "name", "region_code"),
    marks=("uscc", "name"),
    cleared={
        "address": None,
        "production_address": None,
        "legal_representative": None,
        "scale": None,
        "product_codes": [],
    },
)

_LONGEST_NAME = 100
_SCALE_CODES = {label: code for code, label in SCALES.items()} | {
    label.removesuffix("型"): code for code, label in SCALES.items()
}
# A long number in a spreadsheet is saved as .csv in this notation, and its last digits are lost.
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_BETWEEN_PRODUCTS = re.compile(r"[、,;\s]+")
_BETWEEN_REGIONS = re.compile(r"[\s/\\,、>·-]+")


class RegionIndex:
    """The regions to which an enterprise can belong, by code and by name.

    Regions with counties below them are too wide, and abolished regions (撤销) have no enterprises any more.
    """

    def __init__(self, session: Session) -> None:
        self._regions = {region.code: region for region in session.scalars(select(Region))}
        today = clock.today()
        self._gone = {code for code, region in self._regions.items() if region.valid_to and region.valid_to <= today}
        valid = self._regions.keys() - self._gone
        self._wide = {parent for code in valid if (parent := self._regions[code].parent_code)}
        self._codes = valid - self._wide
        # Successors of regions after a reorganisation (区划调整): registers may still name the old region.
        self._instead = {
            code: heir.code
            for code, region in self._regions.items()
            if region.successor_code is not None and (heir := current_region(session, code)) is not None
        }
        self._gone -= self._instead.keys()
        self._codes -= self._instead.keys()
        replaced = {code for code, heir in self._instead.items() if heir in self._codes}
        self._by_name = self._forms(self._codes | replaced)
        self._gone_by_name = self._forms(self._gone)

    def _forms(self, codes: Iterable[str]) -> dict[str, set[str]]:
        """Current codes by all written forms of a name: alone, with one superior region, with all of them."""
        by_name: dict[str, set[str]] = {}
        for code in codes:
            region = self._regions[code]
            above = [self._regions[area].name for area in (region.area1, region.area2) if area and area != code]
            forms = {region.name, "".join([*above, region.name])}
            forms |= {name + region.name for name in above}
            for form in forms:
                by_name.setdefault(form, set()).add(self._instead.get(code, code))
        return by_name

    def code(self, text: str) -> str:
        """The current code for a six-digit code, or for a name with or without superior regions. Raises CellFault."""
        if text.isascii() and text.isdigit():
            text = self._instead.get(text, text)
            if text in self._codes:
                return text
            if text in self._gone:
                raise CellFault(self._abolished(text))
            if text in self._wide:
                raise CellFault(f"“{text} {self._regions[text].name}”下辖区县，请填写区县一级的6位行政区划代码")
            raise CellFault(f"行政区划代码“{text}”不存在，请核对后填写6位区县代码")
        name = _BETWEEN_REGIONS.sub("", text)
        codes = self._by_name.get(name, set())
        if len(codes) == 1:
            return next(iter(codes))
        if codes:
            raise CellFault(f"名为“{text}”的区划不止一个（{'、'.join(sorted(codes))}），请填写6位行政区划代码")
        if gone := self._gone_by_name.get(name):
            raise CellFault(self._abolished(min(gone)))
        raise CellFault(f"未找到区划“{text}”，请填写6位区县代码或区县全称")

    def labelled(self, code: str) -> str:
        """The code with the name of the region."""
        region = self._regions.get(code)
        return f"{code} {region.name}" if region else code

    def _abolished(self, code: str) -> str:
        return abolished_message(self._regions[code], (self._regions[other] for other in self._codes))


def read_facts(cells: Mapping[str, object], regions: RegionIndex) -> tuple[EnterpriseFacts, Faults]:
    """The facts of a row, and its faults by field; with faults the facts are incomplete."""
    facts, faults = read_cells(LAYOUT, cells, _READERS | {"region_code": partial(_read_region, regions)})
    return cast(EnterpriseFacts, facts), faults


def readable_fact(regions: RegionIndex, name: str, value: Any) -> str:
    """A value of the register as people read it; "" for none."""
    if name == "region_code":
        return regions.labelled(value)
    if name == "scale":
        return SCALES.get(value, "")
    if name == "product_codes":
        return "、".join(f"{code} {PRODUCTS[code].name}" if code in PRODUCTS else code for code in value)
    return value or ""


def read_uscc(cell: object) -> str:
    """The normalised credit code (统一社会信用代码) in a cell. Raises CellFault."""
    # In Excel a leading apostrophe marks a cell as text; other programs keep it as part of the text.
    text = cell_text(cell).lstrip("'‘’")
    if has_lost_digits(cell) or _SCIENTIFIC.fullmatch(text):
        raise CellFault("统一社会信用代码是数字格式，末几位已丢失，请先将该列设置为“文本”格式，再重新填写完整代码")
    if fault := uscc_fault(text):
        raise CellFault(fault)
    return normalise_uscc(text)


def _read_name(cell: object) -> str:
    text = name_text(cell, _LONGEST_NAME)
    folded = fold(text)
    if not folded:
        raise CellFault("企业名称为必填项，请填写营业执照上的名称")
    if len(folded) > _LONGEST_NAME:
        raise CellFault(f"含有合并字符（如㈱），展开后超过{_LONGEST_NAME}个字，请缩短")
    return text


def _read_text(longest: int, cell: object) -> str:
    return name_text(cell, longest)


def _read_region(regions: RegionIndex, cell: object) -> str:
    text = unicodedata.normalize("NFKC", cell_text(cell))
    if not text:
        raise CellFault("行政区划代码为必填项，请填写6位区县代码")
    return regions.code(text)


def _read_scale(cell: object) -> str:
    text = cell_text(cell)
    if text not in _SCALE_CODES:
        raise CellFault(f"企业规模“{text}”无法识别，请填写：{'、'.join(SCALES.values())}")
    return _SCALE_CODES[text]


def _read_products(cell: object) -> list[str]:
    codes: set[str] = set()
    for text in _BETWEEN_PRODUCTS.split(unicodedata.normalize("NFKC", cell_text(cell))):
        if not text:
            continue
        code = product_code(text)
        if code is None:
            first, last = min(PRODUCTS), max(PRODUCTS)
            raise CellFault(f"产品类别“{text}”无法识别，请填写代码{first}至{last}或重点产品名称，用顿号隔开")
        codes.add(code)
    return sorted(codes)


_READERS: dict[str, Callable[[object], Any]] = {
    "uscc": read_uscc,
    "name": _read_name,
    "address": partial(_read_text, 200),
    "production_address": partial(_read_text, 200),
    "legal_representative": lambda cell: clean_person(_read_text(50, cell)),
    "scale": _read_scale,
    "product_codes": _read_products,
}
