from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import RegionLevel
from accounts.regions.loading import RegionRow, load_regions
from core import privacy
from core.db import Base, Database
from core.keys import keyring
from tests.conftest import POSTGRES
from tests.databases import ResettableDatabase, checkpoint, copy_sqlite, postgres_database

REGIONS = [
    RegionRow("320000", "江苏省", RegionLevel.PROVINCE),
    RegionRow("320400", "常州市", RegionLevel.CITY, "320000"),
    RegionRow("320402", "天宁区", RegionLevel.COUNTY, "320400"),
    RegionRow("320404", "钟楼区", RegionLevel.COUNTY, "320400"),
    RegionRow("320100", "南京市", RegionLevel.CITY, "320000"),
    RegionRow("320106", "鼓楼区", RegionLevel.COUNTY, "320100"),
    RegionRow("320300", "徐州市", RegionLevel.CITY, "320000"),
    RegionRow("320302", "鼓楼区", RegionLevel.COUNTY, "320300"),
    RegionRow("441900", "东莞市", RegionLevel.CITY, "440000"),
    RegionRow("440000", "广东省", RegionLevel.PROVINCE),
]


@pytest.fixture(scope="session")
def register_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("register") / "register.db"
    _fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def register_postgres() -> Iterator[ResettableDatabase]:
    with postgres_database() as url:
        resettable = ResettableDatabase(url, _fill)
        yield resettable
        resettable.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def register_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty register with a few regions, on each database that answers."""
    if request.param == "sqlite":
        url = copy_sqlite(request.getfixturevalue("register_template"), tmp_path / "register.db")
    elif not POSTGRES:
        pytest.skip("no PostgreSQL answers")
    else:
        filled: ResettableDatabase = request.getfixturevalue("register_postgres")
        filled.reset()
        url = filled.url.render_as_string(hide_password=False)
    database = Database(url)
    yield database
    database.dispose()


def _fill(url: str) -> None:
    try:
        keyring.installed()
    except RuntimeError:
        privacy.install("k" * 40)  # the history of the regions has a keyed digest
    database = Database(url)
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        load_regions(session, REGIONS)
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            checkpoint(connection)
    database.dispose()
