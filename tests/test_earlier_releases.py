"""Data made by every earlier release is upgraded and works; what was never released is refused with one sentence.

`tests/fixtures/releases/` holds a data folder of each release, with the demo, one photo and its thumbnail:
`VERSION-sqlite.tar.xz` as it stood, `VERSION-postgresql.tar.xz` with a dump of the database in `dump.sql`.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from sqlalchemy import inspect, text

from core import privacy
from core.config import Settings
from core.database import migrate
from core.db import Database
from tests.command_line import command_line
from tests.databases import postgres_database
from tests.rounds import others_in_rounds
from tests.servers import running_server
from tests.test_tour import needs_curl, take_the_tour

RELEASES = Path(__file__).resolve().parent / "fixtures" / "releases"
VERSIONS = sorted({path.name.partition("-")[0] for path in RELEASES.iterdir()})

RENAMED = {"receipts": "idempotency_keys", "rating_gates": "rating_windows"}
"""Tables that have another name since."""
ON_ONE_RELEASE = pytest.mark.parametrize("earlier", others_in_rounds(VERSIONS, VERSIONS[0]), indirect=True)
REVISIONS = {"0.1.0": "0004", "0.2.0": "0011", "0.3.0": "0027"}


@dataclass(frozen=True)
class Installation:
    """What an administrator of an earlier release has."""

    version: str
    folder: Path
    url: str

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder, database_url=self.url, data_key=self.key, log_level="ERROR")

    @property
    def key(self) -> str:
        return (self.folder / "data.key").read_text().strip()


@pytest.fixture(params=VERSIONS)
def earlier(request: pytest.FixtureRequest, dialect: str, tmp_path: Path) -> Iterator[Installation]:
    """The data of an earlier release, unpacked."""
    with tarfile.open(RELEASES / f"{request.param}-{dialect}.tar.xz") as archive:
        # Python 3.11.2, which Debian 12 has, knows no filters yet.
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    if dialect == "sqlite":
        yield Installation(request.param, tmp_path, f"sqlite:///{tmp_path / 'gongpin.sqlite3'}")
        return
    with postgres_database() as url:
        address = url.render_as_string(hide_password=False)
        # Commands of psql itself, which begin with a backslash, are no SQL.
        dump = [line for line in (tmp_path / "dump.sql").read_text().splitlines() if not line.startswith("\\")]
        database = Database(address)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("\n".join(dump).replace("%", "%%"))
            connection.commit()
        database.dispose()
        yield Installation(request.param, tmp_path, address)


def counts(database: Database) -> dict[str, int]:
    tables = set(inspect(database.engine).get_table_names()) - {"alembic_version"}
    with database.read() as session:
        return {name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def test_its_rows_are_kept_and_the_tables_become_those_of_the_code(earlier: Installation) -> None:
    database = Database(earlier.url)
    privacy.install(earlier.key)  # as whatever upgrades does
    before = counts(database)
    with database.read() as session:
        ordered = session.execute(
            text("SELECT count(*) FROM filings WHERE kind = 'rectification' AND subject_id IS NULL")
        ).scalar_one()
    assert before["inspections"] > 150 and before["ratings"] and before["files"] and before["filings"]
    migrate.upgrade(database.engine)
    assert migrate.differences(database.engine) == []
    after = counts(database)
    if REVISIONS[earlier.version] < "0018":
        # Rectifications that an office ordered without a check stand among the supervision checks since then.
        before["supervision_checks"] += ordered
    assert before.pop("confirmations", 0) == 0  # dropped since: no kind of a release had any
    assert {name: after[RENAMED.get(name, name)] for name in before} == before
    with command_line(earlier.settings) as run:
        assert "一致" in run("database", "check").stdout
        run("history", "verify")
        run("history", "seal")  # which notes how users and offices stand
        run("history", "verify")
        run("tallies", "reconcile")
        run("ratings", "reconcile")
    database.dispose()


@needs_curl
@pytest.mark.rounds
@ON_ONE_RELEASE
def test_the_tour_runs_on_it(earlier: Installation) -> None:
    with running_server(earlier.folder, DATABASE_URL=earlier.url) as base:
        take_the_tour(base, earlier.folder)
        assert requests.get(f"{base}/readyz", timeout=10).status_code == 200


@ON_ONE_RELEASE
def test_a_folder_of_a_state_that_was_never_released_is_refused_with_one_sentence(earlier: Installation) -> None:
    database = Database(earlier.url)
    with database.write() as session:
        session.execute(text("DROP TABLE calendar_years"))
    for _ in range(2):  # nothing was changed meanwhile
        with command_line(earlier.settings) as run:
            for command in (("prepare",), ("database", "upgrade"), ("database", "check")):
                said = run(*command, status=2).stderr
                assert "calendar_years" in said and "不能升级" in said and "Traceback" not in said, command
                assert len(said.splitlines()) == 1
    assert migrate.revision_of(database.engine) == REVISIONS[earlier.version]
    database.dispose()


@ON_ONE_RELEASE
def test_a_column_that_is_missing_at_the_newest_revision_is_refused_at_the_start(earlier: Installation) -> None:
    database = Database(earlier.url)
    migrate.upgrade(database.engine)
    with database.write() as session:
        session.execute(text("ALTER TABLE campaigns RENAME COLUMN name TO caption"))
    with command_line(earlier.settings) as run:
        assert "campaigns.name" in run("prepare", status=2).stderr
    database.dispose()
