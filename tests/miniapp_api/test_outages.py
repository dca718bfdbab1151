"""An administrator enters an outage (系统故障), and the deadlines that fell into it move where people read them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from click.testing import CliRunner

from accounts.verbs import Role
from cli.outages import outages_group
from composition.recountings import recountings
from core.db import Database
from core.deadlines import outage_recounts, outages
from core.workflows.integrity import verify_ends
from enterprise.filings.integrity import verify_filings
from enterprise.filings.many import postponing
from enterprise.filings.models import Filing
from enterprise.systems import KINDS
from feedback import integrity as rating_integrity
from tests import paperwork
from tests import parties as both
from tests.newcomers import code_of, make_user
from tests.parties import WORKS, Parties, act, upload
from tests.people import Person, SignIn, faults, new_id
from tests.raters import Hall

MORNING = "2026-11-30T10:00:00+08:00"
NOTE = "因系统故障（机房停电）由2026-11-30顺延至2026-12-02"
POWER_CUT = {
    "system": "all", "starts_at": "2026-11-30T20:00:00+08:00", "ends_at": "2026-12-01T08:00:00+08:00",
    "reason": "机房停电",
}  # fmt: skip


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person], clock: time_machine.Traveller) -> Parties:
    clock.move_to(MORNING)
    return both.prepare(application, sign_in)


@pytest.fixture
def administrator(parties: Parties, database: Database, sign_in: SignIn) -> Person:
    make_user(database, "320000", "sys_admin_user", Role.SYS_ADMIN)
    return sign_in("sys_admin_user")


def order(parties: Parties, due_on: str = "2026-11-30") -> str:
    filing_id = new_id()
    body = {"kind": "rectification", "uscc": WORKS, "data": {"problem": "记录不齐全", "due_on": due_on}}
    assert parties.reviewer.put(f"/filings/{filing_id}", body).status_code == 201
    return filing_id


def send(parties: Parties, filing_id: str) -> dict[str, Any]:
    report = upload(parties.enterprise, paperwork.pdf("一"), "整改报告.pdf", "rectification_report")
    body = {
        "data": {"measures": "已补齐记录"}, "documents": [{"category": "rectification_report", "file_id": report}],
        "version": parties.enterprise.get(f"/filings/{filing_id}").json["version"],
    }  # fmt: skip
    saved = parties.enterprise.put(f"/filings/{filing_id}", body).json
    answer = act(parties.enterprise, saved, "submit")
    assert answer.status_code == 200
    return dict(answer.json)


def shown(parties: Parties, filing_id: str) -> tuple[str, str | None]:
    filing = parties.enterprise.get(f"/filings/{filing_id}").json
    return filing["due_on"], filing["due_on_note"]


def test_an_outage_moves_open_deadlines_where_people_read_them_and_back_when_it_is_withdrawn(
    parties: Parties, administrator: Person, database: Database
) -> None:
    filing_id, later = order(parties), order(parties, "2026-12-10")
    outage_id = new_id()
    entered = administrator.put(f"/outages/{outage_id}", {**POWER_CUT, "region": "320000"})
    assert (entered.status_code, entered.json["recounted_at"], entered.json["region"]) == (200, None, "320000")
    outage_recounts.run(database, recountings())
    assert shown(parties, filing_id) == ("2026-12-02", NOTE)
    assert shown(parties, later) == ("2026-12-10", None)
    todos = {todo["link"]: todo for todo in parties.enterprise.get("/todos").json["items"]}
    assert todos[f"/filings/{filing_id}"]["due_on"] == "2026-12-02"
    assert todos[f"/filings/{filing_id}"]["due_on_note"] == NOTE
    (move,) = [
        one
        for one in parties.enterprise.get(f"/filings/{filing_id}/history").json["items"]
        if one["action"] == "postpone"
    ]
    assert (move["former_due_on"], move["due_on"], move["outage"]) == ("2026-11-30", "2026-12-02", "机房停电")
    read = administrator.get(f"/outages/{outage_id}").json
    assert (read["looked_at"], read["moved"], read["actions"]) == (1, 1, ["correct", "withdraw"])

    withdrawn = administrator.post(
        f"/outages/{outage_id}/actions/withdraw", {"reason": "录入有误", "version": read["version"]}
    )
    assert withdrawn.status_code == 200
    outage_recounts.run(database, recountings())
    assert shown(parties, filing_id) == ("2026-11-30", None)
    assert [one["action"] for one in administrator.get(f"/outages/{outage_id}").json["history"]] == [
        "enter", "withdraw",
    ]  # fmt: skip
    assert_records_are_as_their_history_says(database)


def test_correcting_an_outage_moves_deadlines_of_its_former_and_of_its_new_days(
    parties: Parties, administrator: Person, database: Database
) -> None:
    first, second = order(parties), order(parties, "2026-12-03")
    outage_id = new_id()
    version = administrator.put(f"/outages/{outage_id}", POWER_CUT | {"region": "320000"}).json["version"]
    outage_recounts.run(database, recountings())
    body = POWER_CUT | {
        "region": "320000", "starts_at": "2026-12-03T08:00:00+08:00", "ends_at": "2026-12-03T09:00:00+08:00",
        "version": version,
    }  # fmt: skip
    assert administrator.put(f"/outages/{outage_id}", body).status_code == 200
    assert administrator.put(f"/outages/{outage_id}", body).status_code == 200  # the same once more
    outage_recounts.run(database, recountings())
    assert (shown(parties, first)[0], shown(parties, second)[0]) == ("2026-11-30", "2026-12-04")
    assert code_of(administrator.put(f"/outages/{outage_id}", body | {"reason": "断网"})) == (409, "stale_version")


def test_a_deadline_that_is_set_into_a_known_outage_is_moved_at_once(
    parties: Parties, administrator: Person, hall: Hall
) -> None:
    assert administrator.put(f"/outages/{new_id()}", POWER_CUT | {"region": "320402"}).status_code == 200
    assert shown(parties, order(parties)) == ("2026-12-02", NOTE)


def test_an_outage_of_another_region_or_of_another_system_moves_nothing(
    parties: Parties, administrator: Person, database: Database
) -> None:
    filing_id = order(parties)
    for elsewhere in ({"region": "320100"}, {"region": "320402", "system": "ratings"}):
        assert administrator.put(f"/outages/{new_id()}", POWER_CUT | elsewhere).status_code == 200
    outage_recounts.run(database, recountings())
    assert shown(parties, filing_id) == ("2026-11-30", None)


def test_what_was_sent_late_because_of_an_outage_counts_as_sent_in_time(
    parties: Parties,
    administrator: Person,
    database: Database,
    clock: time_machine.Traveller,
    sign_in: SignIn,
    application: APIFlask,
) -> None:
    filing_id, other = order(parties), order(parties)
    clock.move_to("2026-12-02T23:59:00+08:00")
    parties.enterprise, administrator = both.sign_in_enterprise(application, WORKS), sign_in("sys_admin_user")
    assert send(parties, filing_id)["late"] is True
    clock.move_to("2026-12-03T00:00:00+08:00")
    assert send(parties, other)["late"] is True
    assert administrator.put(f"/outages/{new_id()}", POWER_CUT | {"region": "320000"}).status_code == 200
    outage_recounts.run(database, recountings())
    late = [parties.enterprise.get(f"/filings/{one}").json["late"] for one in (filing_id, other)]
    assert late == [False, True]


def test_nobody_is_made_late_by_an_outage_that_is_withdrawn_after_the_former_day(
    parties: Parties,
    administrator: Person,
    database: Database,
    clock: time_machine.Traveller,
    sign_in: SignIn,
    application: APIFlask,
) -> None:
    filing_id, outage_id = order(parties), new_id()
    version = administrator.put(f"/outages/{outage_id}", POWER_CUT | {"region": "320000"}).json["version"]
    outage_recounts.run(database, recountings())
    clock.move_to("2026-12-01T10:00:00+08:00")
    parties.enterprise, administrator = both.sign_in_enterprise(application, WORKS), sign_in("sys_admin_user")
    body = {"reason": "录入有误", "version": version}
    assert administrator.post(f"/outages/{outage_id}/actions/withdraw", body).status_code == 200
    outage_recounts.run(database, recountings())
    assert shown(parties, filing_id) == ("2026-12-02", NOTE)


def test_a_recount_that_was_interrupted_goes_on_behind_its_last_batch(
    parties: Parties, administrator: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage_recounts, "BATCH", 2)
    filings = [order(parties) for _ in range(5)]
    assert administrator.put(f"/outages/{new_id()}", POWER_CUT | {"region": "320000"}).status_code == 200
    assert outage_recounts.run(database, recountings(), most=2) == 2
    (listed,) = administrator.get("/outages").json["items"]
    assert (listed["looked_at"], listed["moved"], listed["recounted_at"]) == (2, 2, None)
    outage_recounts.run(database, recountings())
    (listed,) = administrator.get("/outages").json["items"]
    assert (listed["moved"], listed["recounted_at"] is None) == (5, False)
    assert {shown(parties, one)[0] for one in filings} == {"2026-12-02"}


def test_one_deadline_that_cannot_be_counted_keeps_no_other_from_moving(
    parties: Parties, administrator: Person, database: Database
) -> None:
    filings = [order(parties) for _ in range(3)]

    def failing(session: Any, key: UUID, deadlines: Any) -> bool:
        if str(key) == filings[1]:
            raise ValueError("odd")
        return postponing.postpone(session, key, deadlines, {})

    assert administrator.put(f"/outages/{new_id()}", POWER_CUT | {"region": "320000"}).status_code == 200
    outage_recounts.run(
        database, [outage_recounts.Recounting("filings", Filing, [Filing.finished_at.is_(None)], failing)]
    )
    assert [shown(parties, one)[0] for one in filings] == ["2026-12-02", "2026-11-30", "2026-12-02"]


def test_a_bad_rating_s_deadline_moves_with_its_to_do(
    hall: Hall, database: Database, sign_in: SignIn, clock: time_machine.Traveller
) -> None:
    clock.move_to("2026-11-23T10:00:00+08:00")
    rating_id = hall.bad(hall.code())
    assert hall.rating(rating_id)["due_on"] == "2026-11-30"
    make_user(database, "320000", "sys_admin_user", Role.SYS_ADMIN)
    administrator = sign_in("sys_admin_user")
    assert administrator.put(f"/outages/{new_id()}", POWER_CUT | {"region": "320000"}).status_code == 200
    outage_recounts.run(database, recountings())
    rating = hall.rating(rating_id)
    assert (rating["due_on"], rating["due_on_note"]) == ("2026-12-02", NOTE)
    (todo,) = hall.person("handler").get("/todos").json["items"]
    assert (todo["due_on"], todo["due_on_note"]) == ("2026-12-02", NOTE)
    assert_records_are_as_their_history_says(database)


def test_what_cannot_be_an_outage_is_refused_with_all_faults(administrator: Person) -> None:
    wrong = {"system": "all", "starts_at": "2026-11-30T20:00:00+08:00", "ends_at": "2026-11-30T20:00:00+08:00",
             "reason": "。。", "region": "320000"}  # fmt: skip
    answer = administrator.put(f"/outages/{new_id()}", wrong)
    assert faults(answer) == {"/ends_at": "out_of_range", "/reason": "required"}
    for change, path in (
        ({"ends_at": "2027-01-30T20:00:00+08:00"}, "/ends_at"),
        ({"starts_at": "2027-02-01T20:00:00+08:00", "ends_at": "2027-02-01T21:00:00+08:00"}, "/starts_at"),
        ({"starts_at": "2025-01-01T20:00:00+08:00", "ends_at": "2025-01-01T21:00:00+08:00"}, "/starts_at"),
        ({"system": "everything"}, "/system"),
        ({"starts_at": "昨天"}, "/starts_at"),
        ({"starts_at": "2026-11-30T20:00:00"}, "/starts_at"),
        ({"region": "999999"}, "/region"),
    ):
        assert list(faults(administrator.put(f"/outages/{new_id()}", POWER_CUT | {"region": "320000"} | change))) == [
            path
        ]


def test_an_administrator_of_a_province_enters_no_outage_elsewhere_and_nobody_else_enters_one(
    parties: Parties, administrator: Person, database: Database, sign_in: SignIn
) -> None:
    assert code_of(administrator.put(f"/outages/{new_id()}", POWER_CUT)) == (403, "forbidden")
    assert parties.reviewer.put(f"/outages/{new_id()}", POWER_CUT).status_code == 403
    assert parties.enterprise.get("/outages").status_code == 403
    outage_id = new_id()
    assert administrator.put(f"/outages/{outage_id}", POWER_CUT | {"region": "320000"}).status_code == 200
    make_user(database, "320100", "city_admin_user", Role.SYS_ADMIN)
    city = sign_in("city_admin_user")
    assert city.get("/outages").json["items"] == []
    assert city.get(f"/outages/{outage_id}").status_code == 404
    assert city.put(f"/outages/{outage_id}", POWER_CUT | {"region": "320100", "version": 1}).status_code == 404


def test_the_command_line_enters_lists_corrects_and_withdraws(parties: Parties, database: Database) -> None:
    filing_id = order(parties)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(outages_group, list(arguments), obj=_Has(database))
        assert result.exit_code == 0, result.output
        return result.output

    said = run("add", "--from", "2026-11-30 20:00", "--to", "2026-12-01 08:00", "--reason", "机房停电")
    assert "调整 1 件" in said
    outage_id = said.partition("编号：")[2].split()[0]
    assert shown(parties, filing_id) == ("2026-12-02", NOTE)
    assert "机房停电" in run("list") and "全国" in run("list")
    run("add", "--from", "2026-11-30 20:00", "--to", "2026-11-30 21:00", "--reason", "机房停电", "--correct", outage_id)
    assert shown(parties, filing_id)[0] == "2026-12-01"
    assert "调整 1 件" in run("withdraw", outage_id, "--reason", "录入有误")
    assert shown(parties, filing_id) == ("2026-11-30", None)


def assert_records_are_as_their_history_says(database: Database) -> None:
    with database.read() as session:
        broken = [
            *verify_ends(session, outages.OUTAGE),
            *verify_filings(session, {kind.code: kind for kind in KINDS}),
            *rating_integrity.verify(session),
        ]
    assert [str(one) for one in broken] == []


class _Has:
    def __init__(self, database: Database) -> None:
        self.database = database
