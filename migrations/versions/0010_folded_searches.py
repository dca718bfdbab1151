"""matters of rating codes and units of applicants are searched folded

Revision ID: 0010
Revises: 0009
"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

BATCH = 1000
SEARCHED = (('rating_codes', 'matter_name', 'folded_matter', 200), ('account_applications', 'unit_name', 'folded_unit', 100))

# Folding as it is at this revision (core/text.py).
SELECTORS = re.compile('[\ufe00-\ufe0f\U000e0100-\U000e01ef]')
INVISIBLE = re.compile(
    '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u17b4\u17b5\u180e'
    '\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff'
    '\U000110bd\U000110cd\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a'
    '\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]'
)
FILLERS = re.compile('[\u115f\u1160\u2800\u3164\uffa0]')
DASHES = re.compile('[-\u058a\u05be\u1400\u1806\u2010-\u2015\u2212\u2500\u2501\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d'
                    '\u301c\u3030\u30a0\u30fc\U00010ead]+')  # fmt: skip
DOTS = re.compile('[\xb7\u2022\u2027\u2219\u22c5\u30fb]')


def fold(text: str) -> str:
    text = SELECTORS.sub('', FILLERS.sub(' ', INVISIBLE.sub('', text)))
    text = unicodedata.normalize('NFKC', unicodedata.normalize('NFKC', text).casefold())
    text = unicodedata.normalize('NFC', ''.join(FILLERS.sub('', text).split()))
    return DOTS.sub('.', DASHES.sub('-', text))


def upgrade() -> None:
    connection = op.get_bind()
    for name, typed, folded, longest in SEARCHED:
        op.add_column(name, sa.Column(folded, sa.String(length=longest), server_default='', nullable=False))
        table = sa.table(name, sa.column('id', sa.Uuid), sa.column(typed), sa.column(folded))
        statement = sa.select(table.c.id, table.c[typed].label('typed')).order_by(table.c.id).limit(BATCH)
        write = sa.update(table).where(table.c.id == sa.bindparam('row')).values({folded: sa.bindparam('folded')})
        batch = connection.execute(statement).all()
        while batch:
            connection.execute(write, [{'row': row.id, 'folded': fold(row.typed)[:longest]} for row in batch])
            batch = connection.execute(statement.where(table.c.id > batch[-1].id)).all()


def downgrade() -> None:
    for name, _, folded, _ in SEARCHED:
        op.drop_column(name, folded)
