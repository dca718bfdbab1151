"""Personal data: encryption at rest, keyed hashes for search, masks for lists.

The keys are those of the process's keyring (`core/keys/`); without them every use raises.
"""

import base64
import hmac
import os
import re
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import JSON, Dialect, Text
from sqlalchemy.types import TypeDecorator

from core.keys import keyring
from core.keys.keyring import UNNAMED

SEALED = "enc1:"
_MOBILE = re.compile(r"^(\d{3})\d{4}(\d{4})$")


def install(secret: str) -> None:
    """Install the first keys of a secret; those of a database are installed by `core.keys.stored.open_keys`."""
    keyring.install(keyring.derived(secret))


def seal(text: str) -> str:
    """Encrypt (AES-256-GCM, a fresh nonce each time); `enc1:` + base64."""
    return SEALED + base64.b64encode(encrypt(text.encode())).decode()


def unseal(sealed: str) -> str:
    """Decrypt what `seal` made; text that was never sealed comes back as it is."""
    if not sealed.startswith(SEALED):
        return sealed
    return _cipher().decrypt(*_parted(base64.b64decode(sealed[len(SEALED) :])), None).decode()


def encrypt(content: bytes) -> bytes:
    """Encrypt bytes: nonce, then what AES-256-GCM makes of them."""
    nonce = os.urandom(12)
    return nonce + _cipher().encrypt(nonce, content, None)


def decrypt(sealed: bytes) -> bytes:
    """Decrypt what `encrypt` made; ValueError for anything else."""
    try:
        return _cipher().decrypt(*_parted(sealed), None)
    except InvalidTag as error:
        raise ValueError("not encrypted by this installation") from error


def _parted(sealed: bytes) -> tuple[bytes, bytes]:
    return sealed[:12], sealed[12:]


def _cipher() -> AESGCM:
    return AESGCM(keyring.get("sealing", UNNAMED).bytes)


def keyed_hash(*parts: str) -> str:
    """HMAC-SHA256 in hexadecimal: equal input gives equal output, and nobody without the key can test a guess."""
    return hmac.digest(keyring.current("hashing").bytes, "\x1f".join(parts).encode(), "sha256").hex()


def mask_phone(text: str | None) -> str | None:
    """`13800000001` → `138****0001`; other telephone numbers keep their last four digits."""
    if not text:
        return text
    match = _MOBILE.match(text)
    if match:
        return f"{match[1]}****{match[2]}"
    return "****" + text[-4:] if len(text) > 4 else "****"


def mask_resident_id(text: str | None) -> str | None:
    """`110101199003070011` → `110101********0011`."""
    if not text or len(text) < 15:
        return "****" if text else text
    return f"{text[:6]}********{text[-4:]}"


_NUMBERS_IN_TEXT = re.compile(
    r"(?<!\d)(?:(?P<mobile>1[3-9]\d[ -]?\d{4}[ -]?\d{4})"
    r"|(?P<id>\d{6}(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d{4}[\dXx]))(?![\dXx])"
)


def mask_numbers(text: Any) -> str | None:
    """Text that somebody typed, with the mobile and resident-ID numbers in it masked; None where there is none."""
    if not isinstance(text, str):
        return None

    def masked(found: re.Match[str]) -> str:
        number = re.sub("[ -]", "", found[0])
        return (mask_phone(number) if found["mobile"] else mask_resident_id(number)) or ""

    return _NUMBERS_IN_TEXT.sub(masked, text)


def seal_json(value: Any) -> str:
    """Encrypt a JSON value, to stand in its place as a text."""
    return seal(orjson.dumps(value, default=str).decode())


class SealedJSON(TypeDecorator[Any]):
    """JSON of which single values may be sealed as a whole (`seal_json`): clear in Python.

    What cannot be decrypted is empty: `core/workflows/history.py`, which compares it, then names it instead of failing.
    """

    impl = JSON
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(unseal(value)) if value.startswith(SEALED) else {}
        except (InvalidTag, ValueError):
            return {}


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted in the database and clear in Python."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else unseal(value)
