"""users who registered by themselves have rights in one business system

Revision ID: 0069
Revises: 0068
"""

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("system", sa.String(length=30), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "system")
