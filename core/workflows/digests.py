"""Keyed digests (HMAC-SHA256) of what must not be changed unnoticed: rows of the history, sign-ins, seals, accounts.

Their key has the purpose `history` of the keyring, and what is made with it names it. Who can write to the database
and has no key can make none of them; who has learned it can make all, up to what a kept head of the seals shows.
"""

import hmac
from typing import Any

from core.db import canonical_json
from core.keys import keyring


def digest_of(kind: str, parts: Any) -> tuple[str, bytes]:
    """The id of the newest key and the digest of parts that JSON can write; `kind` keeps one use from another."""
    key = keyring.current("history")
    return key.id, _digest(key.bytes, kind, parts)


def fits(kind: str, parts: Any, key_id: str, digest: bytes) -> bool:
    """Whether the digest is that of the parts by that key; not by a key that there never was."""
    try:
        key = keyring.get("history", key_id)
    except keyring.UnknownKey:
        return False
    return hmac.compare_digest(_digest(key.bytes, kind, parts), digest)


def _digest(key: bytes, kind: str, parts: Any) -> bytes:
    return hmac.digest(key, canonical_json([kind, parts]), "sha256")
