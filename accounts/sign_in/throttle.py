"""Throttling of wrong passwords, which never locks out the owner of a user name for ever.

Wrong passwords are counted per user name and per address, ten in a window of fifteen minutes that
ends by itself. After ten, a user name is closed to strangers until the window ends; a captcha opens it, so that
nobody keeps the owner out at a new address, and a hundred passwords behind captchas close it for all strangers. An
address may be shared by a whole bureau, so after ten its *wrong* passwords are answered with 429 and only
after a hundred all of its sign-ins. Someone known is counted apart: who signed in under this name from this address
before, or sends the token of an earlier sign-in along, has ten tries of their own and is not stopped
by the tries of others. A try is counted before the password is checked, in a transaction of its
own, so that many tries at once cannot pass the limit; a right password takes it off the count.

An address counts as `core/origin.py` says: with IPv6 as its /64, and all of a /48 together have a wider limit.

Captchas (`captcha_tries.py`) are counted in the same way, under keys of their own, and so is whatever is allowed so
many times in a span (`take`): it is counted before it is done, and taken back where it is not done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.orm import Session

from accounts.models import Throttle
from core import clock
from core.db import dialect_of, insert_into
from core.errors import Problem
from core.origin import WIDER, Origin

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
    # Who forgot a password has no session; a bureau shares one address.
    "reset-captcha": Allowed(100, 100),
    "reset-question": Allowed(5, 5),
    # Whoever registers without an account, or queries by a code.
    "registrant-captcha": Allowed(100, 100),
    "registrant-question": Allowed(5, 5),
    "query-address": Allowed(10, 100),
}
"""By the word before the first colon of a key."""


_WIDE = "-wide"


def buckets(username: str, origin: Origin, *, known: bool, of: str = "") -> list[str]:
    """The keys under which a try counts: of passwords, or `of` "captcha-" or "question-"."""
    if known:
        return [f"{of}known:{username.casefold()[:64]}:{origin.line}"]
    of_origin = by_origin(f"{of}address", origin)
    return of_origin if of else [of_user(username), *of_origin]


def proved(username: str) -> str:
    """The key under which passwords behind a captcha count."""
    return f"proved-user:{username.casefold()[:64]}"


def of_user(username: str) -> str:
    """The key of a user name."""
    return f"user:{username.casefold()[:64]}"


def by_origin(kind: str, origin: Origin) -> list[str]:
    """The keys of an origin: of its line, and of the wider network around it where there is one."""
    return [f"{kind}:{origin.line}", *([f"{kind}{_WIDE}:{origin.wider}"] if origin.wider else [])]


def limits_by_origin(kind: str, origin: Origin, most: int) -> dict[str, int]:
    """For `take`: so many of a line, and `WIDER` times as many of the wider network around it."""
    return {key: most * (WIDER if number else 1) for number, key in enumerate(by_origin(kind, origin))}


def _allowed(kind: str) -> Allowed:
    if not kind.endswith(_WIDE):
        return ALLOWED[kind]
    of_line = ALLOWED[kind.removesuffix(_WIDE)]
    return Allowed(of_line.wrong * WIDER, of_line.all * WIDER)


def _is_of_address(key: str) -> bool:
    return "address" in key.partition(":")[0]


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
    refused: int | None = None
    refused_if_wrong: int | None = None
    refusing: set[str] = set()
    for key in sorted(keys):
        number, seconds = _count(session, key, WINDOW)
        allowed = _allowed(key.partition(":")[0])
        if number > allowed.all:
            refused = max(refused or 0, seconds)
            refusing.add(key.partition(":")[0])
            if _is_of_address(key):
                break
        elif number > allowed.wrong:
            refused_if_wrong = seconds
    return Reserved(refused, refused_if_wrong, refusing == {"user"})


def take(session: Session, keys: Mapping[str, int], span: timedelta) -> int:
    """Count one under each key, each with how many it may have in a span; 0, or the seconds to wait where one is full.

    A span begins with the first that is counted. Where one key is full nothing is counted.
    """
    waits = {}
    for key in sorted(keys):
        number, seconds = _count(session, key, span)
        if number > keys[key]:
            waits[key] = seconds
    if waits:
        take_back(session, list(keys))
    return max(waits.values(), default=0)


def _count(session: Session, key: str, span: timedelta) -> tuple[int, int]:
    """How many there are now under a key with this one, and the seconds until they are over.

    The row is held until the transaction ends: whoever counts at the same moment waits, and is counted after this one.
    """
    now = clock.now()
    expired = Throttle.until <= now
    fresh = insert_into(dialect_of(session), Throttle).values(key=key, wrong=1, until=now + span)
    counted = fresh.on_conflict_do_update(
        index_elements=[Throttle.key],
        set_={
            "wrong": case((expired, 1), else_=Throttle.wrong + 1),
            "until": case((expired, now + span), else_=Throttle.until),
        },
    ).returning(Throttle.wrong, Throttle.until)
    row = session.execute(counted).one()
    return row.wrong, clock.seconds_until(row.until, now)


def has_failed(session: Session, keys: list[str]) -> bool:
    """Whether a wrong password counts under the user's own keys at this moment."""
    own = [key for key in keys if not _is_of_address(key)]
    found = select(Throttle.key).where(Throttle.key.in_(own), Throttle.wrong > 0, Throttle.until > clock.now())
    return session.scalar(found.limit(1)) is not None


def give_back(session: Session, keys: list[str]) -> None:
    """After a right password: take the try off the count, and forget the wrong ones under the user's own keys."""
    own = [key for key in keys if not _is_of_address(key)]
    session.execute(delete(Throttle).where(Throttle.key.in_(own)))
    take_back(session, [key for key in keys if _is_of_address(key)])


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
