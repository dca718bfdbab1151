"""Limits of traffic (not of wrong passwords: those stand in `accounts/throttle.py`)."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from miniapp_api.wiring import wiring

# With Redis down the limits go on in memory; without that setting every request would answer 500.
limiter = Limiter(get_remote_address, headers_enabled=False, in_memory_fallback_enabled=True)


def install(app: Flask) -> None:
    """Only single routes have limits, and their decorators check them. The hook before every request, which looks
    for a limit of all routes and takes as long as a database statement, is taken out."""
    limiter.init_app(app)
    hooks = app.before_request_funcs[None]
    hooks[:] = [hook for hook in hooks if getattr(hook, "__self__", None) is not limiter]


def sign_in_limit() -> str:
    """From the settings, read at the request."""
    return wiring().settings.sign_in_limit


def application_limit() -> str:
    """From the settings, read at the request."""
    return wiring().settings.application_limit
