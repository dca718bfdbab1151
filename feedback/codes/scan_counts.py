"""Scans of codes, counted in the process and written every few seconds, so that the page itself only reads."""

import threading
from collections import Counter
from itertools import islice
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.db import Database
from feedback.codes.operations import record_scans

log = structlog.get_logger()

EVERY_SECONDS = 20.0
BATCH = 500
"""Codes that are written in one transaction."""
MOST_CODES = 10_000
"""Different codes that are gathered before they are written at once."""


class ScanCounts:
    """One per process. What is gathered when a process is killed is lost: the figure is for information."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[UUID] = Counter()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def note(self, code_id: UUID) -> None:
        """One more scan of a code."""
        with self._lock:
            self._counts[code_id] += 1
            full = len(self._counts) >= MOST_CODES
        if full:
            self.write()

    def write(self) -> None:
        """Add what was gathered to the codes; what cannot be written now is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        while counts:
            some = dict(islice(counts.items(), BATCH))
            try:
                with self._database.write() as session:
                    record_scans(session, some)
            except SQLAlchemyError as error:
                log.warning("scans_not_written", error=type(error).__name__)
                with self._lock:
                    self._counts.update(counts)
                return
            for code_id in some:
                del counts[code_id]

    def start(self) -> None:
        """Write every 20 seconds, in a thread that ends with the process."""
        threading.Thread(target=self._loop, name="scan-counts", daemon=True).start()

    def stop(self) -> None:
        """Write what is there and let the thread end."""
        self._stopped.set()
        self.write()

    def _loop(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            self.write()
