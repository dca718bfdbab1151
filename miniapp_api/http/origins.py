"""Where the request at hand comes from: the only place that reads its address."""

from flask import g, request

from core.errors import Problem
from core.origin import Origin, origin_of


def note_origin() -> None:
    """At the beginning of a request; 400 where what a proxy said is no address: nothing could be counted for it.

    So too without any address, as through a Unix socket whose proxy says none: counted together, all callers would
    share one limit, and one of them could spend it for everybody.
    """
    found = origin_of(request.remote_addr or "")
    if found is None:
        raise Problem("bad_request", "请求的来源地址无法识别，请联系管理员检查反向代理的设置")
    g.origin = found


def origin() -> Origin:
    """The origin of the request at hand."""
    found: Origin = g.origin
    return found
