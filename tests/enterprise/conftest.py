import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from accounts.models import RegionLevel
from accounts.regions.loading import RegionRow, load_regions
from core.db import Base, Database

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


@pytest.fixture(params=["sqlite", "postgresql"])
def register_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty register with a few regions, on each database that answers."""
    if request.param == "sqlite":
        yield from _filled(f"sqlite:///{tmp_path}/register.db")
        return
    url = make_url(os.environ.get("TEST_DATABASE_URL", "postgresql://root@/test"))
    schema = f"register_{uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError:
        pytest.skip("no PostgreSQL answers")
    try:
        with_schema = url.update_query_dict({"options": f"-csearch_path={schema}"})
        yield from _filled(with_schema.render_as_string(hide_password=False))
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        admin.dispose()


def _filled(url: str) -> Iterator[Database]:
    database = Database(url)
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        load_regions(session, REGIONS)
    yield database
    database.dispose()
