"""What endpoints say of their own answers, for the OpenAPI document."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def answers(*statuses: int) -> Callable[[View], View]:
    """With which statuses a call succeeds, where that is not 200 alone; stands below the gate.

    201 for what was made just now, 200 for a repetition and for what is saved anew under its id; 304 where an
    ETag is sent.
    """

    def decorate(view: View) -> View:
        view._answers = statuses  # type: ignore[attr-defined]
        return view

    return decorate


def statuses_of(view: Callable[..., Any]) -> tuple[int, ...]:
    """The statuses of success of a view function; those who wrap it keep what it says (`functools.wraps`)."""
    found: tuple[int, ...] = getattr(view, "_answers", (200,))
    return found
