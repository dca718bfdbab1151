"""the id that was sent with an upload is the file's id

Files of before count as sent without one, so that an upload repeated across the upgrade finds its file.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

NEVER_CLAIMED = sa.text('claimed_at IS NULL')
SENT_WITHOUT_ID = sa.text('claimed_at IS NULL AND NOT id_was_sent')


def upgrade() -> None:
    # Not as a batch: SQLite adds the column without writing the table anew.
    op.add_column('files', sa.Column('id_was_sent', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.drop_index('uq_files_sent_again', table_name='files')
    op.create_index('uq_files_sent_without_id', 'files', ['uploaded_by', 'sent_sha256', 'purpose', 'original_name'], unique=True, sqlite_where=SENT_WITHOUT_ID, postgresql_where=SENT_WITHOUT_ID)


def downgrade() -> None:
    op.drop_index('uq_files_sent_without_id', table_name='files')
    # Of what was sent twice only one may count as never claimed; nothing goes that a phone may still want.
    op.execute(sa.text('''
        UPDATE files SET claimed_at = uploaded_at WHERE claimed_at IS NULL AND EXISTS (
            SELECT 1 FROM files AS other WHERE other.claimed_at IS NULL AND other.uploaded_by = files.uploaded_by
            AND other.sent_sha256 = files.sent_sha256 AND other.purpose = files.purpose AND other.id < files.id)'''))
    op.drop_column('files', 'id_was_sent')
    op.create_index('uq_files_sent_again', 'files', ['uploaded_by', 'sent_sha256', 'purpose'], unique=True, sqlite_where=NEVER_CLAIMED, postgresql_where=NEVER_CLAIMED)
