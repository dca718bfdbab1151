"""Throttling of wrong passwords, which never locks out the owner of a user name for ever.

Wrong passwords are counted per user name and per address, ten in a window of fifteen minutes that
ends by itself. After ten, a user name is closed to strangers until the window ends; a captcha opens it, so that
nobody keeps the owner out at a new address, and a hundred passwords behind captchas close it for all strangers. An
address may be shared by a whole bureau, so after ten its *wrong* passwords are answered with 429 and only
after a hundred all of its sign-ins. Someone known is counted apart: who signed in under this name from this address
before, or sends the token of an earlier sign-in along, has ten tries of their own and is not stopped
by the tries of others. A try is counted before the password is checked, in a transaction of its
own, so that many tries at once cannot pass the limit; a right password takes it off the count.

Captchas (`captcha_tries.py`) are counted in the same way, under keys of their own.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.orm import Session

from accounts.models import Throttle
from core import clock
from core.db import dialect_of, insert_into
from core.errors import Problem

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Allowed:
    """How many tries in a window: after `wrong` wrong ones are refused, after `all` every try without being checked."""

    wrong: int
    all: int


ALLOWED = {
    "user": Allowed(10, 10),
    "known": Allowed(10, 10),
    # Passwords behind a captcha, where ten without one have closed the name.
    "proved-user": Allowed(100, 100),
    "address": Allowed(10, 100),
    # Login codes of WeChat that were no good; nobody types them, so it is a program that tries.
    "wechat-address": Allowed(10, 100),
    # Wrong pictures at sign-in, like passwords; not by user name, or strangers could close it with them.
    "captcha-known": Allowed(10, 10),
    "captcha-address": Allowed(10, 100),
    # Questions in words, right or wrong: a program can answer them, so half as many are allowed as passwords.
    "question-known": Allowed(5, 5),
    "question-address": Allowed(5, 5),
    # Codes of the second factor, behind a right password: of strangers, of somebody known, of somebody signed in. A
    # guesser of six digits meets three codes that fit: five tries in a window find one in ten years.
    "otp": Allowed(5, 5),
    "otp-known": Allowed(5, 5),
    "otp-own": Allowed(5, 5),
    # Raters have no name; a service hall shares one address.
    "rating-captcha": Allowed(100, 100),
    "rating-question": Allowed(5, 5),
}
"""By the word before the first colon of a key."""


def buckets(username: str, address: str, *, known: bool, of: str = "") -> list[str]:
    """The keys under which a try counts: of passwords, or `of` "captcha-" or "question-"."""
    if known:
        return [f"{of}known:{username.casefold()[:64]}:{address[:45]}"]
    by_address = f"{of}address:{address[:45]}"
    return [by_address] if of else [f"user:{username.casefold()[:64]}", by_address]


def proved(username: str) -> str:
    """The key under which passwords behind a captcha count."""
    return f"proved-user:{username.casefold()[:64]}"


@dataclass(frozen=True, slots=True)
class Reserved:
    """What counting a try found: seconds to wait if it is refused at once, and if it turns out wrong.

    `opens`: it is refused under the user name alone, which a captcha opens.
    """

    refused: int | None
    refused_if_wrong: int | None
    opens: bool = False


def reserve(session: Session, keys: list[str]) -> Reserved:
    """Count a try under each key. The caller commits at once, whatever the answer.

    The address is asked first: once it is closed its tries count against no user name any more, and leave no rows.
    """
    now = clock.now()
    dialect = dialect_of(session)
    refused: int | None = None
    refused_if_wrong: int | None = None
    refusing: set[str] = set()
    for key in sorted(keys):
        fresh = insert_into(dialect, Throttle).values(key=key, wrong=1, until=now + WINDOW)
        expired = Throttle.until <= now
        counted = fresh.on_conflict_do_update(
            index_elements=[Throttle.key],
            set_={
                "wrong": case((expired, 1), else_=Throttle.wrong + 1),
                "until": case((expired, now + WINDOW), else_=Throttle.until),
            },
        ).returning(Throttle.wrong, Throttle.until)
        row = session.execute(counted).one()
        seconds, kind = clock.seconds_until(row.until, now), key.partition(":")[0]
        if row.wrong > ALLOWED[kind].all:
            refused = max(refused or 0, seconds)
            refusing.add(kind)
            if kind.endswith("address"):
                break
        elif row.wrong > ALLOWED[kind].wrong:
            refused_if_wrong = seconds
    return Reserved(refused, refused_if_wrong, refusing == {"user"})


def has_failed(session: Session, keys: list[str]) -> bool:
    """Whether a wrong password counts under the user's own keys at this moment."""
    own = [key for key in keys if not key.startswith("address:")]
    found = select(Throttle.key).where(Throttle.key.in_(own), Throttle.wrong > 0, Throttle.until > clock.now())
    return session.scalar(found.limit(1)) is not None


def give_back(session: Session, keys: list[str]) -> None:
    """After a right password: take the try off the count, and forget the wrong ones under the user's own keys."""
    own = [key for key in keys if not key.startswith("address:")]
    session.execute(delete(Throttle).where(Throttle.key.in_(own)))
    take_back(session, [key for key in keys if key.startswith("address:")])


def take_back(session: Session, keys: list[str]) -> None:
    """Take one try off the count under each key."""
    if keys:
        session.execute(
            update(Throttle).where(Throttle.key.in_(keys), Throttle.wrong > 0).values(wrong=Throttle.wrong - 1)
        )


def forget(session: Session, username: str) -> None:
    """Lift the throttle of a user name (after a reset by an administrator)."""
    name = username.casefold()[:64]
    kinds = ("", "captcha-", "question-", "otp-")
    known = [Throttle.key.startswith(f"{of}known:{name}:", autoescape=True) for of in kinds]
    whole = Throttle.key.in_([f"user:{name}", proved(name), f"otp:{name}"])
    session.execute(delete(Throttle).where(or_(whole, *known)))


def throttled(wait: int) -> Problem:
    """The 429 that says how long to wait."""
    return Problem("login_throttled", f"密码错误次数过多，请在 {minutes(wait)} 分钟后再试", retry_after=wait)


def minutes(wait: int) -> int:
    """Seconds as whole minutes, rounded up, for people."""
    return -(-wait // 60)
