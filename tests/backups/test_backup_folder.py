"""Backups appear whole, old ones go, and a missing or old one is warned of."""

import errno
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from pydantic import SecretStr

from backups import backup_folder, before_upgrade, daily, making
from backups.archive import BackupError
from cli.preparation import prepare
from composition.jobs import background_jobs
from core import clock
from core.config import Settings, SettingsError, load_settings
from core.database import migrate
from core.db import Database
from core.keys import stored
from tests.backups.conftest import BackupPlace, rows
from tests.command_line import command_line

OWNER = "0123abcd"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.age"))


# ---- written whole or not at all


def test_a_full_disk_leaves_the_older_backups_and_no_half_one(
    filled: Settings, backups: BackupPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.make(filled)
    before = names(backups.folder)

    def full(pieces: Any, file: Any, _keys: Any) -> None:
        file.write(next(pieces))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(making, "encrypt", full)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)), pytest.raises(BackupError, match="磁盘空间不足"):
        backups.make(filled)
    assert names(backups.folder) == before
    assert not list(backups.folder.glob(".*.part"))
    monkeypatch.undo()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3)):
        assert "磁盘空间不足" in str(backup_folder.state(filled).warning)


def test_what_a_killed_one_left_is_removed_by_the_next(filled: Settings, backups: BackupPlace) -> None:
    backups.folder.mkdir()
    left = backups.folder / ".gongpin-20260101T000000Z-full.tar.age.part"
    left.write_bytes(b"half")
    backups.make(filled)
    assert not left.exists()


def test_two_at_once_are_one(filled: Settings, backups: BackupPlace) -> None:
    with backup_folder.one_at_a_time(backups.folder), pytest.raises(backup_folder.Busy):
        backups.make(filled)
    assert names(backups.folder) == []


def test_a_storage_that_fails_fails_the_backup(
    filled: Settings, backups: BackupPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assets.files.storage import Storage, StorageUnavailable

    def gone(*_arguments: Any) -> Any:
        raise StorageUnavailable("down")

    monkeypatch.setattr(Storage, "chunks", gone)
    with pytest.raises(BackupError, match="无法读取文件存储"):
        backups.make(filled)
    assert names(backups.folder) == []


@pytest.mark.in_make_test
def test_only_the_newest_are_kept_and_each_kind_by_itself(settings: Settings, backups: BackupPlace) -> None:
    settings.backup_keep = 2
    first = datetime(2026, 11, 1, tzinfo=UTC)
    for day in range(4):
        with time_machine.travel(first + timedelta(days=day), tick=False):
            backups.make(settings)
            backups.make(settings, files=False)
    assert [name[17:25] for name in names(backups.folder) if "full" in name] == ["20261103", "20261104"]
    assert len([name for name in names(backups.folder) if "database" in name]) == 4


def test_backups_are_for_the_owner_only_and_do_not_hold_themselves(filled: Settings, backups: BackupPlace) -> None:
    inside = filled.model_copy(update={"backup_dir": str(filled.data_dir / "backups")})
    first = backups.make(inside)
    assert first.path.stat().st_mode & 0o077 == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        second = backups.make(inside)
    assert second.summary.data.files == first.summary.data.files


@pytest.mark.in_make_test
@pytest.mark.parametrize("recipient", ["", "age1short", "AGE-SECRET-KEY-1" + "Q" * 58])
def test_a_folder_without_a_public_key_is_refused_at_the_start(
    recipient: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BACKUP_DIR", str(tmp_path / "backups"))
    monkeypatch.setenv("BACKUP_RECIPIENT", recipient)
    with pytest.raises(SettingsError, match="BACKUP_RECIPIENT"):
        load_settings()


# ---- every day


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.in_make_test
@pytest.mark.parametrize(
    ("newest", "now", "due"),
    [
        (None, "2026-11-21T12:00", True),
        ("2026-11-20T02:00", "2026-11-21T02:00", True),
        ("2026-11-21T01:30", "2026-11-21T02:00", False),
        ("2026-11-20T12:00", "2026-11-21T02:00", False),  # made by hand at noon: the next night is not due yet
        ("2026-11-20T12:00", "2026-11-21T18:00", True),
        ("2026-11-20T02:00", "2026-11-20T22:00", False),
        ("2026-11-20T02:00", "2026-11-21T08:00", True),  # off at night
    ],
)
def test_a_backup_is_due_at_night_or_when_a_night_was_missed(newest: str | None, now: str, due: bool) -> None:
    assert daily.due(newest and local(newest), local(now)) is due


def test_the_server_makes_one_by_itself(
    filled: Settings, backups: BackupPlace, application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DATA_DIR": filled.data_dir, "DATABASE_URL": filled.database_url, "S3_BUCKET": filled.s3_bucket,
        "S3_ENDPOINT": filled.s3_endpoint, "S3_ACCESS_KEY_ID": filled.s3_access_key_id,
        "S3_SECRET_ACCESS_KEY": filled.s3_secret_access_key.get_secret_value(),
        "DATA_KEY": filled.data_key.get_secret_value(), "BACKUP_DIR": filled.backup_dir,
        "BACKUP_RECIPIENT": filled.backup_recipient,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    jobs = background_jobs(application)
    assert "daily backup" not in jobs.run_once()  # nobody waits for it
    next(thread for thread in threading.enumerate() if thread.name == "daily backup").join()
    assert len(names(backups.folder)) == 1
    assert backup_folder.state(filled).word == "ok"


# ---- said


def test_readyz_says_how_backups_stand(client: FlaskClient, settings: Settings, backups: BackupPlace) -> None:
    def said() -> str:
        answer = client.get("/readyz")
        assert answer.status_code == 200
        return str(answer.get_json()["checks"]["backup"])

    assert said() == "none yet"
    backups.make(settings)
    assert said() == "ok"
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=35)):
        assert said() == "ok"
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=37)):
        assert said().startswith("stale: newest of ")
    backups.folder.rename(backups.folder.parent / "unmounted")
    backups.folder.write_bytes(b"")
    assert said() == "folder unreachable"
    settings.backup_dir = ""
    assert said() == "not configured"


# ---- before an upgrade


def older(database: Database) -> dict[str, list[Any]]:
    """Take the database a revision back; what is in it then."""
    migrate.downgrade(database.engine, "0004")
    return rows_of_users(database)


def rows_of_users(database: Database) -> dict[str, list[Any]]:
    with database.read() as session:
        return {"users": session.execute(migrate.text("SELECT id, username FROM users ORDER BY id")).all()}


@pytest.mark.in_make_test
def test_the_schema_is_upgraded_only_after_a_copy_was_kept(
    filled: Settings, database: Database, backups: BackupPlace, dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = older(database)
    prepare(filled.model_copy(update={"demo": False}), database)
    assert migrate.is_current(database.engine)
    said = capsys.readouterr().out
    assert said.index("升级前的备份") < said.index("数据库结构已升级")
    (backup,) = names(backups.folder)
    assert backup.endswith("-database.tar.age")
    if dialect == "sqlite":
        (copy,) = (filled.data_dir / before_upgrade.FOLDER).iterdir()
        assert copy.stat().st_mode & 0o077 == 0
        assert f"{copy}（未加密的内容原样保留其中，确认升级无误后请删除）" in said
        with closing(sqlite3.connect(copy)) as kept:
            assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0004",)
            assert kept.execute("SELECT count(*) FROM users").fetchone() == (len(before["users"]),)


def test_a_backup_before_an_upgrade_goes_beside_the_files_that_are_there(
    filled: Settings, backups: BackupPlace, dialect: str
) -> None:
    """The way back after an upgrade: the database is set aside, the files stay."""
    if dialect != "sqlite":
        pytest.skip("the same code; a database that is set aside is simplest as a file")
    before = rows(filled.resolved_database_url)
    made = backups.make(filled, files=False)
    file = Path(filled.resolved_database_url.removeprefix("sqlite:///"))
    for ending in ("", "-wal", "-shm"):
        Path(f"{file}{ending}").unlink(missing_ok=True)
    backups.restore(made.path, filled)
    assert rows(filled.resolved_database_url) == before


def test_without_room_for_a_copy_nothing_is_upgraded(
    settings: Settings, database: Database, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if dialect != "sqlite":
        pytest.skip("only a SQLite file is copied")
    settings.backup_dir = ""
    older(database)
    monkeypatch.setattr(backup_folder, "room", lambda _folder: 1024)
    with pytest.raises(BackupError, match=r"磁盘空间不足.*没有升级"):
        prepare(settings, database)
    assert not migrate.is_current(database.engine)
    with command_line(settings) as run:
        run("database", "upgrade", status=2)
        assert not migrate.is_current(database.engine)
        run("database", "upgrade", "--without-copy")
    assert migrate.is_current(database.engine)


def test_a_backup_that_fails_stops_the_upgrade(
    settings: Settings, database: Database, backups: BackupPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    older(database)
    backups.folder.write_bytes(b"not a folder")
    try:
        with pytest.raises(BackupError):
            prepare(settings, database)
        assert not migrate.is_current(database.engine)
    finally:
        migrate.upgrade(database.engine)  # PostgreSQL's is used by the next test


def test_an_empty_database_needs_no_copy(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = Database(settings.resolved_database_url)
    assert before_upgrade.keep_a_copy(settings, database) == []
    database.dispose()


def test_three_copies_are_kept(settings: Settings, database: Database, dialect: str) -> None:
    if dialect != "sqlite":
        pytest.skip("only a SQLite file is copied")
    settings.backup_dir = ""
    for hour in range(5):
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=hour)):
            before_upgrade.keep_a_copy(settings, database)
    assert len(list((settings.data_dir / before_upgrade.FOLDER).iterdir())) == 3


def test_a_backup_that_a_wrong_clock_dated_ahead_counts_for_nothing(tmp_path: Path) -> None:
    ahead = tmp_path / f"gongpin-{OWNER}-20990101T000000Z-full.tar.age"
    today = tmp_path / f"gongpin-{OWNER}-{clock.now():%Y%m%dT%H%M%S}Z-full.tar.age"
    ahead.touch()
    assert backup_folder.newest_full(tmp_path, OWNER) is None
    today.touch()
    assert backup_folder.newest_full(tmp_path, OWNER) is not None
    assert backup_folder.prune(tmp_path, "full", 1, OWNER) == []
    assert ahead.exists() and today.exists()


def test_a_backup_that_is_dated_ahead_is_named(settings: Settings, backups: BackupPlace) -> None:
    made = backups.make(settings)
    assert backup_folder.state(settings).word == "ok"
    ahead = made.path.with_name(f"gongpin-{backup_folder.owner_of(settings)}-20990101T000000Z-full.tar.age")
    ahead.touch()
    found = backup_folder.state(settings)
    assert found.word == f"dated ahead: {ahead.name}" and found.warning is not None
    assert ahead.name in found.warning and "核对服务器时间" in found.warning
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=40)):
        late = backup_folder.state(settings)
    assert late.word.startswith("stale") and late.warning is not None
    assert "已超过 36 小时" in late.warning and ahead.name in late.warning


def test_two_installations_in_one_folder_leave_each_others_backups_alone(
    settings: Settings, backups: BackupPlace, tmp_path: Path
) -> None:
    settings.backup_keep = 1
    neighbour = settings.model_copy(
        update={
            "data_key": SecretStr("k" * 40), "data_dir": tmp_path / "neighbour",
            "database_url": f"sqlite:///{tmp_path / 'neighbour' / 'gongpin.sqlite3'}",
        }
    )  # fmt: skip
    (tmp_path / "neighbour" / "incoming").mkdir(parents=True)
    with closing(Database(neighbour.database_url).engine.connect()) as connection:
        migrate.upgrade(connection.engine)
        stored.open_keys(connection.engine, "k" * 40)
    first = datetime(2026, 11, 1, tzinfo=UTC)
    for day in range(2):
        with time_machine.travel(first + timedelta(days=day), tick=False):
            backups.make(settings)
            assert backup_folder.state(settings).word == "ok"
    with time_machine.travel(first + timedelta(days=3), tick=False):
        # The neighbour has none of its own, whatever lies there; and what it makes counts for nobody else.
        assert backup_folder.state(neighbour).word == "none yet"
        backups.make(neighbour)
        assert backup_folder.state(neighbour).word == "ok" and backup_folder.state(settings).word.startswith("stale")
    owners = {one.owner for one in backup_folder.listed(backups.folder)}
    assert (
        owners == {backup_folder.owner_of(settings), backup_folder.owner_of(neighbour)}
        and len(names(backups.folder)) == 2
    )
    assert all(settings.data_key.get_secret_value()[:4] not in owner for owner in owners)


def test_backups_of_before_there_were_numbers_count_and_are_left_alone(
    settings: Settings, backups: BackupPlace
) -> None:
    settings.backup_keep = 1
    made = backups.make(settings)
    old = made.path.rename(made.path.with_name(made.path.name.replace(f"{backup_folder.owner_of(settings)}-", "")))
    assert backup_folder.state(settings).word == "ok"
    for hours in (1, 2):
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours), tick=False):
            backups.make(settings)
    assert old.exists() and len(names(backups.folder)) == 2


def test_a_backup_that_hangs_is_given_up_and_told(
    settings: Settings, backups: BackupPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backups.folder.mkdir()
    program = tmp_path / "hangs.py"
    program.write_text("import signal; signal.pause()")
    monkeypatch.setattr(daily, "PROGRAM", program)
    monkeypatch.setattr(daily, "LONGEST", timedelta(seconds=0.5))
    with pytest.raises(BackupError, match="已中止"):
        daily.run(settings)
    assert "已中止，请检查备份目录" in str(backup_folder.state(settings).warning)
