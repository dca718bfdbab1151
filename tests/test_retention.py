"""What is kept no longer goes the day after its last day, and not before; nothing that a procedure needs."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from pydantic import ValidationError
from sqlalchemy import func, select, update

from accounts import integrity as account_integrity
from accounts.access_log.models import AccessEntry, AccessSubject
from accounts.models import AccountApplication
from assets.files.models import File
from composition.jobs import background_jobs
from composition.retention import RULES
from core import clock as local_clock
from core.config import Settings, SettingsError, load_settings
from core.db import Database
from core.models import HistoryEntry, HistoryPayload
from core.retention import running
from core.retention.periods import PERIODS
from core.workflows import history
from enterprise.filings.models import Filing, SendingTry
from feedback import integrity as rating_integrity
from feedback.models import Rating
from inspection import integrity as inspection_integrity
from inspection.models import Inspection, OutboxKey
from inspection.outbox_imports import keys
from miniapp_api.http.wiring import KEY
from tests.newcomers import apply
from tests.parties import open_declaration, prepare
from tests.people import Person, SignIn, production
from tests.raters import Hall, upload_photo
from tests.records import listed, read, save, submit

Clock = time_machine.Traveller


@pytest.fixture
def night(application: APIFlask) -> Callable[[], dict[str, int]]:
    """One run of the nightly job: how much of each class it removed."""
    services = application.extensions[KEY]
    return lambda: running.run(services.database, services.settings, RULES)


@pytest.fixture
def hall(client: FlaskClient, database: Database, sign_in: SignIn) -> Hall:
    return Hall(client, database, sign_in)


def to_last_day(clock: Clock, setting: str) -> None:
    """To a moment on the last day on which a thing made now is kept; another day later it is over."""
    clock.shift(timedelta(days=PERIODS[setting].default) - timedelta(hours=1))


def count(database: Database, table: Any, *conditions: Any) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


# Settings


@pytest.mark.parametrize("setting", PERIODS)
def test_a_period_below_its_least_is_refused_at_the_start_and_says_why(
    setting: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    period = PERIODS[setting]
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv(setting.upper(), str(period.least))
    assert getattr(load_settings(), setting) == period.least
    monkeypatch.setenv(setting.upper(), str(period.least - 1))
    with pytest.raises(SettingsError, match=f"{setting.upper()}: must be at least {period.least} days") as refused:
        load_settings()
    assert period.because in str(refused.value)


def test_every_period_is_a_setting_with_a_default_that_is_allowed() -> None:
    assert {name for name in Settings.model_fields if name.startswith("keep_")} == PERIODS.keys()
    settings = Settings()
    for setting, period in PERIODS.items():
        assert getattr(settings, setting) == period.default >= period.least
    with pytest.raises(ValidationError):
        Settings(keep_access_log_days=10**6)


def test_every_rule_of_the_nightly_job_has_its_period() -> None:
    sweeps = {
        "keep_failed_sign_ins_days", "keep_sessions_days", "keep_sms_codes_days", "keep_idempotency_keys_days",
        "keep_unclaimed_files_days",
    }  # fmt: skip
    rules = {rule.setting for rule in RULES}
    assert rules | sweeps == PERIODS.keys() and not rules & sweeps


def test_the_page_on_privacy_has_each_period() -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "privacy.md").read_text()
    for one in PERIODS.values():
        row = f"| `{one.setting.upper()}` | {one.title} | {one.default} | {one.least} | {one.because} |"
        assert row in page, f"paste this:\n{row}"


# The rules: the last day, and the day after


def test_the_access_log_goes_after_its_period(
    application: APIFlask, clock: Clock, county_inspector: Person, database: Database,
    night: Callable[[], dict[str, int]],
) -> None:  # fmt: skip
    submit(county_inspector)
    read(county_inspector, "/inspections")
    application.extensions[KEY].access_log.write()
    to_last_day(clock, "keep_access_log_days")
    assert night() == {} and count(database, AccessEntry) == 1
    clock.shift(timedelta(days=1))
    assert night() == {"keep_access_log_days": 1}
    assert count(database, AccessEntry) == 0 and count(database, AccessSubject) == 0


def test_an_application_that_was_refused_forgets_who_applied(
    client: FlaskClient, clock: Clock, city_reviewer: Person, database: Database, night: Callable[[], dict[str, int]]
) -> None:
    refused, waiting = apply(client), apply(client, username="waiting_wang", applicant_name="王五")
    assert (
        city_reviewer.post(f"/account-applications/{refused['id']}/reject", {"opinion": "资料不全"}).status_code == 200
    )
    to_last_day(clock, "keep_refused_applications_days")
    assert night() == {}
    clock.shift(timedelta(days=1))
    assert night() == {"keep_refused_applications_days": 1} and night() == {}
    with database.read() as session:
        row = session.get_one(AccountApplication, UUID(refused["id"]))
        assert (row.applicant_name, row.mobile, row.username, row.password_hash) == ("", "", "", None)
        assert (row.status, row.opinion) == ("rejected", "资料不全")
        other = session.get_one(AccountApplication, UUID(waiting["id"]))
        assert (other.applicant_name, other.mobile) == ("王五", "13800000001")
        assert list(account_integrity.verify(session)) == []


def test_a_rating_forgets_its_rater_after_it_is_closed_and_stays_in_figures_and_history(
    clock: Clock, hall: Hall, database: Database, sign_in: SignIn, night: Callable[[], dict[str, int]]
) -> None:
    code = hall.code()
    over = hall.bad(code, comment="我是张某某，电话13900000002")
    open_one = hall.bad(code)
    for step in ("contact", "verify", "rectify", "reply"):
        assert hall.act("handler", over, step).status_code == 200
    assert hall.act("supervisor", over, "close").status_code == 200
    to_last_day(clock, "keep_rating_persons_days")
    before = read(sign_in("supervisor"), "/statistics/ratings")["total"]
    assert night() == {}
    clock.shift(timedelta(days=1))
    assert night() == {"keep_rating_persons_days": 1} and night() == {}
    with database.read() as session:
        row = session.get_one(Rating, UUID(over))
        assert (row.rater_name, row.mobile, row.mobile_tail, row.comment) == ("", "", "", None)
        assert session.get_one(Rating, UUID(open_one)).mobile_tail != ""
        assert list(rating_integrity.verify(session)) == [] and list(history.verify(session)) == []
    supervisor = sign_in("supervisor")
    shown = read(supervisor, f"/ratings/{over}")
    assert (shown["mobile"], shown["rater_name"], shown["level"], shown["status"]) == (None, None, 1, "closed")
    assert read(supervisor, "/statistics/ratings")["total"]["ratings"] == before["ratings"]


def test_a_draft_that_nobody_saved_for_long_is_deleted_and_its_photos_are_free(
    clock: Clock, county_inspector: Person, database: Database, night: Callable[[], dict[str, int]]
) -> None:
    photo = upload_photo(county_inspector)
    draft = save(county_inspector, production(photos=[photo]))["id"]
    kept = submit(county_inspector, production(org_name="已提交的电缆厂"))["id"]
    to_last_day(clock, "keep_drafts_days")
    assert night() == {}
    clock.shift(timedelta(days=1))
    assert night() == {"keep_drafts_days": 1}
    with database.read() as session:
        assert session.get_one(Inspection, UUID(draft)).status == "deleted"
        assert session.get_one(Inspection, UUID(kept)).status == "submitted"
        assert session.get_one(File, UUID(photo)).claimed_id is None
        assert list(inspection_integrity.verify(session)) == []


def test_saving_a_draft_again_begins_its_period_anew(
    clock: Clock, county_inspector: Person, sign_in: SignIn, night: Callable[[], dict[str, int]]
) -> None:
    draft = save(county_inspector)
    to_last_day(clock, "keep_drafts_days")
    again = sign_in("county_inspector")
    save(again, production(version=draft["version"], remark="补充"), draft["id"])
    clock.shift(timedelta(days=2))
    assert night() == {}
    assert listed(sign_in("county_inspector"), "status=draft") == [draft["id"]]


def test_what_a_deleted_draft_said_goes_after_a_month(
    clock: Clock, county_inspector: Person, database: Database, night: Callable[[], dict[str, int]]
) -> None:
    draft = save(county_inspector)["id"]
    assert county_inspector.delete(f"/inspections/{draft}").status_code == 200
    to_last_day(clock, "keep_deleted_drafts_days")
    assert night() == {}
    clock.shift(timedelta(days=1))
    assert night() == {"keep_deleted_drafts_days": 1} and night() == {}
    with database.read() as session:
        row = session.get_one(Inspection, UUID(draft))
        assert (row.status, row.data, row.org_name, row.operator_name) == ("deleted", {}, None, None)
        assert list(inspection_integrity.verify(session)) == [] and list(history.verify(session)) == []


def test_what_a_filing_said_that_was_deleted_before_it_was_sent_goes_after_a_month(
    application: APIFlask, clock: Clock, database: Database, sign_in: SignIn, night: Callable[[], dict[str, int]]
) -> None:
    parties = prepare(application, sign_in)
    gone = open_declaration(parties)["id"]
    with database.write() as session:
        # No kind of today lets a declaration be deleted; reports need a topic. The status is all that the rule asks.
        deleted = update(Filing).where(Filing.id == UUID(gone))
        session.execute(deleted.values(status="deleted", updated_at=local_clock.now(), data={"note": "电话"}))
    to_last_day(clock, "keep_deleted_drafts_days")
    assert night() == {}
    clock.shift(timedelta(days=1))
    assert night() == {"keep_deleted_drafts_days": 1} and night() == {}
    with database.read() as session:
        row = session.get_one(Filing, UUID(gone))
        assert (row.data, row.documents) == ({}, [])
        assert list(history.verify(session)) == []


def test_tries_to_send_stay_as_long_as_their_filing_is_open_and_a_year_longer(
    application: APIFlask, clock: Clock, database: Database, sign_in: SignIn, night: Callable[[], dict[str, int]]
) -> None:
    parties = prepare(application, sign_in)
    filing = UUID(open_declaration(parties)["id"])
    with database.write() as session:
        session.add(SendingTry(key=b"a" * 32, filing_id=filing, at=local_clock.now()))
    to_last_day(clock, "keep_sending_tries_days")
    clock.shift(timedelta(days=400))
    assert night().get("keep_sending_tries_days") is None
    with database.write() as session:
        session.execute(update(Filing).where(Filing.id == filing).values(finished_at=local_clock.now()))
    to_last_day(clock, "keep_sending_tries_days")
    assert night().get("keep_sending_tries_days") is None and count(database, SendingTry) == 1
    clock.shift(timedelta(days=1))
    assert night().get("keep_sending_tries_days") == 1 and count(database, SendingTry) == 0


def test_a_key_of_phones_stays_until_its_successor_is_old_and_the_newest_for_ever(
    clock: Clock, database: Database, night: Callable[[], dict[str, int]]
) -> None:
    keys.recipient(database)
    clock.shift(timedelta(days=5000))
    assert night() == {} and count(database, OutboxKey) == 1
    with database.write() as session:
        session.add(OutboxKey(id=2, recipient="age1new", identity="AGE-SECRET-KEY-2", made_at=local_clock.now()))
    to_last_day(clock, "keep_outbox_keys_days")
    assert night() == {}
    clock.shift(timedelta(days=1))
    assert night() == {"keep_outbox_keys_days": 1}
    assert count(database, OutboxKey, OutboxKey.id == 2) == 1 == count(database, OutboxKey)


# The job


def rows_of_retention(database: Database) -> list[dict[str, Any]]:
    with database.read() as session:
        chosen = (
            select(HistoryPayload.payload)
            .join(HistoryEntry, HistoryEntry.id == HistoryPayload.history_id)
            .where(HistoryEntry.subject_id == running.SUBJECT_ID)
            .order_by(HistoryEntry.seq)
        )
        return [payload["removed"] for payload in session.scalars(chosen)]


def _deleted_drafts(person: Person, number: int) -> None:
    for _ in range(number):
        draft = save(person)["id"]
        assert person.delete(f"/inspections/{draft}").status_code == 200


def test_a_run_that_is_stopped_goes_on_and_the_history_counts_all_of_it(
    clock: Clock, county_inspector: Person, database: Database, night: Callable[[], dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _deleted_drafts(county_inspector, 5)
    clock.shift(timedelta(days=40))
    monkeypatch.setattr(running, "BATCH", 2)
    real, batches = running._remove, []

    def killed(*given: Any) -> None:
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(given)
        real(*given)

    monkeypatch.setattr(running, "_remove", killed)
    with pytest.raises(KeyboardInterrupt):
        night()
    assert rows_of_retention(database) == [] and running.is_due(database)
    monkeypatch.setattr(running, "_remove", real)
    assert night() == {"keep_deleted_drafts_days": 5}
    assert rows_of_retention(database) == [{"keep_deleted_drafts_days": 5}]
    assert night() == {} and len(rows_of_retention(database)) == 1


def test_one_that_fails_keeps_no_other_from_going(
    clock: Clock, county_inspector: Person, database: Database, application: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    _deleted_drafts(county_inspector, 3)
    clock.shift(timedelta(days=40))
    with database.read() as session:
        bad = session.scalars(select(Inspection.id).order_by(Inspection.id).limit(1)).one()
    rule = next(rule for rule in RULES if rule.setting == "keep_deleted_drafts_days")

    def fails(session: Any, limit: Any, ids: Any) -> int:
        if bad in ids:
            raise RuntimeError("broken")
        return rule.remove(session, limit, ids)

    broken = running.Rule(rule.setting, rule.due, fails)
    assert running.run(database, application.extensions[KEY].settings, [broken]) == {rule.setting: 2}


def test_it_runs_at_night_once_and_by_day_only_when_a_night_was_missed(
    clock: Clock, database: Database, night: Callable[[], dict[str, int]]
) -> None:
    assert not running.is_due(database)  # 10:00
    clock.move_to("2026-11-22T01:30:00+08:00")
    assert running.is_due(database)
    night()
    clock.move_to("2026-11-22T04:30:00+08:00")
    assert not running.is_due(database)
    clock.move_to("2026-11-22T22:00:00+08:00")
    assert not running.is_due(database)
    clock.move_to("2026-11-23T01:00:00+08:00")
    assert running.is_due(database)
    clock.move_to("2026-11-23T08:00:00+08:00")
    assert running.is_due(database)


def test_the_server_runs_it_beside_its_other_jobs(
    application: APIFlask, clock: Clock, county_inspector: Person, database: Database
) -> None:
    _deleted_drafts(county_inspector, 1)
    clock.move_to("2027-03-01T02:00:00+08:00")
    scheduler = background_jobs(application)
    scheduler.run_once()
    thread: threading.Thread = scheduler._apart["retention"]
    thread.join(60)
    assert rows_of_retention(database) == [{"keep_deleted_drafts_days": 1}]


def test_what_goes_at_the_moment_it_is_needed_again_stays(
    clock: Clock, county_inspector: Person, database: Database, sign_in: SignIn
) -> None:
    draft = save(county_inspector)
    clock.shift(timedelta(days=400))
    rule = next(rule for rule in RULES if rule.setting == "keep_drafts_days")
    limit = local_clock.now() - timedelta(days=365)
    with database.read() as session:
        found = rule.due(session, limit, None, 10)
    assert list(found) == [UUID(draft["id"])]
    save(sign_in("county_inspector"), production(version=draft["version"], remark="补充"), draft["id"])
    with database.write() as session:
        assert rule.remove(session, limit, found) == 0
