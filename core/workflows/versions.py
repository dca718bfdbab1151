"""The version (版本) that a write names: the one that its sender read."""

from collections.abc import Mapping
from typing import Any

from core.errors import Problem, invalid


def sent_version(body: Mapping[str, Any]) -> int | None:
    """The version that the sender read; raises 422 for anything but a whole number from 1."""
    version = body.get("version")
    if version is None:
        return None
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise invalid("/version", "wrong_type", "版本号（version）应为读取记录时得到的整数，请刷新后重试")
    return version


def refuse_stale(current: int, body: Mapping[str, Any], *, required: bool = False) -> None:
    """409 `stale_version` unless the body names the version that the record has now, which is `current`.

    422 for what is no version, and where one is `required` also for a body without.
    """
    version = sent_version(body)
    if version is None and required:
        raise invalid("/version", "required", "请带上读取记录时得到的版本号（version，整数），刷新页面后重试")
    if version != current:
        raise stale(current, version)


def stale(current: int, sent: int | None) -> Problem:
    """409 `stale_version` for a sender who read an older version, or none because the record was not known to exist."""
    if sent is None:
        reason = f"这条记录此前已经保存成功（第{current}版），可能是当时的回执没有收到；请读取后再保存"
    else:
        reason = "可能是您在另一部手机、另一个页面上改过，也可能是同事改过；请刷新核对后再保存"
    return Problem("stale_version", f"{reason}，本机所填内容请先留存", current_version=current)
