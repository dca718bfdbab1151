"""Passwords: policy, hashing, one-time passwords.

Policy (spec/common §3.3): at least 8 characters of at least two classes, none that is guessed early
(`common_passwords.py`), and not the user name.
"""

import secrets
import string
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from accounts.sign_in.common_passwords import is_guessed

MINIMUM, MAXIMUM = 8, 128

# 26 ms and 19 MiB a check; the library's default costs 215 ms of a core on the same machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_DUMMY = _HASHER.hash(secrets.token_hex(16))


def password_fault(password: str, username: str, names: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, as a Chinese sentence; None when it will do.

    `names`: of the person, the office and its regions, which are guessed first.
    """
    if len(password) < MINIMUM:
        return f"密码至少 {MINIMUM} 位，请加长"
    if len(password) > MAXIMUM:
        return f"密码不能超过 {MAXIMUM} 位"
    classes = {
        "digit" if c.isdigit() else "lower" if c.islower() else "upper" if c.isupper() else "other" for c in password
    }
    if len(classes) < 2:
        return "密码须包含字母、数字、符号中的至少两类"
    if len(username) >= 3 and username.casefold() in password.casefold():
        return "密码不能包含用户名，请更换"
    if is_guessed(password, [username, *names]):
        return "该密码过于常见或与姓名、单位、地区、产品名称相近，容易被猜中，请更换"
    return None


def hash_password(password: str) -> str:
    """argon2id; about 26 ms of a core: never call it inside a transaction."""
    return _HASHER.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is right. Takes as long when there is no such user (`stored` None)."""
    try:
        _HASHER.verify(stored or _DUMMY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the stored hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def one_time_password() -> str:
    """A random password to hand over once: 12 characters without look-alikes, two classes at least."""
    letters = [c for c in string.ascii_letters if c not in "lIOo"]
    digits = "23456789"
    body = [secrets.choice(letters) for _ in range(9)] + [secrets.choice(digits) for _ in range(3)]
    secrets.SystemRandom().shuffle(body)
    return "".join(body)
