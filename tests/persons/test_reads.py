"""A person learns who read or exported the own records, from all offices."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient

from accounts.access_log import queries, recording
from core.config import Settings
from core.db import Database
from miniapp_api.http.wiring import KEY
from tests.command_line import Run, command_line
from tests.people import Person, SignIn, production, uscc
from tests.raters import Hall
from tests.records import read, submit

NUMBER, OTHER = "13800000001", "13800000002"


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def hall(client: FlaskClient, database: Database, sign_in: SignIn) -> Hall:
    return Hall(client, database, sign_in)


@pytest.fixture
def reads(application: APIFlask, run: Run) -> Callable[..., str]:
    """What the command says, after what was read was written."""

    def said(number: str, *more: str) -> str:
        application.extensions[KEY].access_log.write()
        return str(run("persons", "reads", "--mobile", number, *more).output)

    return said


def test_the_command_names_each_reading_of_each_record_of_a_person_and_none_of_others(
    hall: Hall, county_inspector: Person, province_user: Person, reads: Callable[..., str]
) -> None:
    code = hall.code()
    rating, others_rating = hall.bad(code, mobile=NUMBER), hall.bad(code, mobile=OTHER)
    check = submit(county_inspector, production(contact_tel=NUMBER))["id"]
    read(hall.person("supervisor"), f"/ratings/{rating}")
    read(hall.person("handler"), f"/ratings/{others_rating}")
    read(province_user, f"/inspections/{check}")
    said = reads(NUMBER)
    lines = [line for line in said.splitlines() if rating in line or check in line]
    assert [("supervisor" in line, "province_user" in line) for line in lines] == [(True, False), (False, True)]
    assert "read_rating" in lines[0] and "inspections_read" in lines[1] and "江苏省" in lines[1]
    assert others_rating not in said and "被查阅、导出 2 次" in said
    assert NUMBER not in said


def test_lists_and_exports_that_held_the_person_are_readings_too(hall: Hall, reads: Callable[..., str]) -> None:
    code = hall.code()
    rating = hall.bad(code, mobile=NUMBER)
    hall.bad(code, mobile=OTHER)
    read(hall.person("supervisor"), "/ratings")
    assert hall.person("handler").get("/ratings.csv").data
    lines = [line for line in reads(NUMBER).splitlines() if rating in line]
    assert ["list_ratings" in lines[0], "export_ratings_csv" in lines[1]] == [True, True]


def test_an_export_that_held_more_than_was_noted_is_named_with_what_was_asked_for(
    county_inspector: Person, county_colleague: Person, reads: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (recording, queries):
        monkeypatch.setattr(place, "MOST_IDS", 1)
    submit(county_inspector, production(contact_tel=NUMBER))
    submit(county_inspector, production(org_name="别的电缆厂", uscc=uscc(302)))
    assert county_colleague.get("/inspections.csv?product_code=06").data
    said = reads(NUMBER)
    assert "inspections_export_csv" in said
    if "被查阅、导出 0 次" in said:  # the other record was noted
        assert "另有 1 次导出" in said and '{"product_code":"06"}' in said


def test_days_narrow_what_is_said(
    clock: time_machine.Traveller, hall: Hall, sign_in: SignIn, reads: Callable[..., str]
) -> None:
    rating = hall.bad(hall.code(), mobile=NUMBER)
    read(hall.person("supervisor"), f"/ratings/{rating}")
    clock.shift(timedelta(days=1))
    read(sign_in("supervisor"), f"/ratings/{rating}")
    assert "导出 2 次" in reads(NUMBER)
    assert "导出 1 次" in reads(NUMBER, "--until", "2026-11-21")
    assert "导出 1 次" in reads(NUMBER, "--since", "2026-11-22")
    assert "导出 0 次" in reads(NUMBER, "--since", "2026-11-23")
