"""All figures of the work statistics, computed a second way.

A few hundred random submissions, corrections and moves of disposals in several provinces; then every
figure is counted in plain Python from the raw records: problems from the answers, disposals and
verdicts as they were given, regions by their parents, enterprises by code or by name and address.
"""

import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product as product_of
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from apiflask import APIFlask
from sqlalchemy import select, text, update

from accounts import offices, operations
from accounts.models import Region
from accounts.sign_in import passwords
from accounts.verbs import DEFAULT_ROLES
from core.actor import Actor
from core.clock import now
from core.db import Database
from core.errors import Problem
from core.workflows import history
from enterprise.models import Enterprise
from inspection.corrections import correcting, disposals
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from inspection.dictionaries.models import DictionaryEntry
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import Inspection
from inspection.statistics import tallies
from inspection.statistics.models import EnterpriseTally
from inspection.submissions import drafts, submitting
from inspection.submissions.validation import Tools
from miniapp_api.http.wiring import KEY
from tests.people import PASSWORD, SignIn, production, sales, spot_check, uscc
from tests.records import Json, actor_of, read
from tests.register import put_enterprises
from tests.rounds import rounds

MORE_PEOPLE = {"wujin": "320411", "chongqing": "500000", "jiangbei": "500105", "hubei": "420000", "xiantao": "429004"}
ENTERED_BY = ["county_inspector", "county_colleague", "neighbour_inspector", "wujin", "city_reviewer",
              "other_city_inspector", "province_user", "chongqing", "jiangbei", "hubei", "xiantao"]  # fmt: skip
SEEN_BY = [
    "county_inspector",
    "city_reviewer",
    "province_user",
    "chongqing",
    "hubei",
    "jiangbei",
    "other_province_user",
]
OPERATIONS = rounds(300, few=150)
DAYS = [(None, None), ("2026-11-08", None), (None, "2026-11-12"), ("2026-11-05", "2026-11-15")]
NARROWED = [(None, DAYS[0]), ("06", DAYS[3]), ("09", DAYS[0])]
RECORD_TYPE_OF_KIND = {"production": CHECK, "sales": CHECK, "spot_check": SPOT_CHECK}

# The answer that is no problem, from spec/a_inspection §3.2 and §3.3 and not from the form files; 不适用 never is one.
RIGHT = {
    "production": {"1.1": "yes", "1.2": "no", "1.3": "no", "1.4": "no", "2.1": "yes", "2.2": "yes", "2.3": "yes",
                   "3.1": "yes", "3.2": "no", "3.3": "yes", "4.1": "yes", "4.2": "yes", "5.1": "yes", "5.2": "yes",
                   "6.1": "yes", "6.2": "yes", "6.3": "yes"},
    "sales": {"1.1": "yes", "1.2": "yes", "1.3": "yes", "2.1": "yes", "2.2": "yes", "2.3": "no", "3.1": "no",
              "3.2": "yes", "3.3": "no"},
}  # fmt: skip


@dataclass
class Day:
    """What a random day of work needs."""

    database: Database
    tools: Tools
    actors: dict[str, Actor]
    items: dict[str, dict[str, list[str]]]  # product → regulation type → ids
    test_items: dict[str, list[str]]
    chance: random.Random

    def body(self, kind: str) -> Json:
        """A random faultless body."""
        chance = self.chance
        number = chance.randrange(30)
        day = date(2026, 11, 1) + timedelta(days=chance.randrange(20))
        common: Json = {"uscc": uscc(number), "org_name": chance.choice([f"企业{number}号", f"企业 {number}号厂"])}
        product = chance.choice(["06", "06", "09"])
        if kind == "spot_check":
            chosen = chance.sample(self.test_items[product], k=chance.randint(1, len(self.test_items[product])))
            return spot_check(
                **common, product_code=product, sampled_on=day.isoformat(), sheet_no=str(uuid4()), confirm_name=True,
                items=[{"item_id": i, "verdict": chance.choices(["pass", "fail", "not_judged"], [6, 1, 3])[0]}
                       for i in chosen],
                **({"no_sample_reason": "stopped"} if chance.random() < 0.2 else {}),
            )  # fmt: skip
        if kind == "sales" and chance.random() < 0.5:
            common = {"uscc": "", "org_name": chance.choice([f"AB 五金店{number}", f"ａｂ五金店{number}"]),
                      "org_address": chance.choice(["甲街1号", "甲街 1号", "乙街2号"])}  # fmt: skip
        regulation = chance.choice(sorted(self.items[product]))
        answers, disposals = {}, {}
        if chance.random() < 0.4:
            for no in chance.sample(sorted(RIGHT[kind]), k=chance.randint(1, 3)):
                answers[no] = "no" if RIGHT[kind][no] == "yes" else "yes"
            where = [f"7.{n}" for n in range(1, 7)] if kind == "production" else ["4.1", "4.2"]
            disposals = {no: chance.choice(["na", "na", "done", "in_progress"]) for no in where}
        body = {
            **common, "product_code": product, "products": [self.items[product][regulation][0]],
            "regulation_types": [regulation], "check_date": day.isoformat(), "answers": answers,
            "disposals": disposals, "confirm_duplicate": True, "confirm_name": True,
        }  # fmt: skip
        if chance.random() < 0.2:
            body |= {"unable": True, "unable_reason": chance.choice(["moved", "refused"]), "disposals": {}}
        return production(**body) if kind == "production" else sales(**body)

    def work(self, times: int) -> dict[str, int]:
        """Do so many things; returns how many of each were accepted."""
        done: list[tuple[str, str, UUID]] = []
        accepted: dict[str, int] = {}
        for _ in range(times):
            action = self.chance.choices(["submit", "correct", "dispose", "draft"], [6, 2, 3, 1])[0]
            if action in ("submit", "draft") or not done:
                who, kind, record_id = (
                    self.chance.choice(ENTERED_BY),
                    self.chance.choice(list(RECORD_TYPE_OF_KIND)),
                    uuid4(),
                )
            else:
                who, kind, record_id = self.chance.choice(done)
            try:
                with self.database.write() as session:
                    self._do(session, action, self.actors[who], kind, record_id)
            except Problem as problem:
                # 是 is final for chance too; anything else is a fault.
                if {fault.code for fault in problem.errors} != {"disposal_final"}:
                    raise
                continue
            accepted[action] = accepted.get(action, 0) + 1
            if action == "submit":
                done.append((who, kind, record_id))
        return accepted

    def _do(self, session: Any, action: str, actor: Actor, kind: str, record_id: UUID) -> None:
        record_type = RECORD_TYPE_OF_KIND[kind]
        if action == "submit":
            submitting.submit(session, self.tools, actor, record_type, record_id, self.body(kind))
        elif action == "draft":
            drafts.save_draft(session, self.tools, actor, record_type, record_id, self.body(kind))
            if self.chance.random() < 0.5:
                drafts.delete_draft(session, actor, record_type, record_id)
        else:
            record = session.get_one(Inspection, record_id, populate_existing=True)
            version = {"version": record.version}
            if action == "correct":
                body = {**self.body(kind), **version, "reason": "随机更正"}
                correcting.correct(session, self.tools, actor, record_type, record_id, body)
            elif moving := [no for no, v in (record.data.get("disposals") or {}).items() if v == "in_progress"]:
                moved = {no: self.chance.choice(["done", "na"]) for no in moving if self.chance.random() < 0.7}
                moved = moved or {moving[0]: "done"}
                body = {"disposals": moved, "reason": "随机", **version}
                disposals.move_disposals(session, actor, record_type, record_id, body)


@pytest.fixture
def day(application: APIFlask, database: Database, sign_in: SignIn, clock: Any) -> Day:
    """People of four provinces, a register, and dictionaries for two products."""
    password_hash = passwords.hash_password(PASSWORD)
    with database.write() as session:
        for username, code in MORE_PEOPLE.items():
            region = session.get_one(Region, code)
            office_id = offices.bureau_of(session, region)
            roles = list(DEFAULT_ROLES[region.level])
            operations.create_user(session, office_id, username, password_hash, roles, must_change_password=False)
        put_enterprises(
            session,
            *({"uscc": uscc(n), "name": f"企业{n}号", "region_code": region, "product_codes": codes}
             for n, (region, codes) in enumerate(zip(
                 ["320402", "320404", "320411", "320400", "320102", "500105", "429004", "420000"] * 3,
                 [["06"], ["09"], ["06", "09"], [], ["06"]] * 5, strict=False))),
        )  # fmt: skip
    actors = {name: actor_of(database, sign_in(name)) for name in ENTERED_BY}
    items: dict[str, dict[str, list[str]]] = {}
    test_items: dict[str, list[str]] = {}
    with database.write() as session:
        for code in ("06", "09"):
            for entry in session.scalars(select(DictionaryEntry).where(DictionaryEntry.product_code == code)):
                if entry.dictionary == PRODUCT_ITEMS:
                    items.setdefault(code, {}).setdefault(entry.regulation_type or "", []).append(str(entry.id))
                elif entry.dictionary == TEST_ITEMS:
                    test_items.setdefault(code, []).append(str(entry.id))
        for n in range(3):  # the second product starts without test items
            entry = DictionaryEntry(id=uuid4(), dictionary=TEST_ITEMS, product_code="09", name=f"项目{n}",
                                    folded_name=f"项目{n}", regulation_type=None, area1="", alias_of=None,
                                    created_by=None, created_at=now())  # fmt: skip
            session.add(entry)
            test_items.setdefault("09", []).append(str(entry.id))
    return Day(database, application.extensions[KEY].tools, actors, items, test_items, random.Random(20261121))


# The second way


def folded(value: str | None) -> str:
    """Full width as half width, capitals as small letters, no white space."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", value or "").casefold())


def enterprise_of(row: Json) -> tuple[str, ...]:
    return (row["uscc"],) if row["uscc"] else (folded(row["org_name"]), folded(row["data"].get("org_address")))


def found_a_problem(row: Json) -> bool:
    right = RIGHT[row["kind"]]
    return any(value != right[no] and value != "na" for no, value in row["data"]["answers"].items() if no in right)


def disposal_of(row: Json) -> str | None:
    if not found_a_problem(row):
        return None
    values = set(row["data"]["disposals"].values())
    return "in_progress" if "in_progress" in values else "done" if "done" in values else None


def verdicts_of(row: Json) -> set[str]:
    return {item["verdict"] for item in row["data"].get("items", [])}


def count(rows: list[Json], planned: int, visited: int) -> Json:
    """All figures over some records, and a plan."""
    carried_out = [r for r in rows if r["kind"] != "spot_check" and not r["data"]["unable"]]
    checked = {enterprise_of(r) for r in carried_out if r["kind"] == "production"}
    unable = {enterprise_of(r) for r in rows if r["kind"] == "production" and r["data"]["unable"]} - checked
    sold = {enterprise_of(r) for r in carried_out if r["kind"] == "sales"}
    found = {enterprise_of(r) for r in carried_out if found_a_problem(r)}
    disposed = {enterprise_of(r) for r in carried_out if disposal_of(r)}
    moving = {enterprise_of(r) for r in carried_out if disposal_of(r) == "in_progress"}
    batches = [r for r in rows if r["kind"] == "spot_check" and verdicts_of(r)]
    failed = [r for r in batches if "fail" in verdicts_of(r)]
    return {
        "planned": planned,
        "planned_visited": visited,
        "checked": len(checked),
        "unable": len(unable),
        "progress": round(visited / planned, 4) if planned else None,
        "sales_checked": len(sold),
        "sales_unable": len({enterprise_of(r) for r in rows if r["kind"] == "sales" and r["data"]["unable"]} - sold),
        "problem_enterprises": len(found),
        "disposal_done": len({enterprise_of(r) for r in carried_out if disposal_of(r) == "done"} - moving),
        "disposal_in_progress": len(moving),
        "without_disposal": len(found - disposed),
        "spot_enterprises": len({enterprise_of(r) for r in batches}),
        "spot_batches": len(batches),
        "spot_without_sample": sum(r["kind"] == "spot_check" for r in rows) - len(batches),
        "failed_batches": len(failed),
        "failed_rate": round(len(failed) / len(batches), 4) if batches else None,
    }


class SecondWay:
    """The raw tables, and the statistics counted from them."""

    def __init__(self, database: Database) -> None:
        with database.read() as session:
            assert session.execute(text("SELECT count(*) FROM inspections")).scalar_one() > OPERATIONS / 3
            self.records = [dict(row) for row in session.execute(select(Inspection.__table__)).mappings()]
            self.regions = {row.code: row for row in session.scalars(select(Region))}
            self.register = [(e.uscc, e.region_code, e.product_codes) for e in session.scalars(select(Enterprise))]
            names = {e.uscc: folded(e.name) for e in session.scalars(select(Enterprise))}
        for row in self.records:
            # The code of somebody else in the register says nothing of whom a record is about.
            if names.get(row["uscc"], folded(row["org_name"])) != folded(row["org_name"]):
                row["uscc"] = None

    def row_of(self, area: str, region: str) -> str | None:
        """The region directly below the area that a region lies in; the area itself; None outside."""
        if region == area:
            return area
        code: str | None = region
        while code is not None:
            if self.regions[code].parent_code == area:
                return code
            code = self.regions[code].parent_code
        return None

    def within(self, area: str, product: str | None, day_from: str | None, day_to: str | None) -> dict[str, list[Json]]:
        """Submitted records by their row in the area."""
        rows: dict[str, list[Json]] = {}
        for record in self.records:
            day = record["data"].get("check_date") or record["data"].get("sampled_on")
            row = self.row_of(area, record["region_code"])
            if (
                record["status"] == "submitted" and row is not None
                and (product is None or record["product_code"] == product)
                and (day_from is None or day >= day_from) and (day_to is None or day <= day_to)
            ):  # fmt: skip
                rows.setdefault(row, []).append(record)
        return rows

    def progress(self, own: str, area: str, product: str | None, day_from: str | None, day_to: str | None) -> Json:
        """`own` is the region of whoever asks: all visits within it count for the plan of the area."""
        rows = self.within(area, product, day_from, day_to)
        visits = {
            (record["uscc"], record["product_code"])
            for some in self.within(own, product, day_from, day_to).values()
            for record in some
            if record["kind"] == "production"
        }
        planned: dict[str, int] = {}
        visited: dict[str, int] = {}
        for code, region, products in self.register:
            row = self.row_of(area, region)
            asked = products if product is None else [p for p in products if p == product]
            if row is not None and asked:
                planned[row] = planned.get(row, 0) + 1
                visited[row] = visited.get(row, 0) + any((code, one) in visits for one in asked)
        seen = rows.keys() | planned.keys()
        below = sorted(code for code, region in self.regions.items()
                       if region.parent_code == area and (region.valid_to is None or code in seen))  # fmt: skip
        at_area = [area] if area in rows or area in planned else []
        every = [record for some in rows.values() for record in some]
        return {
            "rows": {
                code: count(rows.get(code, []), planned.get(code, 0), visited.get(code, 0))
                for code in [*below, *at_area]
            },
            "total": count(every, sum(planned.values()), sum(visited.values())),
        }


COLUMNS_OF_RECORDS = ("checked", "unable", "sales_checked", "sales_unable", "spot_batches", "spot_without_sample")


def test_all_figures_equal_those_counted_from_the_raw_records(day: Day, sign_in: SignIn) -> None:
    accepted = day.work(OPERATIONS)
    assert all(accepted[action] > OPERATIONS / 25 for action in ("submit", "correct", "dispose", "draft")), accepted
    second = SecondWay(day.database)
    compared = 0
    for username in SEEN_BY:
        person = sign_in(username)
        own = read(person, "/me")["region"]["code"]
        below = [code for code, region in second.regions.items() if region.parent_code == own][:2]
        narrowed = list(product_of([None, "06", "09"], DAYS)) if username == "city_reviewer" else NARROWED
        for area, (product, (day_from, day_to)) in product_of([None, own, *below], narrowed):
            query = {"region": area, "product_code": product, "from": day_from, "to": day_to}
            sent = urlencode({name: value for name, value in query.items() if value is not None})
            page = read(person, f"/statistics/progress?{sent}")
            expected = second.progress(own, area or own, product, day_from, day_to)
            shown = {row["region_code"]: row for row in page["rows"]}
            assert len(shown) == len(page["rows"])
            assert list(shown) == list(expected["rows"]), (username, sent)
            for code, figures in expected["rows"].items():
                assert {name: shown[code][name] for name in figures} == figures, (username, sent, code)
            assert {name: page["total"][name] for name in expected["total"]} == expected["total"], (username, sent)
            compared += len(expected["rows"]) + 1
    assert compared > 300


def test_every_submitted_record_stands_in_some_column_of_its_row(day: Day, sign_in: SignIn) -> None:
    """Asked for by its own place, product and day, so that few others may hide that it stands nowhere."""
    day.work(120)
    person = sign_in("province_user")
    with day.database.read() as session:
        found = session.scalars(
            select(Inspection).where(Inspection.status == "submitted", Inspection.area1 == "320000")
        ).all()
    assert len(found) > 20
    assert {(r.kind, r.unable, r.conclusion is None) for r in found} >= {
        ("production", True, True), ("sales", True, True), ("spot_check", False, True),
    }  # fmt: skip
    for record in found:
        assert record.check_date is not None
        asked = {"product_code": record.product_code, "from": record.check_date, "to": record.check_date}
        day_page = read(person, f"/statistics/progress?{urlencode({'region': record.region_code, **asked})}")
        same_day = [
            r for r in found
            if (r.product_code, r.check_date) == (record.product_code, record.check_date)
            and record.region_code in (r.area1, r.area2, r.area3)
        ]  # fmt: skip
        total = day_page["total"]
        # Production checks are counted by enterprise, so are sales checks; spot checks one by one.
        enterprises = {(r.kind, enterprise_of(r.__dict__)) for r in same_day if r.kind != "spot_check"}
        spots = sum(r.kind == "spot_check" for r in same_day)
        assert sum(total[name] for name in COLUMNS_OF_RECORDS) == len(enterprises) + spots, (record.kind, asked)
        disposals = ("disposal_done", "disposal_in_progress", "without_disposal")
        assert sum(total[name] for name in disposals) == total["problem_enterprises"]


def test_after_all_that_tallies_and_histories_hold(day: Day) -> None:
    day.work(150)
    with day.database.write() as session:
        found = tallies.reconcile(session)
        assert list(history.verify(session)) == []
    assert (found.mended, found.added, found.emptied) == (0, 0, 0)
    assert found.right > 30


def test_reconciling_mends_a_tampered_tally(day: Day, sign_in: SignIn) -> None:
    day.work(60)
    person = sign_in("province_user")
    before = read(person, "/statistics/progress")
    with day.database.write() as session:
        in_the_province = (EnterpriseTally.area1 == "320000", EnterpriseTally.records > 0)
        some = session.scalars(select(EnterpriseTally.id).where(*in_the_province).limit(2)).all()
        session.execute(
            update(EnterpriseTally).where(EnterpriseTally.id.in_(some)).values(carried_out=7, failed=3, batches=9)
        )
    assert read(person, "/statistics/progress") != before
    with day.database.write() as session:
        assert tallies.reconcile(session).mended == 2
    assert read(person, "/statistics/progress") == before
    with day.database.write() as session:
        assert tallies.reconcile(session).mended == 0


def test_reconciling_brings_back_a_tally_that_was_lost(day: Day, sign_in: SignIn) -> None:
    day.work(40)
    person = sign_in("province_user")
    before, listed = read(person, "/statistics/progress"), read(person, f"/inspections?{urlencode({'q': '企业'})}")
    with day.database.write() as session:
        lost = session.scalars(
            select(EnterpriseTally.id).where(EnterpriseTally.area1 == "320000", EnterpriseTally.records > 0).limit(1)
        ).one()
        session.execute(update(Inspection).where(Inspection.tally_id == lost).values(tally_id=None))
        session.execute(text("DELETE FROM tally_bigrams WHERE tally_id = :lost"), {"lost": lost})
        session.execute(text("DELETE FROM enterprise_tallies WHERE id = :lost"), {"lost": lost})
    with day.database.write() as session:
        assert tallies.reconcile(session).added == 1
    assert read(person, "/statistics/progress") == before
    assert read(person, f"/inspections?{urlencode({'q': '企业'})}") == listed
