"""Every fault of the HTTP layer as `application/problem+json`, in Chinese, without echoing the input."""

import re
from typing import Any

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, current_app, g, request
from flask_limiter import RateLimitExceeded
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed

from core import disk
from core.errors import CATALOGUE, Fault, Problem, disk_full
from miniapp_api.bodies import drain

log = structlog.get_logger()

_BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}

# pydantic's error type: (our code, Chinese message)
_MESSAGES: dict[str, tuple[str, str]] = {
    "missing": ("required", "此项为必填项"),
    "string_too_short": ("too_short", "内容过短，至少 {min_length} 个字符"),
    "string_too_long": ("too_long", "内容过长，最多 {max_length} 个字符"),
    "string_pattern_mismatch": ("bad_format", "格式不正确"),
    "string_type": ("wrong_type", "应为文本"),
    "bool_type": ("wrong_type", "应为 true 或 false"),
    "bool_parsing": ("wrong_type", "应为 true 或 false"),
    "int_type": ("wrong_type", "应为整数"),
    "int_parsing": ("wrong_type", "应为整数"),
    "int_from_float": ("wrong_type", "应为整数"),
    "int_parsing_size": ("out_of_range", "数值超出范围"),
    "greater_than_equal": ("out_of_range", "不能小于 {ge}"),
    "less_than_equal": ("out_of_range", "不能大于 {le}"),
    "dict_type": ("wrong_type", "应为 JSON 对象"),
    "model_type": ("wrong_type", "应为 JSON 对象"),
    "model_attributes_type": ("wrong_type", "应为 JSON 对象"),
    "list_type": ("wrong_type", "应为列表"),
    "extra_forbidden": ("unknown_field", "没有这一项，请删除"),
    "literal_error": ("unknown_option", "不是可选的值，可选：{expected}"),
    "enum": ("unknown_option", "不是可选的值，可选：{expected}"),
    "date_from_datetime_parsing": ("bad_date", "日期格式应为 YYYY-MM-DD"),
    "date_parsing": ("bad_date", "日期格式应为 YYYY-MM-DD"),
    "date_type": ("bad_date", "日期格式应为 YYYY-MM-DD"),
    "date_from_datetime_inexact": ("bad_date", "日期格式应为 YYYY-MM-DD"),
    "uuid_parsing": ("bad_format", "编号格式不正确"),
    "value_error": ("invalid", "内容不正确"),
}


def pointer(location: tuple[Any, ...]) -> str:
    """A JSON Pointer (RFC 6901) for a place given as a tuple."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def faults_of(error: ValidationError) -> list[Fault]:
    """pydantic's errors as faults of ours; at most 100, so that an answer stays small."""
    faults = []
    for one in error.errors(include_url=False, include_input=False)[:100]:
        code, message = _MESSAGES.get(one["type"], ("invalid", "内容不正确"))
        context = one.get("ctx", {})
        if "expected" in context:  # pydantic joins the last two with an English word
            context = {**context, "expected": "、".join(re.findall(r"'([^']*)'", str(context["expected"])))}
        if one["type"] == "value_error" and "error" in context:
            message = str(context["error"])
        faults.append(Fault(pointer(one["loc"]), code, message.format(**context) if "{" in message else message))
    return faults


def answer(problem: Problem) -> Response:
    """The response for a problem."""
    body: dict[str, Any] = {
        "type": f"urn:gongpin:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = [{"path": f.path, "code": f.code, "message": f.message} for f in problem.errors[:200]]
    body.update(problem.extra)
    body["request_id"] = g.get("request_id", "")
    response = current_app.response_class(
        current_app.json.dumps(body), status=problem.status, mimetype="application/problem+json"
    )
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    g.problem = problem.code
    return response


def install(app: APIFlask) -> None:
    """Register the handlers."""

    @app.errorhandler(Problem)
    def _problem(error: Problem) -> Response:
        return answer(error)

    @app.errorhandler(ValidationError)
    def _validation(error: ValidationError) -> Response:
        return answer(Problem("invalid", errors=faults_of(error)))

    @app.error_processor
    def _apiflask(error: HTTPError) -> Response:
        cause = error.__cause__
        if isinstance(cause, ValidationError):
            return answer(Problem("invalid", errors=faults_of(cause)))
        return _by_status(error.status_code)

    @app.errorhandler(RateLimitExceeded)
    def _limited(error: RateLimitExceeded) -> Response:
        seconds = int(error.limit.limit.get_expiry()) if error.limit else 60
        return answer(Problem("too_many_requests", retry_after=seconds))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        if isinstance(error.__cause__, Problem):
            return answer(error.__cause__)
        if isinstance(error, ClientDisconnected):
            # Too slow, or fallen silent: who can still read this is to send it all again, which 400 would forbid.
            return answer(Problem("not_ready", "网络过慢，内容没有传完，请在信号较好时重试", retry_after=5))
        if error.code is not None and error.code < 400:
            return error.get_response()
        response = _by_status(error.code or 500)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(DBAPIError)
    def _database(error: DBAPIError) -> Response:
        if disk.is_full(error):
            return _no_room(error)
        busy = isinstance(error, OperationalError)
        log.error("database_error", error=type(error.orig).__name__, busy=busy, exc_info=not busy)
        return answer(Problem("not_ready", retry_after=2) if busy else Problem("internal_error"))

    @app.errorhandler(PoolTimeout)
    def _no_connection(_error: PoolTimeout) -> Response:
        log.error("database_connections_exhausted")
        return answer(Problem("not_ready", retry_after=2))

    @app.after_request
    def _take_what_is_left(response: Response) -> Response:
        if response.status_code >= 400:
            drain()
        return response

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> Response:
        if disk.is_full(error):
            return _no_room(error)
        # The last resort: the caller learns nothing of the inside, the log everything.
        log.exception("unexpected_error", path=request.path)
        return answer(Problem("internal_error"))


def _no_room(error: Exception) -> Response:
    log.error("disk_full", error=type(error).__name__)
    return answer(disk_full())


def _by_status(status: int) -> Response:
    code = _BY_STATUS.get(status, "internal_error" if status >= 500 else "bad_request")
    if code == "bad_request" and request.mimetype == "application/json":
        code = "malformed_json"
    assert code in CATALOGUE
    return answer(Problem(code))
