"""ways of counting, extensions and lights of clocks (时限)

Revision ID: 0056
Revises: 0055
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clocks", sa.Column("counting", sa.String(length=10), nullable=False, server_default="deadline"))
    op.add_column("clocks", sa.Column("shift", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("clocks", sa.Column("extensions", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("filings", sa.Column("due_clock", sa.String(length=40), nullable=True))
    op.add_column("filings", sa.Column("amber_on", sa.Date(), nullable=True))
    op.add_column("todos", sa.Column("amber_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("todos", "amber_on")
    op.drop_column("filings", "amber_on")
    op.drop_column("filings", "due_clock")
    op.drop_column("clocks", "extensions")
    op.drop_column("clocks", "shift")
    op.drop_column("clocks", "counting")
