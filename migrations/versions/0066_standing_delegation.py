"""standing delegation (委托) by function and business type

Revision ID: 0066
Revises: 0065
"""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("filings", sa.Column("matter", sa.String(length=40), nullable=True))
    op.create_table(
        "delegations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("post", sa.String(length=40), nullable=False),
        sa.Column("from_office_id", sa.Uuid(), nullable=False),
        sa.Column("to_office_id", sa.Uuid(), nullable=False),
        sa.Column("matters", sa.JSON(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["from_office_id"], ["offices.id"], name=op.f("fk_delegations_from_office_id_offices")),
        sa.ForeignKeyConstraint(["to_office_id"], ["offices.id"], name=op.f("fk_delegations_to_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    standing = sa.text("status = 'standing'")
    op.create_index(
        "uq_delegations_standing", "delegations", ["from_office_id", "post"], unique=True, sqlite_where=standing,
        postgresql_where=standing,
    )  # fmt: skip
    op.create_index("ix_delegations_to_office_id", "delegations", ["to_office_id", "begun_at", "id"])
    op.create_index("ix_delegations_from_office_id", "delegations", ["from_office_id", "begun_at", "id"])


def downgrade() -> None:
    op.drop_table("delegations")
    op.drop_column("filings", "matter")
