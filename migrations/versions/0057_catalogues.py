"""catalogues that forms search, and pairs of characters of their names

Revision ID: 0057
Revises: 0056
"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    code = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
    op.create_table(
        "catalogue_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("catalogue", sa.String(length=40), nullable=False),
        sa.Column("parent", code, nullable=False),
        sa.Column("code", code, nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("folded_name", sa.String(length=500), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_entries")),
        sa.UniqueConstraint("catalogue", "parent", "code", name=op.f("uq_catalogue_entries_catalogue_parent_code")),
    )
    op.create_index("ix_catalogue_entries_code", "catalogue_entries", ["catalogue", "code"])
    op.create_table(
        "catalogue_bigrams",
        sa.Column("bigram", sa.String(length=2), nullable=False),
        sa.Column("catalogue", sa.String(length=40), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entries.id"], ondelete="CASCADE",
            name=op.f("fk_catalogue_bigrams_entry_id_catalogue_entries"),
        ),
        sa.PrimaryKeyConstraint("bigram", "catalogue", "entry_id", name=op.f("pk_catalogue_bigrams")),
    )  # fmt: skip
    op.create_index(op.f("ix_catalogue_bigrams_entry_id"), "catalogue_bigrams", ["entry_id"])


def downgrade() -> None:
    op.drop_table("catalogue_bigrams")
    op.drop_table("catalogue_entries")
