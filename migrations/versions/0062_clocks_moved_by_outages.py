"""clocks that outages (系统故障) move

Revision ID: 0062
Revises: 0060
"""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clocks", sa.Column("before_outage", sa.Date(), nullable=True))
    op.add_column("clocks", sa.Column("outage_reason", sa.String(length=200), nullable=True))
    counting = sa.text("counting = 'deadline' AND paused_on IS NULL")
    op.create_index(
        "ix_clocks_deadlines", "clocks", ["last_day", "id"], sqlite_where=counting, postgresql_where=counting
    )


def downgrade() -> None:
    op.drop_index("ix_clocks_deadlines", "clocks")
    with op.batch_alter_table("clocks") as table:
        table.drop_column("outage_reason")
        table.drop_column("before_outage")
