"""Refusals of a rating as pages: the reason, the office, whom to call, and what was typed."""

from typing import Any

from flask import Response

from accounts.sign_in import throttle
from core.errors import Problem
from miniapp_api.feedback import tablets
from miniapp_api.feedback.typed_ratings import Typed
from miniapp_api.http.pages import Manner, page

NATIONAL_HOTLINE = "12315"
"""全国市场监管投诉举报热线: the number works in the whole country."""

_ADVICE = {
    "unknown_code": "请扫描窗口张贴的评价二维码。还是打不开的，请告诉窗口工作人员，或拨打下面的电话。",
    "already_rated": "一个事项只能评价一次。评价时得到的查询码可以查看答复；不是您本人评价的，请拨打下面的电话。",
    "code_disabled": "请扫描窗口现在使用的评价二维码，或拨打下面的电话反映。",
    "code_expired": "请向窗口索取新的评价二维码，或拨打下面的电话反映。",
    "rating_window": "手机号填错了的，请返回上一页修改。急需反映的，请拨打下面的电话。",
    "payload_too_large": "请返回上一页，缩短具体意见后重新提交。",
    "too_many_requests": "急需反映的，请拨打下面的电话。",
    "not_ready": "请过一会儿重新打开本页。急需反映的，请拨打下面的电话。",
}


def refused(problem: Problem, token: str = "", code: Any = None, typed: Typed | None = None) -> Response:
    """The page of a refusal; `code` is the rating code if there is one, `typed` is shown for copying."""
    tablet = Manner.of_request().tablet
    title, detail, advice = problem.title, problem.detail, _ADVICE.get(problem.code)
    if advice is not None and tablet:
        advice = advice.replace("请返回上一页", "请重新填写并")
    if problem.code == "rating_window" and detail:
        title, detail = detail, None
    if problem.code == "too_many_requests" and problem.retry_after is not None:
        detail = f"请在 {throttle.minutes(problem.retry_after)} 分钟后再试"
    if problem.code == "code_expired" and code is not None and code.valid_to is not None:
        detail = f"有效期至 {code.valid_to.isoformat()}"
    response = page(
        "rating/refusal.html", problem.status, title=title, detail=detail, advice=advice, code=code,
        hotline=code.hotline if code is not None else None, national=NATIONAL_HOTLINE,
        kept=typed.as_text() if typed is not None else "", seconds=tablets.IDLE_SECONDS,
        clean=tablets.clean_form(token) if token and tablet else None,
    )  # fmt: skip
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response
