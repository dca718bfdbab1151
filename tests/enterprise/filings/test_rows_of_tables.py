"""Rows of their own (明细行): a group while a draft, rows of a table when sent; searched, paged and referred to."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, text

from enterprise.filings.declaring.broken_kinds import BrokenKind
from enterprise.filings.declaring.declarations import SYSTEM, Step
from enterprise.filings.declaring.row_tables import Refers
from enterprise.filings.results.row_integrity import verify_rows
from enterprise.filings.results.rows import referred
from tests.enterprise.filings.test_posts import DATA
from tests.kinds.power_new import STEPS
from tests.kinds.power_staff import (
    CHANGE,
    ROWS,
    WITH_STAFF,
    Staff,
    StaffBase,
    power_staff_change,
    power_with_staff,
)
from tests.kinds.town import Town, paths
from tests.people import Person

IDS = ("110101199003070011", "320401198506120026", "500105197801010039", "11010519491231002X")
NAMES = ("王技术", "李电工", "赵电工", "孙技术")


@pytest.fixture(autouse=True)
def declared(town: Town) -> Iterator[None]:
    StaffBase.metadata.create_all(town.database.engine)
    for form in (WITH_STAFF, CHANGE):
        town.publish(form)
    issued = Step("issue_now", "发证", "accepted", "issued", STEPS[6].by)
    town.declare(power_with_staff(steps=[*STEPS, issued], one_open=False))
    town.declare(power_staff_change())
    yield
    StaffBase.metadata.drop_all(town.database.engine)


def staff(*numbers: int) -> list[dict[str, Any]]:
    kinds = ("technician", "electrician")
    return [
        {"name": NAMES[n], "kind": kinds["电" in NAMES[n]], "id_no": IDS[n], "cert_valid_to": "2030-01-31"}
        for n in numbers
    ]


def opened(town: Town, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    paper = ("finance", town.file(town.parties.enterprise))
    return town.open("power_new", {**DATA, "staff": list(rows)}, paper)


def read(by: Person, filing: dict[str, Any], query: str = "") -> Any:
    answer = by.get(f"/filings/{filing['id']}/rows/staff?{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def names(by: Person, filing: dict[str, Any], query: str = "") -> list[str]:
    return [row["data"]["name"] for row in read(by, filing, query)["items"]]


def test_rows_stand_in_the_draft_until_it_is_sent_and_then_in_their_table(town: Town) -> None:
    enterprise = town.parties.enterprise
    filing = opened(town, staff(0, 1, 2))
    assert names(enterprise, filing, "q=电工") == ["李电工", "赵电工"]
    assert {row["id"] for row in read(enterprise, filing)["items"]} == {None}
    with town.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Staff)) == 0
    town.act(enterprise, filing, "submit")
    for by in (enterprise, town["formal"]):
        assert names(by, filing) == list(NAMES[:3])
        assert names(by, filing, "q=电工") == ["李电工", "赵电工"]
        assert names(by, filing, f"q={IDS[2]}") == ["赵电工"]
        assert names(by, filing, "q=周") == []
        first = read(by, filing, "page_size=2")
        assert (first["total"], names(by, filing, f"page_size=2&after={first['next_after']}")) == (3, ["赵电工"])
    assert town["far_acceptance"].get(f"/filings/{filing['id']}/rows/staff").status_code == 404
    assert enterprise.get(f"/filings/{filing['id']}/rows/leaders").status_code == 404
    with town.database.read() as session:
        stored = session.scalars(select(Staff).order_by(Staff.number)).all()
        assert (stored[0].name, str(stored[0].valid_to)) == ("王技术", "2030-01-31")
        assert not any(IDS[number] in str(row.data) for number, row in enumerate(stored))


def test_a_draft_is_paged_like_a_table(town: Town) -> None:
    filing = opened(town, staff(0, 1, 2, 3))
    first = read(town.parties.enterprise, filing, "page_size=3")
    assert (first["total"], len(first["items"])) == (4, 3)
    assert names(town.parties.enterprise, filing, f"page_size=3&after={first['next_after']}") == ["孙技术"]
    assert names(town.parties.enterprise, filing, "page_size=3&page=2") == ["孙技术"]


def test_a_row_keeps_its_id_when_the_filing_is_sent_again_and_the_office_reads_what_was_sent_meanwhile(
    town: Town,
) -> None:
    enterprise = town.parties.enterprise
    filing = opened(town, staff(0, 1))
    town.act(enterprise, filing, "submit")
    before = {row["data"]["name"]: row["id"] for row in read(enterprise, filing)["items"]}
    town.act(town["formal"], filing, "return", comment="请补正", data={"parts": "人员"})
    body = {"data": {**DATA, "staff": staff(2, 1)}, "version": town.read(filing)["version"]}
    assert enterprise.put(f"/filings/{filing['id']}", body).status_code == 200
    assert (names(enterprise, filing), names(town["formal"], filing)) == (["赵电工", "李电工"], ["王技术", "李电工"])
    town.act(enterprise, filing, "submit")
    after = {row["data"]["name"]: row["id"] for row in read(town["formal"], filing)["items"]}
    assert list(after) == ["赵电工", "李电工"]
    assert after["李电工"] == before["李电工"] and after["赵电工"] not in before.values()


def test_no_two_rows_have_one_key(town: Town) -> None:
    filing = opened(town, [*staff(0), {**staff(1)[0], "id_no": IDS[0]}])
    assert paths(town.act(town.parties.enterprise, filing, "submit", expect=422)) == ["/data/staff/1/id_no"]


def test_a_later_filing_refers_to_a_row_of_the_licence_and_to_no_other(town: Town) -> None:
    enterprise = town.parties.enterprise
    filing = opened(town, staff(0, 1))
    town.act(enterprise, filing, "submit")
    (first, second) = [row["id"] for row in read(enterprise, filing)["items"]]

    def leaving(*ids: str) -> dict[str, Any]:
        data = {"province": "320000", "leaving": [{"person": one} for one in ids]}
        return town.open("power_staff_change", data)

    change = leaving(first, filing["id"])
    assert paths(town.act(enterprise, change, "submit", expect=422)) == [
        "/data/leaving/0/person", "/data/leaving/1/person",
    ]  # fmt: skip
    town.act(town["acceptance"], filing, "accept")
    town.act(town["acceptance"], filing, "issue_now")
    assert paths(town.act(enterprise, change, "submit", expect=422, comment="再试")) == ["/data/leaving/1/person"]
    town.act(enterprise, leaving(first, second), "submit")
    masked = read(town["formal"], filing)["items"][0]["data"]["id_no"]
    assert masked == "110101********0011"
    with town.database.read() as session:
        (refers,) = town.engine.kinds["power_staff_change"].refers
        row = referred(session, town.engine, refers, Staff.id.type.python_type(first))
        assert row is not None and row["id_no"] == IDS[0]


def test_rows_that_cannot_be_kept_refuse_to_load_with_their_line(town: Town) -> None:
    broken = {
        "rows are of whish, which is no group": {"rows": [replace(ROWS, group="whish")]},
        "rows of staff name nam, a field that they do not have": {"rows": [replace(ROWS, columns={"name": "nam"})]},
        "rows of staff name the column nam, which": {"rows": [replace(ROWS, search=("nam",))]},
        "rows of staff keep id_no in clear in name": {"rows": [replace(ROWS, columns={"name": "id_no"})]},
        "whish refers to a row": {"refers": [Refers("whish", "power_new", ROWS, ["issued"])]},
    }  # fmt: skip
    for sentence, changes in broken.items():
        with pytest.raises(BrokenKind, match=sentence) as refused:
            town.declare(power_with_staff(**changes))
        assert str(refused.value).startswith("tests/"), sentence
    assert SYSTEM not in STEPS[6].takers


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("name = '别人' WHERE number = 1", "its rows of staff are not those that were sent"),
        ('data = \'{"name": "别人"}\' WHERE number = 0', "its rows of staff are not those that were sent"),
        ("number = 9 WHERE number = 2", "its rows of staff are not those that were sent"),
    ],
)
def test_rows_that_were_changed_in_their_table_are_named(town: Town, change: str, said: str) -> None:
    filing = opened(town, staff(0, 1, 2))
    town.act(town.parties.enterprise, filing, "submit")
    with town.database.read() as session:
        assert list(verify_rows(session, town.engine.kinds)) == []
    with town.database.write() as session:
        session.execute(text(f"UPDATE power_staff SET {change}"))
    with town.database.read() as session:
        (broken,) = verify_rows(session, town.engine.kinds)
    assert (str(broken.subject_id), broken.reason) == (filing["id"], said)


def test_rows_that_were_added_to_or_taken_from_their_table_are_named(town: Town) -> None:
    filing = opened(town, staff(0, 1))
    town.act(town.parties.enterprise, filing, "submit")
    with town.database.write() as session:
        session.execute(text("UPDATE power_staff SET filing_id = id WHERE number = 1"))
    with town.database.read() as session:
        reasons = sorted(one.reason for one in verify_rows(session, town.engine.kinds))
    assert reasons == ["it has rows of staff that nobody sent", "its rows of staff are not those that were sent"]
