"""The address of a user (邮箱): confirmed by a link, masked wherever it is shown, told when it is changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import time_machine
from flask.testing import FlaskClient
from sqlalchemy import Table, select, text

from accounts import integrity, sweeping
from accounts.mail.models import MailLink, UserEmail
from core.db import Database
from core.models import HistoryEntry
from tests.mailbox import letters_to, newest_token, token_in
from tests.newcomers import at_once, code_of
from tests.people import PASSWORD, Person

ADDRESS, OTHER = "li.si@example.cn", "wang.wu@example.cn"
MASKED = "l****@example.cn"


def ask(person: Person, address: str = ADDRESS, password: str = PASSWORD) -> Any:
    return person.put("/me/email", {"email": address, "password": password})


def confirm(person: Person, token: str) -> Any:
    return person.put("/me/email/confirmation", {"token": token})


def confirmed(database: Database, person: Person, address: str = ADDRESS) -> None:
    assert ask(person, address).status_code == 202
    assert confirm(person, newest_token(database, address)).status_code == 200


def test_an_address_is_the_users_once_the_link_in_its_mail_was_followed(
    database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    asked = ask(county_inspector)
    assert (asked.status_code, asked.json["email"], asked.json["pending"]) == (202, None, MASKED)
    (letter,) = letters_to(database, ADDRESS)
    assert county_inspector.username in letter
    answer = confirm(county_inspector, token_in(letter))
    assert (answer.status_code, answer.json["email"], answer.json["pending"]) == (200, MASKED, None)
    assert county_inspector.get("/me/email").json["email"] == MASKED  # type: ignore[index]
    listed = city_reviewer.get("/users?q=county_inspector")
    assert [row["email"] for row in listed.json["items"]] == [MASKED]  # type: ignore[index]
    assert ADDRESS not in listed.get_data(as_text=True)


def test_a_lost_answer_is_asked_for_again_and_the_link_works_once(database: Database, county_inspector: Person) -> None:
    ask(county_inspector)
    token = newest_token(database, ADDRESS)
    assert [confirm(county_inspector, token).status_code for _ in range(2)] == [200, 200]
    assert county_inspector.delete("/me/email").status_code == 200
    assert confirm(county_inspector, token).json["email"] is None


def test_the_link_of_another_user_confirms_nothing(
    database: Database, county_inspector: Person, county_colleague: Person
) -> None:
    ask(county_inspector)
    token = newest_token(database, ADDRESS)
    assert code_of(confirm(county_colleague, token)) == (410, "link_over")
    assert county_colleague.get("/me/email").json["email"] is None  # type: ignore[index]
    assert confirm(county_inspector, token).status_code == 200


def test_a_link_is_good_for_a_day_and_a_newer_one_ends_it(
    database: Database, county_inspector: Person, clock: time_machine.Traveller
) -> None:
    ask(county_inspector)
    first = newest_token(database, ADDRESS)
    clock.shift(1)
    ask(county_inspector)
    assert code_of(confirm(county_inspector, first)) == (410, "link_over")
    second = newest_token(database, ADDRESS)
    for _ in range(12):  # in use all the day, so that the session lives
        clock.shift(timedelta(hours=1, minutes=59))
        county_inspector.get("/me")
    clock.shift(timedelta(minutes=12) - timedelta(seconds=1))
    kept = county_inspector.get("/me/email").json
    assert kept is not None and kept["pending"] == MASKED
    clock.shift(1)
    assert code_of(confirm(county_inspector, second)) == (410, "link_over")
    assert sweeping.sweep(database) >= 1
    with database.read() as session:
        assert session.scalars(select(MailLink.id)).all() == []


def test_without_the_own_password_nobody_gives_an_address(database: Database, county_inspector: Person) -> None:
    answer = ask(county_inspector, "no address", "Wrong-2026")
    assert code_of(answer) == (422, "invalid")
    assert {fault["path"] for fault in answer.json["errors"]} == {"/email", "/password"}
    assert letters_to(database, ADDRESS) == []


def test_nobody_fills_the_mailbox_of_a_stranger(database: Database, sign_in: Callable[[str], Person]) -> None:
    people = [sign_in("county_inspector"), sign_in("county_colleague")]
    answers = [ask(person) for person in people for _ in range(4)]
    assert [answer.status_code for answer in answers].count(202) == 5
    late = next(answer for answer in answers if answer.status_code != 202)
    assert code_of(late) == (429, "too_many_requests") and int(late.headers["Retry-After"]) <= 3600
    assert len(letters_to(database, ADDRESS)) == 5


def test_the_former_address_is_told_of_a_change_and_of_a_removal(database: Database, county_inspector: Person) -> None:
    confirmed(database, county_inspector)
    confirmed(database, county_inspector, OTHER)
    assert "更换" in letters_to(database, ADDRESS)[-1]
    assert [county_inspector.delete("/me/email").json["email"] for _ in range(2)] == [None, None]
    assert len([letter for letter in letters_to(database, OTHER) if "停用" in letter]) == 1


def test_of_many_who_use_one_link_at_one_moment_all_read_the_same_and_the_history_has_one_row(
    database: Database, county_inspector: Person
) -> None:
    ask(county_inspector)
    token = newest_token(database, ADDRESS)
    answers = at_once(*(lambda: confirm(county_inspector, token) for _ in range(8)))
    assert {(answer.status_code, answer.json["email"]) for answer in answers} == {(200, MASKED)}
    with database.read() as session:
        rows = session.scalars(select(HistoryEntry.id).where(HistoryEntry.action == "set_email")).all()
    assert len(rows) == 1


def test_an_address_is_sealed_and_one_put_into_the_table_is_named(
    database: Database, county_inspector: Person, county_colleague: Person
) -> None:
    confirmed(database, county_inspector)
    table = cast(Table, UserEmail.__table__)
    with database.read() as session:
        (row,) = session.execute(text("SELECT address, address_hash FROM user_emails")).all()
        assert row.address.startswith("enc2:") and ADDRESS not in row.address_hash
        assert list(integrity.verify(session)) == []
    with database.write() as session:
        session.execute(table.update().values(address_hash="0" * 64))
    with database.read() as session:
        assert ["mail address" in broken.reason for broken in integrity.verify(session)] == [True]
    with database.write() as session:
        session.execute(table.delete())
    with database.read() as session:
        assert len(list(integrity.verify(session))) == 1


def test_a_stranger_reads_and_changes_no_address(client: FlaskClient) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert client.open("/api/v1/me/email", method=method, json={}).status_code == 401
