"""Fields that only the server writes (HTTP contract, §1).

A body may carry them, because what was read is changed and sent back whole. As they were read they are passed over;
sent differently they are passed over too, and the answer says so with a warning `read_only`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import Warned
from core.pointers import pointer

_ABSENT = object()


def warnings_of(
    sent: Mapping[str, Any], labels: Mapping[str, str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Warned]:
    """One warning for each of the labelled fields that says neither what was read before nor what is read now.

    `before` is empty for what is new. A field that is empty says nothing.
    """
    return [
        warning(pointer(name), label)
        for name, label in labels.items()
        if sent.get(name) is not None and sent[name] not in (before.get(name, _ABSENT), after.get(name, _ABSENT))
    ]


def warning(path: str, label: str) -> Warned:
    """The warning that a field was sent differently."""
    return {"code": "read_only", "path": path, "message": f"“{label}”在此不能修改，已保留系统中的内容"}


def names_any(sent: Mapping[str, Any], labels: Iterable[str]) -> bool:
    """Whether a body says anything of such fields, so that what was read before need be looked at."""
    return any(sent.get(name) is not None for name in labels)
