"""Query codes (查询码): sixteen characters that nobody takes for one another, kept as a keyed hash."""

import re
import secrets
from uuid import UUID

from core.identifiers import normalise_resident_id
from core.privacy import keyed_hash

ID_USE = "registration resident id"
"""Of the keyed hash of a person's number."""
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 16
"""79 bits."""


def first_code(registration_id: UUID) -> str:
    """The code of a new registration: it follows from the id and a key of the installation.

    So a registration that is sent again, because its answer was lost, is answered with the same code.
    """
    number = int(keyed_hash("registration-code", str(registration_id)), 16)
    code = ""
    for _ in range(LENGTH):
        number, at = divmod(number, len(_ALPHABET))
        code += _ALPHABET[at]
    return shown(code)


def fresh_code() -> str:
    """A random one, in the place of one that was lost."""
    return shown("".join(secrets.choice(_ALPHABET) for _ in range(LENGTH)))


def shown(code: str) -> str:
    """In groups of four, as it is read out and typed."""
    return "-".join(code[at : at + 4] for at in range(0, LENGTH, 4))


def hash_of(typed: str, registrant: str) -> str:
    """What is stored of a code, however it was typed; bound to whose it is, by USCC or resident ID."""
    return keyed_hash("registration-query-code", registrant, re.sub(r"[\s\-‐-―]", "", typed).upper())


def id_hash(number: str) -> str:
    """The keyed hash of a resident ID, by which a person is found who lost the code."""
    return keyed_hash(ID_USE, normalise_resident_id(number))
