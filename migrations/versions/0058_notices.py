"""notices of offices, public by system

Revision ID: 0058
Revises: 0057
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(length=30), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("folded_title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.Column("published_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_notices_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    published = sa.text("status = 'published'")
    op.create_index(
        "ix_notices_published", "notices", ["system", "published_at", "id"],
        sqlite_where=published, postgresql_where=published,
    )
    op.create_index("ix_notices_office_id", "notices", ["office_id", "updated_at", "id"])


def downgrade() -> None:
    op.drop_table("notices")
