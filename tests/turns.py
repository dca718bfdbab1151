"""Tests that take many connections at the same moment take turns: PostgreSQL allows a hundred in all."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def in_turn() -> Iterator[None]:
    """Wait until no other process of this machine is within. Must not be nested."""
    with (Path(tempfile.gettempdir()) / "gongpin-tests-in-turn").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
