"""Places for those who move files: so many at once in one process; who finds none for a while is told to come back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import Problem


class Places:
    """`patience` in seconds."""

    def __init__(self, count: int, patience: float) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._patience = patience

    def take(self) -> None:
        """Take one, to be given back once. Raises 503 `busy`."""
        if not self._free.acquire(timeout=self._patience):
            raise Problem("busy", retry_after=5)

    def give_back(self) -> None:
        """Let the next one have it."""
        self._free.release()

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place while the block runs."""
        self.take()
        try:
            yield
        finally:
            self.give_back()


# Together fewer than the threads that the worker has for files, so that some are left to say that it is busy.
UPLOADS = Places(8, 5)
"""Uploads that are judged and stored, after their bytes have come."""
DOWNLOADS = Places(16, 5)
"""Downloads, until the phone has taken the last byte."""
