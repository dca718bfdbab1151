"""Calls to the outside world: each has a time limit for the whole of it, and only so many are under way at once.

A service that accepts and never answers, or answers a byte now and then, holds up those who need it, for a while, and
nobody else. When it has failed several times running no call is made for a while, and callers are refused at once.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

REST = 10.0
"""Seconds for which a service that failed several times running is left alone; then one call tries it."""
MOST_IN_A_ROW = 3

Answer = TypeVar("Answer")


class TooSlow(TimeoutError):
    """No answer within the time limit. Whether the other side has done what it was asked is not known."""


class Busy(OSError):
    """As many calls as may be are under way already, or the service is left alone for a while; nothing was sent."""


class Outside:
    """One service; one for each process, shared by its threads.

    `seconds` bounds a call, `places` is how many may be under way, `patience` the seconds to wait for one of them.
    `answers` are exceptions by which the service itself has answered: they do not count as its failures.
    """

    def __init__(
        self,
        name: str,
        *,
        seconds: float,
        places: int,
        patience: float = 1.0,
        answers: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._name, self._seconds, self._patience, self._answers = name, seconds, patience, answers
        self._places = threading.BoundedSemaphore(places)
        self._lock = threading.Lock()
        self._failures = 0
        self._resting_until = 0.0

    def call(self, work: Callable[[], Answer], seconds: float = math.inf) -> Answer:
        """What `work` returns or raises. Raises `TooSlow`, `Busy`.

        `seconds` is for a caller that has less time than the service may take; that it was too short is no failure of
        the service. A call that took too long goes on in its thread and keeps its place until it ends.
        """
        self._refuse_while_resting()
        if not self._places.acquire(timeout=min(self._patience, seconds)):
            raise Busy(f"{self._name}: too many calls are under way")
        outcome: list[Any] = []
        ended = threading.Event()

        def run() -> None:
            try:
                outcome.append((work(), None))
            except BaseException as error:
                outcome.append((None, error))
            finally:
                self._places.release()
                ended.set()

        # A daemon thread, so that a process that ends does not wait for it.
        threading.Thread(target=run, name=f"outside-{self._name}", daemon=True).start()
        if not ended.wait(min(self._seconds, seconds)):
            if seconds >= self._seconds:
                self._note(failed=True)
            raise TooSlow(f"{self._name}: no answer within {min(self._seconds, seconds):g} seconds")
        answer, error = outcome[0]
        self._note(failed=error is not None and not isinstance(error, self._answers))
        if error is not None:
            raise error
        found: Answer = answer
        return found

    def _refuse_while_resting(self) -> None:
        with self._lock:
            now = time.monotonic()
            if now < self._resting_until:
                raise Busy(f"{self._name}: left alone after {self._failures} failures")
            if self._failures >= MOST_IN_A_ROW:
                self._resting_until = now + REST  # for the others, while this one tries

    def _note(self, *, failed: bool) -> None:
        with self._lock:
            if not failed:
                self._failures, self._resting_until = 0, 0.0
                return
            self._failures += 1
            if self._failures >= MOST_IN_A_ROW:
                self._resting_until = time.monotonic() + REST
            if self._failures == MOST_IN_A_ROW:
                log.error("outside_service_fails", service=self._name, seconds=REST)
