"""Structured logs: one JSON object a line, on standard error."""

import atexit
import logging
import os
import sys
from contextlib import suppress
from typing import IO, Any, cast

import orjson
import structlog


def _json(event: dict[str, Any], **_options: Any) -> str:
    return orjson.dumps(event, default=str).decode()


class _Stream:
    """Standard error, of which what cannot be written is lost: a request must not fail because its log line did."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _drop_what_is_left() -> None:
    """At the end Python flushes once more; what still cannot be written would make its exit code 120."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def configure(level: str) -> None:
    """Set up structlog and let the standard library's warnings pass through it as plain lines."""
    atexit.unregister(_drop_what_is_left)
    atexit.register(_drop_what_is_left)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=cast(Any, _Stream(sys.stderr))),
        cache_logger_on_first_use=True,
    )
