"""applications for corrections (更正申请), and records sent back for correction (退回更正)

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_MARK = sa.JSON(none_as_null=True)
_AREAS = ("area1", "area2", "area3")


def upgrade() -> None:
    op.add_column("inspections", sa.Column("returned", _MARK, nullable=True))
    op.create_table(
        "correction_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("area1", sa.String(6), nullable=False),
        sa.Column("area2", sa.String(6), nullable=True),
        sa.Column("area3", sa.String(6), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("confirmed", sa.JSON(), nullable=False),
        sa.Column("decided", _MARK, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name=op.f("fk_correction_requests_inspection_id_inspections")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_correction_requests_office_id_offices")),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_correction_requests_requested_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_requests")),
    )
    for area in _AREAS:
        op.create_index(f"ix_correction_requests_{area}", "correction_requests", [area, "created_at", "id"])
    op.create_index("ix_correction_requests_created_at", "correction_requests", ["created_at", "id"])
    pending = sa.text("status = 'pending'")
    op.create_index(
        "uq_correction_requests_inspection_id_pending", "correction_requests", ["inspection_id"], unique=True,
        sqlite_where=pending, postgresql_where=pending,
    )  # fmt: skip


def downgrade() -> None:
    """The former release knows neither: what was not decided is lost, with its history and its to-dos."""
    op.execute("UPDATE todos SET closed_at = CURRENT_TIMESTAMP WHERE closed_at IS NULL AND kind IN"
               " ('correction_requested', 'correction_rejected', 'correction_returned')")  # fmt: skip
    told = "SELECT id FROM history WHERE subject_type = 'correction_request'"
    op.execute(f"DELETE FROM history_payloads WHERE history_id IN ({told})")
    op.execute("DELETE FROM history WHERE subject_type = 'correction_request'")
    op.drop_table("correction_requests")
    op.drop_column("inspections", "returned")
