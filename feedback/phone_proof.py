"""Proof of a number by SMS (短信验证码): codes are single-use, short-lived, throttled per number and address.

A request is answered alike whether or not the number has rated. The code is stored first and sent
after the commit, by the caller; so no transaction waits for a gateway.
"""

import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from core import clock, privacy
from core.errors import Problem, invalid
from core.identifiers import is_mobile, normalise_mobile
from core.text import fold
from feedback import gates
from feedback.gates import RatingRules
from feedback.models import SmsCode

MINUTES = 5
"""How long a code is good."""
MOST_TRIES = 5
_PAUSE = RatingRules(window=timedelta(minutes=1))
_PER_NUMBER = ((timedelta(hours=1), 5), (timedelta(days=1), 10))
_PER_ADDRESS = (timedelta(hours=1), 60)
KEPT = timedelta(days=2)
"""Rows are kept for the throttle this long."""


def issue_code(session: Session, mobile: str, address: str) -> tuple[str, str]:
    """Make a code for a number; returns the number as it is called, and the code to send.

    Earlier codes of the number end. Raises 422 for what is no mobile number, 429 `too_many_requests`.
    """
    if not isinstance(mobile, str) or len(mobile) > 40 or not is_mobile(mobile):
        raise invalid("/mobile", "bad_mobile", "手机号不正确，请填写11位大陆手机号")
    number, now = normalise_mobile(mobile), clock.now()
    mobile_key = _mobile_key(number)
    address_key = privacy.keyed_hash("sms address", address)
    # One a minute; it also makes requests of one number wait for each other, so that the counts hold.
    if not gates.take(session, privacy.keyed_hash("sms pause", number), _PAUSE, now):
        raise _throttled(60)
    for span, most in _PER_NUMBER:
        if _issued(session, SmsCode.mobile_key == mobile_key, now - span) >= most:
            raise _throttled(int(span.total_seconds()))
    span, most = _PER_ADDRESS
    if _issued(session, SmsCode.address_key == address_key, now - span) >= most:
        raise _throttled(600)
    code = f"{secrets.randbelow(1_000_000):06d}"
    ended = update(SmsCode).where(SmsCode.mobile_key == mobile_key, SmsCode.until > now)
    session.execute(ended.values(until=now).execution_options(synchronize_session=False))
    session.add(
        SmsCode(
            mobile_key=mobile_key, address_key=address_key, code_hash=_code_hash(number, code),
            until=now + timedelta(minutes=MINUTES), tries=0, created_at=now,
        )
    )  # fmt: skip
    session.flush()
    return number, code


def prove(session: Session, mobile: str, code: str, form: str | None = None) -> bool:
    """Whether this is the code that was sent to the number; it is spent with that.

    `form` recognises the form that it is spent for: posted again (a double tap, a try after a failure),
    that very form may show the same code once more while it is good.

    To be called in a transaction of its own, which commits whatever the answer: the try counts even
    though the rating is then refused.
    """
    if not isinstance(mobile, str) or not isinstance(code, str) or len(mobile) > 40 or not is_mobile(mobile):
        return False
    number, now = normalise_mobile(mobile), clock.now()
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
    return privacy.keyed_hash("sms mobile", number)


def _code_hash(number: str, code: str) -> str:
    return privacy.keyed_hash("sms code", number, code)


def _issued(session: Session, of: ColumnElement[bool], since: datetime) -> int:
    statement = select(func.count()).select_from(SmsCode).where(of, SmsCode.created_at > since)
    return session.execute(statement).scalar_one()


def _throttled(seconds: int) -> Problem:
    return Problem("too_many_requests", "获取验证码过于频繁，请稍后再试", retry_after=seconds)
