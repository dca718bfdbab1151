"""Query codes (查询码): how a rater without an account finds the answer.

The code is derived from the rating's id and the installation's key, so that a form posted again can be answered with
the same code although only its keyed hash is stored.
"""

import unicodedata
from uuid import UUID

from core import privacy

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Thirty-two characters; 0 and O, 1 and I look alike and are left out."""
_LENGTH = 16


def query_code(rating_id: UUID) -> str:
    """The code as it is shown: four groups of four."""
    number = int(privacy.keyed_hash("rating query code", str(rating_id))[:20], 16)
    characters = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_LENGTH))
    return "-".join(characters[at : at + 4] for at in range(0, _LENGTH, 4))


def query_key(code: str) -> str:
    """The keyed hash that is stored of a code; case, width and dashes of what was typed do not matter."""
    typed = unicodedata.normalize("NFKC", code).upper()
    return privacy.keyed_hash("rating query key", "".join(c for c in typed if c.isascii() and c.isalnum()))
