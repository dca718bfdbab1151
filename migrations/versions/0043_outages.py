"""outages move deadlines; tries of sending that failed keep their time

Revision ID: 0043
Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "outages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(length=20), nullable=False),
        sa.Column("area1", sa.String(length=6), nullable=True),
        sa.Column("area2", sa.String(length=6), nullable=True),
        sa.Column("area3", sa.String(length=6), nullable=True),
        sa.Column("starts_at", instant, nullable=False),
        sa.Column("ends_at", instant, nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("recount_from", sa.Date(), nullable=False),
        sa.Column("recount_until", sa.Date(), nullable=False),
        sa.Column("recount_after", sa.String(length=80), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("recounted_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
    )
    op.create_index("ix_outages_ends_at", "outages", ["ends_at"])
    op.create_index("ix_outages_starts_at", "outages", ["starts_at", "id"])
    for table in _DATED:
        op.add_column(table, sa.Column("due_on_before_outage", sa.Date(), nullable=True))
        op.add_column(table, sa.Column("outage_reason", sa.String(length=200), nullable=True))
    for name, columns, condition in _INDEXES:
        where = sa.text(condition)
        op.create_index(name, "filings", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "sending_tries",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sending_tries")),
    )
    op.create_index("ix_sending_tries_filing_id", "sending_tries", ["filing_id"])
    op.add_column("filing_versions", sa.Column("tried_at", instant, nullable=True))
    op.add_column("filing_versions", sa.Column("phone_tried_at", instant, nullable=True))
    op.add_column("filing_versions", sa.Column("due_on", sa.Date(), nullable=True))


_DATED = ("filings", "todos", "ratings")
_INDEXES = (
    ("ix_filings_due_on", ["due_on", "id"], "due_on IS NOT NULL"),
    ("ix_filings_moved", ["due_on", "id", "due_on_before_outage"], "due_on_before_outage IS NOT NULL"),
)


def downgrade() -> None:
    for column in ("due_on", "phone_tried_at", "tried_at"):
        op.drop_column("filing_versions", column)
    op.drop_table("sending_tries")
    for name, *_ in _INDEXES:
        op.drop_index(name, "filings")
    for table in _DATED:
        op.drop_column(table, "outage_reason")
        op.drop_column(table, "due_on_before_outage")
    op.drop_table("outages")
