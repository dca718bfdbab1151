"""What `make test` runs, and what is left to `make test-rounds` (docs/how-to/write-a-test.md).

`make test` (TEST_ROUNDS=few) runs a handful of rounds of tests that repeat what a single run may miss: a race, a random
example, a kill. Where there are two databases it runs a test that is written for both on one of them: on PostgreSQL,
which takes nearly twice as long, what `DEPENDS_ON_THE_DATABASE`, on SQLite all others. `make test-rounds`
(TEST_ROUNDS=all) runs all rounds of the tests marked with `rounds`, those that are `only_in_rounds`, and each test on
its other database. Without the setting, as when a file is run by its name, a test runs on both, with a handful of
rounds.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

FEW, ALL = (os.environ.get("TEST_ROUNDS") == setting for setting in ("few", "all"))


def rounds(number: int, few: int) -> int:
    """`number` rounds, or `few` of them."""
    return number if ALL else few


def others_in_rounds(values: Iterable[Any], *in_make_test: Any) -> list[Any]:
    """Parameters of a test: `make test` runs it with some of the values, `make test-rounds` with the others."""
    marks = {True: (), False: (pytest.mark.only_in_rounds,)}
    return [pytest.param(value, marks=marks[value in in_make_test]) for value in values]


DEPENDS_ON_THE_DATABASE = re.compile(
    r"tests/(races/|history/"
    r"|(.*/)?test_\w*(races|transactions|databases|migrations|retention|throttle|deliveries|idempotency|workflow|sweeping)\w*\.py"
    r"|enterprise/test_register\.py|enterprise/catalogues/test_catalogues\.py"
    r"|inspection/test_(statistics|lists_and_figures_of_days)\.py"
    r"|feedback/test_texts_at_rest\.py|miniapp_api/test_(access_log|paging|kept_register)\.py)"
)
"""Files that `make test` runs on PostgreSQL: locks, isolation, triggers, migrations, search, order and sums in SQL."""


def is_for_the_other_database(item: pytest.Item, dialects: list[str]) -> bool:
    """Whether `make test` leaves this test to `make test-rounds`, because it runs it on the other database."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    dialect = params.get("dialect", params.get("register_db"))
    # A test that names its database itself (`indirect`) has no other.
    names_its_own = any("dialect" in mark.args[0] for mark in item.iter_markers("parametrize"))
    if dialect not in dialects or len(dialects) < 2 or names_its_own:
        return False
    in_make_test = "postgresql" if DEPENDS_ON_THE_DATABASE.match(item.nodeid) else "sqlite"
    return bool(dialect != in_make_test)


SLOW_BY_NATURE = (
    "tests/assets/test_document_conversion.py", "tests/backups/", "tests/browser/", "tests/client/",
    "tests/enterprise/filings/test_play.py", "tests/history/test_role.py",
    "tests/races/test_access_log_processes.py", "tests/races/test_processes.py",
    "tests/races/test_rating_processes.py", "tests/test_demo.py", "tests/test_earlier_releases.py",
    "tests/test_full_disk.py", "tests/test_start_up.py", "tests/test_tour.py",
)  # fmt: skip
"""Files whose tests each start servers, browsers, restores or LibreOffice, or load the demo: `make test-rounds` runs
them, `make test` only what is marked `in_make_test`, one or two a file that go the whole way."""


def is_left_to_rounds(item: pytest.Item) -> bool:
    """Whether a test is slow by nature and not one that `make test` runs all the same."""
    slow = item.nodeid.startswith(SLOW_BY_NATURE) and item.get_closest_marker("in_make_test") is None
    return slow and (FEW or ALL)


WAITING = (
    "tests/browser/", "tests/client/", "tests/backups/", "tests/races/", "tests/test_earlier_releases.py",
    "tests/test_slow_phones.py", "tests/test_silent_storage.py", "tests/test_start_up.py", "tests/test_full_disk.py",
    "tests/test_demo.py", "tests/test_mini_program.py", "tests/history/test_role.py",
)  # fmt: skip
"""Files whose tests wait seconds for processes of their own: browsers, servers, restores."""


def waiting_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests in an order in which each of so many workers begins with its share of those that take longest.

    pytest-xdist (`--dist worksteal`) deals a list out in parts of one length, one after the other. Otherwise the last
    minutes of a run belong to one worker with a browser, while the others have nothing left to take from it.
    """
    long: dict[Path, list[pytest.Item]] = {}
    short: list[pytest.Item] = []
    for item in items:
        waits = item.nodeid.startswith(WAITING)
        # The few that `make test` shows to a browser share one, and the server behind it.
        together = FEW and item.nodeid.startswith("tests/browser/")
        place = item.path.parent if together else item.path
        (long.setdefault(place, []) if waits else short).append(item)
    parts: list[list[pytest.Item]] = [[] for _ in range(workers)]
    # The files with the most tests first, each to whoever has the fewest: a file's tests share what they started.
    for of_file in sorted(long.values(), key=len, reverse=True):
        min(parts, key=len).extend(of_file)
    whole = -(-len(items) // workers)
    for part in parts:
        room = max(0, whole - len(part))
        part += short[:room]
        del short[:room]
    return [item for part in parts for item in part] + short
