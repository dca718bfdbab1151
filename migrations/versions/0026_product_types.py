"""which regulation types fit a product, where the administrator says otherwise than the catalogue

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op


revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'product_types',
        sa.Column('product_code', sa.String(length=2), nullable=False),
        sa.Column('regulation_types', sa.JSON(), nullable=False),
        sa.Column('said_by', sa.String(length=64), nullable=False),
        sa.Column('said_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('product_code', name=op.f('pk_product_types')),
    )


def downgrade() -> None:
    op.drop_table('product_types')
