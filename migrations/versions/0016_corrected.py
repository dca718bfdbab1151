"""when and by whom a record was corrected (更正) last, and how often; told by the histories of those corrected before

Revision ID: 0016
Revises: 0015
"""

from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_MARK = sa.JSON(none_as_null=True)
_AT_ONCE = 500


def upgrade() -> None:
    op.add_column("inspections", sa.Column("corrected", _MARK, nullable=True))
    connection = op.get_bind()
    records = sa.table("inspections", sa.column("id", sa.Uuid), sa.column("corrected", _MARK))
    history = sa.table("history", *(sa.column(name, kind) for name, kind in (
        ("id", sa.Integer), ("subject_type", sa.String), ("subject_id", sa.Uuid), ("seq", sa.Integer),
        ("action", sa.String), ("at", sa.DateTime(timezone=True)),
    )))  # fmt: skip
    payloads = sa.table("history_payloads", sa.column("history_id"), sa.column("payload", sa.JSON))
    versions = sa.table("inspection_versions", sa.column("inspection_id", sa.Uuid), sa.column("version"))
    corrected = sa.select(versions.c.inspection_id, sa.func.count().label("count")).group_by(versions.c.inspection_id)
    counts = {row.inspection_id: row.count for row in connection.execute(corrected)}
    ids = list(counts)
    for start in range(0, len(ids), _AT_ONCE):
        moves = (
            sa.select(history.c.subject_id, history.c.at, payloads.c.payload)
            .outerjoin(payloads, payloads.c.history_id == history.c.id)
            .where(history.c.subject_id.in_(ids[start : start + _AT_ONCE]), history.c.action == "correct")
            .order_by(history.c.subject_id, history.c.seq)
        )
        last = {row.subject_id: row for row in connection.execute(moves)}
        for record_id, move in last.items():
            said = move.payload or {}  # erased by law
            at = move.at.replace(tzinfo=UTC) if move.at.tzinfo is None else move.at.astimezone(UTC)
            mark = {
                "at": at.isoformat().replace("+00:00", "Z"), "by": said.get("operator_name") or said.get("actor"),
                "office": said.get("office"), "count": counts[record_id],
                "approved_by": said.get("approved_by"), "approved_office": said.get("approved_office"),
            }  # fmt: skip
            connection.execute(records.update().where(records.c.id == record_id).values(corrected=mark))


def downgrade() -> None:
    op.drop_column("inspections", "corrected")
