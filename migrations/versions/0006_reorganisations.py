"""reorganisations

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Added one by one: rebuilding a table, as batch mode does on SQLite, is not needed for columns.
    op.add_column('regions', sa.Column('successor_code', sa.String(length=6), nullable=True))
    op.add_column('offices', sa.Column('arriving', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column('offices', sa.Column('absorbed', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column('offices', sa.Column('closed_on', sa.Date(), nullable=True))
    op.create_table('reorganisations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('code', sa.String(length=6), nullable=False),
    sa.Column('into_code', sa.String(length=6), nullable=False),
    sa.Column('parent_code', sa.String(length=6), nullable=True),
    sa.Column('name', sa.String(length=50), nullable=True),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('planned_by', sa.String(length=64), nullable=False),
    sa.Column('planned_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.String(length=10), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('old_chain', sa.JSON(), nullable=True),
    sa.Column('new_chain', sa.JSON(), nullable=True),
    sa.Column('moved', sa.Integer(), nullable=False),
    sa.Column('swept_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reorganisations'))
    )


def downgrade() -> None:
    op.drop_table('reorganisations')
    op.drop_column('offices', 'closed_on')
    op.drop_column('offices', 'absorbed')
    op.drop_column('offices', 'arriving')
    op.drop_column('regions', 'successor_code')
