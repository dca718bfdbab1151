"""Passwords: policy, hashing, one-time passwords.

Policy (spec/common §3.3): at least 8 characters of at least two classes, none of the common ones,
and not the user name.
"""

import secrets
import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

MINIMUM, MAXIMUM = 8, 128

# 26 ms and 19 MiB a check; the library's default costs 215 ms of a core on the same machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_DUMMY = _HASHER.hash(secrets.token_hex(16))

# Common in China and missing from the international list.
_COMMON_HERE = frozenset(
    [
        "a1234567",
        "a12345678",
        "a123456789",
        "aa123456",
        "aa12345678",
        "abc12345",
        "abc123456",
        "abcd1234",
        "abcd123456",
        "q1w2e3r4t5",
        "qwe12345",
        "qwe123456",
        "qaz12345",
        "qazwsx123",
        "zxc12345",
        "zxc123456",
        "asd12345",
        "asd123456",
        "woaini123",
        "woaini520",
        "woaini521",
        "woaini1314",
        "5201314a",
        "a5201314",
        "wang1234",
        "zhang123",
        "li123456",
        "admin123",
        "admin888",
        "admin@123",
        "root1234",
        "test1234",
        "pass1234",
        "passw0rd",
        "p@ssw0rd",
        "password1",
        "aini1314",
        "iloveyou1",
        "china123",
        "123456aa",
        "123456abc",
        "123456qq",
        "qq123456",
        "qq123123",
        "1qaz2wsx",
        "1q2w3e4r",
        "gongpin123",
        "jiancha123",
        "shichang123",
    ]
)
_COMMON = frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= MINIMUM) | _COMMON_HERE


def password_fault(password: str, username: str) -> str | None:
    """What is wrong with a new password, as a Chinese sentence; None when it will do."""
    if len(password) < MINIMUM:
        return f"密码至少 {MINIMUM} 位，请加长"
    if len(password) > MAXIMUM:
        return f"密码不能超过 {MAXIMUM} 位"
    classes = {
        "digit" if c.isdigit() else "lower" if c.islower() else "upper" if c.isupper() else "other" for c in password
    }
    if len(classes) < 2:
        return "密码须包含字母、数字、符号中的至少两类"
    lowered = password.casefold()
    if lowered in _COMMON:
        return "该密码过于常见，容易被猜中，请更换"
    if len(username) >= 3 and username.casefold() in lowered:
        return "密码不能包含用户名，请更换"
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
