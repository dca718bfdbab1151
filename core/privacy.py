"""Personal data: encryption at rest and keyed hashes for search. How it is masked stands in `core/masking.py`.

A ciphertext is `enc2:KEY:BASE64`: it names the id of its key, and is bound by AES-256-GCM's associated data to its
place, that is table, column and row: moved to another one it opens no more. `enc1:BASE64` is what releases up to 0.3
sealed, by key `0` and bound to nothing; `keys rotate` seals it anew.

The keys are those of the process's keyring (`core/keys/`); without them every use raises.
"""

import base64
import functools
import hmac
import os
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    LargeBinary,
    Table,
    Text,
    cast,
    event,
    inspect,
    literal_column,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeDecorator

from core.keys import keyring
from core.keys.keyring import UNNAMED, UnknownKey

SEALED = "enc1:"
"""What texts that releases up to 0.3 sealed begin with."""
NAMED = "enc2:"
"""What texts that are sealed begin with since."""


def install(secret: str) -> None:
    """Install the first keys of a secret; those of a database are installed by `core.keys.stored.open_keys`."""
    keyring.install(keyring.derived(secret))


class Unopened(ValueError):
    """What is sealed does not open: by another key, in another place, or changed."""


def place(table: str, column: str, row: UUID | int | str) -> str:
    """The place that a ciphertext is bound to; `row` is what identifies the row, as a rule its id."""
    return f"{table}.{column}:{row.hex if isinstance(row, UUID) else row}"


def seal_for(text: str, where: str) -> str:
    """Encrypt (AES-256-GCM, a fresh nonce each time) with the current key, for a place."""
    key = keyring.current("sealing")
    nonce = os.urandom(12)
    sealed = nonce + _cipher(key.bytes).encrypt(nonce, text.encode(), where.encode())
    return f"{NAMED}{key.id}:{base64.b64encode(sealed).decode()}"


def unseal_for(sealed: str, where: str) -> str:
    """Decrypt what was sealed for the place; text that was never sealed comes back as it is. Raises `Unopened`."""
    if not is_sealed(sealed):
        return sealed
    if sealed.startswith(SEALED):
        return unseal(sealed)
    key_id, _, content = sealed[len(NAMED) :].partition(":")
    return _opened(key_id, content, where.encode()).decode()


def walked(answers: Mapping[str, Any], where: str, change: Callable[[str, str], str]) -> dict[str, Any]:
    """Answers to a form with `change(text, place)` for each text that stands by itself, also in rows of groups.

    The text `mobile` in the third row of `staff` has the place `where/staff/2/mobile`: moved to another row it opens no
    more.
    """
    return {name: _walked(value, where, name, change) for name, value in answers.items()}


def _walked(value: Any, where: str, name: str, change: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return change(value, f"{where}/{name}")
    if not isinstance(value, list):
        return value
    return [
        walked(row, f"{where}/{name}/{index}", change) if isinstance(row, dict) else row
        for index, row in enumerate(value)
    ]


def is_sealed(text: str) -> bool:
    """Whether a text looks as if it was sealed."""
    return text.startswith((NAMED, SEALED))


def key_of(sealed: str) -> str:
    """The id of the key of a sealed text."""
    return UNNAMED if sealed.startswith(SEALED) else sealed[len(NAMED) :].partition(":")[0]


def seal(text: str) -> str:
    """Seal as releases up to 0.3 did, without a place. Only their migrations do, which import it by this name."""
    nonce = os.urandom(12)
    sealed = nonce + _cipher(keyring.get("sealing", UNNAMED).bytes).encrypt(nonce, text.encode(), None)
    return SEALED + base64.b64encode(sealed).decode()


def unseal(sealed: str) -> str:
    """Decrypt what releases up to 0.3 sealed. Raises `Unopened`."""
    return _opened(UNNAMED, sealed[len(SEALED) :], None).decode()


def _opened(key_id: str, content: str, where: bytes | None) -> bytes:
    try:
        sealed = base64.b64decode(content)
        return _cipher(keyring.get("sealing", key_id).bytes).decrypt(sealed[:12], sealed[12:], where)
    except (InvalidTag, UnknownKey, ValueError) as error:
        raise Unopened(f"sealed by key {key_id[:12]!r}, does not open as {where!r}") from error


def encrypt(content: bytes, use: str) -> bytes:
    """Encrypt bytes for one use outside the database: the key's number, a nonce, what AES-256-GCM makes of them."""
    key = keyring.current("sealing")
    nonce = os.urandom(12)
    return int(key.id).to_bytes(2, "big") + nonce + _cipher(key.bytes).encrypt(nonce, content, use.encode())


def decrypt(sealed: bytes, use: str) -> bytes:
    """Decrypt what `encrypt` made for that use; `Unopened`, a ValueError, for anything else."""
    try:
        key = keyring.installed().get("sealing", str(int.from_bytes(sealed[:2], "big")))
        return _cipher(key.bytes).decrypt(sealed[2:14], sealed[14:], use.encode())
    except (InvalidTag, UnknownKey, ValueError) as error:
        raise Unopened("not encrypted by this installation for this use") from error


@functools.lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def keyed_hash(*parts: str) -> str:
    """HMAC-SHA256 in hexadecimal: equal input gives equal output, and nobody without the key can test a guess."""
    return hmac.digest(keyring.current("hashing").bytes, "\x1f".join(parts).encode(), "sha256").hex()


def seal_json(value: Any, where: str) -> str:
    """Encrypt a JSON value for a place, to stand in it as a text."""
    return seal_for(orjson.dumps(value, default=str).decode(), where)


class InRow(str):
    """A text that is to be sealed, with the row that it is for."""

    row: UUID | int | str

    def __new__(cls, text: str, row: UUID | int | str) -> "InRow":
        self = super().__new__(cls, text)
        self.row = row
        return self


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted in the database and clear in Python.

    What is written must say its row (`InRow`): objects of a session and the moves of a workflow do so by themselves,
    other statements by `in_row`. What is read is asked for together with the row that it stands in. `row` is the
    column that identifies a row.
    """

    impl = Text
    cache_ok = True

    def __init__(self, table: str, column: str, row: str = "id") -> None:
        super().__init__()
        self.table, self.column, self.row = table, column, row

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, InRow):
            raise TypeError(f"{self.table}.{self.column} was given without its row")
        return seal_for(str(value), place(self.table, self.column, value.row))

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The row, a bar, and what is sealed."""
        row: ColumnElement[Any] = _owner(column).c[self.row]
        return type_coerce(cast(row, Text).concat(literal_column("'|'")).concat(type_coerce(column, Text)), self)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        row, _, sealed = value.partition("|")
        return unseal_for(sealed, place(self.table, self.column, row.replace("-", "")))


def _owner(column: Any) -> Any:
    return column.table


class _Hex(GenericFunction[str]):
    """Bytes in hexadecimal digits."""

    type = Text()
    inherit_cache = True
    name = "gongpin_hex"


@compiles(_Hex)
def _hex(element: Any, compiler: Any, **options: Any) -> str:
    return f"encode({compiler.process(element.clauses, **options)}, 'hex')"


@compiles(_Hex, "sqlite")
def _hex_of_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"hex({compiler.process(element.clauses, **options)})"


class SealedJSON(TypeDecorator[Any]):
    """JSON of which single values may be sealed as a whole (`seal_json`): clear in Python.

    It is bound to the bytes in another column of its row (`by`), which nothing else has. What cannot be decrypted is
    empty: `core/workflows/history.py`, which compares it, then names it instead of failing.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, table: str, column: str, by: str) -> None:
        super().__init__()
        self.table, self.column, self.by = table, column, by

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The bytes, a bar, and the JSON text."""
        by: ColumnElement[Any] = _Hex(type_coerce(_owner(column).c[self.by], LargeBinary))
        return type_coerce(by.concat(literal_column("'|'")).concat(cast(type_coerce(column, JSON), Text)), self)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """From the text of `column_expression`."""
        return self._read

    def _read(self, text: str | None) -> Any:
        if text is None:
            return None
        by, _, content = text.partition("|")
        value = orjson.loads(content)
        if not isinstance(value, str):
            return value
        try:
            return (
                orjson.loads(unseal_for(value, place(self.table, self.column, by.lower()))) if is_sealed(value) else {}
            )
        except ValueError:
            return {}


@functools.cache
def encrypted_columns(table: Table) -> dict[str, str]:
    """The columns of a table that are encrypted, each with the column that identifies its row."""
    return {column.name: column.type.row for column in table.c if isinstance(column.type, EncryptedText)}


def in_row(table: Any, values: Mapping[str, Any], **known: Any) -> dict[str, Any]:
    """Values to insert or update, those that are encrypted with their row, which `values` or `known` names."""
    columns = encrypted_columns(table if isinstance(table, Table) else table.__table__)
    if not columns:
        return dict(values)
    return {
        name: InRow(value, known[columns[name]] if columns[name] in known else values[columns[name]])
        if name in columns and value is not None
        else value
        for name, value in values.items()
    }


@event.listens_for(Mapper, "before_insert")
@event.listens_for(Mapper, "before_update")
def _name_rows(mapper: "Mapper[Any]", _connection: Connection, target: Any) -> None:
    """Objects of a session know their row."""
    for name, row in encrypted_columns(mapper.local_table).items():
        added = inspect(target).attrs[name].history.added
        if added and isinstance(added[0], str) and not isinstance(added[0], InRow):
            setattr(target, name, InRow(added[0], getattr(target, row)))
