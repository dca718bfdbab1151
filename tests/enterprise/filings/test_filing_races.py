"""Two who act at the same moment: one wins, the other is told what has become of the filing."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select

from core.db import Database
from core.workflows import history
from enterprise.filings.models import Filing, FilingVersion
from enterprise.operations import IMPORTED, EnterpriseFacts, put_enterprises
from enterprise.systems import follow_register
from tests.enterprise.filings.test_bad_input import declaration, pending, report_file, report_of, saved, topic
from tests.newcomers import at_once
from tests.parties import DECLARATION, WORKS, Parties, act, open_declaration
from tests.people import Person, new_id
from tests.rounds import rounds

ROUNDS = rounds(20, few=5)
Json = dict[str, Any]
Together = Callable[..., list[Any]]


@pytest.fixture
def together(application: APIFlask) -> Together:
    """Makes calls at the same moment, `(person, method, path, body)` each, every one with a client of its own."""

    def calls(*wanted: tuple[Person, str, str, Json]) -> list[Any]:
        def prepared(person: Person, method: str, path: str, body: Json) -> Callable[[], Any]:
            own = Person(person.username, application.test_client(), person.token)
            return lambda: own.call(method, path, json=body)

        return at_once(*(prepared(*one) for one in wanted))

    return calls


def step(person: Person, row: Json, action: str, **body: Any) -> tuple[Person, str, str, Json]:
    return person, "POST", f"/filings/{row['id']}/actions/{action}", {"version": row["version"], **body}


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def chains_hold(database: Database) -> None:
    with database.read() as session:
        assert list(history.verify(session)) == []


def test_of_two_who_send_at_once_one_wins_and_one_version_is_made(
    parties: Parties, together: Together, database: Database
) -> None:
    row = declaration(parties)
    for number in range(1, 6):
        answers = together(*(step(parties.enterprise, row, "submit", comment=str(n)) for n in range(3)))
        assert statuses(answers) == {200: 1, 409: 2}
        assert {a.json["current_status"] for a in answers if a.status_code == 409} == {"pending"}
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(FilingVersion)) == number
        row = act(parties.reviewer, next(a.json for a in answers if a.status_code == 200), "return", comment="改").json
    chains_hold(database)


@pytest.mark.rounds
def test_withdrawal_against_approval(parties: Parties, together: Together, database: Database) -> None:
    approved = 0
    row = declaration(parties)
    for _ in range(ROUNDS):
        sent = act(parties.enterprise, row, "submit").json
        calls = [step(parties.enterprise, sent, "withdraw"), step(parties.reviewer, sent, "approve")]
        withdrawal, approval = together(*calls)
        assert sorted([withdrawal.status_code, approval.status_code]) == [200, 409]
        now = parties.enterprise.get(f"/filings/{row['id']}").json
        loser = withdrawal if withdrawal.status_code == 409 else approval
        assert (loser.json["code"], loser.json["current_status"]) == ("wrong_status", now["status"])
        if approval.status_code == 200:
            approved += 1
            assert now["status"] == "done"
            row = declaration(parties)
        else:
            assert now["status"] == "update"
            row = now
        with database.read() as session:
            by_status = dict(session.execute(select(Filing.status, func.count()).group_by(Filing.status)).all())
        assert by_status == {"update": 1, **({"done": approved} if approved else {})}
    chains_hold(database)


@pytest.mark.parametrize("same_body", [True, False], ids=["retried", "raced"])
def test_the_new_row_after_an_approval_exists_exactly_once(
    parties: Parties, together: Together, database: Database, same_body: bool
) -> None:
    for done in range(1, 4):
        sent = pending(parties)
        comments = [{} if same_body else {"comment": str(n)} for n in range(6)]
        answers = together(*(step(parties.reviewer, sent, "approve", **comment) for comment in comments))
        assert statuses(answers) == ({200: 6} if same_body else {200: 1, 409: 5})
        assert {a.json["current_status"] for a in answers if a.status_code == 409} <= {"done"}
        with database.read() as session:
            by_status = dict(session.execute(select(Filing.status, func.count()).group_by(Filing.status)).all())
            children = session.scalar(select(func.count()).where(Filing.parent_id.is_not(None)))
        assert (by_status, children) == ({"update": 1, "done": done}, done)
    chains_hold(database)


def test_one_file_that_two_reports_want_goes_to_one_of_them(parties: Parties, together: Together) -> None:
    topic_id = topic(parties)
    for _ in range(5):
        body = report_of(topic_id, report_file(parties.enterprise))
        answers = together(*((parties.enterprise, "PUT", f"/filings/{new_id()}", body) for _ in range(3)))
        assert statuses(answers) == {201: 1, 422: 2}
        refused = {fault["code"] for a in answers if a.status_code == 422 for fault in a.json["errors"]}
        assert refused == {"file_claimed"}


def test_one_id_that_is_opened_twice_at_once_becomes_one_filing(parties: Parties, together: Together) -> None:
    topic_id = topic(parties)
    for _ in range(3):
        path = f"/filings/{new_id()}"
        bodies = [{**report_of(topic_id), "data": {"remark": str(n)}} for n in range(3)]
        answers = together(*((parties.enterprise, "PUT", path, body) for body in bodies))
        assert statuses(answers)[201] == 1 and set(statuses(answers)) <= {201, 409}
        assert {a.json["code"] for a in answers if a.status_code == 409} <= {"id_taken", "stale_version"}
        path = f"/filings/{new_id()}"
        answers = together(*((parties.enterprise, "PUT", path, bodies[0]) for _ in range(3)))
        assert statuses(answers) == {201: 1, 200: 2}


def test_what_is_sent_while_it_is_saved_is_what_was_read(parties: Parties, together: Together) -> None:
    row = declaration(parties)
    for n in range(5):
        body = {"data": {**DECLARATION, "remark": f"第{n}次"}, "version": row["version"]}
        save, submission = together(
            (parties.enterprise, "PUT", f"/filings/{row['id']}", body), step(parties.enterprise, row, "submit")
        )
        assert sorted([save.status_code, submission.status_code]) == [200, 409]
        if save.status_code == 200:
            assert submission.json["code"] == "stale_version"
            row = act(parties.enterprise, save.json, "submit").json
        else:
            assert save.json["code"] in ("wrong_status", "stale_version")
            row = submission.json
        assert parties.reviewer.get(f"/filings/{row['id']}").json["data"] == row["data"]
        row = act(parties.enterprise, row, "withdraw").json


def test_reading_against_deleting_a_report(parties: Parties, together: Together) -> None:
    topic_id = topic(parties)
    for _ in range(5):
        row = saved(parties.enterprise, new_id(), report_of(topic_id, report_file(parties.enterprise)))
        sent = act(parties.enterprise, row, "submit").json
        deletion, reading = together(
            (parties.enterprise, "DELETE", f"/filings/{row['id']}", {}), step(parties.reviewer, sent, "read")
        )
        outcome = (deletion.status_code, reading.status_code)
        assert outcome in ((200, 404), (200, 409), (409, 200)), outcome
        found = parties.enterprise.get(f"/filings/{row['id']}")
        assert found.status_code == (404 if deletion.status_code == 200 else 200)


@pytest.mark.rounds
def test_an_approval_and_the_register_that_renames_the_enterprise_wait_for_each_other(
    parties: Parties, together: Together, database: Database
) -> None:
    # An approval locks its filing, the enterprise, then what that has not sent; an import the last two in that order.
    def renamed(name: str) -> Callable[[], None]:
        facts: EnterpriseFacts = {"uscc": WORKS, "name": name, "region_code": "320402"}

        def put() -> None:
            with database.write() as session:
                put_enterprises(session, [facts], source=IMPORTED, on_move=follow_register)

        return put

    for number in range(ROUNDS):
        row = act(parties.enterprise, declaration(parties), "submit").json
        approval = lambda row=row: together(step(parties.reviewer, row, "approve"))  # noqa: E731
        (answer,), _ = at_once(approval, renamed(f"常州某某电缆第{number}有限公司"))
        assert answer.json["status"] == "done"
        assert open_declaration(parties)["id"] != row["id"]
    chains_hold(database)


def test_there_is_one_open_row_for_a_licence(parties: Parties) -> None:
    assert open_declaration(parties)["subject"] == {"type": "licence", "id": parties.licence_id}
    assert parties.enterprise.get("/filings?kind=data_declaration").json["total"] == 1
