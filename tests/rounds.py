"""What `make test` runs, and what is left to `make test-rounds`, so that the first takes minutes.

`make test` (TEST_ROUNDS=few) runs a handful of rounds of tests that repeat what a single run may miss: a race, a random
example, a kill. Where there are two databases it runs a test that is written for both on one of them; which one is
drawn from its name, half and half. `make test-rounds` (TEST_ROUNDS=all) runs all rounds of the tests marked with
`rounds`, those that are `only_in_rounds`, and each test on its other database. Without the setting, as when a file is
run by its name, a test runs on both, with a handful of rounds.
"""

import os
import re
import zlib

import pytest

FEW, ALL = (os.environ.get("TEST_ROUNDS") == setting for setting in ("few", "all"))


def rounds(number: int, few: int) -> int:
    """`number` rounds, or `few` of them."""
    return number if ALL else few


def is_for_the_other_database(item: pytest.Item, dialects: list[str]) -> bool:
    """Whether `make test` leaves this test to `make test-rounds`, because it runs it on the other database."""
    callspec = getattr(item, "callspec", None)
    dialect = None if callspec is None else callspec.params.get("dialect")
    # A test that names its database itself (`indirect`) has no other.
    names_its_own = any("dialect" in mark.args[0] for mark in item.iter_markers("parametrize"))
    if dialect not in dialects or len(dialects) < 2 or names_its_own:
        return False
    name = re.sub(r"sqlite|postgresql", "", item.nodeid)
    return dialects[zlib.crc32(name.encode()) % len(dialects)] != dialect
