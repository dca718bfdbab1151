"""the table of idempotency keys is named for them

Revision ID: 0029
Revises: 0028
"""

from alembic import op


revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def _rename(old: str, new: str) -> None:
    op.rename_table(old, new)
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f'ALTER TABLE {new} RENAME CONSTRAINT pk_{old} TO pk_{new}')


def upgrade() -> None:
    _rename('receipts', 'idempotency_keys')


def downgrade() -> None:
    _rename('idempotency_keys', 'receipts')
