"""What was backed up comes back whole, into an empty place, or not at all."""

import os
import shutil
from pathlib import Path
from typing import Any

import pyrage
import pytest
from click.testing import CliRunner

from app import create_app
from assets.files.storage import Storage
from backups import interrupted, reading, restoring
from backups import rows as database_rows
from backups.archive import BackupError
from backups.interrupted import STAGING, refuse_to_open
from cli.commands import Installation, cli
from cli.preparation import prepare
from core.config import Settings, SettingsError
from core.database import migrate
from core.db import Database
from tests.backups.conftest import BackupPlace, Place, execute, is_empty, rows, stored
from tests.conftest import DATA_KEY, DIALECTS
from tests.people import PASSWORD

both = pytest.mark.skipif(len(DIALECTS) < 2, reason="needs both databases")


@pytest.mark.in_make_test
def test_a_backup_restored_into_an_empty_place_is_the_same(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str
) -> None:
    before, files = rows(filled.resolved_database_url), stored(filled)
    assert before["inspections"] and files
    made = backups.make(filled)
    there = place(dialect, s3=dialect == "postgresql")
    restored = backups.restore(made.path, there)
    assert rows(there.resolved_database_url) == before
    assert stored(there) == files
    assert restored.rows == sum(map(len, before.values())) and restored.files == len(files)
    assert (there.data_dir / "data.key").read_text() == DATA_KEY
    assert (there.data_dir / "data.key").stat().st_mode & 0o077 == 0
    assert (there.data_dir / "forms" / "own.json").exists()
    assert sorted(path.name for path in there.data_dir.iterdir() if path.name.startswith(".")) == []


def test_the_restored_place_serves_what_the_old_one_served(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str
) -> None:
    there = place(dialect, s3=dialect == "postgresql", data_key=DATA_KEY)
    backups.restore(backups.make(filled).path, there)
    client = create_app(there).test_client()
    answer = client.post("/api/v1/sessions", json={"username": "county_inspector", "password": PASSWORD})
    assert answer.status_code == 201
    headers = {"Authorization": f"Bearer {answer.json['token']}"}
    listed = client.get("/api/v1/inspections", headers=headers).json
    assert listed["total"] == 2
    (photo,) = next(
        found["photos"]
        for item in listed["items"]
        if (found := client.get(f"/api/v1/inspections/{item['id']}", headers=headers).json).get("photos")
    )
    name = photo if isinstance(photo, str) else photo["id"]
    assert client.get(f"/api/v1/files/{name}", headers=headers).data[:2] == b"\xff\xd8"
    database = Database(there.resolved_database_url)
    migrate.differences(database.engine)
    assert migrate.is_current(database.engine) and migrate.differences(database.engine) == []
    database.dispose()


@both
def test_a_backup_of_one_kind_of_database_goes_into_the_other(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str
) -> None:
    before = rows(filled.resolved_database_url)
    other = place("sqlite" if dialect == "postgresql" else "postgresql")
    backups.restore(backups.make(filled).path, other)
    assert rows(other.resolved_database_url) == before
    assert stored(other) == stored(filled)


AWKWARD = [
    "",
    "\\N",
    "a\tb",
    "a\nb\r\n",
    "\\",
    "\\\\n",
    "\u2028\u2029\x0b\x0c\x1c\x85",
    "null",
    "5",
    "1e5",
    "{}",
    "党𬭊😀",
]


def test_no_value_changes_on_the_way(
    database: Database, settings: Settings, backups: BackupPlace, place: Place, dialect: str
) -> None:
    for number, value in enumerate(AWKWARD):
        definition = (
            "INSERT INTO form_versions (code, version, digest, definition, published_at) VALUES (:c, 1, :d, :v, :p)"
        )
        execute(
            settings.resolved_database_url,
            definition,
            c=f"awkward-{number}",
            d="x",
            v=value,
            p="2026-01-02 03:04:05.000006",
        )
    before = rows(settings.resolved_database_url)
    for kind in DIALECTS:
        there = place(kind)
        backups.restore(backups.make(settings).path, there)
        assert rows(there.resolved_database_url) == before


def test_what_is_written_while_a_backup_is_made_is_not_in_it(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one state of the database, though another table was read when the record was written."""
    before = rows(filled.resolved_database_url)
    pieces = database_rows.Snapshot.pieces

    def meanwhile(self: Any, table: str) -> Any:
        if table == "form_versions":
            execute(filled.resolved_database_url, "DELETE FROM idempotency_keys")
            execute(filled.resolved_database_url, "DELETE FROM dictionary_entries")
        return pieces(self, table)

    monkeypatch.setattr(database_rows.Snapshot, "pieces", meanwhile)
    made = backups.make(filled)
    monkeypatch.undo()
    assert rows(filled.resolved_database_url) != before
    there = place(dialect)
    backups.restore(made.path, there)
    assert rows(there.resolved_database_url) == before


def test_a_backup_of_an_older_schema_is_restored_and_upgraded(
    filled: Settings, database: Database, backups: BackupPlace, place: Place, dialect: str
) -> None:
    migrate.downgrade(database.engine, "0004")
    made = backups.make(filled)
    migrate.upgrade(database.engine)
    before = rows(filled.resolved_database_url)
    there = place(dialect)
    backups.restore(made.path, there)
    restored = Database(there.resolved_database_url)
    assert migrate.is_current(restored.engine) and migrate.differences(restored.engine) == []
    restored.dispose()
    assert rows(there.resolved_database_url).keys() == before.keys()
    assert {name: len(found) for name, found in rows(there.resolved_database_url).items()} == {
        name: len(found) for name, found in before.items()
    }


def test_a_backup_of_a_newer_schema_is_refused(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str
) -> None:
    execute(filled.resolved_database_url, "UPDATE alembic_version SET version_num = '9999'")
    made = backups.make(filled)
    execute(filled.resolved_database_url, "UPDATE alembic_version SET version_num = :v", v=migrate.newest_revision())
    there = place(dialect)
    with pytest.raises(BackupError, match="较新的版本"):
        backups.restore(made.path, there)
    assert is_empty(there)


# ---- refused


def test_a_place_in_use_is_refused_and_stays_as_it_was(filled: Settings, backups: BackupPlace) -> None:
    made = backups.make(filled)
    before, files = rows(filled.resolved_database_url), stored(filled)
    with pytest.raises(BackupError, match=r"数据库已有数据表.*文件存储中已有"):
        backups.restore(made.path, filled)
    assert rows(filled.resolved_database_url) == before and stored(filled) == files
    assert not (filled.data_dir / STAGING).exists()


@pytest.mark.in_make_test
def test_another_key_than_the_backups_is_refused(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str
) -> None:
    made = backups.make(filled)
    there = place(dialect, data_key="another key that is long enough by far")
    with pytest.raises(BackupError, match=r"DATA_KEY.*不同"):
        backups.restore(made.path, there)
    assert is_empty(there)


def test_a_running_server_is_no_place_to_restore_into(filled: Settings, backups: BackupPlace, place: Place) -> None:
    import fcntl

    there = place("sqlite")
    with (there.data_dir / restoring.SERVER_LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with pytest.raises(BackupError, match="请先停止服务"):
            backups.restore(backups.make(filled).path, there)


@pytest.mark.in_make_test
@pytest.mark.parametrize("harm", ["cut", "cut at the end", "changed", "another's", "no backup", "empty"])
def test_a_harmed_backup_restores_nothing(
    harm: str, filled: Settings, backups: BackupPlace, place: Place, dialect: str, tmp_path: Path
) -> None:
    whole = backups.make(filled).path.read_bytes()
    middle = len(whole) // 2
    secret = pyrage.x25519.Identity.generate() if harm == "another's" else backups.secret
    content = {
        "cut": whole[:middle], "cut at the end": whole[:-1], "another's": whole, "empty": b"",
        "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "no backup": pyrage.encrypt(b"hello" * 1000, [backups.secret.to_public()]),
    }[harm]  # fmt: skip
    file = tmp_path / "harmed"
    file.write_bytes(content)
    there = place(dialect, s3=dialect == "postgresql")
    with pytest.raises(BackupError):
        restoring.restore(there, file, [secret], lambda _line: None)
    with pytest.raises(BackupError):
        reading.verify(file, [secret])
    assert is_empty(there)


def test_a_killed_restore_keeps_the_server_from_starting_and_can_be_begun_again(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backups.make(filled)
    there = place(dialect, s3=dialect == "postgresql")

    class Killed(BaseException):
        pass

    def killed(*_arguments: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(restoring._Restoring, "_read_files_back", killed)
        patched.setattr(restoring.Place, "undo", killed)
        with pytest.raises(Killed):
            backups.restore(made.path, there)
    database = Database(there.resolved_database_url)
    with pytest.raises(SettingsError, match="恢复被中断"):
        prepare(there, database)
    database.dispose()
    backups.restore(made.path, there)
    assert rows(there.resolved_database_url) == rows(filled.resolved_database_url)
    assert stored(there) == stored(filled)


def test_a_restore_killed_before_the_names_appear_is_begun_again(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has its name already, and the note still says that something is missing."""
    made = backups.make(filled)
    there = place(dialect, s3=dialect == "postgresql")
    killed = KeyboardInterrupt("killed")
    write_note = restoring.Place.write_note

    def write_first_note_only(self: restoring.Place, *, finished: bool = False) -> None:
        if finished:
            raise killed
        write_note(self)

    with monkeypatch.context() as patched:
        patched.setattr(restoring.Place, "write_note", write_first_note_only)
        patched.setattr(restoring.Place, "undo", lambda *_arguments: None)
        with pytest.raises(KeyboardInterrupt):
            backups.restore(made.path, there)
    with pytest.raises(SettingsError, match="恢复被中断"):
        refuse_to_open(there, Database(there.resolved_database_url).engine)
    backups.restore(made.path, there)
    assert rows(there.resolved_database_url) == rows(filled.resolved_database_url)


@pytest.mark.parametrize("removed", ["nothing", "marker", "note"])
def test_a_restore_killed_when_all_was_in_place_is_completed_by_whoever_opens_it(
    removed: str, filled: Settings, backups: BackupPlace, place: Place, dialect: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Only the note and, on PostgreSQL, the marker were left to remove: it starts, and nothing is restored twice."""
    made = backups.make(filled)
    there = place(dialect, s3=dialect == "postgresql")

    def killed(*_arguments: Any) -> None:
        raise KeyboardInterrupt("killed")

    with monkeypatch.context() as patched:
        patched.setattr(*(interrupted.shutil, "rmtree") if removed == "note" else (restoring, "complete"), killed)
        with pytest.raises(KeyboardInterrupt):
            backups.restore(made.path, there)
    assert (there.data_dir / STAGING / "backup").exists() is (removed != "note")
    if removed == "marker":
        execute(there.resolved_database_url, "DROP TABLE IF EXISTS restore_in_progress")
    with pytest.raises(BackupError, match="只能恢复到空的位置"):
        backups.restore(made.path, there)
    database = Database(there.resolved_database_url)
    refuse_to_open(there, database.engine)
    assert not (there.data_dir / STAGING / "backup").exists() and interrupted.mark_in(database.engine) is None
    database.dispose()
    assert rows(there.resolved_database_url) == rows(filled.resolved_database_url)
    assert stored(there) == stored(filled)


def test_after_an_interrupted_restore_another_place_is_not_emptied(
    filled: Settings, backups: BackupPlace, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note of the interrupted one says which place is its own."""
    made = backups.make(filled)
    there = place("sqlite")
    with monkeypatch.context() as patched:
        patched.setattr(restoring.Place, "undo", lambda *_arguments: None)
        patched.setattr(restoring._Restoring, "_read_files_back", lambda *_arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            backups.restore(made.path, there)
    before = rows(filled.resolved_database_url)
    elsewhere = there.model_copy(update={"database_url": filled.resolved_database_url})
    with pytest.raises(BackupError, match="改回当时的设置"):
        backups.restore(made.path, elsewhere)
    assert rows(filled.resolved_database_url) == before


@pytest.mark.parametrize("dialect", ["postgresql"] if "postgresql" in DIALECTS else [], indirect=True)
def test_a_database_that_was_restored_from_elsewhere_meanwhile_is_not_emptied(
    filled: Settings, backups: BackupPlace, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backups.make(filled)
    first = place("postgresql")
    with monkeypatch.context() as patched:
        patched.setattr(restoring.Place, "undo", lambda *_arguments: None)
        patched.setattr(restoring._Restoring, "_read_files_back", lambda *_arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            backups.restore(made.path, first)
    second = first.model_copy(update={"data_dir": tmp_path / "second"})
    second.data_dir.mkdir()
    database = Database(second.resolved_database_url)
    with pytest.raises(SettingsError, match="未完成的恢复"):
        prepare(second, database)
    database.dispose()
    backups.restore(made.path, second)
    before = rows(second.resolved_database_url)
    assert before == rows(filled.resolved_database_url)
    with pytest.raises(BackupError, match="未作任何改动"):
        backups.restore(made.path, first)
    assert rows(second.resolved_database_url) == before


@pytest.mark.parametrize("dialect", ["postgresql"] if "postgresql" in DIALECTS else [], indirect=True)
def test_half_a_restore_that_was_begun_from_elsewhere_meanwhile_is_not_emptied(
    filled: Settings, backups: BackupPlace, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were killed; the marker in the database is the second one's, the note here the first one's."""
    made, first = backups.make(filled), place("postgresql")
    with monkeypatch.context() as patched:
        patched.setattr(restoring._Restoring, "_read_files_back", lambda *_arguments: 1 / 0)
        patched.setattr(restoring.Place, "undo", lambda *_arguments: None)
        with pytest.raises(ZeroDivisionError):
            backups.restore(made.path, first)
    execute(first.resolved_database_url, "UPDATE restore_in_progress SET id = 'of another'")
    before = rows(first.resolved_database_url)
    with pytest.raises(BackupError, match="另一次未完成的恢复，不是从这里开始的，未作任何改动"):
        backups.restore(made.path, first)
    assert rows(first.resolved_database_url) == before
    shutil.rmtree(first.data_dir / STAGING)  # as it says
    with pytest.raises(BackupError, match="请改用空的文件存储"):  # whose they are nobody knows now
        backups.restore(made.path, first)
    shutil.rmtree(first.data_dir / "files")
    backups.restore(made.path, first)
    assert rows(first.resolved_database_url) == rows(filled.resolved_database_url)


def test_what_stands_there_already_and_differs_is_kept_and_told(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str
) -> None:
    (filled.data_dir / "forms" / "same.json").write_text("{}")
    made, there = backups.make(filled), place(dialect)
    forms = there.data_dir / "forms"
    forms.mkdir()
    (forms / "own.json").write_text('{"mine": 1}')
    (forms / "same.json").write_text("{}")
    told: list[str] = []
    restoring.restore(there, made.path, [backups.secret], told.append)
    (kept,) = [line for line in told if "保留了原有的" in line]
    assert str(forms / "own.json") in kept and "移走它后重新恢复" in kept
    assert (forms / "own.json").read_text() == '{"mine": 1}'


@pytest.mark.parametrize("dialect", ["postgresql"] if "postgresql" in DIALECTS else [], indirect=True)
def test_files_that_no_note_speaks_of_are_not_deleted(filled: Settings, backups: BackupPlace, place: Place) -> None:
    """A restore was begun in this database from elsewhere; the files here may be in use."""
    made, there = backups.make(filled), place("postgresql")
    execute(there.resolved_database_url, "CREATE TABLE restore_in_progress (begun_at timestamptz)")
    upload = there.data_dir / "files" / "uploads" / "aa" / "bb"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"in use")
    with pytest.raises(BackupError, match="未作任何改动"):
        backups.restore(made.path, there)
    assert upload.read_bytes() == b"in use"


def test_a_note_that_cannot_be_read_is_named(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str
) -> None:
    made, there = backups.make(filled), place(dialect)
    note = there.data_dir / STAGING / "backup"
    note.parent.mkdir()
    note.write_text("")
    with pytest.raises(BackupError, match="已损坏"):
        backups.restore(made.path, there)


# ---- files and rows agree


def test_files_that_are_missing_or_damaged_are_named_and_the_rest_is_kept(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str, storage: Storage, tmp_path: Path
) -> None:
    key, other = stored(filled)
    storage.delete([other])
    (tmp_path / "other").write_bytes(b"other bytes")
    storage.put(key, tmp_path / "other")
    made = backups.make(filled)
    assert made.summary.missing == [other] and made.summary.damaged == [key]
    restored = backups.restore(made.path, place(dialect))
    assert restored.missing == 2


def test_a_file_whose_row_was_deleted_meanwhile_is_not_called_missing(
    filled: Settings, backups: BackupPlace, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = Storage.chunks

    def swept(self: Storage, key: str) -> Any:
        storage.delete([key])
        execute(filled.resolved_database_url, "DELETE FROM files")
        return chunks(self, key)

    monkeypatch.setattr(Storage, "chunks", swept)
    found = backups.make(filled).summary
    assert (found.missing_count, found.damaged_count) == (0, 0)
    assert found.removed_count > 0


# ---- the command line


def test_the_commands_make_list_verify_and_restore(
    filled: Settings, backups: BackupPlace, place: Place, dialect: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(*arguments: Any, status: int = 0, settings: Settings = filled) -> str:
        answer = CliRunner().invoke(cli, [str(one) for one in arguments], obj=Installation(settings))
        assert answer.exit_code == status, answer.output + repr(answer.exception)
        return answer.output

    assert "还没有完整备份" in run("backup", status=1)
    assert "备份完成" in run("backup", "make")
    assert "备份正常" in run("backup")
    (file,) = backups.folder.glob("*-full.tar.age")
    assert "备份完好" in run("backup", "verify", file, "--key", backups.key_file())
    there = place(dialect)
    for name in [name for name in os.environ if name.startswith(("S3_", "DATA", "BACKUP"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(there.data_dir))
    monkeypatch.setenv("DATABASE_URL", there.database_url)
    assert "逐个文件核对" in run("restore", file, "--key", backups.key_file())
    assert rows(there.resolved_database_url) == rows(filled.resolved_database_url)
    assert "只能恢复到空的位置" in run("restore", file, "--key", backups.key_file(), status=2)


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "backup.key"
    first = CliRunner().invoke(cli, ["backup", "key", str(file)])
    assert first.exit_code == 0 and file.stat().st_mode & 0o077 == 0
    kept = file.read_text()
    secret = next(line for line in kept.splitlines() if line.startswith("AGE-SECRET-KEY-1"))
    public = str(pyrage.x25519.Identity.from_str(secret).to_public())
    assert f"BACKUP_RECIPIENT={public}" in first.output and secret not in first.output
    assert CliRunner().invoke(cli, ["backup", "key", str(file)]).exit_code == 2
    assert file.read_text() == kept
