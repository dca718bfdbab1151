"""Numbers (编号) of filings: by office and year, without gaps or doubles, whoever sends at one moment."""

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest
import time_machine

from core.errors import Problem
from enterprise.certificates.declarations import Number
from enterprise.filings.declaring.declarations import Move
from tests.enterprise.filings.test_claims import send
from tests.enterprise.filings.test_posts import DATA, queued
from tests.kinds.power_new import UNCERTIFIED, power_new
from tests.kinds.town import Town, named
from tests.newcomers import at_once
from tests.people import Person, new_id

SERIES = Number("CZ{year}{office}-{seq:04}")
MANY = 12


def _refuse_the_fifth_level(move: Move) -> None:
    if move.data["level"] == "five":
        raise Problem("too_early", "暂不受理")


@pytest.fixture(autouse=True)
def numbering(town: Town) -> None:
    town.declare(power_new(number=SERIES, one_open=False, claims=(), steps=UNCERTIFIED))


def drafts(town: Town, count: int, **changes: Any) -> list[dict[str, Any]]:
    by = town.parties.enterprise
    opened = []
    for _ in range(count):
        body = {
            "kind": "power_new", "data": {**DATA, **changes}, "documents": named(("finance", town.file(by))),
        }  # fmt: skip
        opened.append(by.put(f"/filings/{new_id()}", body).json)
    return opened


def numbers(town: Town, filings: list[dict[str, Any]]) -> list[str | None]:
    return [town.read(filing)["number"] for filing in filings]


def test_a_draft_has_none_and_what_is_sent_has_the_next_of_its_office_for_good(town: Town) -> None:
    (draft,) = drafts(town, 1)
    assert draft["number"] is None
    first, second, far = queued(town), queued(town), queued(town, province="330000")
    year = date.today().year
    assert [one["number"] for one in (first, second, far)] == [
        f"CZ{year}320000-0001", f"CZ{year}320000-0002", f"CZ{year}330000-0001",
    ]  # fmt: skip
    town.act(town["formal"], first, "return", comment="请补正", data={"parts": "等级"})
    assert town.act(town.parties.enterprise, first, "submit")["number"] == first["number"]
    (row,) = [row for row in town["formal"].get("/filings").json["items"] if row["id"] == second["id"]]
    assert row["number"] == second["number"]
    (sent,) = [
        row for row in town.parties.enterprise.get(f"/filings/{second['id']}/history").json["items"]
        if row["action"] == "submit"
    ]  # fmt: skip
    assert sent["number"] == second["number"]


def test_a_new_year_begins_anew(town: Town) -> None:
    queued(town)
    with time_machine.travel(f"{date.today().year + 1}-01-04T10:00:00+08:00"):
        town.sign_in_anew()
        assert queued(town)["number"] == f"CZ{date.today().year}320000-0001"


def test_of_many_that_are_sent_at_one_moment_each_has_another_and_none_is_left_out(town: Town) -> None:
    by = town.parties.enterprise
    waiting = drafts(town, MANY)

    def own() -> Person:
        return Person(by.username, town.application.test_client(), by.token)

    answers = at_once(*(partial(send, own(), filing) for filing in waiting))
    assert {answer.status_code for answer in answers} == {200}
    year = date.today().year
    assert sorted(answer.json["number"] for answer in answers) == [
        f"CZ{year}320000-{number:04}" for number in range(1, MANY + 1)
    ]


def test_a_step_that_is_rolled_back_leaves_no_gap(town: Town) -> None:
    steps = [replace(step, effect=_refuse_the_fifth_level) if step.action == "submit" else step for step in UNCERTIFIED]
    town.declare(power_new(number=SERIES, one_open=False, claims=(), steps=steps))
    (refused,), (sent,) = drafts(town, 1, level="five"), drafts(town, 1)
    assert send(town.parties.enterprise, refused).status_code == 409
    assert numbers(town, [refused]) == [None]
    assert send(town.parties.enterprise, sent).json["number"].endswith("-0001")


def test_it_may_be_given_by_a_later_step(town: Town) -> None:
    town.declare(power_new(number=SERIES, numbered_by=["accept"]))
    filing = queued(town)
    assert filing["number"] is None
    assert town.act(town["acceptance"], filing, "accept")["number"].endswith("320000-0001")
