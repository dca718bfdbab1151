"""what an office typed before is found by its newest records

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op


revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

NAME, ONLY = 'ix_inspections_office_id', sa.text("status = 'submitted'")


def upgrade() -> None:
    op.create_index(
        NAME, 'inspections', ['office_id', 'kind', 'submitted_at'], sqlite_where=ONLY, postgresql_where=ONLY
    )


def downgrade() -> None:
    op.drop_index(NAME, 'inspections', sqlite_where=ONLY, postgresql_where=ONLY)
