"""Proof of a number by SMS (短信验证码): codes are single-use, short-lived, throttled per number and address.

A request is answered alike whether or not the number has rated. The code is stored first, and the caller sends it
after the commit, so that no transaction waits for a gateway.

Codes of a number are counted by calendar hour and day. A refusal says when the next code is possible; with a sliding
hour that would reveal to a stranger when the number's owner asked for one.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from accounts.sign_in import throttle
from core import clock, privacy
from core.errors import Problem, invalid
from core.identifiers import sent_mobile
from core.origin import WIDER, Origin
from core.text import fold
from feedback.models import SmsCode
from feedback.ratings import rating_window

MINUTES = 5
"""How long a code is valid."""
MOST_TRIES = 5
_PAUSE = timedelta(minutes=1)
_AN_HOUR, _A_DAY = 5, 10
USE = "sms mobile"
"""Of the keyed hash of a number."""


@dataclass(frozen=True, slots=True)
class PerAddress:
    """Codes that an address may ask for in a time: above `free` only after a captcha, above `most` none."""

    free: tuple[int, timedelta] = (600, timedelta(hours=1))
    most: tuple[int, timedelta] = (3000, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that was counted for where it comes from; `busy`: a captcha has to be answered before the code is sent.

    To be given back where no code is made after all.
    """

    keys: list[str]
    busy: bool


def admit(session: Session, origin: Origin, limits: PerAddress) -> Admitted:
    """Count a request before anything is done for it, so that many at once cannot pass a limit together.

    The caller commits at once. Raises 429 `too_many_requests`.
    """
    number, span = limits.most
    most = {
        key: number * (WIDER if key.endswith(f":{origin.wider}") else 1)
        for key in throttle.by_origin("sms-address", origin)
    }
    wait = throttle.take(session, most, span)
    if wait:
        raise _throttled(wait)
    free, free_span = limits.free
    key = f"sms-free-address:{origin.line}"
    busy = throttle.take(session, {key: free}, free_span) > 0
    return Admitted([*most, *([] if busy else [key])], busy)


def give_back(session: Session, admitted: Admitted) -> None:
    """Take a request off the counts: no code was made."""
    throttle.take_back(session, admitted.keys)


def issue_code(session: Session, mobile: str, origin: Origin) -> tuple[str, str]:
    """Make a code for a number; returns the normalised number and the code to send.

    Earlier codes of the number end. Raises 422 for what is no mobile number and 429 `too_many_requests`.
    """
    number, now = sent_mobile(mobile), clock.now()
    if number is None:
        raise invalid("/mobile", "bad_mobile", "手机号不正确，请填写11位大陆手机号")
    mobile_key = _mobile_key(number)
    # One a minute. The row also makes requests of one number wait for each other, so that none is counted too late.
    pause = privacy.keyed_hash("sms pause", number)
    if not rating_window.start(session, pause, _PAUSE, now):
        raise _throttled(clock.seconds_until(rating_window.ends_at(session, pause) or now, now))
    began = now.astimezone(clock.LOCAL).replace(minute=0, second=0, microsecond=0)
    for since, most, span in (
        (began, _AN_HOUR, timedelta(hours=1)), (began.replace(hour=0), _A_DAY, timedelta(days=1)),
    ):  # fmt: skip
        if _issued(session, SmsCode.mobile_key == mobile_key, since) >= most:
            raise _throttled(clock.seconds_until(since + span, now))
    code = f"{secrets.randbelow(1_000_000):06d}"
    ended = update(SmsCode).where(SmsCode.mobile_key == mobile_key, SmsCode.until > now)
    session.execute(ended.values(until=now).execution_options(synchronize_session=False))
    session.add(
        SmsCode(
            mobile_key=mobile_key, address_key=privacy.keyed_hash("sms address", origin.line),
            code_hash=_code_hash(number, code), until=now + timedelta(minutes=MINUTES), tries=0, created_at=now,
        )
    )  # fmt: skip
    session.flush()
    return number, code


def prove(session: Session, mobile: str, code: str, form: str | None = None) -> bool:
    """Whether this is the code that was sent to the number; if so, it is spent.

    `form` is the key of the form that it is spent for. The same form posted again (a double tap, a try after a failure)
    may use the same code again while it is valid.

    To be called in a transaction of its own, which commits whatever the answer, so that the try counts even if the
    rating is refused afterwards.
    """
    number, now = sent_mobile(mobile), clock.now()
    if number is None or not isinstance(code, str):
        return False
    tried = (
        update(SmsCode)
        .where(
            SmsCode.mobile_key == _mobile_key(number), SmsCode.until > now, SmsCode.used_at.is_(None),
            SmsCode.tries < MOST_TRIES,
        )
        .values(tries=SmsCode.tries + 1)
        .returning(SmsCode.id, SmsCode.code_hash)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    code = fold(code)
    row = session.execute(tried).first()
    if row is None:
        return form is not None and _is_spent_for(session, number, code, form, now)
    if not hmac.compare_digest(row.code_hash, _code_hash(number, code)):
        return False
    spent = (
        update(SmsCode)
        .where(SmsCode.id == row.id, SmsCode.used_at.is_(None))
        .values(used_at=now, used_for=form)
        .returning(SmsCode.id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(spent).first() is not None:
        return True
    return form is not None and _is_spent_for(session, number, code, form, now)


def _is_spent_for(session: Session, number: str, code: str, form: str, now: datetime) -> bool:
    spent = select(SmsCode.id).where(
        SmsCode.mobile_key == _mobile_key(number), SmsCode.until > now, SmsCode.used_for == form,
        SmsCode.code_hash == _code_hash(number, code),
    )  # fmt: skip
    return session.scalar(spent) is not None


def wrong_code() -> Problem:
    """The 422 for a code that proves nothing."""
    return invalid("/sms_code", "wrong_code", "短信验证码错误或已过期，请重新获取")


def _mobile_key(number: str) -> str:
    return privacy.keyed_hash(USE, number)


def _code_hash(number: str, code: str) -> str:
    return privacy.keyed_hash("sms code", number, code)


def _issued(session: Session, of: ColumnElement[bool], since: datetime) -> int:
    statement = select(func.count()).select_from(SmsCode).where(of, SmsCode.created_at >= since)
    return session.execute(statement).scalar_one()


def _throttled(seconds: int) -> Problem:
    minutes = -(-seconds // 60)
    when = f"{minutes} 分钟" if minutes < 120 else f"{-(-minutes // 60)} 小时"
    return Problem("too_many_requests", f"获取验证码过于频繁，请在 {when}后再试", retry_after=seconds)
