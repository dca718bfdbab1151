"""numbers (编号) of filings, and the series from which they are given

Revision ID: 0061
Revises: 0059
"""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0059"
branch_labels = None
depends_on = None

GIVEN = sa.text("number IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "number_series",
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("stem", sa.String(length=200), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "stem", name=op.f("pk_number_series")),
    )
    op.add_column("filings", sa.Column("number", sa.String(length=80), nullable=True))
    op.create_index(
        "uq_filings_number", "filings", ["kind", "number"], unique=True, sqlite_where=GIVEN, postgresql_where=GIVEN
    )


def downgrade() -> None:
    op.drop_index("uq_filings_number", table_name="filings")
    op.drop_column("filings", "number")
    op.drop_table("number_series")
