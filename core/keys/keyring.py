"""The keyring (密钥环) of this process: keys by purpose, each with an id that stands beside what was made with it.

    key = keyring.current("history")              # Key(id="1", bytes=32 random bytes): for what is made now
    old = keyring.get("history", row.key_id)      # for what was made with that key; raises UnknownKey

Purposes, and what becomes of an older key:

- `sealing` encrypts personal data. A rotation seals everything anew, and then forgets the older key. Key `0` is that of
  releases up to 0.3, whose ciphertexts name no key.
- `hashing` keys what is searched or recognised by hash: telephone numbers, query codes (查询码), digests of ratings. A
  hash cannot be made again without what was hashed, so its key is never replaced.
- `receipts` keys the idempotency keys, by which a write that is sent again is recognised.
- `history` keys digests and signatures of the history (操作记录). Older keys are kept for ever, because they
  verify what was signed with them.

What is made names the id of its key, or belongs to a purpose whose key never changes. The keys come from the database
(`core/keys/stored.py`), where the installation's secret (`DATA_KEY`, or `data.key` in `DATA_DIR`) wraps them.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal["sealing", "hashing", "receipts", "history"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
UNNAMED = "0"
"""Id of the sealing key of releases up to 0.3."""


class UnknownKey(Exception):
    """The keyring has no key of that purpose and id."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: 32 bytes, and the id by which what was made with it names it, a number written in decimal."""

    id: str
    bytes: bytes = field(repr=False)


class Keyring:
    """The keys of an installation, of each purpose at least one, the oldest first."""

    def __init__(self, keys: Mapping[Purpose, Sequence[Key]]) -> None:
        missing = [purpose for purpose in PURPOSES if not keys.get(purpose)]
        if missing:
            raise ValueError(f"keys are missing: {', '.join(missing)}")
        self._keys = {purpose: {key.id: key for key in keys[purpose]} for purpose in PURPOSES}
        self._current = {purpose: keys[purpose][-1] for purpose in PURPOSES}

    def current(self, purpose: Purpose) -> Key:
        """The key for what is made now."""
        return self._current[purpose]

    def get(self, purpose: Purpose, id: str) -> Key:
        """The key of that id; raises `UnknownKey`."""
        try:
            return self._keys[purpose][id]
        except KeyError:
            raise UnknownKey(f"{purpose} {id}") from None

    def all(self, purpose: Purpose) -> list[Key]:
        """All keys of a purpose, the newest first."""
        return list(reversed(self._keys[purpose].values()))


def derived(secret: str) -> Keyring:
    """The first keys of an installation with that secret (at least 32 characters).

    Those of releases up to 0.3 among them: the key `0` that sealed, and the key that hashed.
    """
    return Keyring(
        {
            "sealing": [Key(UNNAMED, _of_earlier_releases("encrypt", secret)), _first("sealing", secret)],
            "hashing": [Key("1", _of_earlier_releases("hash", secret))],
            "receipts": [_first("receipts", secret)],
            "history": [_first("history", secret)],
        }
    )


def expanded(secret: str, info: str) -> bytes:
    """32 bytes for one use of the secret (HKDF, RFC 5869, SHA-256); other uses do not follow from them."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"gongpin " + info.encode()).derive(secret.encode())


def _first(purpose: Purpose, secret: str) -> Key:
    return Key("1", expanded(secret, f"{purpose} 1"))


def _of_earlier_releases(use: str, secret: str) -> bytes:
    return hashlib.sha256(f"{use}:{secret}".encode()).digest()


class _Installed:
    """The keyring of this process, and how it is read again."""

    ring: Keyring | None = None
    reload: Callable[[], Keyring] | None = None


def install(ring: Keyring, reload: Callable[[], Keyring] | None = None) -> None:
    """Set the keyring of this process. `reload` reads it again: another process may have made a key meanwhile."""
    _Installed.ring, _Installed.reload = ring, reload


def installed() -> Keyring:
    """The keyring of this process; RuntimeError before `install`."""
    if _Installed.ring is None:
        raise RuntimeError("keyring.install() has not been called")
    return _Installed.ring


def current(purpose: Purpose) -> Key:
    """The key for what is made now."""
    return installed().current(purpose)


def get(purpose: Purpose, id: str) -> Key:
    """The key of that id, looked for in the database too where this process does not know it; raises `UnknownKey`."""
    try:
        return installed().get(purpose, id)
    except UnknownKey:
        if _Installed.reload is None:
            raise
        _Installed.ring = _Installed.reload()
        return _Installed.ring.get(purpose, id)


def all(purpose: Purpose) -> list[Key]:
    """All keys of a purpose, the newest first."""
    return installed().all(purpose)
