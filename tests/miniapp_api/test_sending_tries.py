"""A try to send a filing that reached the server keeps its time, also where the server could not take it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from accounts.sign_in.sessions import hash_token
from core.db import Database
from enterprise.filings.drafts import tries
from enterprise.filings.steps import actions
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests import parties as both
from tests.parties import WORKS, Parties, upload
from tests.people import Person, new_id

IN_TIME = "2026-11-30T23:58:00+08:00"
TOO_LATE = "2026-12-01T00:03:00+08:00"


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person], clock: time_machine.Traveller) -> Parties:
    clock.move_to(IN_TIME)
    return both.prepare(application, sign_in)


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """A block in which the database lets nobody write a filing, as behind a lock that others hold."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("UPDATE filings", None, Exception("database is locked"))

    @contextmanager
    def behind_a_lock() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr(actions, "write_move", refuse)
            yield

    return behind_a_lock


def ready(parties: Parties) -> tuple[str, int]:
    """A rectification due today that needs only to be sent: its id and version."""
    filing_id = new_id()
    body = {"kind": "rectification", "uscc": WORKS, "data": {"problem": "记录不齐全", "due_on": "2026-11-30"}}
    assert parties.reviewer.put(f"/filings/{filing_id}", body).status_code == 201
    return filing_id, save(parties, filing_id, 1)


def save(parties: Parties, filing_id: str, version: int) -> int:
    report = upload(parties.enterprise, paperwork.pdf("一"), "整改报告.pdf", "rectification_report")
    body = {
        "data": {"measures": "已补齐记录"}, "documents": [{"category": "rectification_report", "file_id": report}],
        "version": version,
    }  # fmt: skip
    saved = parties.enterprise.put(f"/filings/{filing_id}", body)
    assert saved.status_code == 200
    return int(saved.json["version"])


def send(parties: Parties, filing_id: str, version: int, **more: Any) -> TestResponse:
    return parties.enterprise.post(f"/filings/{filing_id}/actions/submit", {"version": version, **more})


def noted(application: APIFlask) -> list[Path]:
    folder = application.extensions[KEY].settings.data_dir / "sending-tries"
    return list(folder.glob("*.json")) if folder.is_dir() else []


def test_a_sending_that_met_a_lock_before_midnight_is_in_time_after_it_and_the_receipt_names_the_first_try(
    parties: Parties, locked: Callable[[], Any], clock: time_machine.Traveller
) -> None:
    filing_id, version = ready(parties)
    with locked():
        assert send(parties, filing_id, version).status_code == 503
        clock.shift(timedelta(minutes=1))
        assert send(parties, filing_id, version).status_code == 503
    clock.move_to(TOO_LATE)
    sent = send(parties, filing_id, version)
    assert (sent.status_code, sent.json["late"]) == (200, False)
    receipt = parties.enterprise.get(f"/filings/{filing_id}/receipt").json
    assert (receipt["tried_at"], receipt["sent_at"]) == ("2026-11-30T15:58:00Z", "2026-11-30T16:03:00Z")
    moves = parties.reviewer.get(f"/filings/{filing_id}/history").json["items"]
    assert moves[-1]["tried_at"] == "2026-11-30T15:58:00Z"


def test_who_never_reached_the_server_is_late_and_what_the_phone_says_stands_beside(
    parties: Parties, clock: time_machine.Traveller
) -> None:
    filing_id, version = ready(parties)
    clock.move_to(TOO_LATE)
    sent = send(parties, filing_id, version, first_tried_at="2026-11-30T23:50:00+08:00")
    assert (sent.status_code, sent.json["late"]) == (200, True)
    receipt = parties.enterprise.get(f"/filings/{filing_id}/receipt").json
    assert (receipt["tried_at"], receipt["phone_tried_at"]) == (None, "2026-11-30T15:50:00Z")


def test_a_phone_whose_clock_is_wrong_may_send_and_its_time_is_left_out(
    parties: Parties, clock: time_machine.Traveller
) -> None:
    filing_id, version = ready(parties)
    assert send(parties, filing_id, version, first_tried_at="2027-01-01T00:00:00+08:00").status_code == 200
    assert parties.enterprise.get(f"/filings/{filing_id}/receipt").json["phone_tried_at"] is None


def test_who_changes_the_content_after_the_try_gains_no_time_for_it(
    parties: Parties, locked: Callable[[], Any], clock: time_machine.Traveller
) -> None:
    filing_id, version = ready(parties)
    with locked():
        assert send(parties, filing_id, version).status_code == 503
    clock.move_to(TOO_LATE)
    changed = save(parties, filing_id, version)
    assert send(parties, filing_id, changed).json["late"] is True


def test_a_try_counts_for_nobody_but_its_sender_and_not_without_a_session(
    parties: Parties, application: APIFlask, locked: Callable[[], Any], clock: time_machine.Traveller
) -> None:
    filing_id, version = ready(parties)
    services = application.extensions[KEY]
    for digest in ("0" * 64, hash_token(parties.other_enterprise.token)):
        services.tries.note(digest, UUID(filing_id), "submit", {"version": version})
    clock.move_to(TOO_LATE)
    assert send(parties, filing_id, version).json["late"] is True


def test_a_refusal_that_is_the_sender_s_own_is_no_try(parties: Parties, application: APIFlask) -> None:
    filing_id, version = ready(parties)
    assert send(parties, filing_id, version + 5).status_code == 409
    assert send(parties, filing_id, 0).status_code == 422
    assert noted(application) == []


def test_noted_tries_are_taken_into_the_database_once_and_their_files_go(
    parties: Parties, application: APIFlask, database: Database, locked: Callable[[], Any],
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    filing_id, version = ready(parties)
    with locked():
        send(parties, filing_id, version)
        clock.shift(timedelta(minutes=1))
        send(parties, filing_id, version)
    assert len(noted(application)) == 2
    notes = application.extensions[KEY].tries
    assert (notes.take_in(database), notes.take_in(database), noted(application)) == (2, 0, [])
    clock.move_to(TOO_LATE)
    assert send(parties, filing_id, version).json["late"] is False


def test_no_more_is_noted_than_there_is_room_for_and_an_unreadable_note_stops_nobody(
    parties: Parties, application: APIFlask, database: Database, locked: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(tries, "MOST_NOTED", 1)
    filing_id, version = ready(parties)
    with locked():
        for _ in range(3):
            assert send(parties, filing_id, version).status_code == 503
    (one,) = noted(application)
    one.write_bytes(b"{")
    assert send(parties, filing_id, version).status_code == 200
    assert application.extensions[KEY].tries.take_in(database) == 1
