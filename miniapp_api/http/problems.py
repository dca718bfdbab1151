"""Every fault of the HTTP layer as `application/problem+json`, in Chinese, without echoing the input."""

import re
from typing import Any

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, current_app, g, request
from flask_limiter import RateLimitExceeded
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed

from core.database import disk
from core.errors import CATALOGUE, Fault, Problem, disk_full
from core.pointers import pointer
from miniapp_api.http import limits
from miniapp_api.http.field_labels import LABELS, verb_for

log = structlog.get_logger()

_BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}

_DATE = "{field}不是有效的日期，请按“2026-11-20”的形式填写"
_TIME = "{field}不是有效的时间，请按“2026-11-30T20:00:00+08:00”的形式填写"
_INCORRECT = "{field}的内容不正确，请核对后重试"

# pydantic's error type: (our code, Chinese sentence); `field` is the Chinese name of the field.
_MESSAGES: dict[str, tuple[str, str]] = {
    "missing": ("required", "请{verb}{field}"),
    "string_too_short": ("too_short", "{field}至少需要{min_length}个字，请补充"),
    "string_too_long": ("too_long", "{field}不能超过{max_length}个字，请缩短后重试"),
    "too_short": ("too_few", "{field}至少需要{min_length}项，请补充"),
    "too_long": ("too_many", "{field}最多{max_length}项，请删减后重试"),
    "string_pattern_mismatch": ("bad_format", "{field}的格式不正确，请核对后重新{verb}"),
    "string_type": ("wrong_type", "{field}应为文字，请重新{verb}"),
    "bool_type": ("wrong_type", "{field}只能是“是”（true）或“否”（false），请重新选择"),
    "bool_parsing": ("wrong_type", "{field}只能是“是”（true）或“否”（false），请重新选择"),
    "int_type": ("wrong_type", "{field}应为整数，请重新{verb}"),
    "int_parsing": ("wrong_type", "{field}应为整数，请重新{verb}"),
    "int_from_float": ("wrong_type", "{field}应为整数，请重新{verb}"),
    "int_parsing_size": ("out_of_range", "{field}的数值过大，请核对"),
    "greater_than_equal": ("out_of_range", "{field}不能小于{ge}，请核对"),
    "less_than_equal": ("out_of_range", "{field}不能大于{le}，请核对"),
    "dict_type": ("wrong_type", "{field}的内容格式不正确，请更新小程序后重试"),
    "model_type": ("wrong_type", "{field}的内容格式不正确，请更新小程序后重试"),
    "model_attributes_type": ("wrong_type", "{field}的内容格式不正确，请更新小程序后重试"),
    "list_type": ("wrong_type", "{field}应为列表，请重新{verb}"),
    "extra_forbidden": ("unknown_field", "提交的内容中有这里没有的项，请删除该项，或更新小程序后重试"),
    "literal_error": ("unknown_option", "{field}不是可选的值，可选：{expected}"),
    "enum": ("unknown_option", "{field}不是可选的值，可选：{expected}"),
    "date_from_datetime_parsing": ("bad_date", _DATE),
    "date_parsing": ("bad_date", _DATE),
    "date_type": ("bad_date", _DATE),
    "date_from_datetime_inexact": ("bad_date", _DATE),
    "datetime_from_date_parsing": ("bad_time", _TIME),
    "datetime_parsing": ("bad_time", _TIME),
    "datetime_type": ("bad_time", _TIME),
    "timezone_aware": ("bad_time", _TIME),
    "uuid_parsing": ("bad_format", "{field}的编号格式不正确，请重新选择"),
    "uuid_type": ("bad_format", "{field}的编号格式不正确，请重新选择"),
    "value_error": ("invalid", _INCORRECT),
}


def faults_of(error: ValidationError) -> list[Fault]:
    """pydantic's errors as faults of ours; at most 100, so that an answer stays small."""
    return [_fault(one) for one in error.errors(include_url=False, include_input=False)[:100]]


def _fault(one: ErrorDetails) -> Fault:
    code, sentence = _MESSAGES.get(one["type"], ("invalid", _INCORRECT))
    context = one.get("ctx", {})
    if one["type"] == "value_error" and "error" in context:
        return Fault(pointer(*one["loc"]), code, str(context["error"]))
    if context.get("min_length") == 1 and one["type"] in ("string_too_short", "too_short"):
        sentence = _MESSAGES["missing"][1]  # to a user an empty text is missing, not too short
    if "expected" in context:  # pydantic joins the last two with an English word
        context = {**context, "expected": "、".join(re.findall(r"'([^']*)'", str(context["expected"])))}
    field, verb = _named(one["loc"])
    return Fault(pointer(*one["loc"]), code, sentence.format(field=field, verb=verb, **context))


def _named(place: tuple[int | str, ...]) -> tuple[str, str]:
    """The Chinese name of a field for a sentence, and its verb; entries of a list are counted from one."""
    name = next((str(part) for part in reversed(place) if part in LABELS), "")
    label = f"“{LABELS[name]}”" if name else "提交的内容" if not place else "该项"
    numbers = [part + 1 for part in place if isinstance(part, int)]
    return label + (f"第{numbers[-1]}项" if numbers else ""), verb_for(name)


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
        body["errors"] = [fault.as_json() for fault in problem.errors[:200]]
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
        return answer(Problem("too_many_requests", retry_after=limits.seconds_left(error)))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        if isinstance(error.__cause__, Problem):
            return answer(error.__cause__)
        if isinstance(error, ClientDisconnected):
            # The client was too slow. If it still reads the answer it shall send again, which a 400 would forbid.
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

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> Response:
        if disk.is_full(error):
            return _no_room(error)
        # Details go to the log only.
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
