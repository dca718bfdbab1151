"""whether a captcha is a picture or a question in words

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('captchas', sa.Column('kind', sa.String(length=10), server_default='picture', nullable=False))


def downgrade() -> None:
    op.drop_column('captchas', 'kind')
