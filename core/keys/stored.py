"""The keys of an installation in its database (`installation_keys`), each wrapped by the installation's secret.

Wrapped keys are the check value too: a secret that does not open them is not the secret of this database. So every
process that opens the database learns at once whether it has the right secret, before it reads or writes a row.

An empty table gets the first keys (`keyring.derived`), but only where what is sealed already opens with them.
"""

import base64
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, Table, delete, func, insert, inspect, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from core import clock
from core.config import KEY_FILE, SettingsError
from core.db import insert_into
from core.keys import keyring
from core.keys.keyring import PURPOSES, UNNAMED, Key, Keyring, Purpose
from core.models import InstallationKey

log = structlog.get_logger()

TABLE = cast(Table, InstallationKey.__table__)


class WrongKey(SettingsError):
    """The secret is not that of the database; a Chinese sentence that says what to do."""


def secret_id(secret: str) -> str:
    """The id of a secret, 8 hexadecimal digits: shown to people, and of no use to find the secret."""
    return keyring.expanded(secret, "id").hex()[:8]


def open_keys(engine: Engine, secret: str) -> None:
    """Install the keyring of the database in this process; raises `WrongKey`.

    A database without tables gets its keys when it is opened again after they were made.
    """
    keyring.install(read(engine, secret), lambda: read(engine, secret))


def read(engine: Engine, secret: str) -> Keyring:
    """The keyring of the database, made now where it has none yet; raises `WrongKey`."""
    if not inspect(engine).has_table(TABLE.name):
        first = keyring.derived(secret)
        with engine.connect() as connection:
            _refuse_unless_opening(connection, first)
        return first
    with engine.connect() as connection:
        found = _unwrapped(connection, secret)
    if found is not None:
        return found
    with engine.begin() as connection:
        _adopt(connection, secret)
        found = _unwrapped(connection, secret)
    assert found is not None
    return found


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as it is listed."""

    purpose: Purpose
    id: str
    secret_id: str
    made_at: datetime
    retired_at: datetime | None


def listed(engine: Engine) -> list[KeyRow]:
    """All keys of the database, by purpose and number."""
    with engine.connect() as connection:
        rows = connection.execute(select(TABLE).order_by(TABLE.c.purpose, TABLE.c.number)).all()
    return [KeyRow(row.purpose, str(row.number), row.secret_id, row.made_at, row.retired_at) for row in rows]


def make(engine: Engine, secret: str, purposes: Sequence[Purpose]) -> None:
    """Make the next key of each of these purposes, a random one; every process uses it as soon as it knows it."""
    with engine.begin() as connection:
        lock(connection)
        if connection.scalar(select(func.count(TABLE.c.secret_id.distinct()))) != 1:
            raise SettingsError("更换主密钥尚未完成，此时不能轮换密钥；请先执行 ./manage keys change-secret 完成更换")
        for purpose in purposes:
            newest = select(func.max(TABLE.c.number)).where(TABLE.c.purpose == purpose)
            number = connection.scalars(newest).one() + 1
            connection.execute(insert(TABLE), [wrapped_row(secret, purpose, number, os.urandom(32))])


def retire(engine: Engine, ids: Sequence[str]) -> None:
    """Note of sealing keys that nothing is sealed with them any more."""
    which = (TABLE.c.purpose == "sealing") & TABLE.c.number.in_([int(id) for id in ids])
    with engine.begin() as connection:
        connection.execute(update(TABLE).where(which, TABLE.c.retired_at.is_(None)).values(retired_at=clock.now()))


def forget(engine: Engine, id: str) -> None:
    """Delete a sealing key that was retired."""
    which = (TABLE.c.purpose == "sealing") & (TABLE.c.number == int(id)) & TABLE.c.retired_at.is_not(None)
    with engine.begin() as connection:
        connection.execute(delete(TABLE).where(which))


WATCH_SECONDS = 5.0
"""How often a server asks whether there is a new key."""


def watch(engine: Engine, secret: Callable[[], str]) -> None:
    """Read the keys again and again in a thread of its own, so that this process uses a new key or secret soon.

    What cannot be read leaves the keys as they are: `/readyz` says why.
    """

    def go_on() -> None:
        while True:
            time.sleep(WATCH_SECONDS)
            try:
                keyring.install(read(engine, secret()), lambda: read(engine, secret()))
            except (SQLAlchemyError, SettingsError) as error:
                log.warning("keys_not_read", error=type(error).__name__)

    threading.Thread(target=go_on, name="keys", daemon=True).start()


def lock(connection: Connection) -> None:
    """Let nobody else change the keys until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {TABLE.name} IN SHARE ROW EXCLUSIVE MODE"))


def ring_of(connection: Connection, secret: str) -> Keyring | None:
    """The keyring as the transaction sees it, None where the database has no keys yet; raises `WrongKey`."""
    return _unwrapped(connection, secret)


def holds_keys(engine: Engine) -> bool:
    """Whether the database has keys of its own, which only its secret opens."""
    if not inspect(engine).has_table(TABLE.name):
        return False
    with engine.connect() as connection:
        return connection.scalar(select(TABLE.c.number).limit(1)) is not None


def _unwrapped(connection: Connection, secret: str) -> Keyring | None:
    columns = (TABLE.c.purpose, TABLE.c.number, TABLE.c.secret_id, TABLE.c.wrapped)
    rows = connection.execute(select(*columns).order_by(TABLE.c.purpose, TABLE.c.number)).all()
    if not rows:
        return None
    own = secret_id(secret)
    if all(row.secret_id != own for row in rows):
        raise WrongKey(
            f"密钥不对：数据库的密钥编号是 {rows[0].secret_id}，这里的（DATA_KEY 或 {KEY_FILE}）是 {own}，"
            "个人信息无法解密；请放回原来的密钥（备份中有它），或检查 DATA_DIR 与 DATABASE_URL"
        )
    keys: dict[Purpose, list[Key]] = {purpose: [] for purpose in PURPOSES}
    try:
        for row in rows:
            if row.secret_id == own:
                keys[row.purpose].append(Key(str(row.number), _unwrap(secret, row.purpose, row.number, row.wrapped)))
        return Keyring(keys)
    except (InvalidTag, KeyError, ValueError) as error:
        raise WrongKey(
            "数据库中的密钥表 installation_keys 缺失或被改动，个人信息无法解密；请从备份恢复，并追查是谁改动的"
        ) from error


def _adopt(connection: Connection, secret: str) -> None:
    """Give the database its first keys. Processes that do so at once write the same."""
    first = keyring.derived(secret)
    _refuse_unless_opening(connection, first)
    # A write that a phone repeats across the upgrade is recognised only by the key that recognised it before.
    claimed = connection.scalar(text("SELECT 1 FROM idempotency_keys LIMIT 1")) is not None
    given = {purpose: list(reversed(first.all(purpose))) for purpose in PURPOSES}
    if claimed:
        given["receipts"] = [Key("1", first.current("hashing").bytes)]
    rows = [wrapped_row(secret, purpose, int(key.id), key.bytes) for purpose, keys in given.items() for key in keys]
    connection.execute(insert_into(connection.dialect.name, TABLE).on_conflict_do_nothing(), rows)


def _refuse_unless_opening(connection: Connection, ring: Keyring) -> None:
    """Whether what the database holds sealed opens with these keys, by one value of each place."""
    for sealed in _samples(connection):
        version, _, rest = sealed.partition(":")
        try:
            if version != "enc1":
                raise ValueError("named keys without a table of keys")
            content = base64.b64decode(rest)
            AESGCM(ring.get("sealing", UNNAMED).bytes).decrypt(content[:12], content[12:], None)
        except (InvalidTag, ValueError) as error:
            raise WrongKey(
                f"密钥不对：数据库中已加密的个人信息不能用这里的密钥（DATA_KEY 或 DATA_DIR 中的 {KEY_FILE}）解密；"
                "请放回原来的密钥（备份中有它），或检查 DATA_DIR 与 DATABASE_URL"
            ) from error


_SAMPLED = (
    ("users", "mobile"), ("account_applications", "mobile"), ("ratings", "mobile"), ("files", "latitude"),
    ("wechat_bindings", "openid"), ("outbox_keys", "identity"),
)  # fmt: skip


def _samples(connection: Connection) -> Iterator[str]:
    """One sealed value of each of the columns that hold nothing else, where they are there."""
    there = inspect(connection)
    for table, column in _SAMPLED:
        if there.has_table(table) and column in {found["name"] for found in there.get_columns(table)}:
            asked = text(f"SELECT {column} FROM {table} WHERE {column} LIKE 'enc_:%' LIMIT 1")  # noqa: S608
            sealed = connection.scalar(asked)
            if sealed is not None:
                yield sealed


def wrapped_row(secret: str, purpose: Purpose, number: int, key: bytes) -> dict[str, Any]:
    """The row of a key that was made now."""
    return {
        "purpose": purpose, "number": number, "secret_id": secret_id(secret),
        "wrapped": _wrap(secret, purpose, number, key), "made_at": clock.now(),
    }  # fmt: skip


def _wrap(secret: str, purpose: str, number: int, key: bytes) -> str:
    nonce = os.urandom(12)
    return base64.b64encode(nonce + _wrapping(secret).encrypt(nonce, key, _name(purpose, number))).decode()


def _unwrap(secret: str, purpose: str, number: int, wrapped: str) -> bytes:
    content = base64.b64decode(wrapped)
    return _wrapping(secret).decrypt(content[:12], content[12:], _name(purpose, number))


def _wrapping(secret: str) -> AESGCM:
    return AESGCM(keyring.expanded(secret, "wrapping"))


def _name(purpose: str, number: int) -> bytes:
    """Bound to the wrapped key, so that none stands in for another."""
    return f"{purpose} {number}".encode()
