"""While half a restore lies there, or the key is gone, no command opens the data, and none makes another key."""

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from backups import interrupted
from cli.commands import cli
from core.config import KEY_FILE, Settings
from tests.backups.conftest import execute
from tests.conftest import DATA_KEY, DIALECTS
from tests.people import Person

COMMANDS = [
    ["users", "list"], ["offices", "list"], ["tallies", "reconcile"], ["history", "verify"], ["files", "sweep"],
    ["idempotency-keys", "sweep"], ["calendar", "list"], ["forms", "list"], ["database", "check"],
    ["database", "upgrade"], ["backup", "make"], ["demo", "load"], ["prepare"], ["serve"],
]  # fmt: skip


@pytest.fixture
def environment(settings: Settings, county_inspector: Person, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with users, as the environment names it, whose key stands in its folder."""
    for name in [name for name in os.environ if name.startswith(("S3_", "DATA", "BACKUP"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("DATABASE_URL", settings.resolved_database_url)
    monkeypatch.setenv("DEMO", "0")
    (settings.data_dir / KEY_FILE).write_text(DATA_KEY)
    return settings


def run(arguments: list[str]) -> Any:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_opens_what_a_restore_left_half_done(environment: Settings, arguments: list[str]) -> None:
    (environment.data_dir / KEY_FILE).unlink()
    note = environment.data_dir / interrupted.STAGING / interrupted.NOTE
    note.parent.mkdir()
    note.write_text("{}")
    answer = run(arguments)
    assert answer.exit_code == 2, answer.output + repr(answer.exception)
    assert "上一次恢复被中断" in answer.output and "./manage restore" in answer.output
    assert not (environment.data_dir / KEY_FILE).exists()


@pytest.mark.parametrize("dialect", ["postgresql"] if "postgresql" in DIALECTS else [], indirect=True)
def test_no_command_opens_a_database_into_which_a_restore_is_under_way(environment: Settings) -> None:
    execute(environment.resolved_database_url, "CREATE TABLE restore_in_progress (begun_at timestamptz)")
    try:
        answers = [run(arguments) for arguments in (["users", "list"], ["history", "verify"])]
    finally:  # the database is lent to other tests as well
        execute(environment.resolved_database_url, "DROP TABLE restore_in_progress")
    assert all(answer.exit_code == 2 and "未完成的恢复" in answer.output for answer in answers)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_new_key_is_made_beside_data_whose_key_is_gone(environment: Settings, arguments: list[str]) -> None:
    (environment.data_dir / KEY_FILE).rename(environment.data_dir / "elsewhere")
    answer = run(arguments)
    assert answer.exit_code == 2, answer.output + repr(answer.exception)
    assert KEY_FILE in answer.output and "请放回原来的" in answer.output
    assert not (environment.data_dir / KEY_FILE).exists()
    (environment.data_dir / "elsewhere").rename(environment.data_dir / KEY_FILE)
    assert run(["users", "list"]).exit_code == 0


def test_the_list_of_backups_can_be_read_all_the_same(environment: Settings, tmp_path: Path) -> None:
    """Whoever has to restore again looks for the file there."""
    (environment.data_dir / interrupted.STAGING).mkdir()
    (environment.data_dir / interrupted.STAGING / interrupted.NOTE).write_text("{}")
    answer = CliRunner(env={"BACKUP_DIR": str(tmp_path), "BACKUP_RECIPIENT": environment.backup_recipient}).invoke(
        cli, ["backup"]
    )
    assert answer.exit_code == 1 and "还没有完整备份" in answer.output


@pytest.mark.in_make_test
def test_a_new_installation_gets_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new"))
    for name in ("DATABASE_URL", "DATA_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert run(["database", "upgrade"]).exit_code == 0
    assert len((tmp_path / "new" / KEY_FILE).read_text()) > 32
