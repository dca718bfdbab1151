"""To-dos (待办): opened once, closed by kind, addressed to a user, an office or a region, red when overdue."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import time_machine

from core.actor import Actor, Scope
from core.database.paging import PageRequest
from core.db import Database
from core.workflows import todos

OFFICE = uuid4()
VERB = "inspection.write"
TODAY = date(2026, 11, 21)


def someone(*, office: UUID = OFFICE, verbs: tuple[str, ...] = (VERB,), areas: Any = ((3, "320402"),)) -> Actor:
    return Actor(
        uuid4(), "someone", None, uuid4(), office, "机关", "bureau", "county", "320402", "天宁区",
        ("320000", "320400", "320402"), Scope(areas is None, areas or ()), (), frozenset(verbs), False,
    )  # fmt: skip


def open_at_office(
    database: Database, title: str = "待办", subject: UUID | None = None, kind: str = "disposal", **kwargs: Any
) -> UUID:
    subject = subject or uuid4()
    with database.write() as session:
        todos.open_for_office(
            session, kind, title, ("spot_check", subject), verb=VERB, office_id=kwargs.pop("office", OFFICE), **kwargs
        )
    return subject


def titles(database: Database, actor: Actor, limit: int = 100) -> list[str]:
    with database.read() as session:
        return [row.Todo.title for row in todos.mine(session, actor, PageRequest(1, limit)).items]


def test_opening_a_to_do_twice_is_one_and_closing_it_lets_it_be_opened_anew(database: Database) -> None:
    subject = open_at_office(database, "第一次")
    open_at_office(database, "第二次", subject)
    assert titles(database, someone()) == ["第一次"]
    with database.write() as session:
        todos.close(session, subject, "another kind")
    assert titles(database, someone()) == ["第一次"]
    with database.write() as session:
        todos.close(session, subject, "disposal")
        todos.close(session, subject, "disposal")
    assert titles(database, someone()) == []
    open_at_office(database, "第三次", subject)
    assert titles(database, someone()) == ["第三次"]


def test_two_kinds_about_one_subject_stand_side_by_side(database: Database) -> None:
    subject = open_at_office(database, "甲", kind="disposal")
    open_at_office(database, "乙", subject, kind="refused")
    assert sorted(titles(database, someone())) == ["乙", "甲"]


def test_a_to_do_of_an_office_is_for_those_there_who_hold_the_verb(database: Database) -> None:
    open_at_office(database)
    for stranger in (
        someone(verbs=()), someone(verbs=("statistics.read",)), someone(office=uuid4()),
        someone(office=uuid4(), areas=None),
    ):  # fmt: skip
        assert titles(database, stranger) == []
    assert titles(database, someone()) == ["待办"]


COVERING: list[tuple[Any, bool]] = [
    (((1, "320000"),), True), (((2, "320400"),), True), (((2, "320100"),), False), (((3, "320402"),), False),
    (((1, "330000"),), False), (((2, "320100"), (2, "320400")), True), ((), False), (None, True),
]  # fmt: skip


def test_a_to_do_over_a_region_is_for_the_offices_that_cover_it_and_hold_the_verb(database: Database) -> None:
    with database.write() as session:
        todos.open_for_region(
            session, "application", "账号待审核", ("account_application", uuid4()), verb="accounts.decide",
            area1="320000", area2="320400",
        )  # fmt: skip
    for areas, told in COVERING:
        with_verb = someone(office=uuid4(), verbs=("accounts.decide",), areas=areas)
        assert titles(database, with_verb) == (["账号待审核"] if told else []), areas
        assert titles(database, someone(office=uuid4(), areas=areas)) == []


def test_a_to_do_over_a_whole_province_is_for_the_province_only(database: Database) -> None:
    with database.write() as session:
        todos.open_for_region(
            session, "application", "市级账号", ("account_application", uuid4()), verb="accounts.decide",
            area1="320000", area2=None,
        )  # fmt: skip
    assert titles(database, someone(verbs=("accounts.decide",), areas=((1, "320000"),))) == ["市级账号"]
    assert titles(database, someone(verbs=("accounts.decide",), areas=((2, "320400"),))) == []


def test_it_is_yellow_until_its_day_is_over_then_red_and_red_comes_first(
    database: Database, clock: time_machine.Traveller
) -> None:
    open_at_office(database, "昨天到期", due_on=TODAY - timedelta(days=1))
    open_at_office(database, "今天到期", due_on=TODAY)
    open_at_office(database, "加急", urgent=True)
    open_at_office(database, "无期限")

    def colours() -> list[tuple[str, str]]:
        with database.read() as session:
            shown = [todos.as_json(row) for row in todos.mine(session, someone(), PageRequest()).items]
        return [(item["title"], item["colour"]) for item in shown]

    shown = colours()
    assert shown[:2] == [("昨天到期", "red"), ("加急", "yellow")]
    assert sorted(shown[2:]) == [("今天到期", "yellow"), ("无期限", "yellow")]
    clock.move_to("2026-11-21T23:59:59+08:00")
    assert dict(colours())["今天到期"] == "yellow"
    clock.move_to("2026-11-22T00:00:00+08:00")
    assert dict(colours())["今天到期"] == "red"


def test_red_comes_first_then_what_is_due_soonest_then_the_newest(
    database: Database, clock: time_machine.Traveller
) -> None:
    for title, days in (
        ("下周", 7), ("早先的，无期限", None), ("逾期一天", -1), ("明天", 1), ("逾期十天", -10), ("无期限", None),
        ("也是明天", 1),
    ):  # fmt: skip
        clock.shift(timedelta(minutes=1))
        open_at_office(database, title, due_on=None if days is None else TODAY + timedelta(days=days))
    assert titles(database, someone()) == [
        "逾期十天", "逾期一天", "也是明天", "明天", "下周", "无期限", "早先的，无期限",
    ]  # fmt: skip


def test_an_overdue_to_do_is_not_crowded_out_by_newer_ones(database: Database, clock: time_machine.Traveller) -> None:
    open_at_office(database, "逾期", due_on=TODAY - timedelta(days=30))
    for number in range(3):
        clock.shift(timedelta(minutes=1))
        open_at_office(database, f"新的{number}")
    assert titles(database, someone(), limit=3)[0] == "逾期"


def test_the_link_leads_to_the_record_and_a_long_title_is_cut(database: Database) -> None:
    subject = open_at_office(database, "长" * 300, due_on=date(2026, 12, 1))
    with database.read() as session:
        item = todos.as_json(todos.mine(session, someone(), PageRequest()).items[0])
    assert item["link"] == f"/spot-checks/{subject}" and item["due_on"] == "2026-12-01"
    assert item["title"] == "长" * 200
