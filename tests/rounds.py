"""How often a test repeats what a single run may miss: a race, a random example, a kill.

`make test` runs a handful of rounds, `make test-rounds` all of them (TEST_ROUNDS=all), of the tests that are marked
with `rounds` alone. Tests marked with `only_in_rounds` repeat elsewhere what `make test` has seen once.
"""

import os

ALL = os.environ.get("TEST_ROUNDS") == "all"


def rounds(number: int, few: int) -> int:
    """`number` rounds, or `few` of them."""
    return number if ALL else few
