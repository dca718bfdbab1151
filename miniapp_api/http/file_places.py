"""Limits on how many files one process receives and sends at once; a caller who waits too long gets 503 `busy`."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from core.errors import Problem


class Places:
    """A fixed number of places; `patience` is how many seconds `take` waits for one."""

    def __init__(self, count: int, patience: float) -> None:
        self.count = count
        self._free = threading.BoundedSemaphore(count)
        self.patience = patience

    def take(self) -> None:
        """Take a place, which must be given back once. Raises 503 `busy`."""
        if not self._free.acquire(timeout=self.patience):
            raise Problem("busy", retry_after=5)

    def give_back(self) -> None:
        """Free a place."""
        self._free.release()

    def until_sent(self, pieces: Iterable[bytes]) -> "Sending":
        """The pieces of an answer; the place that was taken is given back when they end."""
        return Sending(self, pieces)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place while the block runs."""
        self.take()
        try:
            yield
        finally:
            self.give_back()


class Sending:
    """Gives its place back once: at the end of the pieces, when the server closes it, or when it is forgotten."""

    def __init__(self, places: Places, pieces: Iterable[bytes]) -> None:
        self._places, self._pieces = places, iter(pieces)
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Called in one thread, that of the request."""
        if self._open:
            self._open = False
            self._places.give_back()

    __del__ = close


class FilePlaces:
    """The places of one process: fewer than its threads for files, so that a thread is left to answer 503."""

    def __init__(self) -> None:
        self.uploads = Places(8, 2)
        """Uploads that are validated and stored, after all their bytes have arrived."""
        self.downloads = Places(16, 2)
        """Downloads, until the phone has taken the last byte."""
