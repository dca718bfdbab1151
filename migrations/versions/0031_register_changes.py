"""what has changed in the register of enterprises, for phones that keep it

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

NOT_DEPARTED = sa.text("NOT departed")


def upgrade() -> None:
    op.create_table(
        "register_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("departed", sa.Boolean(), nullable=False),
        sa.Column("area1", sa.String(length=6), nullable=False),
        sa.Column("area2", sa.String(length=6), nullable=True),
        sa.Column("area3", sa.String(length=6), nullable=True),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"],
            name=op.f("fk_register_changes_enterprise_id_enterprises"), ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_changes")),
    )  # fmt: skip
    op.create_table(
        "register_marks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_marks")),
    )
    op.execute(
        "INSERT INTO register_changes (enterprise_id, departed, area1, area2, area3, mark) "
        "SELECT id, false, area1, area2, area3, row_number() OVER (ORDER BY uscc) FROM enterprises"
    )
    op.execute("INSERT INTO register_marks (id, last) SELECT 1, count(*) FROM register_changes HAVING count(*) > 0")
    # After the rows, which are then indexed at once.
    for area in ("area1", "area2", "area3"):
        op.create_index(f"ix_register_changes_{area}", "register_changes", [area, "mark"])
    op.create_index(
        "uq_register_changes_enterprise_id", "register_changes", ["enterprise_id"], unique=True,
        sqlite_where=NOT_DEPARTED, postgresql_where=NOT_DEPARTED,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("register_marks")
    op.drop_table("register_changes")
