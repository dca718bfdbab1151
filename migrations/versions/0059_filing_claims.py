"""keys that one filing may hold at a time (占用)

Revision ID: 0059
Revises: 0058
"""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "filing_claims",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name=op.f("fk_filing_claims_filing_id_filings")),
        sa.PrimaryKeyConstraint("name", "key", name=op.f("pk_filing_claims")),
    )
    op.create_index("ix_filing_claims_filing_id", "filing_claims", ["filing_id"])


def downgrade() -> None:
    op.drop_table("filing_claims")
