"""Which parameters an address takes: a name that nobody declared is refused, never ignored.

A filter with a slip in its name (`?product=06`) would else answer with everything. One wrapper inside of every gate
does it for each route of the API, from the query models that its endpoint declares (`bp.input(…, location="query")`).
Pages for people (`/`, `/r/…`) are left alone: browsers and WeChat add parameters of their own to addresses that are
passed on (see docs/decisions/0014-figures-and-filters.md).
"""

import difflib
import functools
from collections.abc import Callable
from typing import Any

from flask import request

from core.errors import Fault, Problem

_PREFIX = "/api/v1/"
_LONGEST_NAME = 64
_MOST_FAULTS = 100


def declared(view: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the query parameters that a view takes, in the order of its models."""
    models = [model for model, location in getattr(view, "_spec", {}).get("args") or () if location == "query"]
    return tuple(field.alias or name for model in models for name, field in model.model_fields.items())


def only_declared(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, which is called with parameters that it takes and each of them once; else 422."""
    names = declared(view)

    @functools.wraps(view)
    def judged(*args: Any, **kwargs: Any) -> Any:
        if request.args and request.path.startswith(_PREFIX):
            _refuse(names)
        return view(*args, **kwargs)

    return judged


def _refuse(names: tuple[str, ...]) -> None:
    given = list(request.args.lists())
    unknown = [name for name, _ in given if name not in names]
    if unknown:
        faults = [Fault(_path(name), "unknown_parameter", _told(name, names)) for name in unknown[:_MOST_FAULTS]]
        raise Problem("unknown_parameter", errors=faults)
    twice = [name for name, values in given if len(values) > 1]
    if twice:
        message = "该参数只能给一个值，请只保留一个"
        raise Problem("invalid", errors=[Fault(_path(name), "repeated_parameter", message) for name in twice])


def _path(name: str) -> str:
    return "/" + name[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1")


def _told(name: str, names: tuple[str, ...]) -> str:
    if not names:
        return "这个地址不带查询参数，请删除“?”及其后的内容"
    near = next((one for one in names if one.startswith(name) or name.startswith(one)), None) if name else None
    near = near or next(iter(difflib.get_close_matches(name[:_LONGEST_NAME], names, 1)), None)
    meant = f"是否应为 {near}？" if near else ""
    return f"没有这个查询参数，请删除或改正。{meant}可用的参数：{'、'.join(names)}"
