"""What `make test` leaves out is run by `make test-rounds` or `make check`: no test is run by neither."""

import re
from pathlib import Path

import pytest

from tests import rounds
from tests.conftest import LEFT_OUT

MAKEFILE = (Path(__file__).resolve().parent.parent / "Makefile").read_text()


def in_make_test_rounds(item: pytest.Item) -> bool:
    [marks] = re.findall(r'TEST_ROUNDS=all .* -m "(.*)"', MAKEFILE)
    return any(item.get_closest_marker(mark) for mark in marks.split(" or "))


def in_make_check(item: pytest.Item) -> bool:
    [check] = re.findall(r"^check:.*?^$", MAKEFILE, re.MULTILINE | re.DOTALL)
    return f" {item.location[0]}" in check and item.get_closest_marker("in_make_check") is not None


@pytest.mark.skipif(not rounds.FEW, reason="asked of what make test collects")
def test_every_test_that_is_left_out_is_run_elsewhere(pytestconfig: pytest.Config) -> None:
    left_out = pytestconfig.stash[LEFT_OUT]
    assert [item.nodeid for item in left_out if not in_make_test_rounds(item) and not in_make_check(item)] == []
