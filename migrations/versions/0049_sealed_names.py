"""names of users and applicants are encrypted at rest

Revision ID: 0049
Revises: 0048
"""

from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from core.privacy import place, seal_for, unseal_for

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

BATCH = 1000
COLUMNS = (("users", "full_name", None), ("account_applications", "applicant_name", ""))
"""Table, column, and what stands where there is none."""


def upgrade() -> None:
    rewrite(sa.Text(), seal_for)


def downgrade() -> None:
    rewrite(sa.String(length=30), unseal_for)


def rewrite(kind: sa.types.TypeEngine[str], change: Callable[[str, str], str]) -> None:
    """Replace each column by one of another type with changed values.

    A new column, because SQLite would copy the table of users, to which others refer, to change a type. All in the
    transaction of this step: there are some thousand rows, and what is interrupted is as it was.
    """
    for name, column, empty in COLUMNS:
        made = f"{column}_new"
        op.add_column(name, sa.Column(made, kind, nullable=empty is None, server_default=empty))
        table = sa.table(name, sa.column("id", sa.Uuid()), sa.column(column, sa.Text()), sa.column(made, sa.Text()))
        write = sa.update(table).where(table.c.id == sa.bindparam("row")).values({made: sa.bindparam("new")})
        chosen = sa.select(table.c.id, table.c[column]).where(table.c[column].is_not(None)).order_by(table.c.id)
        last: UUID | None = None
        while rows := op.get_bind().execute(_behind(chosen, table.c.id, last).limit(BATCH)).all():
            op.get_bind().execute(write, [
                {"row": row[0], "new": change(row[1], place(name, column, row[0]))} for row in rows
            ])  # fmt: skip
            last = rows[-1][0]
        op.execute(f"ALTER TABLE {name} DROP COLUMN {column}")
        op.execute(f"ALTER TABLE {name} RENAME COLUMN {made} TO {column}")


def _behind(chosen: sa.Select[tuple[UUID, str]], key: sa.ColumnElement[UUID], last: UUID | None) -> sa.Select[tuple[UUID, str]]:
    return chosen if last is None else chosen.where(key > last)
