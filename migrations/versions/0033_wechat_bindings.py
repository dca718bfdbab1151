"""WeChat accounts that sign in under a user name

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wechat_bindings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("openid_hash", sa.String(length=64), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("operator_name", sa.String(length=30), nullable=True),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_wechat_bindings_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_bindings")),
        sa.UniqueConstraint("openid_hash", name=op.f("uq_wechat_bindings_openid_hash")),
    )
    op.create_index("ix_wechat_bindings_user_id", "wechat_bindings", ["user_id"])
    op.add_column("sessions", sa.Column("binding_id", sa.Uuid(), nullable=True))
    op.create_index("ix_sessions_binding_id", "sessions", ["binding_id"])


def downgrade() -> None:
    op.drop_index("ix_sessions_binding_id", "sessions")
    op.drop_column("sessions", "binding_id")
    op.drop_table("wechat_bindings")
