"""Who can write to the database without the key changes nothing that `history verify` would not show."""

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Table, select, text

from accounts.models import SecondFactor, User
from accounts.sign_in import passwords
from core.config import Settings
from core.db import Database
from inspection.models import Inspection
from tests import tampering as attacks
from tests.command_line import Run, command_line
from tests.miniapp_api.test_second_factor import enrol
from tests.people import Person, new_id, production, uscc
from tests.tampering import attack

INSPECTIONS, USERS = cast(Table, Inspection.__table__), cast(Table, User.__table__)


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def records(county_inspector: Person, run: Run) -> list[UUID]:
    """Submitted checks, which are sealed."""
    ids = [new_id() for _ in range(3)]
    for number, record_id in enumerate(ids, 1):
        body = production(org_name=f"第{number}家", uscc=uscc(number))
        assert county_inspector.put(f"/inspections/{record_id}/submission", body).status_code == 201
    seal(run)
    return [UUID(one) for one in ids]


def seal(run: Run) -> None:

    run("history", "seal")


def shown(run: Run) -> str:
    """What `history verify` finds broken."""
    return run("history", "verify", status=1).stderr


def test_a_payload_rewritten_with_all_hashes_recomputed(run: Run, database: Database, records: list[UUID]) -> None:
    run("history", "verify")
    attack(database, lambda session: attacks.rewrite_payload(session, records[0]))
    told = shown(run)
    assert f"inspection {records[0]} #1: row was changed" in told
    assert not any(str(other) in told for other in records[1:])


def test_the_last_step_undone_with_its_row(
    run: Run, database: Database, records: list[UUID], county_inspector: Person
) -> None:
    with database.read() as session:
        before = dict(attacks.columns_of(session, INSPECTIONS, records[1]))
    corrected = production(org_name="第2家有限公司", uscc=uscc(2), version=1, reason="名称有误")
    assert county_inspector.put(f"/inspections/{records[1]}/correction", corrected).status_code == 200
    seal(run)
    run("history", "verify")
    attack(database, lambda session: attacks.turn_back(session, INSPECTIONS, before))
    assert "row" in shown(run)


def test_an_inspection_deleted_with_all_its_history(run: Run, database: Database, records: list[UUID]) -> None:
    attack(database, lambda session: attacks.delete_record(session, records[2]))
    assert "history" in shown(run)


def test_a_payload_deleted_without_an_erasure(run: Run, database: Database, records: list[UUID]) -> None:
    attack(database, lambda session: attacks.delete_payload(session, records[0]))
    assert f"inspection {records[0]} #1: payload is gone" in shown(run)


@pytest.mark.parametrize(
    "values",
    [
        {"roles": ["inspector", "administrator"]},
        {"password_hash": passwords.hash_password("a password of the attacker")},
        {"must_change_password": True},
    ],
)
def test_a_user_changed_in_the_table(run: Run, database: Database, values: dict[str, Any]) -> None:
    seal(run)
    run("history", "verify")
    attack(database, lambda session: attacks.set_user(session, "county_inspector", **values))
    assert "user " in shown(run)


def test_a_second_factor_removed_put_back_or_exchanged_in_the_table(
    run: Run, database: Database, city_reviewer: Person, county_inspector: Person
) -> None:
    enrol(city_reviewer)
    enrol(county_inspector)
    seal(run)
    run("history", "verify")
    factors = cast(Table, SecondFactor.__table__)
    with database.read() as session:
        both = {one.user_id: one._mapping for one in session.execute(select(factors.c.user_id, text("secret")))}
        (one, other) = both
    attack(database, lambda session: session.execute(factors.delete().where(factors.c.user_id == one)))
    assert f"user {one} #" in (told := shown(run)) and "second factor was removed" in told and str(other) not in told
    moved = text("UPDATE second_factors SET secret = :sealed")  # that of another, which does not open in this place
    attack(database, lambda session: session.execute(moved, {"sealed": both[one]["secret"]}))
    assert "second factor was exchanged" in shown(run)


def test_a_second_factor_that_its_owner_removed_is_no_break(run: Run, city_reviewer: Person) -> None:
    _, recovery = enrol(city_reviewer)
    run("history", "verify")
    assert city_reviewer.call("DELETE", "/me/otp", json={"otp": recovery[0]}).status_code == 200
    run("history", "verify")


def test_a_user_whose_last_step_is_undone(run: Run, database: Database) -> None:
    with database.read() as session:
        user_id = session.scalars(select(User.id).where(User.username == "county_inspector")).one()
        before = dict(attacks.columns_of(session, USERS, user_id))
    run("users", "disable", "county_inspector", "--reason", "离职")
    seal(run)
    attack(database, lambda session: attacks.turn_back(session, USERS, before))
    assert shown(run)


def test_the_sign_ins_emptied(run: Run, database: Database, county_inspector: Person) -> None:
    seal(run)
    run("history", "verify")
    attack(database, attacks.empty_sign_ins)
    assert "sign_ins" in shown(run)
