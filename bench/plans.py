"""Query plans of lists, searches and statistics; the statements are recorded while the code runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bench import city, records
from bench.city import City
from bench.databases import place
from bench.growth import PLANNED, dated
from core.db import Database

RECORDS = 300_000

SENTENCES = {
    "信息查看, first page": "The page is read from an index that is in its order; the tallies tell how many there are.",
    "工作统计": "Grouped from the tallies, never from the records; planned from the imported products.",
    "name + na": "Few checks are disposed of: their own index is walked, the tallies tell how many there are.",
    "last 30 days": "The newest are looked at first, and fill the page; counting stops at 10 000.",
    "30 days a year ago": "None among the newest: day by day, each from the index, as many as the page needs.",
    "two years + name, 1 in 20": "By the tallies of the name, and their days in the index.",
    "工作统计, last 30 days": "Tally by tally, the days from the index, which holds all that is counted.",
    "工作统计, two years": "All that is kept less what lies outside of the range: here nothing.",
}
_NAME = "Names are looked up in the tallies by their bigrams; few records come by tally, many by walking the newest."


@contextmanager
def caught(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements that run within the block, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", keep)


def plan(database: Database, statement: str, parameters: Any) -> list[str]:
    """The query plan, as the database reports it."""
    sqlite = database.engine.dialect.name == "sqlite"
    prefix = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "
    with database.read() as session:
        rows = session.connection().exec_driver_sql(prefix + statement, parameters).all()
    return [row[3] if sqlite else row[0] for row in rows]


def explain(dialect: str, there_records: int) -> Iterator[str]:
    """Lines of Markdown."""
    with place(dialect) as where:
        there: City = city.found(where)
        records.fill(where, there, there_records)
        with city.application(where) as (app, database):
            client = app.test_client()
            headers = {"Authorization": f"Bearer {there.reviewer.token}"}
            yield f"## {'SQLite' if dialect == 'sqlite' else 'PostgreSQL'}"
            for name, path in PLANNED.items():
                with caught(database.engine) as statements:
                    client.get(f"/api/v1{dated(path)}", headers=headers)
                yield f"\n### {name}\n"
                yield SENTENCES.get(name, _NAME)
                for statement, parameters in statements:
                    if "FROM sessions" in statement:
                        continue  # authentication, the same for every request
                    yield "\n```sql\n" + " ".join(statement.split())[:600] + "\n```\n"
                    yield "```text\n" + "\n".join(plan(database, statement, parameters)) + "\n```"


def report(dialects: list[str], *, quick: bool, write: Path | None) -> None:
    """Print the plans, or write them as a page."""
    count = 20_000 if quick else RECORDS
    lines = [
        "# Query plans",
        "",
        f"As city user over {count} records; made by `python -m bench --only plans --write docs/query-plans.md`.",
        "",
    ]
    for dialect in dialects:
        lines += [*explain(dialect, count), ""]
    page = "\n".join(lines)
    if write is None:
        print(page)
    else:
        write.write_text(page)
