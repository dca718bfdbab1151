"""law enforcement papers, and the certificates of officers

Revision ID: 0065
Revises: 0062
"""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "enforcement_papers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("office_name", sa.String(length=100), nullable=False),
        sa.Column("area1", sa.String(length=6), nullable=False),
        sa.Column("area2", sa.String(length=6), nullable=True),
        sa.Column("area3", sa.String(length=6), nullable=True),
        sa.Column("org_name", sa.String(length=100), nullable=True),
        sa.Column("number", sa.String(length=120), nullable=True),
        sa.Column("form_code", sa.String(length=40), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("receipt", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("receipt_version", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("operator_name", sa.String(length=30), nullable=True),
        sa.Column("decided", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name=op.f("fk_enforcement_papers_inspection_id_inspections")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_enforcement_papers_office_id_offices")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_enforcement_papers_created_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enforcement_papers")),
        sa.UniqueConstraint("number", name=op.f("uq_enforcement_papers_number")),
    )
    for area in ("area1", "area2", "area3"):
        op.create_index(f"ix_enforcement_papers_{area}", "enforcement_papers", [area, "updated_at", "id"])
    op.create_index("ix_enforcement_papers_inspection_id", "enforcement_papers", ["inspection_id"])
    op.create_table(
        "enforcement_officers",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("certificate_no", sa.String(length=40), nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_enforcement_officers_office_id_offices")),
        sa.PrimaryKeyConstraint("office_id", "name", name=op.f("pk_enforcement_officers")),
    )


def downgrade() -> None:
    op.drop_table("enforcement_officers")
    op.drop_table("enforcement_papers")
