"""numbers that an office freed from the five days of ratings

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op


revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('freed_numbers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('mobile_key', sa.String(length=64), nullable=False),
    sa.Column('masked_mobile', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('office_id', sa.Uuid(), nullable=False),
    sa.Column('area1', sa.String(length=6), nullable=False),
    sa.Column('area2', sa.String(length=6), nullable=True),
    sa.Column('area3', sa.String(length=6), nullable=True),
    sa.Column('freed_by', sa.Uuid(), nullable=False),
    sa.Column('operator_name', sa.String(length=30), nullable=True),
    sa.Column('freed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['office_id'], ['offices.id'], name=op.f('fk_freed_numbers_office_id_offices')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_freed_numbers'))
    )
    with op.batch_alter_table('freed_numbers', schema=None) as batch_op:
        batch_op.create_index('ix_freed_numbers_mobile_key', ['mobile_key', 'freed_at'], unique=False)
        batch_op.create_index('ix_freed_numbers_area1', ['area1', 'freed_at', 'id'], unique=False)
        batch_op.create_index('ix_freed_numbers_area2', ['area2', 'freed_at', 'id'], unique=False)
        batch_op.create_index('ix_freed_numbers_area3', ['area3', 'freed_at', 'id'], unique=False)


def downgrade() -> None:
    op.drop_table('freed_numbers')
