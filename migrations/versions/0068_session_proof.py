"""whose a session is, by a keyed digest; sessions from before are over

Revision ID: 0068
Revises: 0067
"""

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("proof", sa.String(length=120), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "proof")
