"""files

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

UNCLAIMED = sa.text('unclaimed_since IS NOT NULL')
NEVER_CLAIMED = sa.text('claimed_at IS NULL')


def upgrade() -> None:
    op.create_table('files',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('purpose', sa.String(length=40), nullable=False),
    sa.Column('original_name', sa.String(length=200), nullable=False),
    sa.Column('extension', sa.String(length=10), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('sent_sha256', sa.String(length=64), nullable=False),
    sa.Column('stored_key', sa.String(length=80), nullable=False),
    sa.Column('thumbnail_key', sa.String(length=80), nullable=True),
    sa.Column('preview_key', sa.String(length=80), nullable=True),
    sa.Column('preview_failed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('latitude', sa.Text(), nullable=True),
    sa.Column('longitude', sa.Text(), nullable=True),
    sa.Column('uploaded_by', sa.Uuid(), nullable=False),
    sa.Column('uploaded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_type', sa.String(length=30), nullable=True),
    sa.Column('claimed_id', sa.Uuid(), nullable=True),
    sa.Column('category', sa.String(length=40), nullable=True),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('unclaimed_since', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(claimed_type IS NULL) = (claimed_id IS NULL)', name=op.f('ck_files_claim_is_whole')),
    sa.CheckConstraint('(claimed_id IS NULL) = (unclaimed_since IS NOT NULL)', name=op.f('ck_files_claimed_or_not')),
    sa.ForeignKeyConstraint(['uploaded_by'], ['users.id'], name=op.f('fk_files_uploaded_by_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_files'))
    )
    with op.batch_alter_table('files', schema=None) as batch_op:
        batch_op.create_index('uq_files_sent_again', ['uploaded_by', 'sent_sha256', 'purpose'], unique=True, sqlite_where=NEVER_CLAIMED, postgresql_where=NEVER_CLAIMED)
        batch_op.create_index('ix_files_unclaimed_since', ['unclaimed_since'], unique=False, sqlite_where=UNCLAIMED, postgresql_where=UNCLAIMED)
        batch_op.create_index('ix_files_uploaded_by', ['uploaded_by'], unique=False, sqlite_where=UNCLAIMED, postgresql_where=UNCLAIMED)
        batch_op.create_index('ix_files_claimed_id', ['claimed_id', 'claimed_type'], unique=False)
        batch_op.create_index('uq_files_stored_key', ['stored_key'], unique=True)


def downgrade() -> None:
    op.drop_table('files')
