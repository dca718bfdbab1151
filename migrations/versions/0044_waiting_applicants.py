"""an application carries its user name and password; the account begins with its approval

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

# What an applicant chose stood on a user who waited; users and their history stay.
_NAME = "(SELECT username FROM users WHERE users.id = account_applications.user_id)"
_PASSWORD = (
    "(SELECT password_hash FROM users WHERE users.id = account_applications.user_id "
    "AND users.status = account_applications.status AND users.status IN ('pending', 'rejected'))"
)


def upgrade() -> None:
    with op.batch_alter_table("account_applications") as table:
        table.add_column(sa.Column("username", sa.String(length=64), nullable=False, server_default=""))
        table.add_column(sa.Column("password_hash", sa.String(length=200), nullable=True))
        table.alter_column("user_id", existing_type=sa.Uuid(), nullable=True)
    op.execute(f"UPDATE account_applications SET username = {_NAME}, password_hash = {_PASSWORD}")
    op.create_index("ix_account_applications_username", "account_applications", [sa.text("lower(username)")])


def downgrade() -> None:
    op.drop_index("ix_account_applications_username", table_name="account_applications")
    op.execute("DELETE FROM account_applications WHERE user_id IS NULL")
    with op.batch_alter_table("account_applications") as table:
        table.alter_column("user_id", existing_type=sa.Uuid(), nullable=False)
        table.drop_column("password_hash")
        table.drop_column("username")
