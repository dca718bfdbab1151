"""Fixtures: a migrated database with regions, forms and people; the application over it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from pydantic import SecretStr

os.environ.setdefault("LOG_LEVEL", "ERROR")

from accounts import offices, operations
from accounts.models import Region
from accounts.regions.loading import area_rows, load_regions
from accounts.sign_in import passwords
from accounts.verbs import DEFAULT_ROLES
from app import create_app
from core import privacy
from core.clock import now, today
from core.config import Settings
from core.database import migrate
from core.db import Database
from core.forms.library import FormLibrary
from core.keys import stored
from inspection import campaigns
from inspection.dictionaries import seeds as dictionary_seeds
from miniapp_api.http.limits import limiter
from miniapp_api.http.wiring import KEY
from tests import node, parties, quick, rounds, signing_in
from tests.databases import ResettableDatabase, checkpoint, copy_sqlite, postgres_answers, postgres_database
from tests.documented import only_documented_answers
from tests.people import PASSWORD, PEOPLE, Person

ROOT = Path(__file__).resolve().parent.parent
DATA_KEY = "a key for tests only, of some length"
NOW = "2026-11-21T10:00:00+08:00"

POSTGRES = postgres_answers()
DIALECTS = ["sqlite", "postgresql"] if POSTGRES else ["sqlite"]

LEFT_OUT = pytest.StashKey[list[pytest.Item]]()
"""What this run collected and does not run."""


quick.install()


def pytest_configure(config: pytest.Config) -> None:
    """Folders of tests stand in memory where there is room, unless `--basetemp` says otherwise."""
    quick.collecting()
    folder = quick.folder_in_memory()
    if folder is not None and not config.option.basetemp and not hasattr(config, "workerinput"):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.hookimpl(tryfirst=True)  # before `-m` asks for the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    named = {Path(argument.partition("::")[0]).name for argument in config.args}
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        if rounds.is_for_the_other_database(item, DIALECTS):
            item.add_marker("other_database")
        if rounds.is_left_to_rounds(item):
            item.add_marker("only_in_rounds")
        later = item.get_closest_marker("only_in_rounds") or (rounds.FEW and item.get_closest_marker("other_database"))
        elsewhere = item.get_closest_marker("in_make_check") and item.path.name not in named
        (left_out if (later and not rounds.ALL) or elsewhere else kept).append(item)
    config.stash[LEFT_OUT] = left_out
    config.hook.pytest_deselected(items=left_out)
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = rounds.waiting_first(kept, workers) if workers > 1 else kept


def pytest_collection_finish() -> None:
    quick.collected()


def pytest_report_header() -> str:
    return "databases: " + ", ".join(DIALECTS) + ("" if POSTGRES else " (PostgreSQL does not answer: skipped)")


def fill(database: Database) -> None:
    """Regions, dictionaries, forms and people, as every test finds them."""
    password_hash = passwords.hash_password(PASSWORD)
    with database.write() as session:
        load_regions(session, [row for row in area_rows() if row.code[:2] in ("32", "33", "50", "42")])
        dictionary_seeds.load_seeds(session)
        campaigns.load_standing(session)
        for username, code in PEOPLE.items():
            region = session.get_one(Region, code)
            office_id = offices.bureau_of(session, region)
            roles = list(DEFAULT_ROLES[region.level])
            operations.create_user(session, office_id, username, password_hash, roles, must_change_password=False)
    library = FormLibrary(database)
    for path in sorted((ROOT / "inspection" / "forms").glob("*.json")):
        library.publish(json.loads(path.read_text()))


FIRST_DAY = today()


@pytest.fixture(autouse=True)
def _the_day_on_which_the_run_began() -> Iterator[None]:
    """What tests call today was asked once, when they were imported: a run that goes on past midnight stays on it."""
    passed = today() - FIRST_DAY
    with time_machine.travel(now() - passed) if passed else nullcontext():
        yield


@pytest.fixture(scope="session")
def client_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the client, with the packages of its core; skips where Node is missing."""
    return node.installed_client(tmp_path_factory)


def _migrate_and_fill(database: Database) -> None:
    migrate.upgrade(database.engine)
    stored.open_keys(database.engine, DATA_KEY)
    fill(database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    privacy.install(DATA_KEY)
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    database = Database(f"sqlite:///{path}")
    _migrate_and_fill(database)
    with database.engine.connect() as connection:
        checkpoint(connection)
    database.dispose()
    return path


def settings_of(database_url: str, data_dir: Path) -> Settings:
    """What tests set, for one database and folder."""
    return quick.settings(
        data_key=SecretStr(DATA_KEY), log_level="ERROR",
        sign_in_limit="100000 per minute", application_limit="100000 per minute",
    ).model_copy(deep=True, update={"database_url": database_url, "data_dir": data_dir})  # fmt: skip


@pytest.fixture(scope="session")
def sqlite_with_parties(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template with both sides of a filing in it (`tests/parties.py`), for the tests that ask for `parties`.

    They came an hour before whatever time such a test may be set to.
    """
    folder = tmp_path_factory.mktemp("parties")
    path = folder / "template.sqlite3"
    with time_machine.travel(min(now(), datetime.fromisoformat(NOW)) - timedelta(hours=1)):
        application = create_app(settings_of(copy_sqlite(sqlite_template, path), folder))
        parties.fill(application)
    database: Database = application.extensions[KEY].database
    with database.engine.connect() as connection:
        checkpoint(connection)
    database.dispose()
    return path


@pytest.fixture(scope="session")
def filled_postgres() -> Iterator[ResettableDatabase]:
    privacy.install(DATA_KEY)

    def fill_at(url: str) -> None:
        database = Database(url)
        _migrate_and_fill(database)
        database.dispose()

    with postgres_database() as url:
        resettable = ResettableDatabase(url, fill_at)
        yield resettable
        resettable.close()


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a filled database that this test has to itself."""
    if dialect == "sqlite":
        template = "sqlite_with_parties" if "parties" in request.fixturenames else "sqlite_template"
        yield copy_sqlite(request.getfixturevalue(template), tmp_path / "test.sqlite3")
        return
    filled: ResettableDatabase = request.getfixturevalue("filled_postgres")
    filled.reset()
    yield filled.url.render_as_string(hide_password=False)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_of(database_url, tmp_path)


@pytest.fixture
def application(settings: Settings) -> Iterator[APIFlask]:
    application = create_app(settings)
    limiter.reset()
    with only_documented_answers(application):
        yield application
    application.extensions[KEY].database.dispose()


@pytest.fixture
def database(application: APIFlask) -> Database:
    found: Database = application.extensions[KEY].database
    return found


@pytest.fixture
def client(application: APIFlask) -> FlaskClient:
    return application.test_client()


@pytest.fixture
def sign_in(application: APIFlask, client: FlaskClient) -> Callable[[str], Person]:
    """Sign someone in by name."""

    def signed_in(username: str, password: str = PASSWORD) -> Person:
        token = signing_in.token_of(application, username, password)
        if token is not None:
            return Person(username, client, token)
        answer = client.post("/api/v1/sessions", json={"username": username, "password": password})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        assert answer.json is not None
        return Person(username, client, answer.json["token"])

    return signed_in


@pytest.fixture
def county_inspector(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("county_inspector")


@pytest.fixture
def county_colleague(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("county_colleague")


@pytest.fixture
def neighbour_inspector(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("neighbour_inspector")


@pytest.fixture
def city_reviewer(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("city_reviewer")


@pytest.fixture
def province_user(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("province_user")


@pytest.fixture
def other_city_user(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("other_city_user")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at `NOW` and can be moved."""
    with time_machine.travel(NOW, tick=False) as coordinates:
        yield coordinates
