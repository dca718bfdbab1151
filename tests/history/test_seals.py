"""Seals (封印): what they cover, in whatever order it is committed, and what a head that was kept elsewhere proves."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import delete, select, text, update
from structlog.testing import CapturingLogger

from accounts.models import SignIn
from accounts.sign_in import audit
from accounts.sign_in.audit import SIGN_INS
from accounts.sweeping import sweep_failed
from bench.plans import caught, plan
from cli import history_processes
from composition import history as composed
from core.clock import now
from core.config import Settings
from core.db import Database
from core.models import HistoryEntry, HistoryGap, HistoryPayload, HistorySeal, Todo
from core.sealing import checking, parts, seals
from core.sealing.checking import Kept, Outcome
from core.sealing.heads import FILE, parse
from core.sealing.logs import HISTORY
from core.workflows import erasure, history
from core.workflows.history import Move
from tests.command_line import Run, command_line
from tests.people import PASSWORD, Person
from tests.rounds import others_in_rounds
from tests.tampering import attack, chain_anew, delete_rows, rows_of

LOGS = (HISTORY, SIGN_INS)


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


def step_of(subject: UUID) -> Move:
    return Move("case", subject, "submit", None, "submitted", 1, None, {"actor": "张三"})


def append(database: Database, *subjects: UUID) -> None:
    for subject in subjects:
        with database.write() as session:
            history.append(session, step_of(subject))


def seal(database: Database) -> list[seals.Head]:
    return seals.seal(database, LOGS)


def verified(
    database: Database, kept: Kept | None = None, first: int = 1, last: int | None = None
) -> tuple[list[str], Outcome]:
    outcome = Outcome()
    with database.read() as session:
        return [str(one) for one in checking.verify(session, LOGS, outcome, kept=kept, first=first, last=last)], outcome


def heads(database: Database) -> Kept:
    """All heads, as somebody keeps them who cannot be reached."""
    with database.read() as session:
        rows = session.execute(select(HistorySeal.no, HistorySeal.head)).all()
    return parse(f"{row.no} 2026-11-30T02:00:00Z {row.head.hex()}" for row in rows)


def test_everything_is_sealed_once_and_the_seals_hold(database: Database) -> None:
    append(database, uuid4(), uuid4())
    (head,) = seal(database)
    assert seal(database) == []
    append(database, uuid4())
    assert [one.no for one in seal(database)] == [head.no + 1]
    found, outcome = verified(database)
    assert found == [] and outcome.unsealed == 0 and outcome.seals == 2
    with database.read() as session:
        assert outcome.rows == len(session.scalars(select(HistoryEntry.id)).all())


def test_many_rows_are_sealed_in_several_seals_that_can_be_verified_one_by_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "ROWS", 3)
    monkeypatch.setattr(checking, "CHUNK", 2)
    append(database, *(uuid4() for _ in range(8)))
    made = seal(database)
    assert len(made) > 3 and max(one.rows for one in made) == 3
    assert verified(database)[0] == []
    with database.read() as session:
        rows = sum(verified(database, first=no, last=no)[1].seals for no in range(1, len(made) + 1))
        assert rows == len(made)
        changed = session.scalars(select(HistoryEntry).order_by(HistoryEntry.id.desc()).limit(1)).one()
    attack(database, lambda s: delete_rows(s, [changed.id]))
    broken = [no for no in range(1, len(made) + 1) if verified(database, first=no, last=no)[0]]
    assert broken == [len(made)]


def test_a_row_that_is_committed_late_with_a_lower_id_is_covered_by_the_next_seal(
    database: Database, dialect: str
) -> None:
    if dialect == "sqlite":
        pytest.skip("SQLite commits in the order of ids")
    append(database, uuid4())
    seal(database)
    late, rolled_back, quick = uuid4(), uuid4(), uuid4()
    with database.write() as slow:
        history.append(slow, step_of(late))
        with database.write() as failing:
            history.append(failing, step_of(rolled_back))
            failing.rollback()
        append(database, quick)
        (first,) = seal(database)
        assert first.rows == 1
        found, outcome = verified(database)
        assert found == [] and outcome.unsealed == 0
    found, outcome = verified(database)
    assert found == [] and outcome.unsealed == 1  # committed, and not sealed yet
    (second,) = seal(database)
    assert second.rows == 1
    found, outcome = verified(database)
    assert found == [] and outcome.unsealed == 0
    attack(database, lambda session: delete_rows(session, [row.id for row in rows_of(session, late)]))
    (told,) = verified(database)[0]
    assert f"history_seals {second.no}" in told and "1 of 1 rows are missing" in told


def test_a_row_that_comes_after_its_gap_was_forgotten_is_counted_and_can_be_sealed(
    database: Database, dialect: str
) -> None:
    if dialect == "sqlite":
        pytest.skip("SQLite commits in the order of ids")
    with database.write() as slow:
        history.append(slow, step_of(uuid4()))
        append(database, uuid4())
        seal(database)
        with database.write() as session:
            session.execute(update(HistoryGap).values(seen_at=now() - seals.GAPS_WATCHED * 2))
        seal(database)
    assert seal(database) == []
    found, outcome = verified(database)
    assert found == [] and outcome.unsealed == 1
    for name, ids in outcome.stray.items():
        seals.reopen(database, name, ids)
        seals.reopen(database, name, ids)
    assert [one.rows for one in seal(database)] == [1]
    found, outcome = verified(database)
    assert found == [] and outcome.unsealed == 0 and outcome.stray == {}


def test_a_row_put_into_a_gap_is_found_though_its_key_is_stolen_or_it_has_none(database: Database) -> None:
    append(database, uuid4(), uuid4(), uuid4())
    with database.read() as session:
        ids = session.scalars(select(HistoryEntry.id).order_by(HistoryEntry.id)).all()
        middle = session.get_one(HistoryEntry, ids[-2])
    seal(database)
    stranger = uuid4()

    def replace(session: Any) -> None:
        session.execute(update(HistoryEntry).where(HistoryEntry.id == middle.id).values(subject_id=stranger))
        chain_anew(session, stranger)

    attack(database, replace)
    assert any("rows were replaced after it was sealed" in one for one in verified(database)[0])


def test_a_row_without_a_key_is_believed_in_founding_seals_alone(database: Database) -> None:
    append(database, uuid4())
    seal(database)
    forged = uuid4()
    append(database, forged)

    def forge(session: Any) -> None:
        session.execute(update(HistoryEntry).where(HistoryEntry.subject_id == forged).values(key_id=None))
        chain_anew(session, forged)

    attack(database, forge)
    told = "row has no keyed digest"
    assert any(told in one for one in verified(database)[0])
    seal(database)
    assert any(told in one for one in verified(database)[0])


def test_the_history_of_an_earlier_release_is_founded_as_it_is(
    run: Run, database: Database, settings: Settings
) -> None:
    """Rows without keys, users whose rights no step noted, offices without a history, a payload erased before."""

    def of_earlier_release(session: Any) -> None:
        of_offices = select(HistoryEntry.id).where(HistoryEntry.subject_type == "office")
        delete_rows(session, list(session.scalars(of_offices)))
        subjects = session.scalars(select(HistoryEntry.subject_id).distinct()).all()
        for payload in session.scalars(select(HistoryPayload)):
            payload.payload = {name: value for name, value in payload.payload.items() if name != "account"}
        session.flush()
        session.execute(update(HistoryEntry).values(key_id=None))
        for subject in subjects:
            chain_anew(session, subject)
        gone = session.scalars(select(HistoryEntry.id).order_by(HistoryEntry.id)).first()
        session.execute(text("DELETE FROM history_payloads WHERE history_id = :gone"), {"gone": gone})

    attack(database, of_earlier_release)
    run("history", "seal")
    assert "完整" in run("history", "verify").stdout
    with database.read() as session:
        founding = session.scalars(select(HistorySeal.founding).order_by(HistorySeal.no)).all()
        steps = session.scalars(select(HistoryEntry.action).where(HistoryEntry.key_id.is_not(None))).all()
    assert founding[0] is True and set(steps) == {"witness"}
    with database.write() as session:
        session.execute(text("UPDATE users SET roles = '[\"administrator\"]' WHERE username = 'county_inspector'"))
    assert "its roles, office or password were changed" in run("history", "verify", status=1).stderr


CUT: list[tuple[str, Callable[[Any, int], Any]]] = [
    ("is missing", lambda session, no: session.execute(delete(HistorySeal).where(HistorySeal.no == no))),
    (
        "seal was changed",
        lambda session, no: session.execute(update(HistorySeal).where(HistorySeal.no == no).values(count=99)),
    ),
    (
        "seal was changed",
        lambda session, no: session.execute(
            update(HistorySeal).where(HistorySeal.no == no).values(signature=hashlib.sha256(b"x").digest())
        ),
    ),
]


@pytest.mark.parametrize(("told", "change"), CUT)
def test_a_seal_that_is_gone_or_changed_is_shown(
    database: Database, told: str, change: Callable[[Any, int], Any]
) -> None:
    for _ in range(3):
        append(database, uuid4())
        seal(database)
    attack(database, lambda session: change(session, 2))
    assert any(told in one for one in verified(database)[0])


def cut_the_end(session: Any, kept_rows: int, kept_seals: int) -> None:
    """The newest rows and seals have never been: what is left holds by itself."""
    ids = session.scalars(select(HistoryEntry.id).where(HistoryEntry.id > kept_rows)).all()
    delete_rows(session, list(ids))
    session.execute(delete(HistorySeal).where(HistorySeal.no > kept_seals))


def test_a_head_kept_elsewhere_shows_that_the_end_was_cut_off(
    run: Run, database: Database, settings: Settings, tmp_path: Path
) -> None:
    append(database, uuid4())
    run("history", "seal")
    with database.read() as session:
        rows = session.scalars(select(HistoryEntry.id).order_by(HistoryEntry.id.desc()).limit(1)).one()
    append(database, uuid4())
    newest = run("history", "seal").stdout.rpartition("最新链头：")[2].strip()
    attack(database, lambda session: cut_the_end(session, rows, 1))
    beside = settings.data_dir / FILE
    assert len(beside.read_text().splitlines()) == 2
    assert "whose heads were kept" in run("history", "verify", status=1).stderr
    beside.rename(tmp_path / "elsewhere.txt")
    told = run("history", "verify", "--head", tmp_path / "elsewhere.txt", status=1).stderr
    assert "whose heads were kept" in told
    for value in (newest, newest.rpartition(" ")[2]):
        assert "kept" in run("history", "verify", "--head", value, status=1).stderr


def test_a_history_made_anew_with_the_stolen_key_does_not_fit_a_kept_head(database: Database) -> None:
    subject = uuid4()
    append(database, subject)
    seal(database)
    kept = heads(database)

    def make_anew(session: Any) -> None:
        (row,) = rows_of(session, subject)
        delete_rows(session, [row.id])
        session.execute(delete(HistorySeal))
        session.execute(delete(HistoryGap))

    attack(database, make_anew)
    append(database, subject)
    seal(database)
    assert verified(database)[0] == []
    assert any("is not the seal whose head was kept" in one for one in verified(database, kept)[0])


def test_heads_are_read_from_whatever_they_stand_in(run: Run, database: Database, tmp_path: Path) -> None:
    head = hashlib.sha256(b"").hexdigest()
    lines = [
        f"12 2026-11-30T02:00:00Z {head}", f"12:{head}", f'{{"event": "history_sealed", "head": "{head}", "no": 12}}',
        f"2026-11-30T02:00:00Z [info] history_sealed at=… head={head} no=12 rows=3",
    ]  # fmt: skip
    assert [parse([line]).numbered for line in lines] == [{12: {head}}] * len(lines)
    assert parse([f"HEAD {head.upper()}"]).unnumbered == {head}
    (tmp_path / "empty.txt").write_text("nothing")
    assert "没有链头" in run("history", "verify", "--head", tmp_path / "empty.txt", status=2).output
    assert "没有这个文件" in run("history", "verify", "--head", "nowhere", status=2).output


def test_a_line_of_the_file_that_was_begun_is_begun_anew(run: Run, database: Database, settings: Settings) -> None:
    append(database, uuid4())
    run("history", "seal")
    file = settings.data_dir / FILE
    file.write_text("1 2026-11-30T02:0")
    append(database, uuid4())
    run("history", "seal")
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["1", "1", "2"]
    assert "完整" in run("history", "verify").stdout


def test_failed_sign_ins_may_go_after_half_a_year_and_others_may_not(
    run: Run, database: Database, county_inspector: Person, clock: time_machine.Traveller
) -> None:
    county_inspector.client.post(
        "/api/v1/sessions", json={"username": "county_inspector", "password": f"not {PASSWORD}"}
    )
    county_inspector.client.post(
        "/api/v1/sessions", json={"username": "county_inspector", "password": f"not {PASSWORD}"}
    )
    run("history", "seal")

    def delete_failed(session: Any) -> None:
        first = select(SignIn.id).where(SignIn.outcome != "signed_in").order_by(SignIn.id).limit(1)
        session.execute(delete(SignIn).where(SignIn.id == first.scalar_subquery()))

    attack(database, delete_failed)
    assert "sign_ins" in run("history", "verify", status=1).stderr
    clock.shift(timedelta(days=200))
    assert sweep_failed(database) >= 0
    assert "完整" in run("history", "verify").stdout
    attack(database, lambda session: session.execute(delete(SignIn).where(SignIn.outcome == "signed_in")))
    assert "sign_ins" in run("history", "verify", status=1).stderr


def test_a_sign_in_rewritten_in_the_table_is_named(run: Run, database: Database, county_inspector: Person) -> None:
    run("history", "seal")
    attack(database, lambda session: session.execute(update(SignIn).values(address="192.0.2.1")))
    assert "row was changed" in run("history", "verify", status=1).stderr


def test_an_erasure_is_a_row_of_its_own_and_the_seals_go_on_to_hold(run: Run, database: Database) -> None:
    subject = uuid4()
    append(database, subject)
    run("history", "seal")
    with database.write() as session:
        assert erasure.erase(session, subject, [1], {"reason": "依申请删除"}) == 1
    run("history", "seal")
    found, outcome = verified(database)
    assert found == [] and outcome.unsealed == 0
    with database.write() as session:  # doing it again says so again, and erases no erasure
        assert erasure.erase(session, subject, [1, 2], {"reason": "依申请删除"}) == 0
    assert verified(database)[0] == []
    attack(database, lambda session: delete_rows(session, [row.id for row in rows_of(session, subject)[1:]]))
    assert any("payload is gone" in one for one in verified(database)[0])


def test_the_nights_verify_all_seals_part_by_part_and_begin_again(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS_A_NIGHT", 2)
    for _ in range(5):
        append(database, uuid4())
        seal(database)
    with database.read() as session:
        newest = session.scalars(select(HistorySeal.no).order_by(HistorySeal.no.desc()).limit(1)).one()
    firsts = []
    for _ in range(8):
        with database.read() as session:
            part = parts.next_part(session)
        firsts.append((part.first, part.last))
        run("history", "verify", "--next-part")
    assert firsts[0][0] == 1 and (1, firsts[0][1]) in firsts[1:]
    round_of = firsts[: firsts[1:].index(firsts[0]) + 1]
    assert [first for first, _ in round_of[1:]] == [last + 1 for _, last in round_of[:-1]] and round_of[-1][1] == newest


def test_a_night_writes_what_it_finds_to_the_log_and_brings_back_what_came_too_late(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = uuid4()
    append(database, subject)
    seal(database)
    attack(database, lambda session: delete_rows(session, [row.id for row in rows_of(session, subject)]))
    assert composed.verify_next_part(database, settings) == 0  # sealing has only begun
    logged = CapturingLogger()
    monkeypatch.setattr(composed, "log", logged)
    with monkeypatch.context() as patch:
        patch.setattr(parts, "OVERDUE", timedelta(0))
        assert composed.verify_next_part(database, settings) == 2
    told = [call.kwargs["where"] for call in logged.calls if call.args == ("history_broken",)]
    assert any("1 of" in one for one in told), told
    with database.read() as session:  # the administrators are told until a whole verification finds nothing
        (todo,) = session.scalars(select(Todo).where(Todo.closed_at.is_(None))).all()
    assert (todo.kind, todo.verb) == ("history_broken", "system.configure")
    assert composed.verify_next_part(database, settings) == 0  # not due again


def test_a_round_of_the_job_finds_what_is_new_by_indexes_whatever_the_size_of_the_history(database: Database) -> None:
    """No statement walks a log, the seals or the gaps from their beginning."""
    append(database, *(uuid4() for _ in range(30)))
    seal(database)
    append(database, uuid4())
    with caught(database.engine) as statements:
        assert len(seal(database)) == 1
    steps: list[str] = []
    if database.engine.dialect.name == "postgresql":
        with database.write() as session:  # few rows: it would walk any table
            session.execute(text("SET LOCAL enable_seqscan = off"))
            for statement, parameters in statements:
                explained = session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters)
                steps += [row[0].strip() for row in explained]
            session.rollback()
        assert steps and [step for step in steps if "Seq Scan" in step] == []
        return
    for statement, parameters in statements:
        steps += plan(database, statement, parameters)
    # The newest seal is the first row from the end; the gaps of a day are looked up in the log one by one.
    allowed = ("SCAN history_seals", "SCAN history_gaps")
    assert steps and [step for step in steps if step.startswith("SCAN") and not step.startswith(allowed)] == []


def test_a_part_behind_others_counts_nothing_as_unsealed_that_an_earlier_seal_covers(database: Database) -> None:
    append(database, uuid4(), uuid4())
    first = seal(database)[-1].no
    with database.write() as session:  # a seal of sign-ins alone
        audit.note(session, "somebody", None, "127.0.0.1", audit.SIGNED_IN)
    last = seal(database)[-1].no
    assert last == first + 1
    found, outcome = verified(database, first=last)
    assert found == [] and outcome.unsealed == 0


@pytest.mark.parametrize("processes", others_in_rounds(["1", "2", "3"], "1", "2"))
def test_several_processes_find_what_one_finds(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    monkeypatch.setattr(history_processes, "ROWS_EACH", 2)
    subjects = [uuid4() for _ in range(9)]
    for subject in subjects:
        append(database, subject)
        seal(database)
    assert "共核对" in run("history", "verify", "--processes", processes).output
    attack(database, lambda session: delete_rows(session, [rows_of(session, subjects[1])[0].id]))
    attack(
        database,
        lambda session: session.execute(
            update(HistoryEntry).where(HistoryEntry.subject_id == subjects[7]).values(action="forged")
        ),
    )
    append(database, uuid4())
    broken = run("history", "verify", "--processes", processes, status=1)
    assert "1 of 1 rows are missing" in broken.output and f"{subjects[7]} #1: row was changed" in broken.output
    assert "有 1 行尚未封印" in broken.output
