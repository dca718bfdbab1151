"""How often captchas may be tried: counted like passwords, questions in words harder.

A wrong picture counts under the address; a right one takes its try off the count. A question counts right or wrong,
because a program answers it right every time: five in fifteen minutes, half of what passwords allow. Neither counts
under the user name: with wrong captchas strangers could keep its owner out. Passwords behind captchas do
(`throttle.py`).
"""

from dataclasses import dataclass

from accounts.sign_in import captchas, throttle
from accounts.sign_in.captchas import QUESTION
from core.db import Database
from core.errors import Problem
from core.origin import Origin

PICTURES, QUESTIONS = "captcha-", "question-"


@dataclass(frozen=True, slots=True)
class CaptchaLimits:
    """Limits where a captcha is asked for: the keys under which tries count, and the code of the refusal."""

    pictures: list[str]
    questions: list[str]
    code: str

    def refusal(self, wait: int, *, asked: bool) -> Problem:
        """The 429 that says how long to wait; `asked`: for questions, where the picture may still be tried."""
        minutes = throttle.minutes(wait)
        message = f"验证码错误次数过多，请在 {minutes} 分钟后再试"
        if asked:
            message = f"回答文字题次数过多，请改用图片验证码，或在 {minutes} 分钟后再试"
        return Problem(self.code, message, retry_after=wait)


def of_sign_in(username: str, origin: Origin, *, known: bool) -> CaptchaLimits:
    """The limits of a user name."""
    pictures = throttle.buckets(username, origin, known=known, of=PICTURES)
    return CaptchaLimits(pictures, throttle.buckets(username, origin, known=known, of=QUESTIONS), "login_throttled")


def of_ratings(origin: Origin) -> CaptchaLimits:
    """The limits of raters, who have no user name."""
    pictures, questions = (throttle.by_origin(kind, origin) for kind in ("rating-captcha", "rating-question"))
    return CaptchaLimits(pictures, questions, "too_many_requests")


def of_resets(origin: Origin) -> CaptchaLimits:
    """The limits of those who forgot a password, whose names are not proved."""
    pictures, questions = (throttle.by_origin(kind, origin) for kind in ("reset-captcha", "reset-question"))
    return CaptchaLimits(pictures, questions, "too_many_requests")


def of_registrants(origin: Origin) -> CaptchaLimits:
    """The limits of those who register without an account."""
    pictures, questions = (throttle.by_origin(kind, origin) for kind in ("registrant-captcha", "registrant-question"))
    return CaptchaLimits(pictures, questions, "too_many_requests")


def check(database: Database, limits: CaptchaLimits, captcha_id: str | None, text: str | None) -> None:
    """Let a right answer pass. In a transaction of its own: the try counts whatever becomes of the rest.

    Raises 403 `captcha_required`, or 429 with the seconds to wait. A captcha that is refused by the limit is not
    used up.
    """
    if not text:
        raise Problem("captcha_required")
    with database.write() as session:
        asked = captchas.kind_of(session, captcha_id) == QUESTION
        keys = limits.questions if asked else limits.pictures
        reserved = throttle.reserve(session, keys)
        right = reserved.refused is None and captchas.use(session, captcha_id, text)
        if right and not asked:
            throttle.take_back(session, keys)
    wait = reserved.refused if right or reserved.refused is not None else reserved.refused_if_wrong
    if wait is not None:
        raise limits.refusal(wait, asked=asked)
    if right:
        return
    raise Problem("captcha_required", _AGAIN)


_AGAIN = "验证码错误或已过期，请按新的验证码重新输入"
