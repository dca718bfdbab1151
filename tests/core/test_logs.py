"""Logs: what cannot be written is lost, and nothing else is."""

import os
import subprocess
import sys

import pytest

from tests.servers import ROOT

PROGRAM = """
import structlog
from core import logs
logs.configure("INFO")
for number in range(3000):
    structlog.get_logger().warning("something", number=number, words="x" * 100)
print("went on")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_log_that_cannot_be_written_stops_nothing_and_spoils_no_exit_code(unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert (done.returncode, done.stdout) == (0, "went on\n")
