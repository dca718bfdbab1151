"""what was voided (作废), and its lists

Revision ID: 0012
Revises: 0011
"""

from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_AREAS = ("area1", "area2", "area3")
_MARK = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.add_column("inspections", sa.Column("voided", _MARK, nullable=True))
    voided = sa.text("status = 'voided'")
    for area in _AREAS:
        columns = [area, "book", "submitted_at", "id"]
        op.create_index(
            f"ix_inspections_{area}_voided", "inspections", columns, sqlite_where=voided, postgresql_where=voided
        )
    _mark_again()


def _mark_again() -> None:
    """What was voided before a downgrade kept its status and its history, which says the rest."""
    connection = op.get_bind()
    records = sa.table("inspections", sa.column("id", sa.Uuid), sa.column("status"), sa.column("voided", _MARK))
    history = sa.table("history", *(sa.column(name, kind) for name, kind in (
        ("id", sa.Integer), ("subject_id", sa.Uuid), ("action", sa.String), ("at", sa.DateTime(timezone=True)),
    )))  # fmt: skip
    payloads = sa.table("history_payloads", sa.column("history_id"), sa.column("payload", sa.JSON))
    moves = (
        sa.select(records.c.id, history.c.at, payloads.c.payload)
        .join(history, (history.c.subject_id == records.c.id) & (history.c.action == "void"))
        .outerjoin(payloads, payloads.c.history_id == history.c.id)
        .where(records.c.status == "voided")
    )
    for record_id, at, payload in connection.execute(moves).all():
        said = payload or {}  # erased by law
        instant = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        mark = {
            "at": instant.isoformat().replace("+00:00", "Z"),
            "by": said.get("operator_name") or said.get("actor"), "office": said.get("office"),
            "reason": said.get("reason"),
        }  # fmt: skip
        connection.execute(records.update().where(records.c.id == record_id).values(voided=mark))


def downgrade() -> None:
    """The former release shows what was voided to nobody but its user name, and counts it nowhere either."""
    for area in _AREAS:
        op.drop_index(f"ix_inspections_{area}_voided", "inspections")
    op.drop_column("inspections", "voided")
