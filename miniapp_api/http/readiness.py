"""The checks of `/readyz`: all run at the same time, and none longer than a readiness probe waits."""

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from assets.files.storage import StorageUnavailable
from assets.files.uploads import Uploads
from backups import backup_folder
from core import clock
from core.config import Settings
from core.database.disk import DiskWatch
from core.db import Database
from core.deadlines import clocks
from core.deliveries import telling
from core.keys import stored

log = structlog.get_logger()

SECONDS = 2.5
"""What `/readyz` waits for at the most."""
REMEMBERED = 5.0
"""Seconds for which a check that did not answer in time is not waited for again."""
NO_ANSWER = "no answer"


NEEDED = ("database", "keys", "storage")
"""Checks that must be `ok` for the server to be ready; the others are only shown."""


class _Run:
    def __init__(self) -> None:
        self.began = time.monotonic()
        self.ended = threading.Event()
        self.outcome = NO_ANSWER


class Check:
    """One check of this process; callers that ask while it is running share its result."""

    def __init__(self, name: str, ask: Callable[[], str]) -> None:
        """`ask` returns `ok` or what is wrong."""
        self.name, self._ask = name, ask
        self._lock = threading.Lock()
        self._run: _Run | None = None
        self._silent_until = 0.0

    def begin(self) -> Callable[[], str]:
        """Start the check; the function returned waits for its result, `no answer` if it comes too late."""
        with self._lock:
            if time.monotonic() < self._silent_until:
                return lambda: NO_ANSWER
            run = self._run
            if run is None or run.ended.is_set():
                run = self._run = _Run()
                threading.Thread(target=self._ask_in, args=(run,), name=f"check-{self.name}", daemon=True).start()
        return lambda: self._outcome(run)

    def _ask_in(self, run: _Run) -> None:
        try:
            run.outcome = self._ask()
        except Exception as error:
            log.error("readiness_check_failed", check=self.name, error=type(error).__name__)
            run.outcome = "failed"
        finally:
            run.ended.set()

    def _outcome(self, run: _Run) -> str:
        if run.ended.wait(max(0.0, run.began + SECONDS - time.monotonic())):
            return run.outcome
        log.error("readiness_check_silent", check=self.name, seconds=SECONDS)
        with self._lock:
            self._silent_until = time.monotonic() + REMEMBERED
        return NO_ANSWER


def ask_all(checks: list[Check]) -> dict[str, str]:
    """The result of each check, by name."""
    begun = [(check.name, check.begin()) for check in checks]
    return {name: outcome() for name, outcome in begun}


def checks(
    settings: Settings, database: Database, uploads: Uploads, disk: DiskWatch, rate_limits: Callable[[], str]
) -> list[Check]:
    """All that `/readyz` asks."""

    def has_scanner() -> str:
        return "not configured" if uploads.scanner is None else "ok" if uploads.scanner.ping() else "unreachable"

    def has_converter() -> str:
        return "not configured" if uploads.converter is None else "ok" if uploads.converter.is_there() else "missing"

    return [
        Check("database", lambda: _reads(database)),
        Check("keys", lambda: _has_keys(settings, database)),
        Check("storage", lambda: _stores(uploads)),
        Check("virus_scan", has_scanner),
        Check("document_preview", has_converter),
        Check("working_days", lambda: _knows_working_days(database)),
        Check("backup", lambda: backup_folder.state(settings).word),
        Check("rate_limits", rate_limits),
        Check("disk", disk.look),
        Check("deliveries", lambda: _delivers(database)),
    ]


def _reads(database: Database) -> str:
    try:
        with database.read() as session:
            session.execute(text("SELECT 1 FROM alembic_version"))
    except SQLAlchemyError:
        return "unreachable or not migrated"
    return "ok"


def _delivers(database: Database) -> str:
    try:
        return telling.state(database)
    except SQLAlchemyError:
        return "not known: the database does not answer"


def _has_keys(settings: Settings, database: Database) -> str:
    """Whether the secret opens the keys of the database, which may have been restored from another installation's."""
    try:
        stored.read(database.engine, settings.secret)
    except stored.WrongKey as error:
        log.error("wrong_key", reason=str(error))
        return "wrong: the secret does not open the keys of the database"
    except SQLAlchemyError:
        return "not known: the database does not answer"
    return "ok"


def _stores(uploads: Uploads) -> str:
    try:
        uploads.storage.check()
    except StorageUnavailable as error:
        log.error("storage_unavailable", error=str(error))
        return "unreachable"
    return "ok" if uploads.incoming.is_dir() else "data folder missing"


def _knows_working_days(database: Database) -> str:
    try:
        with database.read() as session:
            guessed = clocks.working_calendar(session).unknown_years(clock.today())
    except SQLAlchemyError:
        return "not known: the database does not answer"
    years = ", ".join(map(str, guessed))
    return f"{years}: holidays not loaded, working days guessed; ./manage calendar" if years else "ok"
