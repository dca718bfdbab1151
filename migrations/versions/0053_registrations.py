"""registrations without an account, and sessions that reach one filing

Revision ID: 0053
Revises: 0051
"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.add_column("sessions", sa.Column("filing_id", sa.Uuid(), nullable=True))
    op.create_table(
        "registrations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("applicant", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=18), nullable=True),
        sa.Column("id_number", sa.Text(), nullable=True),
        sa.Column("id_hash", sa.String(length=64), nullable=True),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("area1", sa.String(length=6), nullable=False),
        sa.Column("area2", sa.String(length=6), nullable=True),
        sa.Column("area3", sa.String(length=6), nullable=True),
        sa.Column("query_code_hash", sa.String(length=64), nullable=False),
        sa.Column("spare_code_hash", sa.String(length=64), nullable=True),
        sa.Column("spare_until", instant, nullable=True),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opinion", sa.String(length=500), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [other], name=op.f(f"fk_registrations_{column}_{other.split('.')[0]}"))
            for column, other in (
                ("filing_id", "filings.id"), ("applicant_id", "enterprises.id"),
                ("user_id", "users.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        *(
            sa.UniqueConstraint(column, name=op.f(f"uq_registrations_{column}"))
            for column in ("query_code_hash", "spare_code_hash", "filing_id", "user_id")
        ),
    )
    for column in ("area1", "area2", "area3", "code"):
        op.create_index(f"ix_registrations_{column}", "registrations", [column, "created_at", "id"])
    op.create_index(op.f("ix_registrations_id_hash"), "registrations", ["id_hash"])


def downgrade() -> None:
    op.drop_table("registrations")
    op.drop_column("sessions", "filing_id")
