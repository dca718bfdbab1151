"""support groups of provinces

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "support_groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("province", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("qq_group", sa.String(length=20), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("picture_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["province"], ["regions.code"], name=op.f("fk_support_groups_province_regions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_groups")),
        sa.UniqueConstraint("province", "name", name=op.f("uq_support_groups_province_name")),
    )


def downgrade() -> None:
    op.drop_table("support_groups")
