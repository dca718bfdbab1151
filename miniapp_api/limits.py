"""Limits of traffic (not of wrong passwords: those stand in `accounts/throttle.py`)."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from miniapp_api.wiring import wiring

# With Redis down the limits go on in memory; without that setting every request would answer 500.
limiter = Limiter(get_remote_address, headers_enabled=False, in_memory_fallback_enabled=True)


def sign_in_limit() -> str:
    """From the settings, read at the request."""
    return wiring().settings.sign_in_limit


def application_limit() -> str:
    """From the settings, read at the request."""
    return wiring().settings.application_limit
