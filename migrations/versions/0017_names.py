"""names that contradict the register: former names of enterprises, and what was confirmed of records

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('enterprises', sa.Column('former_names', sa.JSON(), server_default='[]', nullable=False))
    op.add_column('inspections', sa.Column('name_differs', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('inspections', sa.Column('noticed', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    op.drop_column('inspections', 'noticed')
    op.drop_column('inspections', 'name_differs')
    op.drop_column('enterprises', 'former_names')
