"""The register that a phone keeps: it follows every change behind a mark, and misses and repeats none."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from accounts.regions import moves as region_moves
from accounts.regions import reorganisations
from accounts.regions.reorganisations import Kind, Wanted
from bench.plans import caught, plan
from core import clock as local
from core.db import Database
from enterprise.models import Enterprise
from enterprise.operations import EnterpriseFacts
from enterprise.production.operations import LicenceFacts, put_licence
from enterprise.register_changes import NUMBERED_AT_ONCE
from miniapp_api.http.wiring import KEY
from tests.parties import publish_forms
from tests.people import Person, SignIn, faults, production, sales, spot_check, uscc, with_problem
from tests.problems import ONE_DATABASE
from tests.records import problem, read, submit
from tests.register import put_enterprises
from tests.rounds import rounds

Json = dict[str, Any]

pytestmark = pytest.mark.usefixtures("clock")


def facts(number: int, name: str = "", region: str = "320402", *products: str) -> EnterpriseFacts:
    return {
        "uscc": uscc(number), "name": name or f"天宁{number}厂", "region_code": region, "address": "某路1号",
        "product_codes": list(products),
    }  # fmt: skip


def put(database: Database, *several: EnterpriseFacts) -> None:
    with database.write() as session:
        put_enterprises(session, *several)


class Phone:
    """Keeps the register as a phone does: page by page, each together with its mark."""

    def __init__(self, person: Person, page_size: int = 500) -> None:
        self.person, self.page_size = person, page_size
        self.mark: str | None = None
        self.kept: dict[str, Json] = {}
        self.resets = 0

    def page(self) -> Json:
        after = f"&after={self.mark}" if self.mark else ""
        answer = read(self.person, f"/enterprises/changes?page_size={self.page_size}{after}")
        if answer["reset"]:
            self.resets += 1
            self.kept.clear()
        for code in answer["gone"]:
            self.kept.pop(code, None)
        self.kept |= {item["uscc"]: item for item in answer["items"]}
        self.mark = answer["next_after"]
        return answer

    def follow(self) -> list[str]:
        """Ask until there is no more; the codes that came."""
        came: list[str] = []
        while True:
            answer = self.page()
            came += [item["uscc"] for item in answer["items"]]
            if not answer["more"]:
                return came


def test_a_phone_keeps_what_prefills_a_check_and_is_told_only_what_changed(
    database: Database, county_inspector: Person
) -> None:
    put(database, facts(1, "天宁一厂", "320402", "06", "09"), facts(2), facts(3, region="320404"))
    phone = Phone(county_inspector)
    assert sorted(phone.follow()) == [uscc(1), uscc(2)]
    assert phone.kept[uscc(1)] == {
        "uscc": uscc(1), "name": "天宁一厂", "former_names": [], "address": "某路1号", "production_address": None,
        "legal_representative": None, "region_code": "320402", "scale": None, "product_codes": ["06", "09"],
        "visited": [], "licences": [], "visits": [],
    }  # fmt: skip
    assert phone.follow() == []
    put(database, facts(2, "天宁二厂"), facts(4))
    assert sorted(phone.follow()) == [uscc(2), uscc(4)]
    assert phone.kept[uscc(2)]["name"] == "天宁二厂"
    assert phone.kept[uscc(2)]["former_names"] == ["天宁2厂"]
    put(database, facts(2, "天宁二厂"))
    assert phone.follow() == []
    assert phone.resets == 1


def test_pages_are_as_long_as_asked_and_go_on_behind_their_mark(database: Database, county_inspector: Person) -> None:
    put(database, *(facts(number) for number in range(1, 8)))
    phone = Phone(county_inspector, page_size=3)
    pages = [phone.page() for _ in range(3)]
    assert [len(page["items"]) for page in pages] == [3, 3, 1]
    assert [page["more"] for page in pages] == [True, True, False]
    assert [page["reset"] for page in pages] == [True, False, False]
    assert len(phone.kept) == 7


def test_an_enterprise_that_moves_goes_from_one_office_and_comes_to_the_other(
    database: Database, county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    put(database, facts(1), facts(2))
    phones = {name: Phone(who) for name, who in (
        ("county", county_inspector), ("neighbour", neighbour_inspector), ("city", city_reviewer)
    )}  # fmt: skip
    for phone in phones.values():
        phone.follow()
    put(database, facts(1, region="320404"))
    gone = phones["county"].page()
    assert (gone["items"], gone["gone"]) == ([], [uscc(1)])
    assert phones["neighbour"].follow() == [uscc(1)]
    seen = phones["city"].page()
    assert [item["region_code"] for item in seen["items"]] == ["320404"]
    assert seen["gone"] == []
    put(database, facts(1, region="320402"))
    assert phones["county"].follow() == [uscc(1)]
    assert phones["neighbour"].page()["gone"] == [uscc(1)]
    assert set(phones["city"].kept) == {uscc(1), uscc(2)}


def test_a_visit_is_kept_with_what_it_found_and_follows_its_corrections(
    database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    put(database, facts(1, "天宁一厂", "320402", "06", "09"))
    phone = Phone(county_inspector)
    phone.follow()
    named = {"uscc": uscc(1), "org_name": "天宁一厂"}
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}, **named))
    submit(county_inspector, spot_check(**named), noun="spot-checks")
    assert phone.follow() == [uscc(1)]
    kept = phone.kept[uscc(1)]
    assert kept["visited"] == ["06"]
    check, sample = kept["visits"]
    assert check == {
        "record_id": record["id"], "kind": "production", "product_code": "06", "checked_on": "2026-11-20",
        "office": "天宁区市场监督管理局", "unable": False, "problems_found": True, "disposal_state": "in_progress",
        "conclusion": None, "findings": ["1.2 存在无证生产"], "facts": facts_of(record),
    }  # fmt: skip
    assert (sample["kind"], sample["conclusion"], sample["findings"]) == ("spot_check", "pass", [])
    disposals = {"disposals": {"7.1": "done"}, "version": record["version"]}
    assert county_inspector.put(f"/inspections/{record['id']}/disposals", disposals).status_code == 200
    phone.follow()
    assert phone.kept[uscc(1)]["visits"][0]["disposal_state"] == "done"
    now = read(county_inspector, f"/inspections/{record['id']}")
    body = {"reason": "录入重复", "version": now["version"]}
    assert city_reviewer.post(f"/inspections/{record['id']}/void", body).status_code == 200
    phone.follow()
    assert [visit["kind"] for visit in phone.kept[uscc(1)]["visits"]] == ["spot_check"]
    assert phone.kept[uscc(1)]["visited"] == []


def test_a_record_that_is_corrected_to_another_enterprise_changes_both(
    database: Database, county_inspector: Person
) -> None:
    put(database, facts(1, "天宁一厂"), facts(2, "天宁二厂"))
    record = submit(county_inspector, production(uscc=uscc(1), org_name="天宁一厂"))
    phone = Phone(county_inspector)
    phone.follow()
    body = production(uscc=uscc(2), org_name="天宁二厂", version=record["version"], reason="代码抄错")
    assert county_inspector.put(f"/inspections/{record['id']}/correction", body).status_code == 200
    assert sorted(phone.follow()) == [uscc(1), uscc(2)]
    assert [len(phone.kept[uscc(number)]["visits"]) for number in (1, 2)] == [0, 1]


def test_of_several_visits_the_newest_is_kept_and_those_of_other_regions_stay_hidden(
    database: Database, county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    put(database, facts(1, "天宁一厂"))
    named = {"uscc": uscc(1), "org_name": "天宁一厂"}
    submit(county_inspector, production(**named, check_date="2026-11-10"))
    submit(city_reviewer, production(**named, check_date="2026-11-12"))
    submit(neighbour_inspector, sales(**named, check_date="2026-11-14"))
    own, city = Phone(county_inspector), Phone(city_reviewer)
    own.follow()
    city.follow()
    assert [(v["kind"], v["checked_on"]) for v in own.kept[uscc(1)]["visits"]] == [("production", "2026-11-10")]
    assert [(v["kind"], v["checked_on"]) for v in city.kept[uscc(1)]["visits"]] == [
        ("sales", "2026-11-14"), ("production", "2026-11-12"),
    ]  # fmt: skip


def test_the_last_visits_of_one_enterprise_are_read_also_where_no_register_is_kept(
    database: Database, county_inspector: Person, city_reviewer: Person, neighbour_inspector: Person
) -> None:
    put(database, facts(1, "天宁一厂"))
    record = submit(county_inspector, with_problem(uscc=uscc(1), org_name="天宁一厂"))
    for person in (county_inspector, city_reviewer):
        (visit,) = read(person, f"/enterprises/{uscc(1).lower()}/visits")["items"]
        assert (visit["record_id"], visit["findings"]) == (record["id"], ["1.2 存在无证生产"])
    assert read(neighbour_inspector, f"/enterprises/{uscc(1)}/visits")["items"] == []
    assert read(county_inspector, f"/enterprises/{uscc(2)}/visits")["items"] == []


def facts_of(record: Json) -> Json:
    """What the next production check takes from a record."""
    names = (
        "org_name", "org_address", "production_address", "legal_representative", "contact_name", "org_scale",
        "regulation_types", "products", "licence_no", "licence_valid_to", "ccc_nos",
    )  # fmt: skip
    return {name: record[name] for name in names if name in record}


def test_the_next_check_takes_facts_of_the_own_last_visit_and_never_findings_or_personal_data(
    database: Database, county_inspector: Person, city_reviewer: Person, neighbour_inspector: Person
) -> None:
    put(database, facts(1, "天宁一厂"))
    told = {
        "contact_name": "李某", "contact_tel": "0519-12345678", "org_scale": "small", "ccc_nos": ["2020010105123456"],
        "remark": "旧", "escort": "丙",
    }  # fmt: skip
    record = submit(county_inspector, with_problem(uscc=uscc(1), org_name="天宁一厂", **told))
    assert record["contact_tel"] == told["contact_tel"]
    phone = Phone(county_inspector)
    phone.follow()
    for visit in (phone.kept[uscc(1)]["visits"][0], *read(city_reviewer, f"/enterprises/{uscc(1)}/visits")["items"]):
        assert visit["facts"] == facts_of(record)
        assert {"contact_name", "org_scale", "regulation_types", "products", "ccc_nos"} <= set(visit["facts"])
        assert not {"contact_tel", "remark", "escort", "check_date", "answers", "disposals"} & set(visit["facts"])
    foreign = Phone(neighbour_inspector)
    foreign.follow()
    assert foreign.kept == {}
    assert read(neighbour_inspector, f"/enterprises/{uscc(1)}/visits")["items"] == []


def test_a_mark_of_another_office_begins_anew_and_what_is_no_mark_is_refused(
    database: Database, county_inspector: Person, neighbour_inspector: Person
) -> None:
    put(database, facts(1), facts(2, region="320404"))
    phone = Phone(county_inspector)
    phone.follow()
    answer = read(neighbour_inspector, f"/enterprises/changes?after={phone.mark}")
    assert (answer["reset"], [item["uscc"] for item in answer["items"]]) == (True, [uscc(2)])
    for wrong in ("1", "x-0123456789abcdef", "99999999999999999999-0123456789abcdef"):
        assert "/after" in faults(county_inspector.get(f"/enterprises/changes?after={wrong}"))
    assert "/page_size" in faults(county_inspector.get("/enterprises/changes?page_size=501"))


def test_phones_begin_anew_when_regions_are_reorganised_and_lose_nothing(
    database: Database, clock: Any, sign_in: SignIn, city_reviewer: Person, county_inspector: Person
) -> None:
    put(database, facts(1), facts(2, region="320404"))
    losing, gaining, moving = Phone(city_reviewer), Phone(sign_in("other_city_user")), Phone(county_inspector)
    for phone in (losing, gaining, moving):
        phone.follow()
    with database.write() as session:
        reorganisations.plan(session, Wanted(Kind.SUPERIOR, "320402", "320100", local.today()), by="admin")
    region_moves.carry_out(database)
    clock.shift(region_moves.SETTLE.total_seconds() + 1)
    region_moves.carry_out(database)
    for phone in (losing, gaining, moving):
        phone.follow()
        assert phone.resets == 2
    assert set(losing.kept) == {uscc(2)}
    assert set(gaining.kept) == set(moving.kept) == {uscc(1)}


def test_licences_come_with_the_enterprise(application: APIFlask, database: Database, county_inspector: Person) -> None:
    put(database, facts(1, "天宁一厂"))
    phone = Phone(county_inspector)
    phone.follow()
    publish_forms(application.extensions[KEY].forms)
    number = "(苏)XK06-001-00001"
    for valid_to in (date(2028, 1, 1), date(2029, 1, 1)):
        with database.write() as session:
            licence = LicenceFacts(number, uscc(1), "电线电缆", "塑料绝缘电缆", valid_to=valid_to)
            put_licence(session, application.extensions[KEY].filings, licence)
        assert phone.follow() == [uscc(1)]
        (kept,) = phone.kept[uscc(1)]["licences"]
        assert (kept["licence_no"], kept["valid_to"]) == (number, valid_to.isoformat())


def test_only_inspectors_keep_a_register(sign_in: SignIn, database: Database, county_inspector: Person) -> None:
    assert problem(county_inspector.client.get("/api/v1/enterprises/changes")) == (401, "unauthenticated")


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_what_is_committed_later_is_never_passed_by(database: Database, county_inspector: Person) -> None:
    """The first import begins before the second and is committed after it, and after the phone has read."""
    put(database, facts(1), facts(2))
    phone = Phone(county_inspector)
    phone.follow()
    with database.write() as session:
        put_enterprises(session, facts(1, "改名一厂"), facts(3, "新建三厂"))
        put(database, facts(2, "改名二厂"), facts(4, "新建四厂"))
        assert sorted(phone.follow()) == [uscc(2), uscc(4)]
    assert sorted(phone.follow()) == [uscc(1), uscc(3)]
    assert phone.follow() == []


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_change_that_waits_for_its_number_is_not_numbered_before_the_next_one_is_committed(
    database: Database, county_inspector: Person
) -> None:
    put(database, facts(1))
    with database.write() as session:
        put_enterprises(session, facts(1, "改名一厂"))
        phone = Phone(county_inspector)
        assert phone.follow() == []
    assert phone.follow() == [uscc(1)]
    assert phone.kept[uscc(1)]["name"] == "改名一厂"


@pytest.mark.rounds
def test_a_phone_that_follows_while_registers_are_imported_ends_with_the_register(
    database: Database, sign_in: SignIn, city_reviewer: Person
) -> None:
    """Four imports at once rename and move enterprises, two phones follow page by page meanwhile."""
    regions = ("320402", "320404", "320411", "320100")
    put(database, *(facts(number) for number in range(1, 41)))
    phones = [Phone(city_reviewer, page_size=7), Phone(sign_in("city_reviewer"), page_size=3)]
    raised: list[BaseException] = []
    over = threading.Event()

    def noting(do: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            try:
                do()
            except BaseException as error:
                raised.append(error)

        return run

    def importing(first: int) -> None:
        for turn in range(rounds(40, few=3)):
            numbers = range(first, 45, 2 + turn % 3)
            put(database, *(facts(n, f"{turn}次{first}路{n}厂", regions[(n + turn) % 4]) for n in numbers))

    def following(phone: Phone) -> None:
        while not over.is_set():
            phone.page()

    writers = [threading.Thread(target=noting(lambda n=n: importing(n))) for n in range(1, 5)]  # type: ignore[misc]
    readers = [threading.Thread(target=noting(lambda p=p: following(p))) for p in phones]  # type: ignore[misc]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    for thread in readers:
        thread.join()
    assert raised == []
    with database.read() as session:
        rows = session.execute(select(Enterprise.uscc, Enterprise.name).where(Enterprise.area2 == "320400"))
        register = {row.uscc: row.name for row in rows}
    for phone in phones:
        phone.follow()
        assert {code: item["name"] for code, item in phone.kept.items()} == register
        assert phone.resets == 1


@ONE_DATABASE
def test_a_page_is_found_by_its_index_whatever_the_size_of_the_register(
    database: Database, county_inspector: Person
) -> None:
    """No statement of a page walks a table from its beginning; the marks have one row."""
    put(database, *(facts(number) for number in range(1, 30)))
    phone = Phone(county_inspector)
    phone.follow()
    submit(county_inspector, with_problem(uscc=uscc(1), org_name="天宁1厂"))
    with caught(database.engine) as statements:
        assert phone.follow() == [uscc(1)]
    steps = [
        step
        for statement, parameters in statements
        if "FROM sessions" not in statement and "reorganisations" not in statement and "form_versions" not in statement
        for step in plan(database, statement, parameters)
    ]
    assert steps
    assert [step for step in steps if step.startswith("SCAN") and step != "SCAN register_marks"] == []


def test_the_oldest_marks_are_followed_by_a_change_of_every_enterprise(
    database: Database, county_inspector: Person
) -> None:
    """More wait for their number than are numbered at once: a phone that begins anew still meets them all."""
    many = NUMBERED_AT_ONCE + 200
    for first in range(1, many, 400):
        put(database, *(facts(number) for number in range(first, min(first + 400, many + 1))))
    phone = Phone(county_inspector)
    assert sorted(phone.follow()) == sorted(uscc(number) for number in range(1, many + 1))
