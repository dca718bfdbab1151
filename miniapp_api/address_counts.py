"""Accepted ratings per address in the running window: in Redis where that is set up, else in this process.

In memory we count ourselves: the library's own memory starts a thread for nearly every hit, which took
a sixth of the time of a rating.
"""

import functools
import threading
import time
from collections import Counter

import structlog
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from redis.exceptions import RedisError

log = structlog.get_logger()

PAUSE = 30.0
"""Seconds for which a Redis that failed is not asked."""


@functools.lru_cache(maxsize=8)
def limit_of(text: str) -> RateLimitItem:
    """A limit such as `300 per hour`."""
    return parse(text)


class InMemory:
    """Fixed windows, as the library counts them."""

    def __init__(self) -> None:
        self._window = 0
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def test(self, limit: RateLimitItem, address: str) -> bool:
        """Whether there is room for one more."""
        with self._lock:
            self._turn(limit)
            return self._counts[address] < limit.amount

    def hit(self, limit: RateLimitItem, address: str) -> None:
        """Count one."""
        with self._lock:
            self._turn(limit)
            self._counts[address] += 1

    def _turn(self, limit: RateLimitItem) -> None:
        window = int(time.time() // limit.get_expiry())
        if window != self._window:
            self._window = window
            self._counts.clear()


class InRedis:
    """For all processes. Without its counter the brake is open: the five days of each number still hold."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._asked_again_at = 0.0

    def _failed(self, error: RedisError) -> None:
        # Whoever rates meanwhile does not wait for it.
        log.warning("rating_brake_unreachable", error=type(error).__name__, seconds=PAUSE)
        self._asked_again_at = time.monotonic() + PAUSE

    def test(self, limit: RateLimitItem, address: str) -> bool:
        """Whether there is room for one more."""
        if time.monotonic() < self._asked_again_at:
            return True
        try:
            return self._limiter.limiter.test(limit, "ratings", address)
        except RedisError as error:
            self._failed(error)
            return True

    def hit(self, limit: RateLimitItem, address: str) -> None:
        """Count one."""
        if time.monotonic() < self._asked_again_at:
            return
        try:
            self._limiter.limiter.hit(limit, "ratings", address)
        except RedisError as error:
            self._failed(error)
