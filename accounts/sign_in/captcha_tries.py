"""How often captchas may be tried: counted like passwords, questions in words harder.

A wrong picture counts under the user name and under the address; a right one takes its try off again. A
question counts right or wrong, for a program answers it right every time: five in fifteen minutes, half of what
passwords allow, so that whoever takes this door comes less far than by the picture.
"""

from dataclasses import dataclass

from accounts.sign_in import captchas, throttle
from accounts.sign_in.captchas import QUESTION
from core.db import Database
from core.errors import Problem

PICTURES, QUESTIONS = "captcha-", "question-"


@dataclass(frozen=True, slots=True)
class Door:
    """Where a captcha is asked for: under which keys tries count there, and the code of the refusal."""

    pictures: list[str]
    questions: list[str]
    code: str

    def refusal(self, wait: int, *, asked: bool) -> Problem:
        """The 429 that says how long to wait; `asked`: for questions, beside which the picture is still open."""
        minutes = throttle.minutes(wait)
        told = f"验证码错误次数过多，请在 {minutes} 分钟后再试"
        if asked:
            told = f"回答文字题次数过多，请改用图片验证码，或在 {minutes} 分钟后再试"
        return Problem(self.code, told, retry_after=wait)


def of_sign_in(username: str, address: str, *, known: bool) -> Door:
    """The door of a user name."""
    pictures = throttle.buckets(username, address, known=known, of=PICTURES)
    return Door(pictures, throttle.buckets(username, address, known=known, of=QUESTIONS), "login_throttled")


def of_ratings(address: str) -> Door:
    """The door of raters, who have no name."""
    return Door([f"rating-captcha:{address[:45]}"], [f"rating-question:{address[:45]}"], "too_many_requests")


def check(database: Database, door: Door, captcha_id: str | None, text: str | None) -> None:
    """Let a right answer pass. In a transaction of its own: the try counts whatever becomes of the rest.

    Raises 403 `captcha_required`, or the door's 429 with the true seconds. What is refused unlooked-at costs no
    captcha.
    """
    if not text:
        raise Problem("captcha_required")
    with database.write() as session:
        asked = captchas.kind_of(session, captcha_id) == QUESTION
        keys = door.questions if asked else door.pictures
        reserved = throttle.reserve(session, keys)
        right = reserved.refused is None and captchas.use(session, captcha_id, text)
        if right and not asked:
            throttle.take_back(session, keys)
    wait = reserved.refused if right or reserved.refused is not None else reserved.refused_if_wrong
    if wait is not None:
        raise door.refusal(wait, asked=asked)
    if right:
        return
    raise Problem("captcha_required", _AGAIN)


_AGAIN = "验证码错误或已过期，请按新的验证码重新输入"
