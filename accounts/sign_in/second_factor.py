"""The second factor (动态口令): codes of an authenticator (TOTP, RFC 6238: six digits, thirty seconds), recovery codes.

It belongs to a user name; several people under one name keep the same secret in their phones. A code works once, also
where two calls send it at one moment, and one step before or after its own, for clocks that differ. Ten recovery codes
work once each where the phone is lost. Wrong ones of either are counted before they are looked at.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pyotp
from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.orm import Session

from accounts.models import RecoveryCode, SecondFactor
from accounts.sign_in import throttle
from accounts.workflows import USER
from core import clock
from core.db import Database
from core.errors import Problem, invalid
from core.models import HistoryEntry, HistoryPayload
from core.privacy import Unopened, keyed_hash
from core.text import fold
from core.workflows import history
from core.workflows.witnesses import Witness

ISSUER = "工品查"
RECOVERY_CODES = 10
ENROLMENT_LIFE = timedelta(minutes=15)
"""How long a secret waits for its first code."""

_STEP = 30
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that look alike; ten of it are 49 bits."""
_HALF = 5
_WRONG = "动态口令不正确、已过期或已经用过，请输入程序中的下一个口令；手机不在身边的，请输入一个恢复码"


@dataclass(frozen=True, slots=True)
class State:
    """How a user name stands to its second factor."""

    enrolled_at: datetime | None
    recovery_codes: int


def state(session: Session, user_id: UUID) -> State:
    """Whether it is enrolled since when, and how many recovery codes are left."""
    left = session.scalar(select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user_id))
    return State(enrolled_at(session, user_id), left or 0)


def enrolled_at(session: Session, user_id: UUID) -> datetime | None:
    """When the second factor was enrolled; None where it is not."""
    return session.scalar(select(SecondFactor.confirmed_at).where(SecondFactor.user_id == user_id))


def enrolled(session: Session, user_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the users who have a second factor."""
    confirmed = SecondFactor.user_id.in_(list(user_ids)), SecondFactor.confirmed_at.is_not(None)
    return set(session.scalars(select(SecondFactor.user_id).where(*confirmed)))


def begin(session: Session, user_id: UUID, username: str) -> tuple[str, str]:
    """A new secret, to be confirmed by its first code: base32, and the address that a QR code shows.

    Raises 409 `otp_enrolled`. What was begun before and not confirmed is over.
    """
    if enrolled_at(session, user_id) is not None:
        raise Problem("otp_enrolled")
    remove(session, user_id)
    secret = pyotp.random_base32()
    session.add(SecondFactor(user_id=user_id, secret=secret, begun_at=clock.now(), confirmed_at=None, last_step=0))
    session.flush()
    return secret, pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def confirm(session: Session, user_id: UUID, otp: str) -> bool:
    """Whether the first code is right, which enrols; raises 409 `otp_not_begun`, or `otp_enrolled`."""
    found = session.get(SecondFactor, user_id, populate_existing=True)
    if found is not None and found.confirmed_at is not None:
        raise Problem("otp_enrolled")
    if found is None or found.begun_at + ENROLMENT_LIFE <= clock.now():
        raise Problem("otp_not_begun")
    step = _step_of(found.secret, _as_typed(otp))
    if step is None:
        return False
    unconfirmed = SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_(None)
    enrol = update(SecondFactor).where(*unconfirmed).values(confirmed_at=clock.now(), last_step=step)
    if _changed(session, enrol) != 1:
        raise Problem("otp_enrolled")  # somebody else under this name, at this very moment
    return True


def new_recovery_codes(session: Session, user_id: UUID) -> list[str]:
    """Ten new codes, shown once; those of before are worth nothing."""
    codes = ["-".join(_random(_HALF) for _ in range(2)) for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    hashes = [{"id": uuid4(), "user_id": user_id, "code_hash": _hash(user_id, code)} for code in codes]
    session.execute(insert(RecoveryCode), hashes)
    return codes


def remove(session: Session, user_id: UUID) -> None:
    """Take the second factor away, with its recovery codes."""
    for table in (RecoveryCode, SecondFactor):
        session.execute(delete(table).where(table.user_id == user_id).execution_options(synchronize_session=False))
    session.expire_all()


def at_sign_in(database: Database, user_id: UUID, username: str, otp: str | None, *, known_at: str | None) -> None:
    """After the first factor was right: let a right code pass, where one is enrolled.

    Raises 403 `otp_required`, 429 `login_throttled`, and 422 for a code where none is enrolled. `known_at`: the
    address of somebody known, who is counted apart from strangers that have found out the password.
    """
    with database.read() as session:
        asked = enrolled_at(session, user_id) is not None
    if asked:
        name = username.casefold()[:64]
        check(database, user_id, otp, f"otp-known:{name}:{known_at}" if known_at else f"otp:{name}")
    elif otp:
        raise invalid("/otp", "not_enrolled", "该账号没有启用动态口令，请清空动态口令后再登录")


ENROL = "enrol_second_factor"
FACTOR = Witness("second_factor", ("user_id", "secret"))
"""What the history notes of an enrolment: nobody exchanges a secret in the table, or `history verify` shows it."""


def witnessed(session: Session, user_id: UUID) -> dict[str, str]:
    """The digest of the own secret, for the step that enrolled it."""
    found = session.get_one(SecondFactor, user_id, populate_existing=True)
    return {FACTOR.name: FACTOR.digest({"user_id": user_id, "secret": found.secret})}


STEPS = frozenset(action for (_, action) in USER.steps if "second_factor" in action)
"""What enrols a second factor or takes it away; the newest of them says whether there is one."""


def unlike(session: Session, user_id: UUID) -> list[str]:
    """The name of the digest, where the table holds another second factor than the history says, or none, or one."""
    last = session.execute(
        select(HistoryEntry.action, HistoryPayload.payload)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id == user_id, HistoryEntry.action.in_(STEPS))
        .order_by(HistoryEntry.seq.desc())
        .limit(1)
    ).first()
    said = last is not None and last.action == ENROL
    if said != (enrolled_at(session, user_id) is not None):
        return [FACTOR.name]
    return [] if last is None or not said or is_noted(session, user_id, last.payload) else [FACTOR.name]


def is_noted(session: Session, user_id: UUID, payload: Mapping[str, Any] | None) -> bool:
    """Whether the secret is the one whose digest the step that enrolled it noted, and an erasure of it went on to say.

    So too where none was noted, as by earlier releases, and where the secret is gone since it was looked for.
    """
    noted = payload if payload is not None else history.last_payload(session, user_id, (history.ERASE,))
    digest = noted.get(FACTOR.name)
    try:
        found = session.get(SecondFactor, user_id, populate_existing=True)
    except Unopened:
        return False
    if found is None or digest is None:
        return True
    return FACTOR.fits(digest, {"user_id": user_id, "secret": found.secret})


def opens(database: Database, user_id: UUID, username: str, otp: str | None) -> bool:
    """Whether a right code opens a name that strangers have closed, in the place of a captcha; it is used up then.

    Called before the password is looked at: a wrong one counts as any other, and is answered as none.
    """
    if not otp:
        return False
    with database.read() as session:
        if enrolled_at(session, user_id) is None:
            return False
    try:
        check(database, user_id, otp, f"otp:{username.casefold()[:64]}")
    except Problem:
        return False
    return True


def check(database: Database, user_id: UUID, otp: str | None, key: str) -> None:
    """Let a right code pass, once. In a transaction of its own: the try counts whatever becomes of the rest.

    Raises 403 `otp_required`, and 429 with the seconds to wait once too many under the key were wrong.
    """
    if not otp:
        raise Problem("otp_required")
    with database.write() as session:
        reserved = throttle.reserve(session, [key[:160]])
        right = reserved.refused is None and use(session, user_id, otp)
        if right:
            throttle.give_back(session, [key[:160]])
    if reserved.refused is not None:
        wait = reserved.refused
        message = f"动态口令错误次数过多，请在 {throttle.minutes(wait)} 分钟后再试"
        raise Problem("login_throttled", message, retry_after=wait)
    if not right:
        raise Problem("otp_required", _WRONG)


def use(session: Session, user_id: UUID, otp: str) -> bool:
    """Whether a code of the authenticator or a recovery code is right; it cannot be used again."""
    typed = _as_typed(otp)
    if not re.fullmatch(r"[0-9]{6}", typed):
        spent = delete(RecoveryCode).where(
            RecoveryCode.user_id == user_id, RecoveryCode.code_hash == _hash(user_id, typed)
        )  # fmt: skip
        return _changed(session, spent) == 1
    found = session.get(SecondFactor, user_id, populate_existing=True)
    step = None if found is None or found.confirmed_at is None else _step_of(found.secret, typed)
    if step is None:
        return False
    # Of two that send it at one moment one moves the step; it also ends the codes of the steps before.
    unused = SecondFactor.user_id == user_id, SecondFactor.last_step < step
    return _changed(session, update(SecondFactor).where(*unused).values(last_step=step)) == 1


def _step_of(secret: str, typed: str) -> int | None:
    """The step of which this is the code, of those around now."""
    totp, now = pyotp.TOTP(secret), int(clock.now().timestamp()) // _STEP
    fitting = [step for step in (now - 1, now, now + 1) if _is(totp.generate_otp(step), typed)]
    return max(fitting, default=None)


def _is(code: str, typed: str) -> bool:
    return secrets.compare_digest(code.encode(), typed.encode())  # as texts it takes ASCII alone


def _as_typed(otp: str) -> str:
    return re.sub(r"[\s-]", "", fold(otp))


def _hash(user_id: UUID, code: str) -> str:
    return keyed_hash("recovery code", str(user_id), _as_typed(code))


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _changed(session: Session, statement: Any) -> int:
    done = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", done).rowcount
