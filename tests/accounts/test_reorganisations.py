"""Reorganisations of regions (区划调整): all of a county moves together, on its day, and nobody loses sight of it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import event, select

from accounts import integrity as accounts_integrity
from accounts import offices
from accounts.models import AccountApplication, Office, Region, RegionLevel, Reorganisation, User
from accounts.regions import moves as region_moves
from accounts.regions import reorganisations
from accounts.regions.chain_tables import chain_tables, counts_below
from accounts.regions.loading import RegionRow, area_rows, current_region, load_regions
from accounts.regions.reorganisations import Kind, Wanted
from accounts.verbs import Role
from core import clock as local
from core.db import Base, Database
from core.errors import Problem
from core.workflows import history as histories
from enterprise import integrity as enterprise_integrity
from enterprise.imports.register_rows import RegionIndex
from enterprise.models import Enterprise, EnterpriseProduct
from feedback import integrity as feedback_integrity
from feedback.statistics import tallies as rating_tallies
from inspection import integrity as inspection_integrity
from inspection.models import Inspection
from inspection.statistics import tallies
from inspection.statistics.models import EnterpriseTally
from tests.command_line import command_line
from tests.newcomers import application_body, apply, make_station
from tests.people import Person, SignIn, production, spot_check, uscc, with_problem
from tests.raters import Hall
from tests.records import listed, problem, read, save, submit
from tests.register import put_enterprises
from tests.rounds import others_in_rounds

pytestmark = pytest.mark.usefixtures("clock")

TIANNING, ZHONGLOU, CHANGZHOU, NANJING = "320402", "320404", "320400", "320100"
OLD = ("320000", CHANGZHOU, TIANNING)
FIGURES = ("planned", "checked", "problem_enterprises", "disposal_in_progress", "spot_batches")


def wanted(kind: Kind, code: str, into: str, **also: Any) -> Wanted:
    return Wanted(kind, code, into, also.pop("day", local.today()), **also)


def plan(database: Database, *several: Wanted) -> list[Reorganisation]:
    with database.write() as session:
        return [reorganisations.plan(session, one, by="admin") for one in several]


def begin(database: Database, one: Wanted) -> Reorganisation:
    """Carry it out, up to where all that was there has moved."""
    (record,) = plan(database, one)
    region_moves.carry_out(database)
    return record


def settle(database: Database, clock: time_machine.Traveller) -> None:
    """The second look, when whoever was let in before must be done."""
    clock.shift(region_moves.SETTLE + timedelta(seconds=1))
    region_moves.carry_out(database)
    with database.read() as session:
        open_ones = session.scalars(select(Reorganisation.status).where(Reorganisation.status != "done")).all()
    assert open_ones == []


@dataclass
class County:
    """Records of every sort in 天宁区."""

    check: str
    spot: str
    draft: str
    rating: str
    code: dict[str, Any]
    application: str
    hall: Hall


@pytest.fixture
def county(
    client: FlaskClient, database: Database, county_inspector: Person, neighbour_inspector: Person, sign_in: SignIn
) -> County:
    hall = Hall(client, database, sign_in)
    with database.write() as session:
        put_enterprises(
            session, {"uscc": uscc(1), "name": "天宁一厂", "region_code": TIANNING, "product_codes": ["06"]}
        )
    make_station(database, TIANNING, "station_inspector", Role.INSPECTOR)
    code = hall.code()
    hall.rated(code)
    submit(neighbour_inspector, production(uscc=uscc(2), org_name="钟楼电缆有限公司"))
    return County(
        check=submit(county_inspector, with_problem({"7.1": "in_progress"}))["id"],
        spot=submit(county_inspector, spot_check(), noun="spot-checks")["id"],
        draft=save(county_inspector, production(org_name="暂存电缆有限公司"))["id"],
        rating=hall.bad(code), code=code,
        application=apply(client, username="tianning_li", unit_name="天宁区局", region_code=TIANNING)["id"],
        hall=hall,
    )  # fmt: skip


def figures(person: Person, query: str = "") -> dict[str, Any]:
    return read(person, f"/statistics/progress?{query}")


def rows(person: Person, query: str = "") -> dict[str, dict[str, int]]:
    """The figures of each region below that has some."""
    found = figures(person, query)["rows"]
    return {row["region_code"]: {name: row[name] for name in FIGURES} for row in found if any(row[n] for n in FIGURES)}


def assert_whole(database: Database, *viewers: Person) -> None:
    """Kept figures are those of the records, histories hold, and rows add up to totals."""
    with database.write() as session:
        found = tallies.reconcile(session)
        assert (found.mended, found.added, found.emptied) == (0, 0, 0)
        rated = rating_tallies.reconcile(session)
        assert (rated.wrong, rated.broken) == (0, ())
    with database.read() as session:
        assert list(inspection_integrity.verify(session)) == []
        assert list(feedback_integrity.verify(session)) == []
        assert list(accounts_integrity.verify(session)) == []
        assert list(enterprise_integrity.verify(session)) == []
    for viewer in viewers:
        for query in ("", "from=2026-01-01"):
            answer = figures(viewer, query)
            for name in ("planned", "checked", "spot_batches"):
                assert sum(row[name] for row in answer["rows"]) == answer["total"][name], (viewer.username, query, name)


def left_in(database: Database, chain: tuple[str, ...]) -> dict[str, int]:
    with database.read() as session:
        return counts_below(session, chain)


# What is moved


def test_every_table_with_a_chain_of_regions_is_moved(database: Database) -> None:
    with database.read() as session:
        found = {one.table.name for one in chain_tables(session)}
        follow = {one.table.name for one in chain_tables(session) if one.follows}
    declared = {
        mapper.class_.__tablename__ for mapper in Base.registry.mappers
        if {"area1", "area2", "area3"} <= set(mapper.columns.keys()) and mapper.class_ is not Region
    }  # fmt: skip
    assert found == declared and len(found) >= 13
    assert follow == {"enterprises"}


def test_a_county_with_another_superior_takes_everything_along(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person, city_reviewer: Person,
    other_city_user: Person, province_user: Person,
) -> None:  # fmt: skip
    before = {"own": rows(county_inspector), "province": figures(province_user)["total"]}
    in_changzhou = rows(city_reviewer)[TIANNING]
    assert in_changzhou == dict(zip(FIGURES, (1, 1, 1, 1, 1), strict=True))
    begin(database, wanted(Kind.SUPERIOR, TIANNING, NANJING))
    settle(database, clock)
    assert left_in(database, OLD) == {}
    assert rows(other_city_user)[TIANNING] == in_changzhou
    assert TIANNING not in rows(city_reviewer)
    assert figures(province_user)["total"] == before["province"]
    assert rows(county_inspector) == before["own"]
    # The own inspector, the new superior and nobody of the old city read the record.
    for person, status in ((county_inspector, 200), (other_city_user, 200), (city_reviewer, 404)):
        assert person.get(f"/inspections/{county.check}").status_code == status, person.username
        assert person.get(f"/spot-checks/{county.spot}").status_code == status, person.username
    assert listed(other_city_user, "problem=true") == [county.check]
    assert county.check not in listed(city_reviewer)
    # New records as well.
    made = submit(county_inspector, production(uscc=uscc(3), org_name="调整后电缆有限公司"))
    assert other_city_user.get(f"/inspections/{made['id']}").status_code == 200
    assert_whole(database, county_inspector, city_reviewer, other_city_user, province_user)


def test_the_offices_of_a_county_answer_to_its_new_superior(
    database: Database, county: County, client: FlaskClient, city_reviewer: Person, other_city_user: Person,
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    begin(database, wanted(Kind.SUPERIOR, TIANNING, NANJING))
    settle(database, clock)
    with database.read() as session:
        county_office = session.get_one(Office, offices.bureau_of(session, session.get_one(Region, TIANNING)))
        assert county_office.parent_id == offices.bureau_of(session, session.get_one(Region, NANJING))
        user_id = session.scalars(select(User.id).where(User.username == "county_inspector")).one()
    disable = f"/users/{user_id}/disable"
    assert problem(city_reviewer.post(disable, {"reason": "离职"})) == (404, "not_found")
    # The account that was applied for is decided by the new superior, and stands among its to-dos.
    decided = f"/account-applications/{county.application}/approve"
    assert problem(city_reviewer.post(decided, {})) == (404, "not_found")
    assert f"/account-applications/{county.application}" not in [
        one["link"] for one in read(city_reviewer, "/todos")["items"]
    ]
    assert f"/account-applications/{county.application}" in [
        one["link"] for one in read(other_city_user, "/todos")["items"]
    ]
    assert other_city_user.post(decided, {}).status_code == 200
    assert other_city_user.post(disable, {"reason": "离职"}).status_code == 200


def test_a_county_with_another_code_keeps_its_people_and_records(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person, city_reviewer: Person,
    client: FlaskClient,
) -> None:  # fmt: skip
    before = rows(city_reviewer)
    one = wanted(Kind.NEW_CODE, TIANNING, "320499", name="新天宁区")
    begin(database, one)
    settle(database, clock)
    assert left_in(database, OLD) == {}
    me = read(county_inspector, "/me")
    assert me["region"] == {"code": "320499", "name": "新天宁区"}
    assert me["office"]["name"] == "新天宁区市场监督管理局"
    record = read(county_inspector, f"/inspections/{county.check}")
    # What a record says of its time stays.
    assert (record["office"]["name"], record["region"]["code"]) == ("天宁区市场监督管理局", TIANNING)
    assert rows(city_reviewer) == {**{c: n for c, n in before.items() if c != TIANNING}, "320499": before[TIANNING]}
    # The old code is still understood, wherever one may be named.
    for code in (TIANNING, "320499"):
        assert set(listed(city_reviewer, f"region={code}")) == {county.check}
        assert figures(city_reviewer, f"region={code}")["total"]["checked"] == 1
        assert read(county.hall.person("supervisor"), f"/statistics/ratings?region={code}")["total"]["ratings"] == 2
        assert client.get(f"/api/v1/ratings/public?region={code}").get_json()["total"] == 2
    with database.read() as session:
        index = RegionIndex(session)
        assert index.code(TIANNING) == index.code("天宁区") == index.code("常州市天宁区") == "320499"
        enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == uscc(1))).one()
        assert (enterprise.region_code, enterprise.area3) == ("320499", "320499")
        assert session.scalars(select(EnterpriseProduct.area3)).all() == ["320499"]
        abolished = session.get_one(Region, TIANNING)
        assert (abolished.valid_to, abolished.successor_code) == (local.today(), "320499")
        assert session.get_one(AccountApplication, UUID(county.application)).region_code == TIANNING
    assert "320499" in [row["code"] for row in client.get(f"/api/v1/regions?parent={CHANGZHOU}").get_json()["items"]]
    assert_whole(database, county_inspector, city_reviewer)


def test_a_phone_that_was_offline_applies_with_the_old_code_and_may_repeat_itself(
    database: Database, county: County, client: FlaskClient
) -> None:
    begin(database, wanted(Kind.NEW_CODE, TIANNING, "320499"))
    body = application_body(username="late_phone", region_code=TIANNING)
    first = client.post("/api/v1/account-applications", json=body)
    again = client.post("/api/v1/account-applications", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    # One that was sent before, too: its region has another code by now.
    before = application_body(username="tianning_li", unit_name="天宁区局", region_code=TIANNING)
    assert client.post("/api/v1/account-applications", json=before).status_code == 200
    with database.read() as session:
        stored = session.scalars(
            select(AccountApplication.region_code).where(AccountApplication.unit_name == body["unit_name"])
        ).all()
    assert stored == ["320499"]


def test_two_counties_become_one(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person,
    neighbour_inspector: Person, city_reviewer: Person, sign_in: SignIn,
) -> None:  # fmt: skip
    before = rows(city_reviewer)
    into = {"into": "320498", "name": "中心区"}
    plan(database, wanted(Kind.MERGED, TIANNING, **into), wanted(Kind.MERGED, ZHONGLOU, **into))
    region_moves.carry_out(database)
    settle(database, clock)
    for person in (county_inspector, neighbour_inspector, county.hall.person("handler")):
        assert read(person, "/me")["office"]["name"] == "中心区市场监督管理局", person.username
    assert set(listed(county_inspector)) == set(listed(neighbour_inspector))
    assert len(listed(neighbour_inspector)) == 2
    assert rows(city_reviewer) == {
        "320498": {name: before[TIANNING][name] + before[ZHONGLOU][name] for name in FIGURES}
    }
    # The station below the abolished bureau stands below the new one.
    with database.read() as session:
        heir_id = offices.bureau_of(session, session.get_one(Region, "320498"))
        heir = session.get_one(Office, heir_id)
        assert len(heir.absorbed) == 2 and heir.areas == [[3, "320498"]] and heir.arriving == []
        station = session.scalars(select(Office).where(Office.name == "station_inspector所")).one()
        assert (station.parent_id, station.region_code, station.closed_on) == (heir_id, "320498", None)
        closed = session.scalars(select(Office).where(Office.closed_on.is_not(None))).all()
        assert {office.name for office in closed} == {"天宁区市场监督管理局", "钟楼区市场监督管理局"}
    assert_whole(database, county_inspector, city_reviewer)


def test_the_new_bureau_goes_on_with_what_the_abolished_one_began(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person
) -> None:
    handler = county.hall.person("handler")
    assert len(read(handler, "/todos")["items"]) == 1
    begin(database, wanted(Kind.MERGED, TIANNING, ZHONGLOU))
    settle(database, clock)
    assert len(read(handler, "/todos")["items"]) == 1
    county.hall.lead(county.rating, "contact", "verify", "rectify", "reply", "close")
    assert "disposal_in_progress" in [todo["kind"] for todo in read(county_inspector, "/todos")["items"]]
    with_version = {"disposals": {"7.1": "done"}, "version": 1}
    assert county_inspector.put(f"/inspections/{county.check}/disposals", with_version).status_code == 200
    # The draft of before is submitted for the office where its user sits now.
    sent = county_inspector.put(
        f"/inspections/{county.draft}/submission",
        production(org_name="暂存电缆有限公司", version=1, confirm_duplicate=True),
    )
    assert sent.status_code == 200 and sent.get_json()["office"]["name"] == "钟楼区市场监督管理局"
    county.hall.rated(county.code)
    assert_whole(database, county_inspector)


def test_a_city_moves_with_all_its_counties(
    database: Database, county: County, clock: time_machine.Traveller, city_reviewer: Person, county_inspector: Person,
    province_user: Person,
) -> None:  # fmt: skip
    before = rows(city_reviewer)
    begin(database, wanted(Kind.NEW_CODE, CHANGZHOU, "321400", name="新常州市"))
    settle(database, clock)
    assert left_in(database, ("320000", CHANGZHOU)) == {}
    assert rows(city_reviewer) == before
    assert set(rows(province_user)) == {"321400"}
    assert read(county_inspector, f"/inspections/{county.check}")["id"] == county.check
    assert_whole(database, county_inspector, city_reviewer, province_user)


def test_a_county_comes_to_lie_directly_below_its_province_and_back(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person, province_user: Person,
    city_reviewer: Person,
) -> None:  # fmt: skip
    before = rows(city_reviewer)
    begin(database, wanted(Kind.SUPERIOR, TIANNING, "320000"))
    assert read(county_inspector, f"/inspections/{county.check}")["id"] == county.check
    settle(database, clock)
    assert left_in(database, OLD) == {} and rows(province_user)[TIANNING] == before[TIANNING]
    assert_whole(database, county_inspector, province_user)
    begin(database, wanted(Kind.SUPERIOR, TIANNING, CHANGZHOU))
    settle(database, clock)
    assert rows(city_reviewer) == before
    assert_whole(database, county_inspector, city_reviewer, province_user)


# While it is under way


def interrupt_at(database: Database, table: str) -> None:
    """The process dies when it is about to move rows of that table."""

    def die(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(f"UPDATE {table} "):
            raise KeyboardInterrupt

    event.listen(database.engine, "before_cursor_execute", die)
    try:
        with pytest.raises(KeyboardInterrupt):
            region_moves.carry_out(database)
    finally:
        event.remove(database.engine, "before_cursor_execute", die)


TABLES = ("enterprise_tallies", "inspections", "ratings")
CHANGES = ((Kind.SUPERIOR, NANJING), (Kind.NEW_CODE, "320499"), (Kind.MERGED, ZHONGLOU))


@pytest.mark.parametrize(
    "change_and_table",
    # Each table once and each change once; all nine in `make test-rounds`.
    others_in_rounds(list(itertools.product(CHANGES, TABLES)), *zip(CHANGES, TABLES, strict=True)),
)
def test_nobody_loses_sight_when_it_is_interrupted_and_it_goes_on_where_it_stopped(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person,
    other_city_user: Person, city_reviewer: Person, neighbour_inspector: Person,
    change_and_table: tuple[tuple[Kind, str], str],
) -> None:  # fmt: skip
    (kind, into), table = change_and_table
    plan(database, wanted(kind, TIANNING, into))
    interrupt_at(database, table)
    superior = other_city_user if kind == Kind.SUPERIOR else city_reviewer
    people = [county_inspector, superior, *([neighbour_inspector] if kind == Kind.MERGED else [])]
    made = submit(county_inspector, production(uscc=uscc(9), org_name="调整期间电缆有限公司"))["id"]
    for person in people:
        for record in (county.check, made):
            assert person.get(f"/inspections/{record}").status_code == 200, person.username
        assert {county.check, made} <= set(listed(person)), person.username
        answer = figures(person)
        for name in ("planned", "checked", "spot_batches"):
            assert sum(row[name] for row in answer["rows"]) == answer["total"][name], (person.username, name)
        assert answer["total"]["spot_batches"] == 1
    assert county_inspector.get(f"/inspections/{county.draft}").status_code == 200
    region_moves.carry_out(database)
    settle(database, clock)
    assert left_in(database, OLD) == {}
    assert_whole(database, *people)


def test_a_record_stored_by_somebody_who_was_let_in_before_moves_with_the_second_look(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person, other_city_user: Person
) -> None:
    begin(database, wanted(Kind.SUPERIOR, TIANNING, NANJING))
    with database.write() as session:
        for model in (Inspection, EnterpriseTally):
            session.execute(
                model.__table__.update().where(model.area3 == TIANNING).values(area2=CHANGZHOU)  # type: ignore[attr-defined]
            )
    for person in (county_inspector, other_city_user):
        assert person.get(f"/inspections/{county.check}").status_code == 200
    settle(database, clock)
    assert left_in(database, OLD) == {}
    with database.read() as session:
        assert all(office.arriving == [] for office in session.scalars(select(Office)))
    assert_whole(database, county_inspector, other_city_user)


def test_carrying_it_out_again_changes_nothing(
    database: Database, county: County, clock: time_machine.Traveller
) -> None:
    begin(database, wanted(Kind.NEW_CODE, TIANNING, "320499"))
    assert region_moves.carry_out(database) == 0
    settle(database, clock)
    assert region_moves.carry_out(database) == 0


def test_what_is_planned_waits_for_its_day_and_can_be_taken_back_before(
    database: Database, county: County, clock: time_machine.Traveller, city_reviewer: Person, sign_in: SignIn
) -> None:
    tomorrow = local.today() + timedelta(days=1)
    first, second = plan(
        database,
        wanted(Kind.NEW_CODE, TIANNING, "320499", day=tomorrow),
        wanted(Kind.NEW_CODE, ZHONGLOU, "320498", day=tomorrow),
    )  # fmt: skip
    assert plan(database, wanted(Kind.NEW_CODE, TIANNING, "320499", day=tomorrow))[0].id == first.id
    region_moves.carry_out(database)
    assert {TIANNING, ZHONGLOU} <= set(rows(city_reviewer))
    with database.write() as session:
        reorganisations.cancel(session, second.id, by="admin")
    clock.shift(timedelta(days=1))
    region_moves.carry_out(database)
    assert set(rows(sign_in("city_reviewer"))) == {"320499", ZHONGLOU}
    with database.write() as session, pytest.raises(Problem) as refused:
        reorganisations.cancel(session, first.id, by="admin")
    assert refused.value.code == "wrong_status"


def test_the_second_look_comes_when_its_time_is_over_and_not_a_second_earlier(
    database: Database, county: County, clock: time_machine.Traveller
) -> None:
    record = begin(database, wanted(Kind.SUPERIOR, TIANNING, NANJING))
    for passed, status in ((region_moves.SETTLE - timedelta(seconds=1), "settling"), (timedelta(seconds=1), "done")):
        clock.shift(passed)
        region_moves.carry_out(database)
        with database.read() as session:
            assert session.get_one(Reorganisation, record.id).status == status


def test_what_leans_on_an_unfinished_one_waits_for_it(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person, city_reviewer: Person
) -> None:
    begin(database, wanted(Kind.SUPERIOR, TIANNING, NANJING))
    back = begin(database, wanted(Kind.SUPERIOR, TIANNING, CHANGZHOU))
    with database.read() as session:
        assert session.get_one(Reorganisation, back.id).status == "planned"
    clock.shift(region_moves.SETTLE + timedelta(seconds=1))
    region_moves.carry_out(database)
    region_moves.carry_out(database)
    settle(database, clock)
    assert county_inspector.get(f"/inspections/{county.check}").status_code == 200
    assert city_reviewer.get(f"/inspections/{county.check}").status_code == 200
    assert_whole(database, county_inspector, city_reviewer)


def test_batches_are_small_and_all_of_a_county_moves_in_them(
    database: Database, county: County, clock: time_machine.Traveller, county_inspector: Person,
    other_city_user: Person, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for number in range(10, 17):
        submit(county_inspector, production(uscc=uscc(number), org_name=f"第{number}电缆有限公司"))
    monkeypatch.setattr(region_moves, "BATCH", 2)
    monkeypatch.setattr(region_moves, "PAGE", 4)
    plan(database, wanted(Kind.SUPERIOR, TIANNING, NANJING))
    moved: list[int] = []
    region_moves.carry_out(database, lambda _table, number: moved.append(number))
    assert max(moved) == 2
    settle(database, clock)
    assert len(listed(other_city_user)) == 8
    assert_whole(database, county_inspector, other_city_user)


# What cannot be


@pytest.mark.parametrize(
    ("kind", "code", "into", "told"),
    [
        (Kind.SUPERIOR, TIANNING, CHANGZHOU, "无需调整"),
        (Kind.SUPERIOR, TIANNING, "330100", "跨省"),
        (Kind.SUPERIOR, TIANNING, ZHONGLOU, "县级区划"),
        (Kind.SUPERIOR, TIANNING, "999999", "不存在"),
        (Kind.SUPERIOR, CHANGZHOU, NANJING, "下不能再设|不能改变层级"),
        (Kind.SUPERIOR, "320000", "330000", "省级"),
        (Kind.NEW_CODE, TIANNING, ZHONGLOU, "请用 merge"),
        (Kind.NEW_CODE, TIANNING, "32049", "6位"),
        (Kind.NEW_CODE, TIANNING, "５００１０５", "6位"),
        (Kind.NEW_CODE, "500105", "500199", "撤销"),
        (Kind.NEW_CODE, TIANNING, "330499", "跨省"),
        (Kind.MERGED, TIANNING, "320498", "--name"),
        (Kind.MERGED, TIANNING, TIANNING, "核对"),
        (Kind.MERGED, TIANNING, CHANGZHOU, "核对|县级|下"),
        (Kind.MERGED, CHANGZHOU, TIANNING, "核对|不能"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    database: Database, kind: Kind, code: str, into: str, told: str
) -> None:
    with pytest.raises(Problem) as refused:
        plan(database, wanted(kind, code, into))
    assert any(part in refused.value.errors[0].message for part in told.split("|")), refused.value.errors[0].message


def test_a_merger_makes_no_region_with_a_code_of_another_province(database: Database) -> None:
    with pytest.raises(Problem) as refused:
        plan(database, wanted(Kind.MERGED, TIANNING, "330498", name="新区"))
    assert "跨省" in refused.value.errors[0].message


# The data of regions


CHANGED: list[tuple[Callable[[RegionRow], RegionRow | None], str]] = [
    (lambda row: RegionRow(row.code, row.name, row.level, NANJING), "reorganise superior 320402 --to 320100"),
    (lambda row: RegionRow("320499", row.name, row.level, CHANGZHOU), "reorganise new-code 320402 --to 320499"),
    (lambda _row: None, "reorganise merge 320402 --into"),
]


def jiangsu(change: Callable[[RegionRow], RegionRow | None] = lambda row: row) -> list[RegionRow]:
    """The data of the test, with another row for 天宁区."""
    given = [row for row in area_rows() if row.code[:2] in ("32", "33", "50", "42")]
    changed = [change(row) if row.code == TIANNING else row for row in given]
    return [row for row in changed if row is not None]


@pytest.mark.parametrize(("change", "command"), CHANGED)
def test_loading_other_data_moves_nothing_by_the_way_and_names_the_command(
    database: Database, county: County, change: Callable[[RegionRow], RegionRow | None], command: str
) -> None:
    with pytest.raises(Problem) as refused, database.write() as session:
        load_regions(session, jiangsu(change))
    assert command in refused.value.errors[1].message
    with database.read() as session:
        assert session.get_one(Region, TIANNING).parent_code == CHANGZHOU
        assert session.get(Region, "320499") is None


@pytest.mark.parametrize(
    "one",
    [
        (Kind.SUPERIOR, NANJING, None), (Kind.NEW_CODE, "320499", None), (Kind.MERGED, ZHONGLOU, None),
        (Kind.MERGED, "320498", "中心区"),
    ],
)  # fmt: skip
def test_data_that_are_older_than_a_reorganisation_do_not_turn_it_back(
    database: Database, county: County, clock: time_machine.Traveller, one: tuple[Kind, str, str | None]
) -> None:
    kind, into, name = one
    begin(database, wanted(kind, TIANNING, into, name=name))
    settle(database, clock)
    with database.write() as session:
        counts = load_regions(session, jiangsu())
        assert (counts.created, counts.updated, counts.retired) == (0, 0, 0)
        region = current_region(session, TIANNING)
        assert region is not None and region.valid_to is None
        assert (region.code, region.parent_code) == (
            (TIANNING, NANJING) if kind == Kind.SUPERIOR else (into, CHANGZHOU)
        )


def test_data_that_know_of_a_reorganisation_change_nothing_after_it(
    database: Database, county: County, clock: time_machine.Traveller
) -> None:
    begin(database, wanted(Kind.NEW_CODE, TIANNING, "320499"))
    settle(database, clock)
    with database.write() as session:
        counts = load_regions(
            session, jiangsu(lambda row: RegionRow("320499", row.name, RegionLevel.COUNTY, CHANGZHOU))
        )
        assert (counts.created, counts.updated, counts.retired) == (0, 0, 0)


# The command line


def test_the_command_says_what_would_move_and_moves_it(
    settings: Any, database: Database, county: County, city_reviewer: Person
) -> None:
    with command_line(settings) as manage:
        told = manage("regions", "reorganise", "merge", TIANNING, "--into", ZHONGLOU, "--dry-run").output
        for part in ("天宁区市场监督管理局", "检查和抽查 3 条", "企业名录 1 条", "未作任何变更"):
            assert part in told, told
        assert TIANNING in rows(city_reviewer)
        assert "已生效" in manage("regions", "reorganise", "merge", TIANNING, "--into", ZHONGLOU).output
        assert set(rows(city_reviewer)) == {ZHONGLOU}
        assert "核对中" in manage("regions", "reorganisations").output
        again = manage("regions", "reorganise", "superior", TIANNING, "--to", NANJING, status=1)
        assert "撤销" in again.output
        assert "county_inspector" in manage("users", "list", "--region", TIANNING).output
        assert "county_inspector" in manage("users", "list", "--region", ZHONGLOU).output


def test_a_city_that_becomes_part_of_a_county_takes_no_roles_of_a_city_along(
    settings: Any, database: Database, county: County
) -> None:
    with database.write() as session:
        bureau = session.get_one(Office, offices.bureau_of(session, session.get_one(Region, TIANNING)))
        bureau.level = RegionLevel.CITY
        people = session.scalars(select(User).where(User.office_id == bureau.id)).all()
        people[0].roles = [Role.INSPECTOR.value, Role.ACCOUNT_APPROVER.value, Role.RATING_OFFICER.value]
        username = people[0].username
    with command_line(settings) as run:
        told = run("regions", "reorganise", "merge", TIANNING, "--into", ZHONGLOU, "--on", str(local.today())).output
    assert f"用户 {username} 不再担任：account_approver" in told
    with database.read() as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        assert user.roles == ["inspector", "rating_officer"]
        moves = histories.read(session, user.id)
    (merged,) = [move for move in moves if move["action"] == "office_merged"]
    assert merged["roles_dropped"] == ["account_approver"]
