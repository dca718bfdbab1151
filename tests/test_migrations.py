"""The migrations: they lead to the tables of the code, and go up and down over data, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from core.database import migrate
from core.db import Database
from core.workflows import idempotency
from tests.databases import postgres_database
from tests.older_schemas import at_revision
from tests.people import Person, production
from tests.records import read, submit
from tests.servers import ROOT

RENAMED = {"receipts": "idempotency_keys", "rating_gates": "rating_windows"}


@pytest.fixture
def empty(dialect: str, tmp_path: Path) -> Iterator[Database]:
    """A database without a table."""
    if dialect == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
        yield database
        database.dispose()
        return
    with postgres_database() as url:
        database = Database(url.render_as_string(hide_password=False))
        yield database
        database.dispose()


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables(database)}


def revisions(database: Database) -> list[str]:
    """All revisions, the newest first."""
    script = ScriptDirectory.from_config(migrate.configuration(database.engine))
    return [revision.revision for revision in script.walk_revisions()]


def test_the_files_are_numbered_in_the_order_in_which_they_follow_each_other(empty: Database) -> None:
    numbers = revisions(empty)
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] == migrate.newest_revision()


def test_the_newest_revision_is_what_the_code_expects(empty: Database) -> None:
    assert not migrate.is_current(empty.engine)
    migrate.upgrade(empty.engine)
    assert migrate.is_current(empty.engine)
    assert migrate.differences(empty.engine) == []


def test_a_table_that_differs_is_noticed(empty: Database) -> None:
    migrate.upgrade(empty.engine)
    with empty.write() as session:
        session.execute(text("ALTER TABLE regions ADD COLUMN surplus INTEGER"))
    assert any("surplus" in difference for difference in migrate.differences(empty.engine))


def test_every_step_goes_down_and_up_again_over_data(database: Database) -> None:
    """Tables that a step made go with it; all others keep their rows."""
    before = counts(database)
    assert before["users"] and before["regions"] and before["history"]
    older = revisions(database)[1:]
    for revision in older:
        migrate.downgrade(database.engine, revision)
        assert not migrate.is_current(database.engine)
        now = {RENAMED.get(name, name): count for name, count in counts(database).items()}
        assert now.pop("confirmations", 0) == 0  # of 0003, which 0054 dropped: no kind of a release had any
        assert now == {name: before[name] for name in now}
    migrate.upgrade(database.engine)
    assert migrate.differences(database.engine) == []
    assert {name: counts(database)[name] for name in ("users", "regions")} == {
        name: before[name] for name in ("users", "regions")
    }


def test_a_key_stored_before_the_table_was_renamed_is_recognised_afterwards(database: Database) -> None:
    with database.write() as session:
        assert idempotency.claim(session, b"k" * 32)
    migrate.downgrade(database.engine, "0028")
    assert "receipts" in tables(database)
    migrate.upgrade(database.engine)
    with database.write() as session:
        assert not idempotency.claim(session, b"k" * 32)
    if database.engine.dialect.name == "postgresql":
        assert inspect(database.engine).get_pk_constraint("idempotency_keys")["name"] == "pk_idempotency_keys"


@pytest.mark.usefixtures("clock")
def test_what_was_voided_keeps_its_mark_on_the_way_down_and_up(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector)
    voided = county_inspector.post(f"/inspections/{record['id']}/void", {"reason": "重复录入", "version": 1})
    with at_revision(database, "0011"):
        pass
    assert read(county_inspector, f"/inspections/{record['id']}") == voided.json


@pytest.mark.usefixtures("clock")
def test_a_record_corrected_before_there_was_a_mark_gets_one(county_inspector: Person, database: Database) -> None:
    untouched = submit(county_inspector)
    record = submit(county_inspector, production(check_date="2026-11-19"))
    for version, remark in ((1, "一"), (2, "二")):
        body = production(check_date="2026-11-19", remark=remark, version=version, reason="补充")
        shown = county_inspector.put(f"/inspections/{record['id']}/correction", body)
        assert shown.status_code == 200
    with at_revision(database, "0015"):
        pass
    assert read(county_inspector, f"/inspections/{record['id']}")["corrected"] == shown.json["corrected"]
    assert shown.json["corrected"]["count"] == 2
    assert read(county_inspector, f"/inspections/{untouched['id']}")["corrected"] is None


def test_all_the_way_down_leaves_nothing_and_up_again_leads_to_the_same(database: Database) -> None:
    migrate.downgrade(database.engine, "base")
    assert tables(database) == set()
    migrate.upgrade(database.engine)
    assert migrate.differences(database.engine) == []
    assert sum(counts(database).values()) == 0


def test_files_of_the_same_bytes_under_two_ids_survive_the_way_down(database: Database) -> None:
    with database.write() as session:
        user_id = session.execute(text("SELECT id FROM users LIMIT 1")).scalar_one()
        for number in range(2):
            session.execute(
                text(
                    "INSERT INTO files (id, id_was_sent, purpose, original_name, extension, media_type, size, sha256,"
                    " sent_sha256, stored_key, uploaded_by, uploaded_at, unclaimed_since)"
                    " VALUES (:id, :true, 'photo', 'a.jpg', '.jpg', 'image/jpeg', 1, 'x', 'x', :key, :user, :at, :at)"
                ),
                {
                    "id": f"{number}" * 32, "true": True, "key": f"key {number}", "user": user_id,
                    "at": "2026-11-20 09:00:00",
                },
            )  # fmt: skip
    migrate.downgrade(database.engine, "0004")
    assert counts(database)["files"] == 2
    migrate.upgrade(database.engine)
    assert counts(database)["files"] == 2 and migrate.differences(database.engine) == []


def test_every_room_with_tables_is_known_to_the_migrations() -> None:
    """Else `./manage database check` of a process that has imported nothing more takes its tables for surplus."""
    known = (ROOT / "migrations" / "env.py").read_text()
    with_tables = [
        path.relative_to(ROOT) for path in ROOT.glob("*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in ("tests", "migrations", "bench", ".venv", "client", "var")
        and "    __tablename__ =" in path.read_text()
    ]  # fmt: skip
    missing = [
        str(path) for path in with_tables if f"from {'.'.join(path.parent.parts)} import {path.stem}" not in known
    ]
    assert len(with_tables) > 15 and missing == []
