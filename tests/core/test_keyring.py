"""The keys of an installation stand in its database, and only its secret opens them."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import delete, insert, select, text, update

from app import create_app
from cli.commands import cli
from core import clock, privacy
from core.config import Settings
from core.db import Database
from core.keys import keyring, stored
from core.keys.keyring import PURPOSES, UnknownKey
from core.models import IdempotencyKey, InstallationKey
from tests.command_line import command_line
from tests.conftest import DATA_KEY
from tests.newcomers import apply
from tests.people import Person

OTHER_KEY = "the key of another installation, long enough"


@pytest.fixture(autouse=True)
def _keys() -> object:
    yield
    privacy.install(DATA_KEY)


def test_each_purpose_has_a_key_of_its_own_that_nothing_else_follows_from(database: Database) -> None:
    ring = stored.read(database.engine, DATA_KEY)
    keys = [key.bytes for purpose in PURPOSES for key in ring.all(purpose)]
    assert len(set(keys)) == len(keys) >= 4 and all(len(key) == 32 for key in keys)
    assert ring.get("history", ring.current("history").id) == ring.current("history")
    with pytest.raises(UnknownKey):
        ring.get("history", "99")
    assert ring.current("history").bytes.hex() not in repr(ring.current("history"))


def test_the_keys_are_the_same_at_every_start_and_stand_in_the_table_wrapped(database: Database) -> None:
    first, again = stored.read(database.engine, DATA_KEY), stored.read(database.engine, DATA_KEY)
    for purpose in PURPOSES:
        assert first.all(purpose) == again.all(purpose)
    with database.read() as session:
        table = "\n".join(session.scalars(select(InstallationKey.wrapped)))
    for purpose in PURPOSES:
        for key in first.all(purpose):
            assert key.bytes.hex() not in table and DATA_KEY not in table


def test_a_wrong_secret_is_refused_with_one_sentence_that_names_both(settings: Settings, database: Database) -> None:
    wrong = settings.model_copy(update={"data_key": SecretStr(OTHER_KEY)})
    with pytest.raises(stored.WrongKey) as refused:
        create_app(wrong)
    said = str(refused.value)
    assert stored.secret_id(DATA_KEY) in said and stored.secret_id(OTHER_KEY) in said and "\n" not in said
    with command_line(wrong) as run:
        for command in (("database", "check"), ("prepare",), ("history", "verify")):
            printed = run(*command, status=2).stderr
            assert "密钥不对" in printed and len(printed.splitlines()) == 1, command


def test_a_key_that_was_changed_or_swapped_in_the_table_is_refused(database: Database) -> None:
    of = {purpose: (InstallationKey.purpose == purpose) & (InstallationKey.number == 1) for purpose in PURPOSES}
    with database.write() as session:
        history = session.scalar(select(InstallationKey.wrapped).where(of["history"]))
        session.execute(update(InstallationKey).where(of["hashing"]).values(wrapped=history))
    with pytest.raises(stored.WrongKey, match="installation_keys"):
        stored.read(database.engine, DATA_KEY)


def test_a_purpose_without_keys_is_refused(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(InstallationKey).where(InstallationKey.purpose == "history"))
    with pytest.raises(stored.WrongKey, match="installation_keys"):
        stored.read(database.engine, DATA_KEY)


def test_a_database_of_an_earlier_release_is_not_given_the_keys_of_another_secret(
    database: Database, county_inspector: Person
) -> None:
    with database.write() as session:
        session.execute(delete(InstallationKey))
        session.execute(text("UPDATE users SET mobile = :sealed"), {"sealed": privacy.seal("13800000001")})
    with pytest.raises(stored.WrongKey, match="密钥不对"):
        stored.read(database.engine, OTHER_KEY)
    with database.read() as session:
        assert session.scalar(select(InstallationKey.number).limit(1)) is None
    ring = stored.read(database.engine, DATA_KEY)
    assert ring.get("sealing", "0")


def test_writes_that_a_phone_repeats_across_the_upgrade_are_recognised(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(InstallationKey))
        session.execute(insert(IdempotencyKey).values(key=b"k" * 32, at=clock.now()))
    ring = stored.read(database.engine, DATA_KEY)
    assert ring.current("receipts").bytes == ring.current("hashing").bytes


def test_a_key_that_another_process_made_is_found(database: Database) -> None:
    stored.open_keys(database.engine, DATA_KEY)
    with database.write() as session:
        row = session.scalars(select(InstallationKey).where(InstallationKey.purpose == "history")).one()
        wrapped = stored._wrap(DATA_KEY, "history", 2, b"n" * 32)
        session.add(
            InstallationKey(purpose="history", number=2, secret_id=row.secret_id, wrapped=wrapped, made_at=clock.now())
        )
    assert keyring.get("history", "2").bytes == b"n" * 32
    assert keyring.current("history").id == "2"


def test_readyz_says_that_the_secret_is_not_that_of_the_database(client: FlaskClient, database: Database) -> None:
    assert client.get("/readyz").get_json()["checks"]["keys"] == "ok"
    with database.write() as session:  # as if another database had been restored under the running server
        session.execute(update(InstallationKey).values(secret_id="00000000"))
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.get_json()["checks"]["keys"].startswith("wrong")


def test_a_lost_key_is_refused_with_one_sentence_and_no_other_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": "", "DATA_KEY": "", "DEMO": "0"}.items():
        monkeypatch.setenv(name, value)
    run = CliRunner()
    assert run.invoke(cli, ["prepare"]).exit_code == 0
    kept = (tmp_path / "data" / "data.key").read_text()
    for lost, said in ((None, "密钥"), (OTHER_KEY, "密钥不对")):
        (tmp_path / "data" / "data.key").unlink()
        if lost is not None:
            (tmp_path / "data" / "data.key").write_text(lost)
        for command in (["database", "check"], ["prepare"], ["keys", "rotate"], ["history", "verify"]):
            answer = run.invoke(cli, command)
            assert answer.exit_code == 2 and said in answer.stderr, command
            assert len(answer.stderr.strip().splitlines()) == 1
        if lost is None:
            assert not (tmp_path / "data" / "data.key").exists()
            (tmp_path / "data" / "data.key").write_text("")
    (tmp_path / "data" / "data.key").write_text(kept)
    assert run.invoke(cli, ["database", "check"]).exit_code == 0


def test_keys_that_were_deleted_from_the_table_are_not_made_anew(client: FlaskClient, database: Database) -> None:
    apply(client)
    with database.write() as session:
        session.execute(delete(InstallationKey))
    with pytest.raises(stored.WrongKey):
        stored.read(database.engine, DATA_KEY)
    with database.read() as session:
        assert session.scalar(select(InstallationKey.number).limit(1)) is None
