"""Two installations that prepare one database at the same moment, each with a data folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from cli.preparation import FORM_FOLDERS
from core.database import migrate, preparing
from core.db import make_engine
from tests.databases import postgres_database
from tests.rounds import rounds
from tests.servers import ROOT

ROUNDS = rounds(3, few=1)
SHIPPED = [path for folder in FORM_FOLDERS for path in (ROOT / folder).glob("*.json")]


def prepare_twice_at_once(database_url: str, tmp_path: Path, *command: str) -> list[str]:
    """Two real processes; what they printed, after both have ended well."""
    processes = [
        subprocess.Popen(
            [sys.executable, "cli/__main__.py", *(command or ("prepare",))], cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={
                **os.environ, "DATA_DIR": str(tmp_path / name), "DATABASE_URL": database_url, "DEMO": "0",
                "DATA_KEY": "one key for both installations, long",
            },
        )
        for name in ("here", "there")
    ]  # fmt: skip
    printed = [process.communicate(timeout=240)[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    assert not any("Traceback" in one for one in printed), printed
    return printed


def counts(engine: Engine) -> tuple[int, int, int]:
    """Regions, form versions and campaigns."""
    with engine.connect() as connection:
        one, two, three = (
            int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            for table in ("regions", "form_versions", "campaigns")
        )
    return one, two, three


@pytest.fixture
def empty_url(dialect: str, tmp_path: Path) -> object:
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'shared.sqlite3'}"
        return
    with postgres_database() as url:
        yield url.render_as_string(hide_password=False)


@pytest.mark.rounds
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_first_starts_on_one_empty_database_load_everything_once(
    empty_url: str, tmp_path: Path, _round: int
) -> None:
    printed = prepare_twice_at_once(empty_url, tmp_path)
    assert sorted("数据库结构已升级" in one for one in printed) == [False, True]
    engine = make_engine(empty_url)
    regions, forms, campaigns = counts(engine)
    engine.dispose()
    assert (regions > 3000, forms, campaigns) == (True, len(SHIPPED), 1)


@pytest.mark.parametrize("command", [(), pytest.param(("database", "upgrade"), marks=pytest.mark.only_in_rounds)])
def test_two_at_once_upgrade_a_database_of_an_earlier_state_once(
    empty_url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    engine = make_engine(empty_url)
    migrate.upgrade(engine, "0004")
    printed = prepare_twice_at_once(empty_url, tmp_path, *command)
    assert sorted("升级" in one for one in printed) == [False, True]
    assert migrate.is_current(engine)
    engine.dispose()


def test_who_waits_too_long_for_the_other_is_told_so(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "PATIENCE", 0.0)
    engine, other = make_engine(empty_url), make_engine(empty_url)
    with (
        preparing.one_at_a_time(engine),
        pytest.raises(migrate.SchemaError, match="另一个进程"),
        preparing.one_at_a_time(other),
    ):
        pass
    with preparing.one_at_a_time(other):
        pass
    engine.dispose()
    other.dispose()
