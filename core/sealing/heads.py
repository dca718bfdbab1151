"""Heads (链头) that are kept outside the database: a file beside the data to which lines are only added.

A line is `number time head`. The same stands in the log of the server, and where it is set up in a mail of each day.
Any of them will do to verify by: `parse` takes whatever text such lines stand in.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.models import HistorySeal
from core.sealing.checking import Kept

FILE = "history-heads.txt"
"""In `DATA_DIR`."""
_HEAD = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_NUMBER = re.compile(r"^\s*(\d{1,18})[\s:]|\bno\b\W{1,4}(\d{1,18})\b")
AT_ONCE = 5000


def line_of(no: int, at: str, head: str) -> str:
    """What is kept of a seal."""
    return f"{no} {at} {head}\n"


def parse(lines: Iterable[str]) -> Kept:
    """The heads in a text, each with the number that begins its line, or stands there as `no`."""
    numbered: dict[int, set[str]] = {}
    unnumbered: set[str] = set()
    for line in lines:
        head, number = _HEAD.search(line.lower()), _NUMBER.search(line)
        if head is not None and number is not None:
            numbered.setdefault(int(number[1] or number[2]), set()).add(head[0])
        elif head is not None:
            unnumbered.add(head[0])
    return Kept(numbered, frozenset(unnumbered))


def append_new(session: Session, path: Path) -> int:
    """Add what was sealed since the last line of the file; how many lines. A line that was begun is begun anew."""
    last = _last_number(path)
    chosen = select(HistorySeal.no, HistorySeal.at, HistorySeal.head).order_by(HistorySeal.no).limit(AT_ONCE)
    written = 0
    while rows := session.execute(chosen.where(HistorySeal.no > last)).all():
        _append(path, "".join(line_of(row.no, clock.rfc3339(row.at), row.head.hex()) for row in rows))
        written += len(rows)
        last = rows[-1].no
    return written


def _append(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            text = "\n" + text
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _last_number(path: Path) -> int:
    """That of the last whole line; 0 without one."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("ascii", "replace").splitlines()
    except FileNotFoundError:
        return 0
    return max((no for no in parse(lines).numbered), default=0)
