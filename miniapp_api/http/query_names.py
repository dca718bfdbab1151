"""Query parameters that an endpoint does not declare are refused, never ignored.

A misspelt filter (`?product=06`) would otherwise return every record. Each gate wraps its view in `only_declared`,
which knows the query models of the endpoint (`bp.input(…, location="query")`). Pages for people (`/`, `/r/…`) accept
any parameter: browsers and WeChat add their own when an address is shared
(see docs/decisions/0014-figures-and-filters.md).
"""

import difflib
import functools
from collections.abc import Callable
from typing import Any

from flask import request

from core.errors import Fault, Problem
from core.pointers import pointer

_PREFIX = "/api/v1/"
_LONGEST_NAME = 64
_MOST_FAULTS = 100


def declared(view: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the query parameters of a view, in the order of its models."""
    models = [model for model, location in getattr(view, "_spec", {}).get("args") or () if location == "query"]
    return tuple(field.alias or name for model in models for name, field in model.model_fields.items())


def only_declared(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view behind a check: 422 for a parameter that it does not declare, or that is given twice."""
    names = declared(view)

    @functools.wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if request.args and request.path.startswith(_PREFIX):
            _refuse(names)
        return view(*args, **kwargs)

    return checked


def _refuse(names: tuple[str, ...]) -> None:
    given = list(request.args.lists())
    unknown = [name for name, _ in given if name not in names]
    if unknown:
        faults = [Fault(_path(name), "unknown_parameter", _message(name, names)) for name in unknown[:_MOST_FAULTS]]
        raise Problem("unknown_parameter", errors=faults)
    twice = [name for name, values in given if len(values) > 1]
    if twice:
        message = "该参数只能给一个值，请只保留一个"
        raise Problem("invalid", errors=[Fault(_path(name), "repeated_parameter", message) for name in twice])


def _path(name: str) -> str:
    return pointer(name[:_LONGEST_NAME])


def _message(name: str, names: tuple[str, ...]) -> str:
    if not names:
        return "这个地址不带查询参数，请删除“?”及其后的内容"
    near = next((one for one in names if one.startswith(name) or name.startswith(one)), None) if name else None
    near = near or next(iter(difflib.get_close_matches(name[:_LONGEST_NAME], names, 1)), None)
    suggestion = f"是否应为 {near}？" if near else ""
    return f"没有这个查询参数，请删除或改正。{suggestion}可用的参数：{'、'.join(names)}"
