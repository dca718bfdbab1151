"""the table of rating windows is named for them

Revision ID: 0030
Revises: 0029
"""

from alembic import op


revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def _rename(old: str, new: str) -> None:
    op.rename_table(old, new)
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f'ALTER TABLE {new} RENAME CONSTRAINT pk_{old} TO pk_{new}')


def upgrade() -> None:
    _rename('rating_gates', 'rating_windows')


def downgrade() -> None:
    _rename('rating_windows', 'rating_gates')
