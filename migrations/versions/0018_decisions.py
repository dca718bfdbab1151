"""what filings say after a decision, what heads their papers, and orders without a check among the supervision checks

Revision ID: 0018
Revises: 0017
"""

from datetime import UTC, timedelta, timezone

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BATCH = 500
_SHANGHAI = timezone(timedelta(hours=8))
_TIME = sa.DateTime(timezone=True)
filings = sa.table("filings", *(sa.column(name, kind) for name, kind in (
    ("id", sa.Uuid), ("kind", sa.String), ("uscc", sa.String), ("opinion", sa.Text), ("finished_at", _TIME),
    ("subject_id", sa.Uuid), ("data", sa.JSON), ("created_at", _TIME), ("title_region", sa.String),
    ("area1", sa.String), ("area2", sa.String), ("area3", sa.String),
)))  # fmt: skip
history = sa.table("history", *(sa.column(name, kind) for name, kind in (
    ("id", sa.Integer), ("subject_id", sa.Uuid), ("seq", sa.Integer),
)))  # fmt: skip
payloads = sa.table("history_payloads", sa.column("history_id", sa.Integer), sa.column("payload", sa.JSON))
regions = sa.table("regions", sa.column("code", sa.String), sa.column("name", sa.String))
checks = sa.table("supervision_checks", *(sa.column(name, kind) for name, kind in (
    ("id", sa.Uuid), ("uscc", sa.String), ("kind", sa.String), ("product_code", sa.String), ("checked_on", sa.Date),
    ("office_name", sa.String), ("inspectors", sa.String), ("result", sa.String), ("problems", sa.Text),
    ("rectification_id", sa.Uuid), ("published_at", _TIME),
)))  # fmt: skip


def upgrade() -> None:
    op.add_column("filings", sa.Column("title_region", sa.String(length=50), nullable=True))
    place = sa.func.coalesce(filings.c.area3, filings.c.area2, filings.c.area1)
    name = sa.select(regions.c.name).where(regions.c.code == place).scalar_subquery()
    tables = filings.c.kind.in_(("self_check_sales", "self_check_production"))
    op.get_bind().execute(filings.update().where(tables).values(title_region=name))
    _keep_the_last_opinion()
    _show_orders()


def _told(which: sa.ColumnElement[bool], seq: sa.ColumnElement[int]):  # type: ignore[no-untyped-def]
    """Filings, in the order of their ids, with what one row of their history carries."""
    statement = (
        sa.select(filings, payloads.c.payload)
        .select_from(filings)
        .join(history, (history.c.subject_id == filings.c.id) & (history.c.seq == seq))
        .outerjoin(payloads, payloads.c.history_id == history.c.id)
        .where(which)
        .order_by(filings.c.id)
        .limit(BATCH)
    )
    connection = op.get_bind()
    rows = connection.execute(statement).all()
    while rows:
        yield rows
        rows = connection.execute(statement.where(filings.c.id > rows[-1].id)).all()


def _keep_the_last_opinion() -> None:
    """A finished filing says what its last step said; it used to go on with that of an earlier return."""
    inner = history.alias()
    last = sa.select(sa.func.max(inner.c.seq)).where(inner.c.subject_id == filings.c.id).scalar_subquery()
    over = filings.c.finished_at.is_not(None) & filings.c.opinion.is_not(None)
    for rows in _told(over, last):
        for row in rows:
            said = (row.payload or {}).get("comment")
            if said != row.opinion:
                op.get_bind().execute(filings.update().where(filings.c.id == row.id).values(opinion=said))


def _show_orders() -> None:
    """Rectifications (整改) that an office ordered by itself, as `enterprise/production` publishes them from now on."""
    ordered = (filings.c.kind == "rectification") & filings.c.subject_id.is_(None)
    for rows in _told(ordered, sa.literal(1)):
        values = []
        for row in rows:
            said, data = row.payload or {}, row.data
            made = row.created_at if row.created_at.tzinfo else row.created_at.replace(tzinfo=UTC)
            day = made.astimezone(_SHANGHAI).date()
            given = data.get("check_date")
            values.append({
                "id": row.id, "uscc": row.uscc, "kind": "rectification", "product_code": "",
                "checked_on": type(day).fromisoformat(given) if given else day,
                "office_name": (said.get("office") or "")[:100],
                "inspectors": (said.get("operator_name") or "")[:200], "result": "problems",
                "problems": data.get("problem"), "rectification_id": row.id, "published_at": made,
            })  # fmt: skip
        op.get_bind().execute(checks.insert(), values)


def downgrade() -> None:
    op.get_bind().execute(checks.delete().where(checks.c.kind == "rectification"))
    op.drop_column("filings", "title_region")
