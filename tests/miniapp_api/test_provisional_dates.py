"""Every answer with a date counted on guessed working days says so; the administrator is asked for the days."""

from datetime import date

import pytest
import time_machine
from flask.testing import FlaskClient

from accounts.verbs import Role
from core.db import Database
from core.deadlines import calendar_years
from core.models import CalendarDay, CalendarYear
from feedback.follow_ups.recounting import recounting
from tests.newcomers import make_user
from tests.people import Person, SignIn, faults
from tests.raters import Hall, Page, ok

NOTE = "2027年放假安排公布前的暂定日期，公布后可能调整"


def load(database: Database, year: int = 2027) -> None:
    with database.write() as session:
        session.merge(CalendarDay(day=date(year, 1, 1), working=False))
        session.merge(CalendarYear(year=year))


def test_lists_records_to_dos_exports_and_the_rater_s_page_say_that_a_date_is_provisional(
    hall: Hall, client: FlaskClient, database: Database, clock: time_machine.Traveller
) -> None:
    clock.move_to("2026-12-25T10:00:00+08:00")
    made = hall.code()
    answer = ok(hall.rate(made, level=1, tags=[109], comment="多次被要求补交材料"), 201)

    def shown() -> list[tuple[str, bool, str | None]]:
        """The date wherever it stands: record, list, to-do, the rater's answer."""
        listed = hall.person("supervisor").get("/ratings").json["items"]
        (todo,) = hall.person("handler").get("/todos").json["items"]
        found = [
            hall.rating(answer["id"]),
            *listed,
            todo,
            hall.get(f"/api/v1/ratings/answer/{answer['query_code']}").json,
        ]
        return [(one["due_on"], one["due_on_provisional"], one["due_on_note"]) for one in found]

    def page() -> str:
        return Page.of(hall.get(f"/r/answers/{answer['query_code']}")).text

    def export() -> str:
        return hall.person("supervisor").get("/ratings.csv").get_data(as_text=True)

    assert shown() == [("2027-01-04", True, NOTE)] * 4
    assert NOTE in export() and "2027-01-04" in page() and NOTE in page()
    load(database)
    assert recounting().run(database) == 1
    assert shown() == [("2027-01-04", False, None)] * 4
    assert NOTE not in export() and "2027-01-04" in page() and "暂定" not in page()


def test_a_date_that_is_known_is_not_called_provisional(hall: Hall, clock: time_machine.Traveller) -> None:
    clock.move_to("2026-12-24T10:00:00+08:00")
    rating = hall.rating(hall.bad(hall.code()))
    assert (rating["due_on"], rating["due_on_provisional"], rating["due_on_note"]) == ("2026-12-31", False, None)


def test_a_bad_rating_is_yellow_on_its_last_day_in_the_new_year_and_red_the_day_after(
    hall: Hall, clock: time_machine.Traveller
) -> None:
    clock.move_to("2026-12-25T10:00:00+08:00")
    code = hall.code()
    rating_id, closed = hall.bad(code), hall.bad(code)
    hall.person("handler"), hall.person("supervisor")
    clock.move_to("2027-01-04T23:00:00+08:00")
    hall.people |= {name: hall.sign_in(name) for name in ("handler", "supervisor")}
    assert hall.rating(rating_id)["colour"] == "yellow"
    hall.lead(closed, "contact", "verify", "rectify", "reply", "close")
    clock.move_to("2027-01-05T00:00:00+08:00")
    assert hall.rating(rating_id)["colour"] == "red"
    answer = hall.act("handler", rating_id, "appeal")
    assert answer.status_code == 409 and answer.json["code"] == "too_late"


@pytest.fixture
def administrator(database: Database, sign_in: SignIn) -> Person:
    make_user(database, "320000", "sys_admin_user", Role.SYS_ADMIN)
    return sign_in("sys_admin_user")


def test_the_administrator_is_asked_for_next_year_s_calendar_from_november_on(
    client: FlaskClient, database: Database, sign_in: SignIn, clock: time_machine.Traveller
) -> None:
    make_user(database, "320000", "sys_admin_user", Role.SYS_ADMIN)

    def asked() -> list[str]:
        calendar_years.ask(database)
        items = sign_in("sys_admin_user").get("/todos").json["items"]
        return [item["link"] for item in items]

    clock.move_to("2026-10-31T23:59:00+08:00")
    assert asked() == []
    assert client.get("/readyz").get_json()["checks"]["working_days"] == "ok"
    clock.move_to("2026-11-01T00:00:00+08:00")
    assert asked() == asked() == ["/calendar?year=2027"]
    assert client.get("/readyz").get_json()["checks"]["working_days"].startswith("2027: ")
    person = sign_in("sys_admin_user")
    (todo,) = person.get("/todos").json["items"]
    assert todo["title"] == "请录入2027年放假和调休安排，录入前期限均为暂定"
    assert "calendar complete 2027" in person.get(todo["link"]).json["note"]
    assert sign_in("province_user").get("/todos").json["items"] == []
    load(database)
    assert asked() == []
    assert client.get("/readyz").get_json()["checks"]["working_days"] == "ok"


def test_anybody_signed_in_reads_by_which_days_is_counted(
    county_inspector: Person, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    this_year = county_inspector.get("/calendar").json
    assert (this_year["year"], this_year["known"], this_year["note"]) == (2026, True, None)
    assert {"day": "2026-02-14", "working": True} in this_year["days"]
    assert {"day": "2026-02-16", "working": False} in this_year["days"]
    guessed = county_inspector.get("/calendar?year=2027").json
    assert "./manage" not in guessed["note"]
    assert guessed["known"] is False and {"day": "2027-01-01", "working": False} in guessed["days"]
    assert faults(county_inspector.get("/calendar?year=12")) == {"/year": "out_of_range"}
    assert client.get("/api/v1/calendar").status_code == 401
