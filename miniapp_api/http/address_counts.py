"""Counts of what an address did in the current window: in Redis where it is configured, else in this process.

The library's own in-memory counter is not used: it starts a thread for nearly every hit, which took a sixth of the time
of a rating.
"""

import functools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable

import structlog
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from redis.exceptions import RedisError

from core import clock
from core.origin import WIDER

log = structlog.get_logger()

PAUSE = 30.0
"""Seconds for which Redis is not asked again after it failed."""


@functools.lru_cache(maxsize=8)
def limit_of(text: str) -> RateLimitItem:
    """A limit such as `300 per hour`."""
    return parse(text)


@functools.lru_cache(maxsize=8)
def wider_limit_of(text: str) -> RateLimitItem:
    """The same limit for a /48, `WIDER` times as high."""
    limit = parse(text)
    return type(limit)(limit.amount * WIDER, limit.multiples)


class InMemory:
    """Fixed windows as the library has them, one for each length."""

    def __init__(self) -> None:
        self._windows: dict[int, tuple[int, Counter[tuple[str, ...]]]] = {}
        self._lock = threading.Lock()

    def wait(self, limit: RateLimitItem, *key: str) -> int:
        """Seconds until there is room for one more; 0 where there is."""
        with self._lock:
            if self._counts(limit)[key] < limit.amount:
                return 0
        return _until_the_next(limit)

    def take(self, limit: RateLimitItem, *key: str) -> int:
        """Count one if there is room, and say 0; else the seconds until there is."""
        with self._lock:
            counts = self._counts(limit)
            if counts[key] < limit.amount:
                counts[key] += 1
                return 0
        return _until_the_next(limit)

    def give_back(self, limit: RateLimitItem, *key: str) -> None:
        """Take one off the count."""
        with self._lock:
            counts = self._counts(limit)
            if counts[key] > 0:
                counts[key] -= 1

    def _counts(self, limit: RateLimitItem) -> Counter[tuple[str, ...]]:
        length = limit.get_expiry()
        number = int(clock.now().timestamp() // length)
        window = self._windows.get(length)
        if window is None or window[0] != number:
            window = self._windows[length] = (number, Counter())
        return window[1]


def _until_the_next(limit: RateLimitItem) -> int:
    """Seconds until the next window of a limit begins."""
    length = limit.get_expiry()
    return math.ceil(length - clock.now().timestamp() % length)


class InRedis:
    """Counts of all processes. While Redis does not answer nothing is limited; the rule of five days still holds."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._asked_again_at = 0.0

    def _failed(self, error: RedisError) -> None:
        # Ratings in the meantime do not wait for Redis.
        log.warning("rating_brake_unreachable", error=type(error).__name__, seconds=PAUSE)
        self._asked_again_at = time.monotonic() + PAUSE

    def wait(self, limit: RateLimitItem, *key: str) -> int:
        """Seconds until there is room for one more; 0 where there is."""
        return self._asked(lambda: self._limiter.limiter.test(limit, "ratings", *key), limit, key)

    def take(self, limit: RateLimitItem, *key: str) -> int:
        """Count one if there is room, and say 0; else the seconds until there is."""
        return self._asked(lambda: self._limiter.limiter.hit(limit, "ratings", *key), limit, key)

    def give_back(self, limit: RateLimitItem, *key: str) -> None:
        """Take one off the count."""
        self._asked(lambda: bool(self._limiter.limiter.hit(limit, "ratings", *key, cost=-1)) or True, limit, key)

    def _asked(self, question: Callable[[], bool], limit: RateLimitItem, key: tuple[str, ...]) -> int:
        """0 where Redis says that there is room, or says nothing; else the seconds until there is."""
        if time.monotonic() < self._asked_again_at:
            return 0
        try:
            if question():
                return 0
            window = self._limiter.limiter.get_window_stats(limit, "ratings", *key)
        except RedisError as error:
            self._failed(error)
            return 0
        # Redis rounds what is left to whole seconds, up or down.
        return max(1, int(window.reset_time - clock.now().timestamp()) + 1)
