"""The secret that wraps the keys is changed while servers run: nothing is lost, and the former one opens nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import select

from accounts.models import User
from app import create_app
from cli.commands import cli
from core import privacy
from core.config import KEY_FILE, Settings, SettingsError, load_settings
from core.db import Database
from core.keys import rewrapping, rotation, stored
from tests.command_line import command_line
from tests.conftest import DATA_KEY
from tests.newcomers import MOBILE, join
from tests.people import Person

NEW = "another secret of this installation, long enough"
THIRD = "a third secret of this installation, long enough"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("cli.keys.time.sleep", lambda _seconds: None)
    yield
    privacy.install(DATA_KEY)


def opens(settings: Settings, secret: str) -> bool:
    try:
        create_app(settings.model_copy(update={"data_key": SecretStr(secret)}))
    except stored.WrongKey:
        return False
    return True


@pytest.mark.usefixtures("clock")
def test_both_secrets_open_until_the_change_is_finished_and_then_the_new_one_alone(
    settings: Settings, database: Database, city_reviewer: Person, tmp_path: Path
) -> None:
    join(city_reviewer.client, city_reviewer)
    target = tmp_path / "new-key"
    with command_line(settings) as run:
        assert "--write-to" in run("keys", "change-secret", status=2).stderr
        said = run("keys", "change-secret", "--write-to", target).stdout
        new = target.read_text().strip()
        assert stored.secret_id(new) in said and new not in said and target.stat().st_mode & 0o077 == 0
        run("keys", "change-secret", "--write-to", target)  # what was cut off is done again, with the same secret
        assert run("keys", "rotate", status=2).stderr.count("更换主密钥尚未完成") == 1
        assert opens(settings, DATA_KEY) and opens(settings, new)
    with command_line(settings.model_copy(update={"data_key": SecretStr(new)})) as run:
        assert "已更换" in run("keys", "change-secret").stdout
        assert opens(settings, new) and not opens(settings, DATA_KEY)
        listed = run("keys", "list").stdout
        assert stored.secret_id(new) in listed and stored.secret_id(DATA_KEY) not in listed
        assert "完整" in run("history", "verify").stdout
    with database.read() as session:
        assert session.scalar(select(User.mobile).where(User.username == "zhonglou_li")) == MOBILE


def test_a_change_is_given_up_by_the_former_secret_and_by_it_alone(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    rewrapping.begin(database.engine, DATA_KEY, NEW)
    with command_line(settings.model_copy(update={"data_key": SecretStr(NEW)})) as run:
        assert "不能放弃" in run("keys", "change-secret", "--discard", status=2).stderr
    with command_line(settings) as run:
        # Its file is lost: another one cannot be begun before this one is given up.
        assert "--discard" in run("keys", "change-secret", "--write-to", tmp_path / "x", status=2).stderr
        assert not (tmp_path / "x").exists()
        assert "已放弃" in run("keys", "change-secret", "--discard").stdout
        assert "没有正在进行" in run("keys", "change-secret", "--discard").stdout
    assert opens(settings, DATA_KEY) and not opens(settings, NEW)


def test_two_changes_at_once_do_not_mix(database: Database) -> None:
    rewrapping.begin(database.engine, DATA_KEY, NEW)
    with pytest.raises(SettingsError, match="尚未完成"):
        rewrapping.begin(database.engine, DATA_KEY, THIRD)
    with pytest.raises(stored.WrongKey):
        rewrapping.finish(database.engine, THIRD)
    assert rewrapping.finish(database.engine, NEW) == 1
    assert rewrapping.finish(database.engine, NEW) == 0
    with pytest.raises(stored.WrongKey):
        rewrapping.finish(database.engine, DATA_KEY)


def test_a_secret_that_does_not_open_every_key_finishes_nothing(database: Database) -> None:
    rewrapping.begin(database.engine, DATA_KEY, NEW)
    with database.engine.begin() as connection:
        connection.execute(
            stored.TABLE.delete().where(stored.TABLE.c.secret_id == stored.secret_id(NEW), stored.TABLE.c.number == 0)
        )
    with pytest.raises(SettingsError, match="尚未完成"):
        rewrapping.finish(database.engine, NEW)
    assert len(rewrapping.secrets_of(database.engine)) == 2


def environment(folder: Path) -> dict[str, str]:
    return {"DATA_DIR": str(folder), "DATABASE_URL": "", "DATA_KEY": "", "DEMO": "0"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key file of its own, to be copied."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    answer = CliRunner().invoke(cli, ["prepare"], env=environment(folder))
    assert answer.exit_code == 0, answer.output
    return folder


@pytest.fixture
def manage(prepared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`./manage` over a folder with a key file of its own."""
    shutil.copytree(prepared, tmp_path / "data")
    for name, value in environment(tmp_path / "data").items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, status: int = 0) -> Result:
        answer = CliRunner().invoke(cli, list(arguments))
        assert answer.exit_code == status, answer.output + repr(answer.exception)
        return answer

    return run


def test_the_secret_of_a_file_is_replaced_and_a_running_server_reads_the_new_one(manage: Any, tmp_path: Path) -> None:
    file = tmp_path / "data" / KEY_FILE
    former, server = file.read_text(), load_settings()
    assert server.secret == former
    manage("keys", "change-secret")
    assert file.read_text() != former and file.stat().st_mode & 0o077 == 0
    assert server.secret == file.read_text()
    assert sorted(path.name for path in file.parent.glob(f"*{KEY_FILE}*")) == [KEY_FILE]
    manage("database", "check")
    file.write_text(former)
    for command in (("database", "check"), ("keys", "list")):
        assert "密钥不对" in manage(*command, status=2).stderr


@pytest.mark.parametrize("step", ["cli.keys.rewrapping.begin", "pathlib.Path.replace", "cli.keys.time.sleep"])
def test_a_change_that_is_cut_off_at_any_step_leaves_a_database_that_opens_and_goes_on(
    manage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "data" / KEY_FILE
    former = file.read_text()

    def cut_off(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(step, cut_off)
        manage("keys", "change-secret", status=1)
    manage("keys", "list")
    manage("keys", "change-secret")
    manage("keys", "list")
    assert file.read_text() != former and not file.with_name(f"{KEY_FILE}.next").exists()
    engine = Database(f"sqlite:///{tmp_path / 'data' / 'gongpin.sqlite3'}").engine
    assert rewrapping.secrets_of(engine) == [stored.secret_id(file.read_text())]
    engine.dispose()


@pytest.mark.usefixtures("clock")
def test_after_a_change_and_a_rotation_the_keys_of_sealing_and_history_follow_from_no_former_secret(
    database: Database,
) -> None:
    from composition.sealed_contents import BEFORE
    from core.keys import keyring

    rewrapping.begin(database.engine, DATA_KEY, NEW)
    rewrapping.finish(database.engine, NEW)
    rotation.rotate(database.engine, NEW, BEFORE, lambda _table, _tally: None, grace=rotation.GRACE * 0)
    ring, former = stored.read(database.engine, NEW), keyring.derived(DATA_KEY)
    for purpose in ("sealing", "history"):
        assert ring.current(purpose).bytes not in {key.bytes for key in former.all(purpose)}
    # Hashes cannot be made again (decision 0024).
    assert ring.all("hashing") == former.all("hashing")
