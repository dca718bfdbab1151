"""words of dictionaries have a keeper: status, version, types that they had, where they come from

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

ENTRIES = 'dictionary_entries'


def upgrade() -> None:
    op.add_column(ENTRIES, sa.Column('status', sa.String(length=10), server_default='active', nullable=False))
    op.add_column(ENTRIES, sa.Column('version', sa.Integer(), server_default='1', nullable=False))
    op.add_column(ENTRIES, sa.Column('retired_on', sa.Date(), nullable=True))
    op.add_column(ENTRIES, sa.Column('former_types', sa.JSON(), server_default='[]', nullable=False))
    op.add_column(ENTRIES, sa.Column('proposed', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(ENTRIES, sa.Column('source', sa.String(length=60), nullable=True))
    op.create_index(
        'ix_dictionary_entries_folded_name', ENTRIES, ['dictionary', 'product_code', 'folded_name', 'area1']
    )
    entries = sa.table(ENTRIES, sa.column('status'), sa.column('alias_of'))
    op.execute(sa.update(entries).where(entries.c.alias_of.is_not(None)).values(status='merged'))


def downgrade() -> None:
    op.drop_index('ix_dictionary_entries_folded_name', ENTRIES)
    for name in ('source', 'proposed', 'former_types', 'retired_on', 'version', 'status'):
        op.drop_column(ENTRIES, name)
