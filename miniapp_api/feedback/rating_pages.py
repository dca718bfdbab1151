"""The citizen's rating page: complete without JavaScript, better with it, no sign-in, no cookie.

Its address stands in the QR code. The form posts to the same address and is redirected to a page with the query code,
so that reloading sends nothing again; a form that is posted twice has the same hidden `submission_id` and makes one
rating. Nothing here depends on who is signed in: cross-site request forgery gains nothing, since anyone may post.
"""

import functools
import re
from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request
from flask_limiter import RateLimitExceeded
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import RequestEntityTooLarge

from accounts.sign_in.captchas import PICTURE
from core.errors import Fault, Problem
from core.text import clean_line
from feedback.codes.catalogue import LEVELS, is_bad, tags_of
from feedback.ratings import phone_proof
from feedback.ratings import public as readings
from feedback.ratings.fields import COMMENT_LIMIT, LEAST_REASON
from feedback.ratings.rating_window import WINDOW_DAYS
from miniapp_api.accounts import captchas
from miniapp_api.feedback import raters, tablets
from miniapp_api.feedback.refusal_pages import NATIONAL_HOTLINE, refused
from miniapp_api.feedback.typed_ratings import OTHER_CAPTCHA, Typed
from miniapp_api.http import limits
from miniapp_api.http.gates import public
from miniapp_api.http.pages import FORM_CSS, FORM_JS, Manner, dressed, page
from miniapp_api.http.wiring import wiring

log = structlog.get_logger()

bp = APIBlueprint("rating_pages", __name__, enable_openapi=False, template_folder="../templates")

_FIELDS = ("level", "tags", "comment", "real_name", "rater_name", "mobile", "captcha", "sms_code")
_EYES = "M17 19v2M31 19v2"
_MOUTHS = {5: "M14 27h20q-3 9-10 9t-10-9z", 4: "M15 29q9 8 18 0", 3: "M16 32h16", 2: "M15 34q9-7 18 0",
           1: "M14 35q10-10 20 0M13 14l6 2M35 14l-6 2"}  # fmt: skip


def _broken(label: str) -> Markup:
    """A level's name with the only places where a narrow screen may break it."""
    return Markup("<wbr>").join(part for part in re.split("(?<=非常|基本)", label) if part)


_CHOICES = [
    {
        "level": level,
        "label": label,
        "lines": _broken(label),
        "bad": is_bad(level),
        "tags": tags_of(level),
        "face": _EYES + _MOUTHS[level],
    }
    for level, label in LEVELS.items()
]


@bp.errorhandler(DBAPIError)
def show_busy(error: DBAPIError) -> Response:
    """503 as a page; the rest of the server answers problem documents in JSON."""
    log.error("database_error", error=type(error.orig).__name__, exc_info=not isinstance(error, OperationalError))
    return refused(Problem("not_ready"))


@bp.errorhandler(RateLimitExceeded)
def show_limit(error: RateLimitExceeded) -> Response:
    """429 as a page, for whoever asks for too many captchas."""
    return refused(Problem("too_many_requests", retry_after=limits.seconds_left(error)))


@bp.get("/r/<string:token>")
@public(transaction=False)
def show_rating_page(token: str) -> Response:
    """The form."""
    services = wiring()
    code: Any = None
    if Manner.of_request().tablet and "thanks" in request.args:
        return _thanks_on_a_tablet(token)
    try:
        with services.database.look() as connection:
            code = readings.code_of(connection, token)
            readings.refuse_unless_open(code)
    except Problem as problem:
        return refused(problem, token, code)
    if request.method == "GET" and "again" not in request.args:  # HEAD, as link previews send it, is no scan
        services.scans.note(code.id)
    return _form(token, code, Typed(), [])


@bp.post("/r/<string:token>")
@public(transaction=False)
def post_rating_page(token: str) -> Response:
    """The filled-in form: redirects to the thanks, or shows the form again with its faults and everything typed."""
    try:
        typed = Typed.read()
    except RequestEntityTooLarge:
        return refused(Problem("payload_too_large"), token)
    code = None
    try:
        code = _code(token)
        action = request.form.get("action", "")
        if action in OTHER_CAPTCHA:
            readings.refuse_unless_open(code)
            return _form(token, code, typed, [], captcha=captchas.make(OTHER_CAPTCHA[action]))
        if action == "send_code":
            readings.refuse_unless_open(code)  # no SMS for a code that cannot be rated
            raters.send_code(typed.mobile, typed.proof())
            return _form(token, code, typed, [], notice=f"验证码已发送，{phone_proof.MINUTES}分钟内有效，请填写后提交")
        rated = raters.rate(token, typed.sent(), typed.proof())
    except Problem as problem:
        return _again(token, code, typed, problem)
    except OperationalError as error:
        log.error("database_error", error=type(error.orig).__name__, busy=True)
        return _again(token, code, typed, Problem("not_ready", retry_after=2))
    manner = Manner.of_request()
    if manner.tablet:
        where = tablets.thanks_at(token, rated.query_code)
    elif code is not None and code.filing_id is not None:
        # 保存即完成，跳转首页 (seed 002): an enterprise goes back to where it came from.
        where = manner.kept(f"/?rated={rated.query_code}")
    else:
        where = manner.kept(f"/r/answers/{rated.query_code}?thanks=1")
    return dressed(Response(status=303, headers={"Location": where}))


def _thanks_on_a_tablet(token: str) -> Response:
    """The thanks, which lead back to an empty form after `THANKS_SECONDS`; after that time the empty form at once."""
    query_code = tablets.query_code_of(request.args["thanks"])
    if query_code is None:
        return dressed(redirect(tablets.clean_form(token), 303))
    with wiring().database.read() as session:
        answer = readings.answer(session, query_code)
    thanks = tablets.Thanks(query_code, answer["next_step"])
    return page(
        "rating/tablet_thanks.html", thanks=thanks, clean=tablets.clean_form(token), seconds=tablets.THANKS_SECONDS
    )


@bp.get("/r/answers")
@public(transaction=False)
def look_up_answer() -> Response:
    """The page where a rater types the query code."""
    typed = clean_line(request.args.get("code", ""))
    if typed:
        where = f"/r/answers/{typed[:40]}" if typed.isprintable() and "/" not in typed else "/r/answers"
        return dressed(redirect(Manner.of_request().kept(where), 303))
    return page("rating/look_up.html", typed="", fault=None)


@bp.get("/r/answers/<string:query_code>")
@public(transaction=False)
def show_answer(query_code: str) -> Response:
    """The thanks for a rating, and later the office's answer."""
    try:
        with wiring().database.read() as session:
            answer = readings.answer(session, query_code)
    except Problem as problem:
        fault = "没有找到这个查询码，请核对后重新输入"
        return page("rating/look_up.html", problem.status, typed=query_code[:40], fault=fault)
    response = page("rating/answer.html", answer=answer, query_code=query_code, thanks="thanks" in request.args)
    response.headers["Cache-Control"] = "no-store"  # nothing of it stays on a shared computer
    return response


def _code(token: str) -> Any:
    with wiring().database.look() as connection:
        return readings.code_of(connection, token)


def _again(token: str, code: Any, typed: Typed, problem: Problem) -> Response:
    """The form again with its faults; where the code cannot be rated any more, the refusal with the typed words."""
    try:
        readings.refuse_unless_open(code)
    except Problem as closed:
        return refused(closed, token, code, typed)
    if problem.code in ("rating_window", "already_rated", "code_disabled", "code_expired", "unknown_code"):
        return refused(problem, token, code, typed)
    asked = problem.code == "captcha_required"
    faults = problem.errors or [Fault("/captcha" if asked else "", problem.code, problem.detail or problem.title)]
    # A captcha works once and expires: the form gets a new one, everything else that was typed stays.
    kind = PICTURE if problem.code == "too_many_requests" else typed.captcha_kind
    captcha = captchas.make(kind) if asked or typed.captcha_id else None
    return _form(token, code, typed, faults, problem.status, captcha=captcha, retry_after=problem.retry_after)


def _form(
    token: str, code: Any, typed: Typed, faults: list[Fault], status: int = 200, *, notice: str | None = None,
    captcha: dict[str, Any] | None = None, retry_after: int | None = None,
) -> Response:  # fmt: skip
    services = wiring()
    proves = raters.proves_numbers(services)
    # Where no SMS code is demanded it may stand in for the captcha; whoever chose it keeps that choice.
    sms = proves or (services.sms is not None and (captcha is not None or typed.by_sms))
    values = form_values(code, typed, faults, notice, sms=sms)
    clean = tablets.clean_form(token) if Manner.of_request().tablet else None
    response = page(
        "rating/form.html", status, **values, captcha=captcha, must_prove=proves, national=NATIONAL_HOTLINE,
        clean=clean, waits=tablets.WITHOUT_SCRIPT_SECONDS,
    )  # fmt: skip
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def form_values(code: Any, typed: Typed, faults: list[Fault], notice: str | None, *, sms: bool) -> dict[str, Any]:
    """The values of the form's template, besides those of every page."""
    messages: dict[str, str] = {}
    for fault in faults:
        messages.setdefault(fault.path.split("/")[1] if fault.path else "", fault.message)
    # In the order of the form: faults are corrected from top to bottom.
    messages = {
        name: messages[name]
        for name in sorted(messages, key=lambda name: _FIELDS.index(name) if name in _FIELDS else -1)
    }
    at = {"level": "l5", "tags": f"g{tags_of(typed.level)[0].code}" if typed.level else "l5", "real_name": "anonymous"}
    return {
        "css": FORM_CSS, "js": FORM_JS, "choices": _choices,
        "code": code, "sent": typed, "said": messages, "notice": notice, "sms": sms,
        "faults": [{"at": at.get(name, name), "message": message} for name, message in messages.items()],
        "least_reason": LEAST_REASON, "comment_limit": COMMENT_LIMIT, "window_days": WINDOW_DAYS,
    }  # fmt: skip


@functools.lru_cache(maxsize=256)
def _choices(level: int | None, tags: tuple[int, ...], level_fault: str = "", tags_fault: str = "") -> Markup:
    """The levels with their tags and faults, rendered once for each choice: most pages are asked for with none."""
    values = {"chosen": level, "picked": tags, "level_fault": level_fault, "tags_fault": tags_fault}
    # The template has escaped it.
    return Markup(render_template("rating/choices.html", levels=_CHOICES, **values))  # noqa: S704
