"""The version (版本) that a write names: the one that its sender read."""

from collections.abc import Mapping
from typing import Any

from core.errors import invalid


def sent_version(body: Mapping[str, Any]) -> int | None:
    """The version that the sender read; raises 422 for anything but a whole number from 1."""
    version = body.get("version")
    if version is None:
        return None
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise invalid("/version", "wrong_type", "version 应为读取记录时得到的整数")
    return version
