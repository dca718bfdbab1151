"""who began a draft that was handed over

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('inspections', sa.Column('begun_by', sa.Uuid(), nullable=True))
    op.add_column('inspections', sa.Column('begun_by_name', sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column('inspections', 'begun_by_name')
    op.drop_column('inspections', 'begun_by')
