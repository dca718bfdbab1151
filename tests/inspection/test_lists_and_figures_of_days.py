"""Lists and figures by whatever way they are read: what they say is what the records say, counted one by one."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Table, insert, select, update

from core.actor import Actor
from core.database.paging import PageRequest
from core.db import Database
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import Inspection
from inspection.records import listing
from inspection.statistics import progress as statistics
from inspection.statistics.progress import StatisticsFilter
from inspection.statistics.tallies import reconcile
from inspection.statistics.totals import Filters
from tests.people import SignIn, new_id, production, spot_check, uscc
from tests.records import actor_of, submit
from tests.rounds import rounds

NAMES = ("常州明达电缆有限公司", "常州龙城电线厂", "武进电缆有限公司", "常州某某五金店")
FIRST, LAST = date(2026, 9, 1), date(2026, 10, 10)
MADE = 160


@dataclass
class Filled:
    """Random records of two counties of one city and of its own office, and who reads them."""

    database: Database
    actors: dict[str, Actor]
    rows: list[dict[str, Any]]


@pytest.fixture
def filled(database: Database, sign_in: SignIn, clock: Any) -> Filled:
    people = {name: sign_in(name) for name in ("county_inspector", "neighbour_inspector", "city_reviewer")}
    people["province_user"] = sign_in("province_user")
    table = cast(Table, Inspection.__table__)
    ids = []
    for number, name in enumerate(("county_inspector", "neighbour_inspector", "city_reviewer")):
        day = f"2026-11-1{number}"
        for body, noun in (
            (production(check_date=day), "inspections"), (spot_check(sheet_no=f"CQ-{name}"), "spot-checks")
        ):  # fmt: skip
            ids.append(submit(people[name], body, new_id(), noun)["id"])
    chance = random.Random(20261121)
    with database.write() as session:
        originals = [
            dict(row) for row in session.execute(select(table).where(table.c.id.in_(map(UUID, ids)))).mappings()
        ]
        session.execute(update(table).values(status="deleted"))
        rows = [_row(chance, chance.choice(originals), number) for number in range(MADE)]
        session.execute(insert(table), rows)
        reconcile(session)
    return Filled(database, {name: actor_of(database, person) for name, person in people.items()}, rows)


def _row(chance: random.Random, original: dict[str, Any], number: int) -> dict[str, Any]:
    check = original["record_type"] == CHECK
    unable = check and chance.random() < 0.2
    state = chance.choice(["none", "none", "in_progress", "done", "na"]) if check and not unable else "none"
    day = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days + 1))
    which = chance.randrange(12)
    # Submitted late, some of them long after; several at one instant.
    late = chance.choice([0, 0, 0, 1, 30, 300])
    return {
        **original,
        "id": UUID(int=chance.getrandbits(128), version=4),
        "kind": chance.choice(["production", "sales"]) if check else original["kind"],
        "product_code": chance.choice(["06", "06", "01"]),
        "uscc": uscc(which),
        "org_name": NAMES[which % len(NAMES)],
        "check_date": day,
        "unable": unable,
        "problems_found": state != "none",
        "disposal_state": state,
        "conclusion": None if check else chance.choice(["pass", "fail", "not_judged"]),
        "sheet_key": None if check else f"key {number}",
        "tally_id": None,
        "submitted_at": datetime(day.year, day.month, day.day, 2, chance.randrange(3), tzinfo=UTC) + timedelta(late),
    }


def covered(row: dict[str, Any], who: str) -> bool:
    return who in ("city_reviewer", "province_user") or row["area3"] == {"county_inspector": "320402"}[who]


def wanted(row: dict[str, Any], filters: Filters) -> bool:
    plain = (("kind", filters.kind), ("product_code", filters.product_code), ("disposal_state", filters.disposal),
             ("problems_found", filters.problem), ("unable", filters.unable), ("conclusion", filters.conclusion),
             ("area3", filters.region))  # fmt: skip
    return (
        all(value is None or row[name] == value for name, value in plain)
        and (filters.q is None or filters.q in row["org_name"])
        and (not filters.own_office or filters.region is not None or row["area3"] is None)
        and (filters.day_from is None or row["check_date"] >= filters.day_from)
        and (filters.day_to is None or row["check_date"] <= filters.day_to)
    )


def combinations() -> Iterator[Filters]:
    """Two filters together and a range of days; chance picks among them, always alike."""
    ranges = [
        (None, None), (date(2026, 9, 20), None), (None, date(2026, 9, 12)), (date(2026, 9, 10), date(2026, 9, 14)),
        (date(2025, 1, 1), None), (date(2026, 9, 2), date(2026, 10, 9)), (date(2030, 1, 1), None),
    ]  # fmt: skip
    single = [
        {}, {"kind": "sales"}, {"product_code": "01"}, {"product_code": "12"}, {"q": "电缆"}, {"q": "龙城"},
        {"q": "没有"}, {"problem": True}, {"problem": False}, {"disposal": "na"}, {"disposal": "none"},
        {"disposal": "done"}, {"unable": True}, {"unable": False}, {"conclusion": "fail"}, {"conclusion": "pass"},
        {"region": "320402"}, {"own_office": True},
    ]  # fmt: skip
    chance = random.Random(7)
    pairs = [(a, b) for a, b in itertools.combinations(single, 2) if not set(a) & set(b)]
    for one, other in chance.sample(pairs, rounds(60, few=20)):
        first, last = chance.choice(ranges)
        yield Filters(**{**one, **other}, day_from=first, day_to=last)


LOWERED: list[dict[str, int]] = [
    {},
    {"inspection.statistics.tally_search.FEW_RECORDS": 0},
    {
        "inspection.statistics.tally_search.FEW_RECORDS": 0,
        "inspection.records.date_ranges._READ_FIRST": 1,
        "inspection.records.listing._MANY_NAMED": 0,
    },
    {
        "inspection.statistics.tally_search.FEW_RECORDS": 0,
        "inspection.records.date_ranges._READ_FIRST": 1,
        "inspection.statistics.tally_search._FEW_NAMES": 0,
    },
]


@pytest.mark.rounds
@pytest.mark.parametrize("lowered", LOWERED)
def test_a_list_holds_what_was_asked_for_in_its_order_by_whatever_way_it_is_read(
    filled: Filled, lowered: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lowered.items():
        monkeypatch.setattr(name, value)
    with filled.database.read() as session:
        for filters in combinations():
            for who, record_type in (
                ("city_reviewer", CHECK),
                ("city_reviewer", SPOT_CHECK),
                ("county_inspector", CHECK),
            ):
                if who == "county_inspector" and (filters.own_office or filters.region):
                    continue
                expected = [
                    row["id"]
                    for row in sorted(filled.rows, key=lambda row: (row["submitted_at"], row["id"].hex), reverse=True)
                    if row["record_type"] == record_type and covered(row, who) and wanted(row, filters)
                ]
                page = listing.submitted(session, filled.actors[who], record_type, filters, PageRequest(page_size=3))
                assert [row.Inspection.id for row in page.items] == expected[:3], (who, record_type, filters)
                assert page.total == len(expected) and page.total_is_exact, (who, record_type, filters)
                if page.next_after is None:
                    assert len(expected) <= 3
                    continue
                behind = PageRequest(page_size=4, after=page.next_after)
                page = listing.submitted(session, filled.actors[who], record_type, filters, behind)
                assert [row.Inspection.id for row in page.items] == expected[3:7], (who, record_type, filters)
                by_number = listing.submitted(session, filled.actors[who], record_type, filters, PageRequest(2, 3))
                assert [row.Inspection.id for row in by_number.items] == expected[3:6], (who, record_type, filters)


def figures(rows: list[dict[str, Any]]) -> dict[str, int]:
    """The figures of these records, counted one by one (HTTP contract, §3)."""
    by_org: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_org.setdefault(row["uscc"], []).append(row)

    def having(*tests: Any) -> int:
        return sum(all(test(found) for test in tests) for found in by_org.values())

    def some(**columns: Any) -> Any:
        return lambda found: any(all(row[name] == value for name, value in columns.items()) for row in found)

    def none(**columns: Any) -> Any:
        return lambda found: not some(**columns)(found)

    spots = [row for row in rows if row["record_type"] == SPOT_CHECK]
    done = {"kind": "production", "unable": False}
    return {
        "checked": having(some(**done)),
        "unable": having(none(**done), some(kind="production", unable=True)),
        "sales_checked": having(some(kind="sales", unable=False)),
        "problem_enterprises": having(some(problems_found=True)),
        "disposal_done": having(some(disposal_state="done"), none(disposal_state="in_progress")),
        "disposal_in_progress": having(some(disposal_state="in_progress")),
        "spot_enterprises": having(some(record_type=SPOT_CHECK)),
        "spot_batches": len(spots),
        "failed_batches": sum(row["conclusion"] == "fail" for row in spots),
    }


@pytest.mark.rounds
def test_figures_of_days_are_those_of_their_records_whichever_side_of_the_range_is_read(filled: Filled) -> None:
    days = [None, date(2025, 1, 1), *(FIRST + timedelta(days=n) for n in (-1, 0, 1, 9, 20, 38, 39, 40)), date.max]
    ranges = [(a, b) for a in days for b in reversed(days) if a is None or b is None or a <= b]
    asked_for = list(itertools.product(ranges, (None, "06", "12")))
    with filled.database.read() as session:
        for (first, last), product in asked_for[:: rounds(1, few=4)]:
            told = statistics.progress(
                session, filled.actors["city_reviewer"], StatisticsFilter(product, None, first, last)
            )
            asked = Filters(product_code=product, day_from=first, day_to=last)
            rows = [row for row in filled.rows if wanted(row, asked)]
            where = (first, last, product)
            assert {name: told["total"][name] for name in figures([])} == figures(rows), where
            for shown in told["rows"]:
                code = None if shown["own_office"] else shown["region_code"]
                mine = figures([row for row in rows if row["area3"] == code])
                assert {name: shown[name] for name in mine} == mine, (where, code)
