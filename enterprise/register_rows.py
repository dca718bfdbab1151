"""Rows of a register file (企业名录表): its columns, and how each cell is judged."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Region
from accounts.regions import current_region
from assets.spreadsheets import cell_text, has_lost_digits
from core.identifiers import normalise_uscc, uscc_fault
from core.name_search import fold
from enterprise.operations import SCALES, EnterpriseFacts
from enterprise.products import PRODUCTS, product_code
from enterprise.table_import import CellFault, Faults, TableLayout, plain_text, read_cells

# Heading of the template, and others that registers use for the same.
LAYOUT = TableLayout(
    headings={
        "uscc": ("统一社会信用代码", "社会信用代码", "信用代码"),
        "name": ("企业名称", "单位名称"),
        "region_code": ("行政区划代码", "行政区划"),
        "address": ("住所", "企业地址", "注册地址"),
        "production_address": ("生产地址",),
        "legal_representative": ("法定代表人",),
        "scale": ("企业规模",),
        "product_codes": ("产品类别",),
    },
    required=("uscc", "name", "region_code"),
    marks=("uscc", "name"),
)

_LONGEST_NAME = 100
_SCALE_CODES = {label: code for code, label in SCALES.items()} | {
    label.removesuffix("型"): code for code, label in SCALES.items()
}
# What a cell of numbers becomes when it is saved as .csv.
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_BETWEEN_PRODUCTS = re.compile(r"[、,;\s]+")
_BETWEEN_REGIONS = re.compile(r"[\s/\\,、>·-]+")


class RegionIndex:
    """The regions that an enterprise can lie in, by code and name; one with counties below is too wide."""

    def __init__(self, session: Session) -> None:
        regions = {region.code: region for region in session.scalars(select(Region))}
        parents = {region.parent_code for region in regions.values()}
        self._wide = {code: region.name for code, region in regions.items() if code in parents}
        # What took the place of a region in a reorganisation (区划调整): registers may still name the old one.
        self._instead = {
            code: heir.code
            for code, region in regions.items()
            if region.successor_code is not None and (heir := current_region(session, code)) is not None
        }
        self._codes = regions.keys() - self._wide.keys() - self._instead.keys()
        self._by_name: dict[str, set[str]] = {}
        for region in regions.values():
            code = self._instead.get(region.code, region.code)
            if code not in self._codes:
                continue
            above = [regions[area].name for area in (region.area1, region.area2) if area and area != region.code]
            forms = {region.name, "".join([*above, region.name])}
            forms |= {name + region.name for name in above}
            for form in forms:
                self._by_name.setdefault(form, set()).add(code)

    def code(self, text: str) -> str:
        """The code for a code of six digits, a name or a name with its superiors; CellFault otherwise."""
        if text.isascii() and text.isdigit():
            text = self._instead.get(text, text)
            if text in self._codes:
                return text
            if text in self._wide:
                raise CellFault(f"“{text} {self._wide[text]}”下辖区县，请填写区县一级的6位行政区划代码")
            raise CellFault(f"行政区划代码“{text}”不存在，请核对后填写6位区县代码")
        codes = self._by_name.get(_BETWEEN_REGIONS.sub("", text), set())
        if len(codes) == 1:
            return next(iter(codes))
        if codes:
            raise CellFault(f"名为“{text}”的区划不止一个（{'、'.join(sorted(codes))}），请填写6位行政区划代码")
        raise CellFault(f"未找到区划“{text}”，请填写6位区县代码或区县全称")


def read_facts(cells: Mapping[str, object], regions: RegionIndex) -> tuple[EnterpriseFacts, Faults]:
    """The facts of a row and its faults by field; with faults the facts are incomplete."""
    facts, faults = read_cells(cells, _READERS | {"region_code": partial(_read_region, regions)})
    return cast(EnterpriseFacts, facts), faults


def read_uscc(cell: object) -> str:
    """A credit code (统一社会信用代码), normalised; CellFault otherwise."""
    text = cell_text(cell)
    if has_lost_digits(cell) or _SCIENTIFIC.fullmatch(text):
        raise CellFault("统一社会信用代码是数字格式，末几位已丢失，请先将该列设置为“文本”格式，再重新填写完整代码")
    if fault := uscc_fault(text):
        raise CellFault(fault)
    return normalise_uscc(text)


def _read_name(cell: object) -> str:
    text = plain_text(cell, _LONGEST_NAME)
    folded = fold(text)
    if not folded:
        raise CellFault("企业名称为必填项，请填写营业执照上的名称")
    if len(folded) > _LONGEST_NAME:
        raise CellFault(f"含有合并字符（如㈱），展开后超过{_LONGEST_NAME}个字，请缩短")
    return text


def _read_text(longest: int, cell: object) -> str | None:
    return plain_text(cell, longest) or None


def _read_region(regions: RegionIndex, cell: object) -> str:
    text = unicodedata.normalize("NFKC", cell_text(cell))
    if not text:
        raise CellFault("行政区划代码为必填项，请填写6位区县代码")
    return regions.code(text)


def _read_scale(cell: object) -> str | None:
    text = cell_text(cell)
    if not text:
        return None
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
    "legal_representative": partial(_read_text, 50),
    "scale": _read_scale,
    "product_codes": _read_products,
}
