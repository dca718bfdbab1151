"""Level and tags of bad ratings are public at once: their index leaves out voided ones only.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = ["level", "submitted_at", "id"]


def _create(name: str, condition: str) -> None:
    op.create_index(
        name, "ratings", COLUMNS, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )


def upgrade() -> None:
    op.drop_index("ix_ratings_shown_bad", "ratings")
    _create("ix_ratings_public_bad", "publicity <> 'hidden' AND due_on IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_ratings_public_bad", "ratings")
    _create("ix_ratings_shown_bad", "publicity = 'shown' AND due_on IS NOT NULL")
