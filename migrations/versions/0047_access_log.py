"""the access log: who read or exported which personal record; on PostgreSQL nothing changes or removes it by mistake

Revision ID: 0047
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

TABLES = ("access_log", "access_log_subjects")


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("operator_name", sa.String(length=30), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("office_name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("operation", sa.String(length=80), nullable=False),
        sa.Column("subject_type", sa.String(length=30), nullable=False),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("noted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    op.create_index("ix_access_log_at", "access_log", ["at", "id"])
    op.create_index("ix_access_log_office_id", "access_log", ["office_id", "at", "id"])
    op.create_index("ix_access_log_user_id", "access_log", ["user_id", "at", "id"])
    op.create_table(
        "access_log_subjects",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["access_log.id"], name=op.f("fk_access_log_subjects_entry_id_access_log")),
        sa.PrimaryKeyConstraint("entry_id", "subject_id", name=op.f("pk_access_log_subjects")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_access_log_subjects_subject_id", "access_log_subjects", ["subject_id", "entry_id"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in TABLES:
            connection.exec_driver_sql(
                f"CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION history_guard()"
            )


def downgrade() -> None:
    op.drop_table("access_log_subjects")
    op.drop_table("access_log")
