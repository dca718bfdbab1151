"""Limits of traffic (not of wrong passwords: those stand in `accounts/sign_in/throttle.py`)."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask
from flask_limiter import Limiter, RateLimitExceeded
from limits import parse_many
from redis.exceptions import RedisError

from core import clock
from core.config import Settings
from core.origin import WIDER
from miniapp_api.http.origins import origin
from miniapp_api.http.wiring import wiring

View = TypeVar("View", bound=Callable[..., Any])

# With Redis down the limits go on in memory; without that setting every request would answer 500.
limiter = Limiter(lambda: origin().line, headers_enabled=False, in_memory_fallback_enabled=True)


def per_origin(limit: str | Callable[[], str]) -> Callable[[View], View]:
    """At most so many calls from one line, and `WIDER` times as many from the /48 around it (`core/origin.py`)."""

    def wider() -> str:
        return _widened(limit if isinstance(limit, str) else limit())

    def decorate(view: View) -> View:
        of_line = limiter.limit(limit)(view)
        around = limiter.limit(wider, key_func=lambda: origin().wider or "", exempt_when=lambda: origin().wider is None)
        return cast(View, around(of_line))

    return decorate


@functools.lru_cache(maxsize=8)
def _widened(limit: str) -> str:
    return "; ".join(f"{one.amount * WIDER} per {one.multiples} {one.GRANULARITY.name}" for one in parse_many(limit))


def install(app: Flask) -> None:
    """Set the limiter up without its hooks around every request, which cost as much as a database statement.

    They serve limits of all routes and headers of limits, which this application does not have: single routes have
    limits, and their decorators check them.
    """
    limiter.init_app(app)
    before, after = app.before_request_funcs[None], app.after_request_funcs[None]
    before[:] = [hook for hook in before if getattr(hook, "__self__", None) is not limiter]
    after[:] = [hook for hook in after if getattr(hook, "args", None) != (limiter,)]


def where_counted(settings: Settings) -> str:
    """Whether the workers count together, for `/readyz`.

    Without Redis each worker counts for itself, so an address can reach the limit in each of them. The limit is not
    divided by the number of workers, because a phone that keeps its connection always meets the same one.
    """
    if not settings.redis_url:
        return "each worker counts for itself: REDIS_URL not configured"
    return "ok" if limiter.storage.check() else "each worker counts for itself: Redis unreachable"


def seconds_left(error: RateLimitExceeded) -> int:
    """Seconds until the limit that was exceeded lets its address in again."""
    length = error.limit.limit.get_expiry() if error.limit else 60
    try:
        broken = [one for one in limiter.current_limits if one.breached]
        until = max(one.window.reset_time for one in broken)
    except (RedisError, ValueError):  # counted where nobody can be asked any more
        return length
    # Redis rounds what is left to whole seconds, up or down.
    return max(1, min(length, int(until - clock.now().timestamp()) + 1))


def sign_in_limit() -> str:
    """From the settings, read at the request."""
    return wiring().settings.sign_in_limit


def application_limit() -> str:
    """From the settings, read at the request."""
    return wiring().settings.application_limit
