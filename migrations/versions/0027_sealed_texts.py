"""texts of ratings and of their follow-up are encrypted at rest

Revision ID: 0027
Revises: 0026
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from cryptography.exceptions import InvalidTag

from core.privacy import SEALED, seal, unseal


revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

BATCH = 1000
TEXTS = (
    ('ratings', 'id', sa.Uuid(), ('comment', 'public_comment')),
    ('rating_follow_ups', 'rating_id', sa.Uuid(), (
        'extension_reason', 'measures', 'explanation', 'feedback_text', 'public_reply', 'appeal_reason', 'opinion',
    )),
    ('freed_numbers', 'id', sa.Uuid(), ('reason',)),
    ('rating_contacts', 'id', sa.BigInteger(), ('note',)),
)  # fmt: skip
WRITTEN = frozenset(
    {'note', 'measures', 'explanation', 'feedback_text', 'appeal_reason', 'reason', 'opinion', 'extension_reason'}
)
STEPS = ('contact', 'rectify', 'explain', 'reply', 'close', 'return', 'appeal', 'uphold', 'void', 'withhold', 'free')


def is_sealed(text: str) -> bool:
    """Whether it was encrypted with this installation's key: a text may begin like one that was."""
    if not text.startswith(SEALED):
        return False
    try:
        unseal(text)
    except (InvalidTag, ValueError):
        return False
    return True


def sealed(text: str) -> str:
    return text if is_sealed(text) else seal(text)


def clear(text: str) -> str:
    return unseal(text) if is_sealed(text) else text


def rewrite(statement: sa.Select[Any], key: Any, write: sa.Update, change: Callable[[Any], dict[str, Any] | None]) -> None:
    """Change rows by their key, some in a transaction: others write meanwhile, and what is cut off goes on there.

    What was changed is told by itself, so that it may be looked at again. The rows are locked from reading to writing:
    what another server writes into one of them in between would be written over with what was read before.
    """
    page = statement.order_by(key).limit(BATCH).with_for_update(of=write.table)
    last: Any = None
    while True:
        with op.get_bind().engine.begin() as connection:
            rows = connection.execute(page if last is None else page.where(key > last)).all()
            changed = [{'row': row[0], **new} for row in rows if (new := change(row)) is not None]
            if changed:
                connection.execute(write, changed)
        if len(rows) < BATCH:
            return
        last = rows[-1][0]


def rewrite_texts(change: Callable[[str], str]) -> None:
    for name, key, kind, columns in TEXTS:
        table = sa.table(name, sa.column(key, kind), *(sa.column(column, sa.Text()) for column in columns))
        filled = sa.or_(*(table.c[column].is_not(None) for column in columns))
        write = sa.update(table).where(table.c[key] == sa.bindparam('row'))
        write = write.values({column: sa.bindparam(f'new_{column}') for column in columns})

        def changed(row: Any, columns: Sequence[str] = columns) -> dict[str, Any] | None:
            new = [None if text is None else change(text) for text in row[1:]]
            if new == list(row[1:]):
                return None
            return {f'new_{column}': text for column, text in zip(columns, new, strict=True)}

        rewrite(sa.select(table).where(filled), table.c[key], write, changed)


def rewrite_payloads(change: Callable[[Any], Any]) -> None:
    history = sa.table('history', sa.column('id', sa.BigInteger()), sa.column('subject_type'), sa.column('action'))
    payloads = sa.table('history_payloads', sa.column('history_id', sa.BigInteger()), sa.column('payload', sa.JSON()))
    write = sa.update(payloads).where(payloads.c.history_id == sa.bindparam('row'))
    write = write.values(payload=sa.bindparam('new', type_=sa.JSON()))
    moves = (
        sa.select(history.c.id, payloads.c.payload)
        .join(payloads, payloads.c.history_id == history.c.id)
        .where(history.c.subject_type.in_(('rating', 'freed_number')), history.c.action.in_(STEPS))
    )

    def changed(row: Any) -> dict[str, Any] | None:
        new = change(row.payload)
        return None if new == row.payload else {'new': new}

    rewrite(moves, history.c.id, write, changed)


def seal_payload(payload: Any) -> Any:
    if not isinstance(payload, dict) or WRITTEN.isdisjoint(payload):
        return payload
    return seal(json.dumps(payload, ensure_ascii=False))


def clear_payload(payload: Any) -> Any:
    return json.loads(unseal(payload)) if isinstance(payload, str) and is_sealed(payload) else payload


def rewrite_all(text: Callable[[str], str], payload: Callable[[Any], Any]) -> None:
    connection = op.get_bind()
    # An office may have freed a number before anybody rated.
    some = sa.text('SELECT 1 FROM ratings UNION ALL SELECT 1 FROM freed_numbers LIMIT 1')
    if connection.execute(some).first() is None:
        return
    # The steps before are committed with their number; from here on each transaction stands for itself. The connection
    # of the upgrade keeps no lock meanwhile: SQLite would otherwise wait for it (`core/db.py`).
    connection.execution_options(reading=True)
    with op.get_context().autocommit_block():
        rewrite_texts(text)
        rewrite_payloads(payload)
        connection.execution_options(reading=False)


def upgrade() -> None:
    rewrite_all(sealed, seal_payload)


def downgrade() -> None:
    rewrite_all(clear, clear_payload)
