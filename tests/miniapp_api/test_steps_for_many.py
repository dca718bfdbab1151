"""A step for many filings: a job that goes on behind the answer, row by row, with what was refused and why."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import select, update

from accounts.models import User
from accounts.verbs import Role
from composition import long_jobs
from core import clock
from core.db import Database
from core.long_jobs import operations, running
from core.long_jobs.models import LongJob, LongJobRow
from core.long_jobs.operations import KEPT
from core.long_jobs.running import LEASE, Runner
from core.models import HistoryEntry
from enterprise.filings.many import steps_for_many
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests import parties as both
from tests.newcomers import make_user
from tests.parties import Parties, upload
from tests.people import Person, new_id
from tests.rounds import rounds

Json = dict[str, Any]


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


@pytest.fixture
def runner(application: APIFlask) -> Runner:
    wiring = application.extensions[KEY]
    return long_jobs.runner(wiring)


def topic(parties: Parties) -> str:
    topic_id = new_id()
    template = upload(parties.reviewer, paperwork.docx(), "模板.docx", "template")
    body = {"title": "2026年度自查", "year": 2026, "template_file_id": template}
    assert parties.reviewer.put(f"/self-check-topics/{topic_id}", body).status_code == 201
    return topic_id


def sent_reports(parties: Parties, number: int) -> list[str]:
    topic_id, ids = topic(parties), [new_id() for _ in range(number)]
    for filing_id in ids:
        report = upload(parties.enterprise, paperwork.pdf(new_id()), "自查报告.pdf", "self_check_report")
        body = {
            "kind": "self_check_report", "subject": {"type": "self_check_topic", "id": topic_id},
            "data": {"check_date": clock.today().isoformat()},
            "documents": [{"category": "self_check_report", "file_id": report}],
        }  # fmt: skip
        assert parties.enterprise.put(f"/filings/{filing_id}", body).status_code == 201
        sent = parties.enterprise.post(f"/filings/{filing_id}/actions/submit", {"version": 1})
        assert sent.status_code == 200, sent.get_data(as_text=True)
    return ids


def read_all(person: Person, **body: Any) -> str:
    answer = person.post("/filings/actions/read", body)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return str(answer.json["job_id"])


def statuses(person: Person, ids: list[str]) -> list[str]:
    return [person.get(f"/filings/{one}").json["status"] for one in ids]


def test_many_reports_are_read_at_once_and_the_job_says_what_was_refused_and_why(
    parties: Parties, runner: Runner
) -> None:
    ids = sent_reports(parties, 3)
    assert parties.enterprise.post(f"/filings/{ids[1]}/actions/withdraw", {"version": 2}).status_code == 200
    nowhere = new_id()
    job = read_all(parties.reviewer, ids=[*ids, nowhere, ids[0]])
    before = parties.reviewer.get(f"/jobs/{job}").json
    assert (before["status"], before["total"], before["done"], before["finished_at"]) == ("running", 4, 0, None)
    assert runner.run_due() == 4
    after = parties.reviewer.get(f"/jobs/{job}").json
    assert (after["status"], after["done"], after["refused"]) == ("done", 2, 2)
    assert [(one["id"], one["code"]) for one in after["refusals"]] == [(ids[1], "wrong_status"), (nowhere, "not_found")]
    assert "修改中" in after["refusals"][0]["message"]
    assert statuses(parties.reviewer, ids) == ["read", "editing", "read"]
    assert runner.run_due() == 0


@pytest.mark.parametrize("changed", ["asked by", "rows"])
def test_a_job_that_was_changed_in_the_table_is_stopped_and_does_nothing_in_the_name_of_another(
    parties: Parties, runner: Runner, database: Database, changed: str
) -> None:
    ids = sent_reports(parties, 2)
    asks, chosen = (parties.far_reviewer, ids) if changed == "asked by" else (parties.reviewer, ids[:1])
    job = UUID(read_all(asks, ids=chosen))
    with database.write() as session:
        if changed == "asked by":
            reviewer = session.scalars(select(User.id).where(User.username == parties.reviewer.username)).one()
            session.execute(update(LongJob).where(LongJob.id == job).values(user_id=reviewer))
        else:
            session.add(LongJobRow(job_id=job, position=1, subject_id=UUID(ids[1])))
    runner.run_due()
    assert statuses(parties.reviewer, ids) == ["unread", "unread"]
    with database.read() as session:
        assert session.get_one(LongJob, job).status == "stopped"


def test_filters_choose_what_the_list_shows(parties: Parties, runner: Runner) -> None:
    ids = sent_reports(parties, 2)
    job = read_all(parties.reviewer, filter={"kind": "self_check_report", "status": "unread"})
    assert parties.reviewer.get(f"/jobs/{job}").json["total"] == 2
    runner.run_due()
    assert statuses(parties.reviewer, ids) == ["read", "read"]
    nothing = parties.reviewer.post("/filings/actions/read", {"filter": {"status": "unread"}}).json
    assert nothing["total"] == 0
    assert parties.reviewer.get(f"/jobs/{nothing['job_id']}").json["status"] == "done"


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("fly", {"ids": [new_id()]}, 404),
        ("return", {"ids": [new_id()]}, 403),
        ("read", {}, 422),
        ("read", {"ids": [new_id()], "filter": {}}, 422),
        ("read", {"ids": []}, 422),
        ("read", {"ids": [new_id()], "who": "x"}, 422),
        ("read", {"filter": {"status": "nowhere"}}, 422),
    ],
)
def test_what_cannot_be_done_for_many_is_refused_before_a_job_begins(
    parties: Parties, action: str, body: Json, status: int
) -> None:
    assert parties.reviewer.post(f"/filings/actions/{action}", body).status_code == status


def test_a_job_sent_again_begins_no_second_one_and_is_nobody_elses(
    parties: Parties, runner: Runner, county_inspector: Person, database: Database, sign_in: Callable[[str], Person]
) -> None:
    ids, job_id = sent_reports(parties, 1), new_id()
    assert read_all(parties.reviewer, ids=ids, job_id=job_id) == job_id
    runner.run_due()
    assert read_all(parties.reviewer, ids=ids, job_id=job_id) == job_id
    assert parties.reviewer.get(f"/jobs/{job_id}").json["done"] == 1 and runner.run_due() == 0
    make_user(database, "320402", "second_reviewer", Role.LICENCE_REVIEWER)
    other = sign_in("second_reviewer")
    assert other.post("/filings/actions/read", {"ids": ids, "job_id": job_id}).json["code"] == "id_taken"
    for person in (other, county_inspector, parties.enterprise):
        assert person.get(f"/jobs/{job_id}").status_code == 404
        assert person.delete(f"/jobs/{job_id}").status_code == 404


def test_a_reviewer_of_elsewhere_moves_nothing(
    parties: Parties, runner: Runner, database: Database, sign_in: Callable[[str], Person]
) -> None:
    ids = sent_reports(parties, 1)
    make_user(database, "330102", "stranger", Role.LICENCE_REVIEWER)
    stranger = sign_in("stranger")
    job = read_all(stranger, ids=ids)
    runner.run_due()
    assert [one["code"] for one in stranger.get(f"/jobs/{job}").json["refusals"]] == ["not_found"]
    assert statuses(parties.reviewer, ids) == ["unread"]


def test_a_cancelled_job_ends_before_its_next_row(
    parties: Parties, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = sent_reports(parties, 3)
    job = read_all(parties.reviewer, ids=ids)
    monkeypatch.setattr(running, "_PAGE", 1)

    def cancelled_after_one_row(*asked: Any) -> Any:
        if parties.reviewer.get(f"/jobs/{job}").json["done"] == 1:
            assert parties.reviewer.delete(f"/jobs/{job}").status_code == 200
        return runner.actor_of(*asked)

    assert Runner(runner.database, runner.works, cancelled_after_one_row).run_due() == 1
    after = parties.reviewer.get(f"/jobs/{job}").json
    assert (after["status"], after["done"], after["refused"]) == ("cancelled", 1, 0)
    assert statuses(parties.reviewer, ids) == ["read", "unread", "unread"]


def test_cancelling_keeps_what_was_done_and_may_be_sent_again(parties: Parties, runner: Runner) -> None:
    ids = sent_reports(parties, 2)
    job = read_all(parties.reviewer, ids=ids)
    for _ in range(2):
        answer = parties.reviewer.delete(f"/jobs/{job}")
        assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    assert runner.run_due() == 0
    assert statuses(parties.reviewer, ids) == ["unread", "unread"]


def test_a_job_of_somebody_who_was_disabled_meanwhile_is_stopped(
    parties: Parties, runner: Runner, database: Database
) -> None:
    ids = sent_reports(parties, 1)
    job = read_all(parties.reviewer, ids=ids)
    with database.write() as session:
        session.execute(update(User).where(User.username == parties.reviewer.username).values(status="disabled"))
    assert runner.run_due() == 0
    with database.read() as session:
        assert session.get_one(LongJob, UUID(job)).status == "stopped"
    assert parties.enterprise.get(f"/filings/{ids[0]}").json["status"] == "unread"


def test_a_process_that_died_in_the_middle_of_a_row_is_followed_by_another(parties: Parties, runner: Runner) -> None:
    ids = sent_reports(parties, 2)
    job = read_all(parties.reviewer, ids=ids)
    work, calls = runner.works[steps_for_many.JOB], []

    def dies_at_the_second(*given: Any) -> None:
        calls.append(given)
        work(*given)
        if len(calls) == 2:
            raise SystemExit

    with time_machine.travel(clock.now(), tick=False) as travel:
        with pytest.raises(SystemExit):
            Runner(runner.database, {steps_for_many.JOB: dies_at_the_second}, runner.actor_of).run_due()
        assert statuses(parties.reviewer, ids) == ["read", "unread"]
        travel.shift(LEASE - timedelta(seconds=1))
        assert runner.run_due() == 0
        travel.shift(1)
        assert runner.run_due() == 1
        after = parties.reviewer.get(f"/jobs/{job}").json
        assert (after["status"], after["done"], after["refused"]) == ("done", 2, 0)


@pytest.mark.rounds
def test_of_two_processes_with_one_job_each_row_is_done_once(
    parties: Parties, runner: Runner, database: Database
) -> None:
    for _ in range(rounds(6, few=1)):
        ids = sent_reports(parties, 6)
        job = read_all(parties.reviewer, ids=ids)
        # Both believe that the job is theirs, as after a lease that was too short.
        with database.read() as session:
            taken = session.get_one(LongJob, UUID(job))
            session.expunge_all()
        threads = [threading.Thread(target=runner._run, args=(taken,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        runner._run(taken)
        after = parties.reviewer.get(f"/jobs/{job}").json
        assert (after["status"], after["done"], after["refused"]) == ("done", 6, 0), after
        with database.read() as session:
            moves = session.scalars(
                select(HistoryEntry.subject_id).where(
                    HistoryEntry.action == "read", HistoryEntry.subject_id.in_([UUID(one) for one in ids])
                )
            ).all()
        assert sorted(map(str, moves)) == sorted(ids)


def test_what_a_row_raises_besides_refusals_leaves_the_others_alone(
    parties: Parties, runner: Runner, database: Database
) -> None:
    ids = sent_reports(parties, 2)
    job = read_all(parties.reviewer, ids=ids)
    work = runner.works[steps_for_many.JOB]

    def breaks_at(session: Any, actor: Any, filing_id: UUID, params: Any) -> None:
        work(session, actor, filing_id, params)
        if str(filing_id) == ids[0]:
            raise ZeroDivisionError

    Runner(runner.database, {steps_for_many.JOB: breaks_at}, runner.actor_of).run_due()
    assert statuses(parties.reviewer, ids) == ["unread", "read"]
    assert parties.reviewer.get(f"/jobs/{job}").json["refusals"][0]["code"] == "internal_error"


def test_a_finished_job_can_be_read_for_a_week(parties: Parties, runner: Runner, database: Database) -> None:
    job = read_all(parties.reviewer, ids=sent_reports(parties, 1))
    with time_machine.travel(clock.now(), tick=False) as travel:
        runner.run_due()
        travel.shift(KEPT)
        assert operations.sweep(database) == 0
        travel.shift(1)
        assert operations.sweep(database) == 1
    assert parties.reviewer.get(f"/jobs/{job}").status_code == 404
    with database.read() as session:
        assert session.scalars(select(LongJobRow)).all() == []
