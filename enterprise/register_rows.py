"""Rows of a register file (企业名录表): columns found by their headings, each cell judged.

A fault is told with the column and what to do; the other rows are not touched by it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Region
from assets.spreadsheets import SpreadsheetError, cell_text, has_lost_digits
from core.identifiers import normalise_uscc, uscc_fault
from core.name_search import fold
from enterprise.operations import SCALES, EnterpriseFacts
from enterprise.products import PRODUCTS, product_code

# Heading of the template, and others that registers use for the same.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "uscc": ("统一社会信用代码", "社会信用代码", "信用代码"),
    "name": ("企业名称", "单位名称"),
    "address": ("住所", "企业地址", "注册地址"),
    "production_address": ("生产地址",),
    "legal_representative": ("法定代表人",),
    "region_code": ("行政区划代码", "行政区划"),
    "scale": ("企业规模",),
    "product_codes": ("产品类别",),
}
_REQUIRED = ("uscc", "name", "region_code")
_FIELDS = {heading: field for field, headings in HEADINGS.items() for heading in headings}

# Titles and notes may stand above the headings.
_HEADINGS_WITHIN = 20

_LONGEST = {"name": 100, "address": 200, "production_address": 200, "legal_representative": 50}
_SCALE_CODES = {label: code for code, label in SCALES.items()} | {
    label.removesuffix("型"): code for code, label in SCALES.items()
}
# What a cell of numbers becomes when it is saved as .csv.
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_BETWEEN_PRODUCTS = re.compile(r"[、,;\s]+")
_BETWEEN_REGIONS = re.compile(r"[\s/\\,、>·-]+")


class CellFault(Exception):
    """A cell cannot be taken; the text is a Chinese sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fault of a row: its number as Excel shows it, the heading of the column, the cell and the reason."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds which field, and the headings that nobody knows."""

    headings: Mapping[str, str]
    places: Mapping[str, int]
    unknown: list[str]

    def cells(self, row: Sequence[object]) -> Mapping[str, object]:
        """The cells of a row by field; a row may end early."""
        return {field: row[place] if place < len(row) else "" for field, place in self.places.items()}


def find_columns(rows: Iterator[tuple[int, list[object]]]) -> Columns:
    """Read up to the row of headings. Raises SpreadsheetError when there is none, or columns are missing."""
    best: Columns | None = None
    for number, row in rows:
        columns = _columns(row)
        if "uscc" in columns.places and "name" in columns.places:
            best = columns
            break
        if number >= _HEADINGS_WITHIN:
            break
    if best is None:
        raise SpreadsheetError("未找到表头：请在第一行填写“统一社会信用代码”“企业名称”“行政区划代码”等列名后重试")
    missing = [HEADINGS[field][0] for field in _REQUIRED if field not in best.places]
    if missing:
        raise SpreadsheetError(f"缺少必需的列：{'、'.join(missing)}，请补充后重试")
    return best


def _columns(row: Sequence[object]) -> Columns:
    headings: dict[str, str] = {}
    places: dict[str, int] = {}
    unknown: list[str] = []
    for place, cell in enumerate(row):
        shown = cell_text(cell)
        heading = "".join(unicodedata.normalize("NFKC", shown).split()).strip("*")
        field = _FIELDS.get(heading)
        if field in places:
            raise SpreadsheetError(f"列“{shown}”与“{headings[field]}”重复，请只保留一列后重试")
        if field:
            headings[field] = shown
            places[field] = place
        elif heading:
            unknown.append(shown)
    return Columns(headings, places, unknown)


class RegionIndex:
    """The regions that an enterprise can lie in, by code and name; one with counties below is too wide."""

    def __init__(self, session: Session) -> None:
        regions = {region.code: region for region in session.scalars(select(Region))}
        parents = {region.parent_code for region in regions.values()}
        self._wide = {code: region.name for code, region in regions.items() if code in parents}
        self._codes = regions.keys() - self._wide.keys()
        self._by_name: dict[str, set[str]] = {}
        for code in self._codes:
            region = regions[code]
            above = [regions[area].name for area in (region.area1, region.area2) if area and area != code]
            forms = {region.name, "".join([*above, region.name])}
            forms |= {name + region.name for name in above}
            for form in forms:
                self._by_name.setdefault(form, set()).add(code)

    def code(self, text: str) -> str:
        """The code for a code of six digits, a name or a name with its superiors; CellFault otherwise."""
        if text.isascii() and text.isdigit():
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


def read_facts(cells: Mapping[str, object], regions: RegionIndex) -> tuple[EnterpriseFacts, dict[str, str]]:
    """The facts of a row and its faults by field; with faults the facts are incomplete."""
    facts: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for field, cell in cells.items():
        try:
            facts[field] = _READERS[field](field, cell, regions)
        except CellFault as fault:
            faults[field] = str(fault)
    return cast(EnterpriseFacts, facts), faults


def _read_uscc(_field: str, cell: object, _regions: RegionIndex) -> str:
    text = cell_text(cell)
    if has_lost_digits(cell) or _SCIENTIFIC.fullmatch(text):
        raise CellFault("统一社会信用代码是数字格式，末几位已丢失，请先将该列设置为“文本”格式，再重新填写完整代码")
    if fault := uscc_fault(text):
        raise CellFault(fault)
    return normalise_uscc(text)


def _plain(field: str, cell: object) -> str:
    text = " ".join(cell_text(cell).split())
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise CellFault("含有不可见的控制字符，请删除后重新填写")
    if len(text) > _LONGEST[field]:
        raise CellFault(f"不能超过{_LONGEST[field]}个字，现为{len(text)}个字，请缩短")
    return text


def _read_name(field: str, cell: object, _regions: RegionIndex) -> str:
    text = _plain(field, cell)
    folded = fold(text)
    if not folded:
        raise CellFault("企业名称为必填项，请填写营业执照上的名称")
    if len(folded) > _LONGEST[field]:
        raise CellFault(f"含有合并字符（如㈱），展开后超过{_LONGEST[field]}个字，请缩短")
    return text


def _read_text(field: str, cell: object, _regions: RegionIndex) -> str | None:
    return _plain(field, cell) or None


def _read_region(_field: str, cell: object, regions: RegionIndex) -> str:
    text = unicodedata.normalize("NFKC", cell_text(cell))
    if not text:
        raise CellFault("行政区划代码为必填项，请填写6位区县代码")
    return regions.code(text)


def _read_scale(_field: str, cell: object, _regions: RegionIndex) -> str | None:
    text = cell_text(cell)
    if not text:
        return None
    if text not in _SCALE_CODES:
        raise CellFault(f"企业规模“{text}”无法识别，请填写：{'、'.join(SCALES.values())}")
    return _SCALE_CODES[text]


def _read_products(_field: str, cell: object, _regions: RegionIndex) -> list[str]:
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


_READERS: Mapping[str, Callable[[str, object, RegionIndex], Any]] = {
    "uscc": _read_uscc,
    "name": _read_name,
    "address": _read_text,
    "production_address": _read_text,
    "legal_representative": _read_text,
    "region_code": _read_region,
    "scale": _read_scale,
    "product_codes": _read_products,
}
