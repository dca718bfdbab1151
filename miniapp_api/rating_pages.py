"""The citizen's rating page: complete without JavaScript, better with it, no sign-in, no cookie.

Its address stands in the QR code. It posts to itself and then leads to a page with the query code, so
that reloading sends nothing again; the hidden `submission_id` makes a form that is posted twice one
rating. Nothing here depends on who is signed in, so that a form posted from a foreign site can do no
more than anyone who fills in the page.
"""

import base64
import functools
import hashlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import structlog
from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request
from flask_limiter import RateLimitExceeded
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import RequestEntityTooLarge

from accounts.captchas import PICTURE, QUESTION
from core.errors import Fault, Problem
from core.text import clean_line
from feedback import public as readings
from feedback.catalogue import LEVELS, is_bad, tags_of
from feedback.sent import COMMENT_LIMIT, LEAST_REASON, Sent
from miniapp_api import captchas, limits, raters
from miniapp_api.gates import public
from miniapp_api.raters import Proof
from miniapp_api.wiring import wiring

log = structlog.get_logger()

bp = APIBlueprint("rating_pages", __name__, enable_openapi=False, template_folder="templates")

_FOLDER = Path(__file__).with_name("templates") / "rating"
_FIELDS = ("level", "tags", "comment", "rater_name", "mobile", "sms_code", "captcha", "real_name")
_OTHER_CAPTCHA = {"picture": PICTURE, "question": QUESTION}
"""What is pressed for another captcha."""
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


def _squeezed(name: str) -> str:
    """A file without its line breaks' indentation, as it stands in every page."""
    return "".join(line.strip() + "\n" for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines())


def _allowed(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


# Our own files, not what anyone sent.
CSS, JS = Markup(_squeezed("page.css")), Markup(_squeezed("page.js"))  # noqa: S704
_POLICY = (
    f"default-src 'none'; style-src {_allowed(CSS)}; script-src {_allowed(JS)}; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; img-src data:"
)


@bp.errorhandler(DBAPIError)
def show_busy(error: DBAPIError) -> Response:
    """A page where the rest of the server answers JSON."""
    log.error("database_error", error=type(error.orig).__name__, exc_info=not isinstance(error, OperationalError))
    return _refused(Problem("not_ready"))


@bp.errorhandler(RateLimitExceeded)
def show_limit(error: RateLimitExceeded) -> Response:
    """The same, of who asks for captchas without end."""
    return _refused(Problem("too_many_requests", retry_after=limits.seconds_left(error)))


@bp.get("/r/<string:token>")
@public(transaction=False)
def show_rating_page(token: str) -> Response:
    """The form."""
    services = wiring()
    try:
        with services.database.look() as connection:
            code = readings.open_code(connection, token)
    except Problem as problem:
        return _refused(problem)
    if request.method == "GET":  # a preview that asks with HEAD is no scan
        services.scans.note(code.id)
    return _form(code, Typed(), [])


@bp.post("/r/<string:token>")
@public(transaction=False)
def post_rating_page(token: str) -> Response:
    """The form, filled in: leads to the thanks, or shows what to mend with everything that was typed."""
    try:
        typed = Typed.read()
    except RequestEntityTooLarge:
        return _refused(Problem("payload_too_large"))
    try:
        action = request.form.get("action", "")
        if action in _OTHER_CAPTCHA:
            return _form(_code(token), typed, [], captcha=captchas.make(_OTHER_CAPTCHA[action]))
        if action == "send_code":
            code = _code(token)  # nothing is sent for a code that cannot be rated
            raters.send_code(typed.mobile, typed.proof())
            return _form(code, typed, [], notice="验证码已发送，5分钟内有效，请填写后提交")
        rated = raters.rate(token, typed.sent(), typed.proof())
    except Problem as problem:
        return _again(token, typed, problem)
    except OperationalError as error:
        log.error("database_error", error=type(error.orig).__name__, busy=True)
        return _again(token, typed, Problem("not_ready", retry_after=2))
    with wiring().database.read() as session:
        of_filing = readings.is_of_filing(session, token)
    # 保存即完成，跳转首页 (seed 002): an enterprise goes back to where it came from.
    where = f"/?rated={rated.query_code}" if of_filing else _still_large(f"/r/answers/{rated.query_code}?thanks=1")
    return _dressed(Response(status=303, headers={"Location": where}))


@bp.get("/r/answers")
@public(transaction=False)
def look_up_answer() -> Response:
    """Where a rater types the query code."""
    typed = clean_line(request.args.get("code", ""))
    if typed:
        where = f"/r/answers/{typed[:40]}" if typed.isprintable() and "/" not in typed else "/r/answers"
        return _dressed(redirect(_still_large(where), 303))
    return _page("look_up.html", typed="", fault=None)


@bp.get("/r/answers/<string:query_code>")
@public(transaction=False)
def show_answer(query_code: str) -> Response:
    """The thanks, and later the answer."""
    try:
        with wiring().database.read() as session:
            answer = readings.answer(session, query_code)
    except Problem as problem:
        fault = "没有找到这个查询码，请核对后重新输入"
        return _page("look_up.html", problem.status, typed=query_code[:40], fault=fault)
    response = _page("answer.html", answer=answer, query_code=query_code, thanks="thanks" in request.args)
    response.headers["Cache-Control"] = "no-store"  # a shared computer keeps nothing of it
    return response


class Typed(SimpleNamespace):
    """What stands in the fields."""

    def __init__(self, **fields: Any) -> None:
        blank = {"rater_name": "", "mobile": "", "comment": "", "level": None, "tags": (), "anonymous": False,
                 "sms_code": "", "captcha_id": "", "captcha": "", "captcha_kind": PICTURE}  # fmt: skip
        super().__init__(**{**blank, "submission_id": str(uuid4()), **fields})

    @classmethod
    def read(cls) -> "Typed":
        form = request.form
        level = form.get("level", "")
        chosen = int(level) if level in ("1", "2", "3", "4", "5") else None
        # Without JavaScript tags of a level that was chosen before stay ticked, unseen: each level has its own field.
        tags = tuple(
            int(one)
            for one in form.getlist(f"tags{chosen}")[:40]
            if one.isascii() and one.isdecimal() and len(one) <= 4
        )
        return cls(
            rater_name=form.get("rater_name", ""), mobile=form.get("mobile", ""), comment=form.get("comment", ""),
            level=chosen, tags=tags, anonymous="anonymous" in form,
            submission_id=form.get("submission_id", "")[:64] or str(uuid4()), sms_code=form.get("sms_code", ""),
            captcha_id=form.get("captcha_id", ""), captcha=form.get("captcha", ""),
            captcha_kind=_OTHER_CAPTCHA.get(form.get("captcha_kind", ""), PICTURE),
        )  # fmt: skip

    def sent(self) -> Sent:
        return Sent(
            rater_name=self.rater_name, mobile=self.mobile, level=self.level, tags=self.tags, comment=self.comment,
            real_name=not self.anonymous, submission_id=self.submission_id,
        )  # fmt: skip

    def proof(self) -> Proof:
        return Proof(self.sms_code, self.captcha_id, self.captcha)


def _code(token: str) -> Any:
    with wiring().database.look() as connection:
        return readings.open_code(connection, token)


def _again(token: str, typed: Typed, problem: Problem) -> Response:
    """The form with everything that was typed and what to mend; a message where the form is of no use any more."""
    try:
        code = _code(token)
    except Problem as closed:
        return _refused(closed)
    asked = problem.code == "captcha_required"
    faults = problem.errors or [Fault("/captcha" if asked else "", problem.code, problem.detail or problem.title)]
    # One that was shown is used up, or nearly so old that it is over; what was typed beside it stays.
    kind = PICTURE if problem.code == "too_many_requests" else typed.captcha_kind
    captcha = captchas.make(kind) if asked or typed.captcha_id else None
    return _form(code, typed, faults, problem.status, captcha=captcha, retry_after=problem.retry_after)


def _form(
    code: Any, typed: Typed, faults: list[Fault], status: int = 200, *, notice: str | None = None,
    captcha: dict[str, Any] | None = None, retry_after: int | None = None,
) -> Response:  # fmt: skip
    services = wiring()
    proves = raters.proves_numbers(services)
    # Where numbers are not proved, a code by SMS is another way than the captcha.
    sms = proves or (captcha is not None and services.sms is not None)
    values = form_values(code, typed, faults, notice, sms=sms)
    response = _page("form.html", status, **values, captcha=captcha, must_prove=proves)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def form_values(code: Any, typed: Typed, faults: list[Fault], notice: str | None, *, sms: bool) -> dict[str, Any]:
    """What the form's template needs, besides what every page has."""
    told: dict[str, str] = {}
    for fault in faults:
        told.setdefault(fault.path.split("/")[1] if fault.path else "", fault.message)
    # In the order of the form, so that whoever mends one fault after another only goes down.
    told = {name: told[name] for name in sorted(told, key=lambda name: _FIELDS.index(name) if name in _FIELDS else -1)}
    at = {"level": "l5", "tags": f"g{tags_of(typed.level)[0].code}" if typed.level else "l5", "real_name": "anonymous"}
    return {
        "code": code, "sent": typed, "said": told, "notice": notice, "js": JS, "choices": _choices, "sms": sms,
        "faults": [{"at": at.get(name, name), "message": message} for name, message in told.items()],
        "least_reason": LEAST_REASON, "comment_limit": COMMENT_LIMIT,
    }  # fmt: skip


@functools.lru_cache(maxsize=256)
def _choices(level: int | None, tags: tuple[int, ...], level_fault: str = "", tags_fault: str = "") -> Markup:
    """The levels with their tags and what is wrong with them; nearly always with nothing chosen."""
    values = {"chosen": level, "picked": tags, "level_fault": level_fault, "tags_fault": tags_fault}
    # Escaped by the template already.
    return Markup(render_template("rating/choices.html", levels=_CHOICES, **values))  # noqa: S704


def _refused(problem: Problem) -> Response:
    response = _page("message.html", problem.status, title=problem.title, detail=problem.detail)
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _still_large(where: str) -> str:
    """An address of our own in the large type (关怀版) that the request has."""
    if request.args.get("large") != "1":
        return where
    return where + ("&" if "?" in where else "?") + "large=1"


def _page(template: str, status: int = 200, **values: Any) -> Response:
    large = request.args.get("large") == "1"
    html = render_template(f"rating/{template}", css=CSS, large=large, **values)
    return _dressed(Response(html, status, mimetype="text/html"))


def _dressed(response: Any) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    # Kept by the phone for going back, so that nothing typed is lost; asked anew otherwise.
    response.headers["Cache-Control"] = "private, no-cache"
    return response  # type: ignore[no-any-return]
