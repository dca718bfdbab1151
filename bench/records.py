"""Submitted records in bulk, inserted into the tables directly: the same rows as from submissions, without history."""

import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import orjson
from psycopg import Connection as PsycopgConnection
from sqlalchemy import Table, insert, select, text

from bench import bodies
from bench.city import City, application
from bench.databases import Place
from core import clock
from core.database.name_search import bigrams
from core.db import Database
from core.text import fold_to_fit
from core.workflows.history import maintained
from inspection.kinds import Counts, counts_of
from inspection.models import Inspection
from inspection.statistics.models import EnterpriseTally, TallyBigram

_CHUNK = 5000
_DAYS = 700
Row = dict[str, Any]


def fill(place: Place, city: City, count: int) -> None:
    """Insert `count` submitted checks, spread over the enterprises and counties of the city and over two years."""
    templates = _templates(place, city)
    database = Database(place.url)
    tallies = _Tallies()
    rows = _rows(city, templates, count, tallies)
    # Records refer to tallies, which must be inserted first: so the same rows are made twice from the same seed.
    for _ in rows:
        pass
    insert_rows(database, cast(Table, EnterpriseTally.__table__), tallies.rows())
    insert_rows(database, cast(Table, TallyBigram.__table__), tallies.bigrams())
    insert_rows(database, cast(Table, Inspection.__table__), _rows(city, templates, count, tallies))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if place.dialect == "postgresql":
            connection.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence('enterprise_tallies', 'id'), max(id)) FROM enterprise_tallies"
                )
            )
            connection.execute(text("VACUUM ANALYZE"))
    database.dispose()


def _templates(place: Place, city: City) -> dict[tuple[str, str], Row]:
    """The stored rows of a real submission of each kind in each county; they are deleted again."""
    kept: dict[tuple[str, str], Row] = {}
    with application(place) as (app, database):
        client = app.test_client()
        for number, seat in enumerate(city.counties):
            for kind, make in (("production", bodies.production), ("sales", bodies.sales)):
                record_id = uuid.uuid4()
                answer = client.put(
                    f"/api/v1/inspections/{record_id}/submission", json=make(city, number, 0),
                    headers={"Authorization": f"Bearer {seat.token}"},
                )  # fmt: skip
                assert answer.status_code == 201, answer.get_data(as_text=True)
                with database.read() as session:
                    table = cast(Table, Inspection.__table__)
                    row = session.execute(select(table).where(table.c.id == record_id)).mappings().one()
                kept[seat.region_code, kind] = dict(row)
        with database.write() as session, maintained(session):
            for name in ("history_payloads", "history", "inspections", "tally_bigrams", "enterprise_tallies"):
                session.execute(text(f"DELETE FROM {name}"))
    return kept


class _Tallies:
    """The tallies of the rows made so far, with ids from 1."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], int] = {}
        self._firsts: list[Row] = []
        self._counts: list[dict[str, int]] = []

    def count(self, row: Row) -> int:
        """Count a row; the id of its tally."""
        key = (row["kind"], row["uscc"])
        if key not in self._ids:
            self._ids[key] = len(self._ids) + 1
            self._firsts.append(row)
            self._counts.append(asdict(Counts()))
        place = self._ids[key] - 1
        added = counts_of(
            row["record_type"], row["unable"], row["problems_found"], row["disposal_state"], row["conclusion"]
        )
        for name, value in asdict(added).items():
            self._counts[place][name] += value
        return place + 1

    def rows(self) -> Iterator[Row]:
        """Rows of `enterprise_tallies`."""
        for place, (first, counts) in enumerate(zip(self._firsts, self._counts, strict=True), 1):
            same = ("office_id", "area1", "area2", "area3", "record_type", "kind", "product_code", "org_name")
            yield {
                "id": place, **{name: first[name] for name in same}, "org_key": first["uscc"],
                "folded_name": fold_to_fit(first["org_name"]), **counts,
            }  # fmt: skip

    def bigrams(self) -> Iterator[Row]:
        """Rows of `tally_bigrams`."""
        for place, first in enumerate(self._firsts, 1):
            for pair in sorted(bigrams(first["org_name"])):
                yield {"bigram": pair, "area1": first["area1"], "tally_id": place}


def _rows(city: City, templates: dict[tuple[str, str], Row], count: int, tallies: _Tallies) -> Iterator[Row]:
    """Rows of records, the same each time, because the random numbers have a fixed seed."""
    chance = random.Random(20261121)
    now, today = clock.now(), clock.today()
    for made in range(count):
        number = made % len(city.enterprises)
        seat = city.counties[number % len(city.counties)]
        kind = "sales" if chance.random() < 0.3 else "production"
        yield _row(city, templates[seat.region_code, kind], number, chance, now, today, tallies)


def _row(
    city: City, template: Row, number: int, chance: random.Random, now: datetime, today: date, tallies: _Tallies
) -> Row:
    facts = city.enterprises[number]
    luck, ago = chance.random(), timedelta(days=chance.random() * _DAYS)
    state = "in_progress" if luck < 0.03 else "done" if luck < 0.10 else "na" if luck < 0.13 else "none"
    at = (now - ago).replace(tzinfo=UTC)
    row = {
        **template,
        "id": uuid.UUID(int=chance.getrandbits(128), version=4),
        "uscc": facts["uscc"],
        "org_name": facts["name"],
        "check_date": today - ago,
        "unable": luck > 0.98,
        "problems_found": state != "none",
        "disposal_state": state,
        "data": {**template["data"], "uscc": facts["uscc"], "org_name": facts["name"], "org_address": facts["address"]},
        "created_at": at,
        "updated_at": at,
        "submitted_at": at,
    }
    row["tally_id"] = tallies.count(row)
    return row


def insert_rows(database: Database, table: Table, rows: Iterable[Row]) -> None:
    """Insert rows as fast as the database can: with COPY on PostgreSQL, in chunks on SQLite."""
    if database.engine.dialect.name == "postgresql":
        _copy(database, table, rows)
        return
    chunk: list[Row] = []
    with database.engine.begin() as connection:
        for row in rows:
            chunk.append(row)
            if len(chunk) == _CHUNK:
                connection.execute(insert(table), chunk)
                chunk.clear()
        if chunk:
            connection.execute(insert(table), chunk)


def _copy(database: Database, table: Table, rows: Iterable[Row]) -> None:
    names = [column.name for column in table.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    with database.engine.begin() as connection:
        driver = cast("PsycopgConnection[Any]", connection.connection.driver_connection)
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({quoted}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(
                    [
                        orjson.dumps(value).decode() if isinstance(value, dict | list) else value
                        for value in map(row.get, names)
                    ]
                )
