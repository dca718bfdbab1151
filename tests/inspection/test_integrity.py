"""`history verify`: tampering with records and their history is shown, and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from accounts.models import User
from core.config import Settings
from core.db import Database
from core.models import HistoryEntry, HistoryPayload
from core.workflows import erasure
from inspection.models import Inspection
from tests.command_line import Run, command_line
from tests.people import Person, new_id, production, spot_check, uscc, with_problem
from tests.tampering import attack

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def records(county_inspector: Person) -> list[str]:
    """A disposed check, a corrected one, a spot check, a draft and a deleted draft."""
    ids = [new_id() for _ in range(5)]
    bodies = [with_problem({"7.1": "in_progress"}), production(org_name="第二家", uscc=uscc(2)), spot_check()]
    for record_id, body in zip(ids, bodies, strict=False):
        book = "spot-checks" if "sheet_no" in body else "inspections"
        assert county_inspector.put(f"/{book}/{record_id}/submission", body).status_code == 201
    moved = {"disposals": {"7.1": "done"}, "version": 1}
    assert county_inspector.put(f"/inspections/{ids[0]}/disposals", moved).status_code == 200
    corrected = production(org_name="第二家有限公司", uscc=uscc(2), version=1, reason="名称有误")
    assert county_inspector.put(f"/inspections/{ids[1]}/correction", corrected).status_code == 200
    for record_id in ids[3:]:
        assert county_inspector.put(f"/inspections/{record_id}", production(uscc=uscc(3))).status_code == 201
    assert county_inspector.delete(f"/inspections/{ids[4]}").status_code == 200
    return ids


def test_an_untouched_history_holds(run: Run, records: list[str]) -> None:
    assert "完整" in run("history", "verify").stdout


def _change_content(session: Any, record_id: UUID) -> None:
    record = session.get_one(Inspection, record_id)
    record.data = {**record.data, "org_name": "换了名称"}


def _change_figures(session: Any, record_id: UUID) -> None:
    session.execute(update(Inspection).where(Inspection.id == record_id).values(problems_found=False))


def _change_version(session: Any, record_id: UUID) -> None:
    session.execute(update(Inspection).where(Inspection.id == record_id).values(version=9))


def _change_status(session: Any, record_id: UUID) -> None:
    session.execute(update(Inspection).where(Inspection.id == record_id).values(status="deleted"))


def _last(session: Any, record_id: UUID) -> HistoryEntry:
    found: HistoryEntry = session.scalars(
        select(HistoryEntry).where(HistoryEntry.subject_id == record_id).order_by(HistoryEntry.seq.desc()).limit(1)
    ).one()
    return found


def _remove_last_row(session: Any, record_id: UUID) -> None:
    last = _last(session, record_id).id
    session.execute(delete(HistoryPayload).where(HistoryPayload.history_id == last))
    session.execute(delete(HistoryEntry).where(HistoryEntry.id == last))


def _change_payload(session: Any, record_id: UUID) -> None:
    payload = session.get_one(HistoryPayload, _last(session, record_id).id)
    payload.payload = {**payload.payload, "actor": "someone_else"}


def _remove_history(session: Any, record_id: UUID) -> None:
    ids = select(HistoryEntry.id).where(HistoryEntry.subject_id == record_id)
    session.execute(delete(HistoryPayload).where(HistoryPayload.history_id.in_(ids)))
    session.execute(delete(HistoryEntry).where(HistoryEntry.subject_id == record_id))


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (_change_content, "content of the record was changed"),
        (_change_figures, "content of the record was changed"),
        (_change_version, "record is at version 9"),
        (_change_status, "record is deleted"),
        (_remove_last_row, "its history ends at 1"),
        (_change_payload, "payload was changed"),
        (_remove_history, "has no history"),
    ],
)
def test_tampering_with_a_record_or_its_history_is_shown(
    run: Run, database: Database, records: list[str], tamper: Callable[[Any, UUID], None], told: str
) -> None:
    attack(database, lambda session: tamper(session, UUID(records[0])))
    answer = run("history", "verify", status=1)
    assert records[0] in answer.stderr and told in answer.stderr
    assert not any(other in answer.stderr for other in records[1:])


def test_a_record_that_is_gone_is_shown(run: Run, database: Database, records: list[str]) -> None:
    with database.write() as session:
        session.execute(delete(Inspection).where(Inspection.id == UUID(records[4])))
    assert f"inspection {records[4]} #1: record is gone" in run("history", "verify", status=1).stderr


def test_a_user_changed_past_the_history_is_shown(run: Run, database: Database) -> None:
    with database.write() as session:
        session.execute(update(User).where(User.username == "county_inspector").values(status="disabled"))
    assert "user " in run("history", "verify", status=1).stderr


def test_an_erased_payload_is_no_break(run: Run, database: Database, records: list[str]) -> None:
    with database.write() as session:
        last = _last(session, UUID(records[0]))
        assert erasure.erase(session, UUID(records[0]), [last.seq], {"reason": "依申请删除"}) == 1
    run("history", "verify")


def test_a_record_is_verified_by_what_its_erased_payload_said_of_it(
    run: Run, database: Database, records: list[str]
) -> None:
    with database.write() as session:
        erasure.erase(session, UUID(records[0]), [1, 2], {"reason": "依申请删除"})
        _change_content(session, UUID(records[0]))
    assert "content of the record was changed" in run("history", "verify", status=1).stderr
