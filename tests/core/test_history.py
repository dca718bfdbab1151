"""The history (操作记录) shows tampering, and lets personal data be erased by law."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from accounts.models import User
from accounts.workflows import USER
from core.db import Database
from core.models import HistoryEntry, HistoryPayload
from core.workflows import erasure, history, integrity
from core.workflows.history import Move
from tests.tampering import attack, with_all_rights


def move(subject: UUID, version: int, **payload: Any) -> Move:
    return Move("inspection", subject, "correct", "submitted", "submitted", version, uuid4(), payload)


@pytest.fixture
def chain(database: Database) -> UUID:
    """A subject with a history of three rows."""
    subject = uuid4()
    with database.write() as session:
        for version in (1, 2, 3):
            history.append(session, move(subject, version, actor="张三", comment=f"第{version}次"), first=version == 1)
    return subject


def breaks(database: Database) -> list[tuple[UUID, int, str]]:
    with database.read() as session:
        return [(broken.subject_id, broken.seq, broken.reason) for broken in history.verify(session)]


def tamper(database: Database, change: Callable[[Session], Any]) -> None:
    attack(database, change)


def row(subject: UUID, seq: int) -> Any:
    return (HistoryEntry.subject_id == subject) & (HistoryEntry.seq == seq)


def payload_of(subject: UUID, seq: int) -> Any:
    return HistoryPayload.history_id == select(HistoryEntry.id).where(row(subject, seq)).scalar_subquery()


def test_an_untouched_history_holds_and_each_row_follows_the_one_before(database: Database, chain: UUID) -> None:
    assert breaks(database) == []
    with database.read() as session:
        entries = session.scalars(select(HistoryEntry).where(HistoryEntry.subject_id == chain)).all()
        entries = sorted(entries, key=lambda entry: entry.seq)
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert entries[0].previous_hash == bytes(32)
    assert [entry.previous_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]


CHANGES: list[dict[str, Any]] = [
    {"action": "submit"}, {"from_status": "draft"}, {"from_status": None}, {"to_status": "deleted"},
    {"version": 7}, {"actor_id": uuid4()}, {"actor_id": None}, {"subject_type": "spot_check"},
    {"at": datetime(2020, 1, 1, tzinfo=UTC)}, {"payload_digest": hashlib.sha256(b"x").digest()},
    {"previous_hash": hashlib.sha256(b"x").digest()}, {"hash": hashlib.sha256(b"x").digest()},
]  # fmt: skip


def test_a_change_of_any_column_is_shown(database: Database) -> None:
    for changed in CHANGES:
        subject = uuid4()
        with database.write() as session:
            for version in (1, 2, 3):
                history.append(session, move(subject, version, actor="张三"), first=version == 1)
            with_all_rights(session)
            session.execute(update(HistoryEntry).where(row(subject, 2)).values(**changed))
        assert (subject, 2) in [(where, seq) for where, seq, _ in breaks(database)], changed


@pytest.mark.parametrize(("seq", "reason"), [(1, "row 1 is missing"), (2, "row 2 is missing")])
def test_a_removed_row_is_shown(database: Database, chain: UUID, seq: int, reason: str) -> None:
    def remove(session: Session) -> None:
        session.execute(delete(HistoryPayload).where(payload_of(chain, seq)))
        session.execute(delete(HistoryEntry).where(row(chain, seq)))

    tamper(database, remove)
    assert reason in [why for _, _, why in breaks(database)]


def test_a_gap_closed_by_renumbering_is_shown(database: Database, chain: UUID) -> None:
    def close_up(session: Session) -> None:
        session.execute(delete(HistoryPayload).where(payload_of(chain, 2)))
        session.execute(delete(HistoryEntry).where(row(chain, 2)))
        session.execute(update(HistoryEntry).where(row(chain, 3)).values(seq=2))

    tamper(database, close_up)
    assert [why for _, _, why in breaks(database)] == ["does not follow the row before it"]


@pytest.mark.parametrize("values", [{"payload": {"actor": "李四", "comment": "第2次"}}, {"salt": b"0" * 16}])
def test_a_changed_payload_is_shown(database: Database, chain: UUID, values: dict[str, Any]) -> None:
    tamper(
        database, lambda session: session.execute(update(HistoryPayload).where(payload_of(chain, 2)).values(**values))
    )
    assert breaks(database) == [(chain, 2, "payload was changed")]


def test_an_erased_payload_is_no_break_and_reads_as_erased(database: Database, chain: UUID) -> None:
    with database.write() as session:
        assert erasure.erase(session, chain, [2], {"reason": "依申请删除"}) == 1
    assert breaks(database) == []
    with database.read() as session:
        shown = history.read(session, chain)
    assert [entry.get("comment") for entry in shown] == ["第1次", None, "第3次", None]
    assert (shown[3]["action"], shown[3]["erased"], shown[3]["reason"]) == ("erase", [2], "依申请删除")
    assert (shown[3]["from"], shown[3]["to"], shown[3]["version"]) == ("submitted", "submitted", 3)
    assert shown[1]["erased"] is True and "actor" not in shown[1]


def test_the_digest_of_a_payload_tells_nothing_about_it_once_it_is_erased(database: Database) -> None:
    with database.write() as session:
        for subject in (uuid4(), uuid4()):
            history.append(session, move(subject, 1, actor="张三"), first=True)
    with database.read() as session:
        digests = session.scalars(
            select(HistoryEntry.payload_digest).where(HistoryEntry.subject_type == "inspection")
        ).all()
    assert len(set(digests)) == 2  # salted: equal payloads cannot be told by their digests


def test_a_row_without_a_proper_hash_appended_by_hand_is_shown(database: Database, chain: UUID) -> None:
    forged = HistoryEntry(
        subject_type="inspection", subject_id=chain, seq=4, at=datetime(2026, 11, 21, tzinfo=UTC), action="correct",
        from_status="submitted", to_status="submitted", version=4, actor_id=None, payload_digest=b"0" * 32,
        previous_hash=b"1" * 32, hash=b"2" * 32,
    )  # fmt: skip
    tamper(database, lambda session: session.add(forged))
    assert [seq for _, seq, _ in breaks(database)] == [4]


def test_one_broken_chain_does_not_hide_or_spoil_another(database: Database, chain: UUID) -> None:
    others = [uuid4() for _ in range(4)]
    with database.write() as session:
        for subject in others:
            for version in (1, 2):
                history.append(session, move(subject, version))
    for subject in others[:2]:
        tamper(database, lambda s, one=subject: s.execute(update(HistoryEntry).where(row(one, 1)).values(action="x")))
    # Chains go across the borders of the chunks that are read.
    with database.read() as session:
        assert {broken.subject_id for broken in history.verify(session, chunk=3)} == set(others[:2])


def test_a_history_whose_last_row_was_removed_no_longer_fits_its_record(database: Database) -> None:
    with database.write() as session:
        user = session.scalars(select(User).where(User.username == "county_inspector")).one()
        USER.move(session, None, user, "administrator_disable", {"status_reason": "离职"})
    with database.read() as session:
        assert list(integrity.verify_ends(session, USER, chunk=3)) == []

    def remove(session: Session) -> None:
        session.execute(delete(HistoryPayload).where(payload_of(user.id, 2)))
        session.execute(delete(HistoryEntry).where(row(user.id, 2)))

    tamper(database, remove)
    assert breaks(database) == []  # what is left of the chain holds
    with database.read() as session:
        (broken,) = integrity.verify_ends(session, USER, chunk=3)
    assert broken.subject_id == user.id and "version 2" in broken.reason and "ends at 1" in broken.reason


def test_a_record_whose_status_was_set_past_the_workflow_is_shown(database: Database) -> None:
    tamper(database, lambda session: session.execute(
        update(User).where(User.username == "county_inspector").values(status="disabled")
    ))  # fmt: skip
    with database.read() as session:
        (broken,) = integrity.verify_ends(session, USER)
    assert "record is disabled" in broken.reason


def test_reading_gives_the_newest_rows_oldest_first(database: Database, chain: UUID) -> None:
    with database.read() as session:
        shown = history.read(session, chain, limit=2)
    assert [(entry["seq"], entry["version"], entry["comment"]) for entry in shown] == [(2, 2, "第2次"), (3, 3, "第3次")]
    assert shown[0]["from"] == shown[0]["to"] == "submitted" and shown[0]["at"].endswith("Z")
    moment = datetime.fromisoformat(shown[0]["at"].replace("Z", "+00:00"))
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)


def test_payloads_of_every_json_kind_hold_after_they_come_back_from_the_database(database: Database) -> None:
    subject = uuid4()
    payload = {
        "文": "字",
        "number": 1.25,
        "whole": 2**53 + 1,
        "none": None,
        "yes": True,
        "list": [1, "2", {"b": 1, "a": 2}],
    }
    with database.write() as session:
        history.append(session, move(subject, 1, **payload), first=True)
    assert breaks(database) == []
