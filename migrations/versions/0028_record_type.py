"""columns are called what they hold: the type of a record, the warnings kept with it, who set what fits a product

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_RENAMED = (
    ("inspections", "book", "record_type"),
    ("inspections", "noticed", "kept_warnings"),
    ("enterprise_tallies", "book", "record_type"),
    ("product_types", "said_by", "set_by"),
    ("product_types", "said_at", "set_at"),
)


def upgrade() -> None:
    """By statements that SQLite and PostgreSQL both know: neither copies a row, and the indexes follow."""
    for table, former, name in _RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {former} TO {name}")


def downgrade() -> None:
    for table, former, name in _RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {name} TO {former}")
