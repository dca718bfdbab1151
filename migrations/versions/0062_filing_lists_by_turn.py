"""lists of filings by whose turn it is, and of overdue ones; clocks that outages (系统故障) move

Revision ID: 0062
Revises: 0061
"""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_AREAS = ("area1", "area2", "area3")


def upgrade() -> None:
    open_and_due, of_office = sa.text("finished_at IS NULL AND due_on IS NOT NULL"), sa.text("office_id IS NOT NULL")
    for area in _AREAS:
        columns = [area, "due_on", "id", "kind", "status", "due_clock", "sent", "opened_by_office"]
        op.create_index(
            f"ix_filings_{area}_due", "filings", columns, sqlite_where=open_and_due, postgresql_where=open_and_due
        )
    columns = ["office_id", "status", "created_at", "id", "kind"]
    op.create_index("ix_filings_office_id", "filings", columns, sqlite_where=of_office, postgresql_where=of_office)
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
    op.drop_index("ix_filings_office_id", "filings")
    for area in _AREAS:
        op.drop_index(f"ix_filings_{area}_due", "filings")
