"""deadlines that were counted on guessed working days say so; holidays of regions

Revision ID: 0022
Revises: 0021
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ARRANGED_UNTIL = date(2026, 12, 31)
"""The end of the last year that releases before this one knew by themselves."""


def upgrade() -> None:
    op.create_table(
        "calendar_region_days",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("area1", sa.String(length=6), nullable=False),
        sa.Column("area2", sa.String(length=6), nullable=True),
        sa.Column("area3", sa.String(length=6), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_region_days")),
    )
    op.create_index("ix_calendar_region_days_area1", "calendar_region_days", ["area1", "day"])
    for table, column in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_ratings_provisional", "ratings", ["due_on", "id"],
        sqlite_where=sa.text("due_on_provisional = 1 AND closed_at IS NULL"),
        postgresql_where=sa.text("due_on_provisional AND closed_at IS NULL"),
    )
    _mark()


_COLUMNS = (("ratings", "due_on_provisional"), ("todos", "due_on_provisional"), ("clocks", "last_day_provisional"))


def _mark() -> None:
    """What is open and was counted into a year that was not known then; the server counts it anew if it is known now."""
    connection = op.get_bind()
    ratings, todos, clocks = (sa.table(name, *columns) for name, columns in (
        ("ratings", (sa.column("id"), sa.column("due_on", sa.Date), sa.column("closed_at"),
                     sa.column("due_on_provisional", sa.Boolean))),
        ("todos", (sa.column("subject_id"), sa.column("closed_at"), sa.column("due_on_provisional", sa.Boolean))),
        ("clocks", (sa.column("unit"), sa.column("last_day", sa.Date), sa.column("rung_at"),
                    sa.column("last_day_provisional", sa.Boolean))),
    ))  # fmt: skip
    guessed = ratings.c.closed_at.is_(None) & (ratings.c.due_on > ARRANGED_UNTIL)
    connection.execute(ratings.update().where(guessed).values(due_on_provisional=sa.true()))
    marked = sa.select(ratings.c.id).where(ratings.c.due_on_provisional == sa.true())
    open_ones = todos.c.closed_at.is_(None) & todos.c.subject_id.in_(marked)
    connection.execute(todos.update().where(open_ones).values(due_on_provisional=sa.true()))
    counted = (clocks.c.unit == "working") & clocks.c.rung_at.is_(None) & (clocks.c.last_day > ARRANGED_UNTIL)
    connection.execute(clocks.update().where(counted).values(last_day_provisional=sa.true()))


def downgrade() -> None:
    op.drop_index("ix_ratings_provisional", "ratings")
    for table, column in _COLUMNS:
        op.drop_column(table, column)
    op.drop_table("calendar_region_days")
