"""the office that handles a filing (承办机关), its parties (当事方), and what its steps said (环节表单)

Revision ID: 0054
Revises: 0053
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_STANDING = {"sqlite_where": sa.text("left_at IS NULL"), "postgresql_where": sa.text("left_at IS NULL")}


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    # Confirmations stand on the rows of parties now; no kind of a release had any.
    op.drop_table("confirmations")
    op.drop_column("filings", "round")
    op.add_column("filings", sa.Column("office_id", sa.Uuid(), nullable=True))
    op.create_table(
        "filing_parties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("leader", sa.Boolean(), nullable=False),
        sa.Column("named_at", instant, nullable=False),
        sa.Column("confirmed_at", instant, nullable=True),
        sa.Column("left_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name=op.f("fk_filing_parties_filing_id_filings")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_filing_parties_office_id_offices")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_filing_parties_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_parties")),
    )
    op.create_index("ix_filing_parties_filing_id", "filing_parties", ["filing_id"])
    op.create_index("ix_filing_parties_user_id", "filing_parties", ["user_id", "filing_id"], **_STANDING)
    op.create_index("ix_filing_parties_office_id", "filing_parties", ["office_id", "filing_id"], **_STANDING)
    op.create_index(
        "uq_filing_parties_user", "filing_parties", ["filing_id", "party", "user_id"], unique=True, **_STANDING
    )
    op.create_index(
        "uq_filing_parties_office", "filing_parties", ["filing_id", "party", "office_id"], unique=True, **_STANDING
    )
    op.create_table(
        "filing_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("by_code", sa.String(length=40), nullable=False),
        sa.Column("form_code", sa.String(length=40), nullable=True),
        sa.Column("form_version", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("documents", sa.JSON(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("operator_name", sa.String(length=30), nullable=True),
        sa.Column("office_name", sa.String(length=100), nullable=True),
        sa.Column("taken_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name=op.f("fk_filing_steps_filing_id_filings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_steps")),
    )
    op.create_index("ix_filing_steps_filing_id", "filing_steps", ["filing_id", "number"])


def downgrade() -> None:
    op.drop_table("filing_steps")
    op.drop_table("filing_parties")
    op.drop_column("filings", "office_id")
    op.add_column("filings", sa.Column("round", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "confirmations",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "step", "round", "user_id", name=op.f("pk_confirmations")),
    )
