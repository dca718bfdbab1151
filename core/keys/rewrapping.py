"""Changing the secret (主密钥) that wraps the keys: each is wrapped a second time by the new one, later by that alone.

Between the two steps both secrets open the database, so that servers go from one to the other while they run. What is
sealed does not change: only the wrapped keys do. Each step is one transaction; what was cut off can be done again.
"""

from datetime import timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, select

from core import clock
from core.config import SettingsError
from core.keys import stored
from core.keys.stored import TABLE, secret_id

NOT_FINISHED = (
    "更换主密钥尚未完成，请先完成：在已改用新密钥的机器上执行 ./manage keys change-secret；"
    "如要放弃，请用原来的密钥执行 ./manage keys change-secret --discard"
)


def secrets_of(engine: Engine) -> list[str]:
    """The ids of the secrets that open the database: one, or during a change the former first and its successor."""
    with engine.connect() as connection:
        return _secrets_of(connection)


def begin(engine: Engine, secret: str, new: str) -> None:
    """Wrap all keys by the new secret too; raises `SettingsError` where another change is under way."""
    with engine.begin() as connection:
        stored.lock(connection)
        ring = stored.ring_of(connection, secret)
        assert ring is not None  # a database that was opened has keys
        there = set(_secrets_of(connection))
        if not there <= {secret_id(secret), secret_id(new)}:
            raise SettingsError(NOT_FINISHED)
        if secret_id(new) in there:
            stored.ring_of(connection, new)
            return
        rows = connection.execute(select(TABLE).where(TABLE.c.secret_id == secret_id(secret))).all()
        # By this the successor is known, whatever the clock of the former one said.
        made_at = max(clock.now(), max(row.made_at for row in rows) + timedelta(microseconds=1))
        wrapped = [
            stored.wrapped_row(new, row.purpose, row.number, ring.get(row.purpose, str(row.number)).bytes)
            | {"made_at": made_at, "retired_at": row.retired_at}
            for row in rows
        ]
        connection.execute(insert(TABLE), wrapped)


def finish(engine: Engine, secret: str) -> int:
    """Forget how other secrets wrapped the keys, which this one opens all; how many secrets open nothing any more."""
    with engine.begin() as connection:
        stored.lock(connection)
        stored.ring_of(connection, secret)
        all_keys = set(connection.execute(select(TABLE.c.purpose, TABLE.c.number)).all())
        own = connection.scalar(select(func.count()).where(TABLE.c.secret_id == secret_id(secret)))
        if own != len(all_keys):
            raise SettingsError(NOT_FINISHED)
        others = len(_secrets_of(connection)) - 1
        connection.execute(delete(TABLE).where(TABLE.c.secret_id != secret_id(secret)))
        return others


def is_successor(engine: Engine, secret: str) -> bool:
    """Whether the secret is the one that a change under way leads to."""
    there = secrets_of(engine)
    return len(there) > 1 and there[-1] == secret_id(secret)


def _secrets_of(connection: Connection) -> list[str]:
    since = func.min(TABLE.c.made_at)
    return list(connection.scalars(select(TABLE.c.secret_id).group_by(TABLE.c.secret_id).order_by(since)))
