from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import func, select

from accounts.models import Region, RegionLevel
from accounts.regions.loading import RegionCounts, RegionRow, area_rows, load_regions
from core.db import Base, Database
from core.errors import Problem

JIANGSU = RegionRow("320000", "江苏省", RegionLevel.PROVINCE)
CHANGZHOU = RegionRow("320400", "常州市", RegionLevel.CITY, "320000")
TIANNING = RegionRow("320402", "天宁区", RegionLevel.COUNTY, "320400")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/regions.db")
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


def region(database: Database, code: str) -> Region:
    with database.read() as session:
        return session.get_one(Region, code)


def chain(region: Region) -> tuple[int, str, str | None, str | None]:
    return region.depth, region.area1, region.area2, region.area3


def load(database: Database, *rows: RegionRow, complete: bool = True) -> RegionCounts:
    with database.write() as session:
        return load_regions(session, rows, complete=complete)


def test_the_data_has_every_level_once() -> None:
    rows = area_rows()
    assert len(rows) == len({row.code for row in rows}) > 3_200
    assert all(len(row.code) == 6 and row.code.isdigit() for row in rows)
    levels = Counter(row.level for row in rows)
    assert levels[RegionLevel.PROVINCE] == 35
    assert levels[RegionLevel.CITY] == 333


@pytest.mark.parametrize(
    ("code", "name", "level", "areas"),
    [
        ("110101", "东城区", "county", (2, "110000", "110101", None)),
        ("320400", "常州市", "city", (2, "320000", "320400", None)),
        ("130528", "宁晋县", "county", (3, "130000", "130500", "130528")),
        ("419001", "济源市", "county", (2, "410000", "419001", None)),
        ("429021", "神农架林区", "county", (2, "420000", "429021", None)),
        ("441900", "东莞市", "city", (2, "440000", "441900", None)),
        ("460400", "儋州市", "city", (2, "460000", "460400", None)),
        ("469030", "琼中黎族苗族自治县", "county", (2, "460000", "469030", None)),
        ("659001", "石河子市", "county", (2, "650000", "659001", None)),
        ("660000", "新疆生产建设兵团", "province", (1, "660000", None, None)),
        ("710000", "台湾省", "province", (1, "710000", None, None)),
        ("810000", "香港特别行政区", "province", (1, "810000", None, None)),
        ("152200", "兴安盟", "city", (2, "150000", "152200", None)),
    ],
)
def test_levels_and_chains_follow_what_a_region_is(
    loaded: Database, code: str, name: str, level: str, areas: tuple[int, str, str | None, str | None]
) -> None:
    found = region(loaded, code)
    assert (found.name, found.level, found.valid_to) == (name, level, None)
    assert chain(found) == areas


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('regions')}/all.db")
    Base.metadata.create_all(database.engine)
    load(database, *area_rows())
    yield database
    database.dispose()


def test_loading_the_whole_data_again_changes_nothing(loaded: Database) -> None:
    total = len(area_rows())
    assert load(loaded, *area_rows()) == RegionCounts(0, 0, total, 0)
    with loaded.read() as session:
        assert session.scalar(select(func.count()).select_from(Region)) == total


def test_an_abolished_district_stays_with_its_end(loaded: Database) -> None:
    jiangbei = region(loaded, "500105")
    assert (jiangbei.name, jiangbei.area1, jiangbei.valid_to) == ("江北区", "500000", date(2025, 11, 6))


def test_the_counts_tell_what_a_load_did(database: Database) -> None:
    assert load(database, TIANNING, CHANGZHOU, JIANGSU) == RegionCounts(3, 0, 0, 0)
    renamed = RegionRow("320402", "新天宁区", RegionLevel.COUNTY, "320400")
    assert load(database, JIANGSU, CHANGZHOU, renamed) == RegionCounts(0, 1, 2, 0)
    assert region(database, "320402").name == "新天宁区"


def test_a_vanished_region_is_ended_today_and_comes_back_when_it_is_given_again(database: Database) -> None:
    load(database, JIANGSU, CHANGZHOU, TIANNING)
    with time_machine.travel("2026-11-20T02:00:00Z"):
        assert load(database, JIANGSU, CHANGZHOU) == RegionCounts(0, 0, 2, 1)
    with time_machine.travel("2026-12-01T02:00:00Z"):
        assert load(database, JIANGSU, CHANGZHOU) == RegionCounts(0, 0, 2, 0)
    assert region(database, "320402").valid_to == date(2026, 11, 20)
    assert load(database, JIANGSU, CHANGZHOU, TIANNING) == RegionCounts(0, 1, 2, 0)
    assert region(database, "320402").valid_to is None


def test_a_region_that_is_new_in_later_data_is_valid_from_that_day(database: Database) -> None:
    load(database, JIANGSU, CHANGZHOU)
    with time_machine.travel("2026-11-20T02:00:00Z"):
        load(database, JIANGSU, CHANGZHOU, TIANNING)
    assert region(database, "320402").valid_from == date(2026, 11, 20)
    assert region(database, "320400").valid_from is None


def test_a_part_of_the_data_ends_nothing_and_may_lean_on_known_superiors(database: Database) -> None:
    load(database, JIANGSU, CHANGZHOU)
    assert load(database, TIANNING, complete=False) == RegionCounts(1, 0, 0, 0)
    assert region(database, "320400").valid_to is None
    assert chain(region(database, "320402")) == (3, "320000", "320400", "320402")


def test_a_region_gets_no_other_superior_by_a_load(database: Database) -> None:
    load(database, JIANGSU, CHANGZHOU, TIANNING)
    with pytest.raises(Problem) as refused:
        load(database, JIANGSU, CHANGZHOU, RegionRow("320402", "天宁区", RegionLevel.COUNTY, "320000"))
    assert "regions reorganise superior 320402 --to 320000" in refused.value.errors[1].message
    assert chain(region(database, "320402")) == (3, "320000", "320400", "320402")


@pytest.mark.parametrize(
    "rows",
    [
        [CHANGZHOU],
        [JIANGSU, JIANGSU],
        [JIANGSU, RegionRow("1", "a", RegionLevel.COUNTY, "2"), RegionRow("2", "b", RegionLevel.COUNTY, "1")],
        [JIANGSU, CHANGZHOU, TIANNING, RegionRow("320499", "街道", RegionLevel.COUNTY, "320402")],
    ],
)
def test_rows_that_make_no_tree_are_an_error_and_load_nothing(database: Database, rows: list[RegionRow]) -> None:
    with pytest.raises(ValueError):
        load(database, *rows)
    with database.read() as session:
        assert session.scalars(select(Region)).all() == []
