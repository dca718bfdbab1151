"""lists of filings by whose turn it is, and of overdue ones

Revision ID: 0060
Revises: 0061
"""

import sqlalchemy as sa
from alembic import op

revision = "0060"
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


def downgrade() -> None:
    op.drop_index("ix_filings_office_id", "filings")
    for area in _AREAS:
        op.drop_index(f"ix_filings_{area}_due", "filings")
