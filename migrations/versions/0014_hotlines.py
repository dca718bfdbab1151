"""where the public calls an office (服务电话)

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('offices', sa.Column('hotline', sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column('offices', 'hotline')
