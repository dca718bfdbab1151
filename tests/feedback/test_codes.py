"""Rating codes: made, generated, disabled, made by finished filings."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import Region
from accounts.offices import enterprise_office_id
from core.database.paging import PageRequest
from core.models import Todo
from core.workflows import history
from feedback import queries
from feedback.codes import operations as codes
from feedback.codes import scan_counts
from feedback.models import RatingCode
from feedback.statistics import tallies
from tests.feedback.room import Room, faults, refused

BODY: dict[str, Any] = {"kind": "per_visit", "matter_name": "营业执照办理", "org_name": "天宁区市场监督管理局"}


def create(room: Room, person: str = "officer", **changes: Any) -> tuple[RatingCode, bool]:
    with room.database.write() as session:
        return codes.create(session, room.people[person], {**BODY, **changes})


def test_a_code_has_no_link_until_it_is_generated(room: Room) -> None:
    code, new = create(room, window=" 3 号\n窗口 ")
    assert (new, code.status, code.token, code.window) == (True, "not_generated", None, "3 号 窗口")
    with room.database.write() as session:
        made = codes.generate(session, room.people["officer"], code.id)
    assert made.status == "active" and made.token is not None and len(made.token) == 32
    with room.database.write() as session:
        again = codes.generate(session, room.people["supervisor"], code.id)
    assert (again.token, again.version) == (made.token, made.version)


def test_all_faults_of_a_code_come_at_once(room: Room) -> None:
    problem = refused(lambda: create(room, kind="per_matter", matter_name="", org_name=5, window=5, id="x"))
    assert faults(problem) == {
        "/matter_name": "required", "/org_name": "wrong_type", "/window": "wrong_type", "/matter_ref": "required",
        "/id": "bad_format",
    }  # fmt: skip
    assert faults(refused(lambda: create(room, kind="x", matter_name="长" * 201))) == {
        "/kind": "unknown_kind", "/matter_name": "too_long",
    }  # fmt: skip


def test_a_code_is_made_for_the_own_office_unless_told_and_for_no_other_bureau(room: Room) -> None:
    own, neighbour = room.people["officer"].office_id, room.people["neighbour_officer"].office_id
    code, _ = create(room, org_name=None)
    assert (code.office_id, code.org_name) == (own, "天宁区市场监督管理局")
    for name in ("常州市天宁区市场监督管理局", "江苏省常州市天宁区市场监督管理局", " 天宁区 市场监督管理局 "):
        named, _ = create(room, org_name=name)
        assert (named.office_id, named.org_name) == (own, " ".join(name.split()))
    for wrong in (
        "钟楼区市场监督管理局",
        "常州市市场监督管理局",
        "南京市天宁区市场监督管理局",
        "市场监督管理局",
        "天宁",
    ):
        problem = refused(lambda name=wrong: create(room, org_name=name))
        assert faults(problem) == {"/org_name": "other_office"}
        assert "天宁区市场监督管理局" in problem.errors[0].message
    for wrong_id, told in ((str(neighbour), "other_office"), (str(uuid4()), "other_office"), ("x", "bad_format")):
        problem = refused(lambda office_id=wrong_id: create(room, org_name=None, office_id=office_id))
        assert faults(problem) == {"/office_id": told}
    city = refused(lambda: create(room, "city_supervisor", org_name=None, office_id=str(own)))
    assert faults(city) == {"/office_id": "other_office"}


def test_a_bureau_makes_codes_for_the_stations_below_it(room: Room) -> None:
    own = room.people["officer"].office_id
    with room.database.write() as session:
        region = session.get_one(Region, "320402")
        station = offices.create_office(session, "茶山市场监管所", "station", region, own)
        other = session.get_one(Region, "320404")
        elsewhere = offices.create_office(session, "五星市场监管所", "station", other, None)
    by_id, _ = create(room, org_name=None, office_id=str(station))
    by_name, _ = create(room, org_name="常州市茶山市场监管所")
    assert by_id.office_id == by_name.office_id == station
    assert (by_id.org_name, by_id.area3) == ("茶山市场监管所", "320402")
    assert faults(refused(lambda: create(room, org_name=None, office_id=str(elsewhere)))) == {
        "/office_id": "other_office"
    }
    mixed = refused(lambda: create(room, org_name="天宁区市场监督管理局", office_id=str(station)))
    assert faults(mixed) == {"/org_name": "other_office"}


def test_codes_from_before_with_any_name_stay_as_they_are(room: Room) -> None:
    old = room.code()
    with room.database.write() as session:
        session.execute(update(RatingCode).where(RatingCode.id == old.id).values(org_name="某某大厅"))
    assert room.rating(room.send(old).id).code_id == old.id
    with room.database.write() as session:
        assert codes.disable(session, room.people["officer"], old.id).status == "disabled"


def test_the_same_call_with_an_id_gives_the_same_code_and_another_content_is_refused(room: Room) -> None:
    code_id = str(uuid4())
    first, new = create(room, id=code_id)
    again, new_again = create(room, id=code_id)
    assert (new, new_again, again.id) == (True, False, first.id)
    assert refused(lambda: create(room, id=code_id, window="2")).code == "id_taken"
    assert refused(lambda: create(room, "supervisor", id=code_id)).code == "id_taken"


@pytest.mark.parametrize("person", ["handler", "inspector"])
def test_who_may_not_generate_makes_no_code(room: Room, person: str) -> None:
    assert refused(lambda: create(room, person)).code == "forbidden"


@pytest.mark.parametrize(
    ("person", "expected"),
    [("handler", "forbidden"), ("inspector", "not_found"), ("neighbour_officer", "not_found")],
)  # fmt: skip
def test_a_code_is_generated_and_disabled_by_those_who_may(room: Room, person: str, expected: str) -> None:
    waiting, active = room.code(generated=False), room.code()
    with room.database.write() as session:
        actor = room.people[person]
        for code in (waiting, active):
            assert refused(codes.generate, session, actor, code.id).code == expected
            assert refused(codes.disable, session, actor, code.id).code == expected


def test_a_disabled_code_cannot_be_generated_and_disabling_again_changes_nothing(room: Room) -> None:
    waiting = room.code(generated=False)
    with room.database.write() as session:
        officer = room.people["officer"]
        assert codes.disable(session, officer, waiting.id, "写错了").status == "disabled"
        assert codes.disable(session, officer, waiting.id, "写错了").version == 2
        problem = refused(lambda: codes.generate(session, officer, waiting.id))
        assert (problem.code, problem.extra) == ("wrong_status", {"current_status": "disabled"})
        assert [move["action"] for move in history.read(session, waiting.id)] == ["create", "disable"]


def test_codes_are_listed_to_offices_in_reach_newest_first_and_found_by_name(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    first = room.code(matter_name="食品经营许可100%")
    at_ten.shift(60)
    second = room.code(kind="per_matter")

    def listed(person: str, **filters: Any) -> list[Any]:
        with room.database.read() as session:
            actor = room.people[person]
            page = queries.codes(session, actor, queries.CodeFilters(**filters), PageRequest())
            return [queries.code_answer(row.RatingCode, actor)["id"] for row in page.items]

    assert listed("officer") == listed("city_supervisor") == [str(second.id), str(first.id)]
    assert listed("neighbour_officer") == []
    assert listed("officer", q="许可100%") == [str(first.id)]
    assert listed("officer", q="%") == [str(first.id)]
    assert listed("officer", kind="per_matter", status="active") == [str(second.id)]
    assert refused(lambda: listed("inspector")).code == "not_found"


def test_scans_are_written_in_small_transactions_and_those_that_cannot_be_are_kept(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_counts, "BATCH", 2)
    made = [room.code() for _ in range(5)]
    counts = scan_counts.ScanCounts(room.database)
    for code in made:
        counts.note(code.id)
    written: list[int] = []

    def write(session: Session, some: Mapping[UUID, int]) -> None:
        written.append(len(some))
        codes.record_scans(session, some)
        if len(written) == 2:
            raise OperationalError("UPDATE", None, Exception("database or disk is full"))

    monkeypatch.setattr(scan_counts, "record_scans", write)
    counts.write()
    assert sum(room.code_now(code).scans for code in made) == 2
    counts.write()
    assert [room.code_now(code).scans for code in made] == [1] * 5
    assert written == [2, 2, 2, 1]


def test_scans_and_ratings_are_counted(room: Room) -> None:

    code = room.code()
    rating_id = room.bad(code)
    room.send(code)
    with room.database.write() as session:
        codes.record_scans(session, {code.id: 3})
        codes.record_scans(session, {code.id: 2, uuid4(): 1})
        codes.record_scans(session, {})
        tallies.fold(session)
    now = room.code_now(code)
    assert (now.scans, now.ratings, now.version) == (5, 2, code.version)
    room.lead(rating_id, "appeal", "void")
    with room.database.write() as session:
        tallies.fold(session)
    assert room.code_now(code).ratings == 1


def a_finished_filing(title: str = "数据申报") -> Any:
    return cast(Any, SimpleNamespace(
        id=uuid4(), title=title, enterprise_id=uuid4(), uscc="91320400MA1TEX0012",
        area1="320000", area2="320400", area3="320402",
    ))  # fmt: skip


def test_a_finished_filing_makes_one_code_and_one_to_do_for_its_enterprise(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    filing, kind = a_finished_filing(), cast(Any, SimpleNamespace(title="数据申报"))
    for _ in range(2):
        with room.database.write() as session:
            codes.invite(session, filing=filing, kind=kind)
    with room.database.read() as session:
        code = session.scalars(select(RatingCode)).one()
        todo = session.scalars(select(Todo).where(Todo.closed_at.is_(None))).one()
        region = session.get_one(Region, "320402")
    assert (code.kind, code.status, code.filing_id, code.enterprise_id) == (
        "per_matter", "active", filing.id, filing.enterprise_id,
    )  # fmt: skip
    assert (code.area3, code.org_name, str(code.valid_to)) == (region.code, "天宁区市场监督管理局", "2026-12-21")
    assert (todo.kind, todo.subject_id, todo.verb) == ("rate_service", code.id, "filings.write")
    assert todo.office_id == enterprise_office_id(filing.uscc)
    assert room.figures()["total"]["matters"] == 1
    rated = room.send(code)
    assert room.rating(rated.id).channel == "web_todo"
    total = room.figures(channel="web_todo")["total"]
    assert (total["ratings"], total["matters"], total["active_rate"]) == (1, 1, 1.0)
    with room.database.read() as session:
        assert session.scalars(select(Todo.id).where(Todo.closed_at.is_(None))).all() == []


def test_the_to_do_of_an_enterprise_is_closed_when_its_code_expires(room: Room, at_ten: time_machine.Traveller) -> None:
    with room.database.write() as session:
        codes.invite(session, filing=a_finished_filing(), kind=cast(Any, SimpleNamespace(title="数据申报")))
    at_ten.move_to("2026-12-22T00:10:00+08:00")
    assert codes.expiry().run(room.database) == 1
    with room.database.read() as session:
        assert session.scalars(select(Todo.id).where(Todo.closed_at.is_(None))).all() == []
