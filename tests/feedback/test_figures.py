"""The statistics: every formula against figures worked out by hand, N = 0 included, and against the records."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from assets.tables.writing import Sheet
from core import clock
from feedback.codes import operations as codes
from feedback.models import Rating, RatingCode, RatingFollowUp
from feedback.queries import Filters
from feedback.ratings.exports import export_rows, list_sheet, summary_sheet, tag_sheet
from feedback.statistics import tallies
from feedback.statistics.counts import RatingDelta, RatingTally
from tests.databases import transactions
from tests.feedback.room import BAD, Room
from tests.rounds import rounds

NOTHING = {
    "ratings": 0, "level_5": 0, "level_4": 0, "level_3": 0, "level_2": 0, "level_1": 0, "good": 0, "good_rate": None,
    "neutral": 0, "bad": 0, "bad_rate": None, "satisfaction": None, "average_stars": None, "matters": 0,
    "rated_matters": 0, "active_rate": None, "real_bad": 0, "called_back": 0, "call_back_rate": None,
    "due_or_closed": 0, "closed_in_time": 0, "in_time_rate": None, "overdue": 0, "from_staff_addresses": 0,
}  # fmt: skip


def total(room: Room, **filters: Any) -> dict[str, Any]:
    found = room.figures(**filters)["total"]
    return {name: value for name, value in found.items() if not name.startswith("office_")}


def fold(room: Room, limit: int = 5000) -> int:
    with room.database.write() as session:
        return tallies.fold(session, limit)


def test_what_was_noted_is_folded_in_small_transactions(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "BATCH", 4)
    window = room.code()
    for _ in range(9):
        room.send(window)
    with transactions(room.database.engine) as written:
        assert tallies.fold_everything(room.database) == 9
    assert len(written) == 3
    assert total(room)["ratings"] == 9


def test_without_ratings_every_rate_is_nothing_and_nothing_is_divided(room: Room) -> None:
    found = room.figures()
    assert total(room) == NOTHING
    assert found["rows"] == []
    assert len(found["tags"]) == 40 and not any(tag["count"] for tag in found["tags"])
    for filters in ({"matter": "x"}, {"region": "330000"}, {"day_from": date(2026, 1, 1), "day_to": date(2025, 1, 1)}):
        assert total(room, **filters) == NOTHING
    assert [cell for row in summary_sheet(found).rows for cell in row].count("–") == 7
    assert total(room, day_to=date.max, day_from=date.min) == NOTHING


@pytest.mark.parametrize("folded", [False, True])
def test_the_formulas_of_the_norm(room: Room, at_ten: time_machine.Traveller, folded: bool) -> None:
    """Eleven ratings: 4 × 5, 2 × 4, 1 × 3, 2 × 2, 2 × 1; three bad ones by name, of which two were called back."""
    window, case = room.code(), room.code(kind="per_matter")
    room.code(kind="per_matter")
    for level in (5, 5, 5, 4, 4, 3):
        room.send(window, level=level, tags=[])
    room.send(case, level=5, tags=[510, 511])
    closed = room.bad(window, level=2, tags=[207])
    late, unnamed = room.bad(window), room.bad(window, real_name=False)
    room.lead(closed, "contact", "verify", "rectify", "reply", "close")
    room.lead(late, "contact", "contact")
    room.lead(unnamed, "contact")
    waiting = room.bad(window, level=2, tags=[207])
    room.lead(room.bad(window), "contact", "verify", "appeal", "void")
    at_ten.move_to("2026-11-28T00:00:00+08:00")  # the due date of 27 November is over
    if folded:
        assert fold(room) == 19
        assert fold(room) == 0
    assert total(room) == {
        "ratings": 11, "level_5": 4, "level_4": 2, "level_3": 1, "level_2": 2, "level_1": 2,
        "good": 7, "good_rate": 0.6364, "neutral": 1, "bad": 4, "bad_rate": 0.3636,
        # (4·5 + 2·4 + 3 + 2·2 + 2·1) = 37 stars of eleven; ·20 / 11
        "satisfaction": 67.27, "average_stars": 3.36,
        "matters": 2, "rated_matters": 1, "active_rate": 0.5,
        "real_bad": 3, "called_back": 2, "call_back_rate": 0.6667,
        # closed 1, overdue 3 (late, unnamed, waiting)
        "due_or_closed": 4, "closed_in_time": 1, "in_time_rate": 0.25, "overdue": 3, "from_staff_addresses": 0,
    }  # fmt: skip
    counts = {tag["code"]: tag["count"] for tag in room.figures()["tags"] if tag["count"]}
    assert counts == {510: 1, 511: 1, 207: 2, 109: 2, 115: 2}
    assert room.listed(overdue=True) == sorted([late, unnamed, waiting], key=lambda one: one.hex)
    assert total(room, channel="qr_matter")["ratings"] == 1
    assert total(room, matter="营业执照办理")["ratings"] == 11
    assert total(room, matter="营业执照")["ratings"] == 0
    assert total(room, day_from=date(2026, 11, 21), day_to=date(2026, 11, 21))["ratings"] == 11
    assert total(room, day_from=date(2026, 11, 22))["ratings"] == 0


def test_each_office_has_a_row_and_sees_what_lies_within_its_reach(room: Room) -> None:
    room.send(room.code())
    room.send(room.code("neighbour_officer"), level=3, tags=[])
    city = room.figures("city_supervisor")
    assert [(row["office_name"], row["ratings"]) for row in city["rows"]] == [
        ("天宁区市场监督管理局", 1), ("钟楼区市场监督管理局", 1),
    ]  # fmt: skip
    assert city["total"]["ratings"] == 2
    assert [row["office_name"] for row in room.figures("neighbour_supervisor")["rows"]] == ["钟楼区市场监督管理局"]
    assert room.figures("neighbour_supervisor", region="320402")["total"]["ratings"] == 0
    assert room.figures("city_supervisor", region="320402")["total"]["ratings"] == 1
    office = room.people["officer"].office_id
    assert room.figures("city_supervisor", office_id=office)["total"]["ratings"] == 1


def by_hand(room: Room, **filters: Any) -> dict[str, Any]:
    """The same figures from the raw records, one by one."""
    with room.database.read() as session:
        made = {code.id: code for code in session.scalars(select(RatingCode))}
        ratings = session.scalars(select(Rating)).all()
        follow_ups = {row.rating_id: row for row in session.scalars(select(RatingFollowUp))}

    def asked(office: Any, matter: str, channel: str, day: date) -> bool:
        return (
            filters.get("office_id") in (None, office)
            and filters.get("matter") in (None, matter)
            and filters.get("channel") in (None, channel)
            and (filters.get("day_from") or date.min) <= day <= (filters.get("day_to") or date.max)
        )

    def local(moment: Any) -> date:
        return moment.astimezone(clock.LOCAL).date()

    counted = [r for r in ratings if r.status != "voided"
               and asked(r.office_id, made[r.code_id].matter_name, r.channel, local(r.submitted_at))]  # fmt: skip
    matters = [c for c in made.values() if c.kind == "per_matter" and c.generated_at and c.status != "disabled"
               and asked(c.office_id, c.matter_name, "qr_matter", local(c.generated_at))]  # fmt: skip
    number, bad = len(counted), [r for r in counted if r.level < 3]
    real = [r for r in bad if r.real_name]
    called = [r for r in real if follow_ups[r.id].contacts > 0]
    closed = [r for r in bad if r.status == "closed"]
    in_time = [r for r in closed if local(r.closed_at) <= r.due_on]
    overdue = [r for r in bad if r.status != "closed" and r.due_on < clock.today()]
    rated = [r for r in counted if r.channel != "qr_once"]

    def rate(part: Any, whole: Any) -> float | None:
        return round(len(part) / len(whole), 4) if whole else None

    good = [r for r in counted if r.level >= 3]
    return {
        "ratings": number, **{f"level_{n}": sum(r.level == n for r in counted) for n in range(5, 0, -1)},
        "good": len(good), "good_rate": rate(good, counted), "neutral": sum(r.level == 3 for r in counted),
        "bad": len(bad), "bad_rate": rate(bad, counted),
        "satisfaction": round(sum(20 * r.level for r in counted) / number, 2) if number else None,
        "average_stars": round(sum(r.level for r in counted) / number, 2) if number else None,
        "matters": len(matters), "rated_matters": len(rated), "active_rate": rate(rated, matters),
        "real_bad": len(real), "called_back": len(called), "call_back_rate": rate(called, real),
        "due_or_closed": len(closed) + len(overdue), "closed_in_time": len(in_time),
        "in_time_rate": rate(in_time, closed + overdue), "overdue": len(overdue),
        "from_staff_addresses": sum(r.from_staff_address for r in counted),
        "tags": Counter(tag for r in counted for tag in r.tags),
    }  # fmt: skip


def everything_agrees(room: Room, some: random.Random) -> None:
    today = clock.today()
    day_from, day_to = (today - timedelta(days=some.randrange(90)) for _ in range(2))
    for filters in (
        {}, {"day_from": day_from}, {"day_to": day_to},
        {"day_from": min(day_from, day_to), "day_to": max(day_from, day_to)},
        {"matter": some.choice(["营业执照办理", "变更登记"])}, {"channel": some.choice(["qr_once", "qr_matter"])},
        {"office_id": room.people["officer"].office_id, "day_from": day_from},
    ):  # fmt: skip
        wanted = by_hand(room, **filters)
        tags = wanted.pop("tags")
        found = room.figures("city_supervisor", **filters)
        assert {name: found["total"][name] for name in wanted} == wanted, filters
        assert {tag["code"]: tag["count"] for tag in found["tags"] if tag["count"]} == dict(tags), filters
        assert sum(row["ratings"] for row in found["rows"]) == wanted["ratings"]


@pytest.mark.rounds
def test_after_whatever_happens_the_figures_are_those_of_the_records(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    some = random.Random(20261121)
    made = [room.code(), room.code(matter_name="变更登记"), room.code("neighbour_officer")]
    bad: list[Any] = []
    for step in range(rounds(120, few=60)):
        at_ten.shift(timedelta(hours=some.randrange(30)))
        what = some.choice(["rate", "rate", "rate", "rate", "lead", "lead", "case", "disable", "fold"])
        if what == "rate":
            level = some.randint(1, 5)
            changes = {**BAD, "real_name": some.random() < 0.7} if level < 3 else {"tags": []}
            changes |= {"level": level, "tags": [level * 100 + {1: 8, 2: 7, 3: 7, 4: 6, 5: 10}[level]]}
            code = some.choice(made)
            rated = room.send(code, **changes).id
            if level < 3 and code is not made[2]:
                bad.append(rated)
        elif what == "lead" and bad:
            way = some.choice([["contact"], ["contact", "verify"], ["contact", "verify", "rectify", "reply", "close"],
                               ["contact", "appeal", "void"], ["appeal", "void"]])  # fmt: skip
            rating_id = bad.pop()
            late = room.rating(rating_id).due_on
            if "appeal" in way and late is not None and late < clock.today():
                way = ["contact"]
            room.lead(rating_id, *way)
        elif what == "case":
            code = room.code(kind="per_matter")
            if some.random() < 0.6:
                room.send(code)
        elif what == "disable":
            code = room.code(kind="per_matter", matter_name="变更登记")
            with room.database.write() as session:
                codes.disable(session, room.people["officer"], code.id)
        else:
            fold(room, limit=some.choice([1, 7, 5000]))
        if step % 20 == 19:
            everything_agrees(room, some)
    everything_agrees(room, some)
    while fold(room, 11):
        everything_agrees(room, some)
    with room.database.write() as session:
        assert tallies.reconcile(session).wrong == 0


def test_two_who_fold_at_once_count_nothing_twice_and_readers_always_see_all(room: Room) -> None:
    code = room.code()
    for _ in range(40):
        room.send(code, level=4, tags=[406])
    seen: list[tuple[int, int]] = []

    def read(_: int) -> None:
        found = room.figures()
        seen.append((found["total"]["ratings"], sum(tag["count"] for tag in found["tags"])))

    with ThreadPoolExecutor(8) as pool:
        folded = [pool.submit(fold, room, 7) for _ in range(12)]
        readings = [pool.submit(read, number) for number in range(12)]
        assert sum(one.result() for one in folded) <= 40
        for one in readings:
            one.result()
    while fold(room):
        pass
    assert set(seen) == {(40, 40)}
    assert total(room)["ratings"] == 40
    assert room.code_now(code).ratings == 40
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(RatingDelta)) == 0


def test_a_tally_that_was_spoilt_is_found_and_mended(room: Room) -> None:
    code = room.code()
    room.bad(code)
    fold(room)
    with room.database.write() as session:
        session.execute(update(RatingTally).where(RatingTally.grain == "month").values(n1=7))
        session.execute(update(RatingCode).values(ratings=9))
        assert tallies.reconcile(session).wrong == 3
        assert tallies.reconcile(session).wrong == 0
    assert total(room)["level_1"] == 1
    assert room.code_now(code).ratings == 1


def named_rows(sheet: Sheet) -> list[dict[str, object]]:
    return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]


def test_the_export_masks_numbers_and_names_every_figure(room: Room) -> None:
    code = room.code(window="3号窗口")
    room.send(code, mobile="13800000001", level=4, tags=[406], comment="=1+1")
    room.bad(code, mobile="13800000002")
    reader = room.people["supervisor"]
    rows = named_rows(list_sheet(export_rows(room.database, reader, Filters()), reader))
    assert [row["手机号"] for row in rows] == ["138****0002", "138****0001"]
    assert rows[1]["具体意见"] == "=1+1"
    bad = named_rows(list_sheet(export_rows(room.database, reader, Filters(bad=True)), reader))
    assert [row["评价等级"] for row in bad] == ["非常不满意"]
    found = room.figures()
    summary = named_rows(summary_sheet(found))
    assert [row["承办单位"] for row in summary] == ["合计", "天宁区市场监督管理局"]
    assert summary[0]["好评率"] == 0.5
    assert ["满意", "填写一张表单就可完成申报", 1] in tag_sheet(found).rows


def test_an_export_goes_through_all_rows_in_chunks(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.database.paging.CHUNK", 3)
    code = room.code()
    sent = [room.bad(code) for _ in range(8)]
    actor = room.people["officer"]
    assert [row.Rating.id for row in export_rows(room.database, actor, Filters())] == sent[::-1]
    assert {row.Rating.id for row in export_rows(room.database, actor, Filters(overdue=False))} == set(sent)
