"""names and numbers are compared folded: what is kept for comparing is made anew

Folded names and their pairs of characters, the keys of enterprises without a code, the entries of dictionaries and
the numbers of sampling sheets. What people typed stays as it is. Records that turn out to bear one number are kept
and told apart by `sheet_twin` (`./manage spot-checks shared-sheets` lists them); entries of a dictionary that turn
out to have one name become other names of the oldest.

Revision ID: 0007
Revises: 0006
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

BATCH = 1000
HAS_NUMBER = sa.text('sheet_key IS NOT NULL')
COUNTED = ('records', 'carried_out', 'unable', 'problems', 'disposal_done', 'disposal_in_progress', 'batches', 'failed')

enterprises = sa.table('enterprises', sa.column('id', sa.Uuid), *map(sa.column, ('name', 'folded_name', 'area1')))
enterprise_bigrams = sa.table('enterprise_bigrams', sa.column('enterprise_id', sa.Uuid), *map(sa.column, ('bigram', 'area1')))
tallies = sa.table(
    'enterprise_tallies', sa.column('id', sa.Integer), sa.column('office_id', sa.Uuid),
    *map(sa.column, ('kind', 'product_code', 'org_key', 'org_name', 'folded_name', 'area1')),
    *(sa.column(name, sa.Integer) for name in COUNTED),
)
tally_bigrams = sa.table('tally_bigrams', sa.column('tally_id', sa.Integer), *map(sa.column, ('bigram', 'area1')))
inspections = sa.table(
    'inspections', sa.column('id', sa.Uuid), sa.column('tally_id', sa.Integer), sa.column('data', sa.JSON),
    sa.column('sheet_key'), sa.column('sheet_twin', sa.Integer), sa.column('submitted_at'),
)
dictionary = sa.table(
    'dictionary_entries', sa.column('id', sa.Uuid), sa.column('alias_of', sa.Uuid),
    *map(sa.column, ('dictionary', 'product_code', 'area1', 'name', 'folded_name', 'created_at')),
)

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


def bigrams(folded: str) -> list[str]:
    return [folded] if len(folded) == 1 else sorted({folded[i : i + 2] for i in range(len(folded) - 1)})


def sheet_key(prefix: str, number: str) -> str:
    folded = fold(number)
    return f'{prefix}:{folded}' if len(folded) <= 50 else f'{prefix}:#{hashlib.sha256(folded.encode()).hexdigest()[:32]}'


def upgrade() -> None:
    op.add_column('inspections', sa.Column('sheet_twin', sa.Integer(), server_default='0', nullable=False))
    op.drop_index('uq_inspections_sheet_key', table_name='inspections')
    connection = op.get_bind()
    fold_numbers(connection)
    op.create_index('uq_inspections_sheet_key', 'inspections', ['sheet_key', 'sheet_twin'], unique=True, sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER)
    fold_names(connection, enterprises, enterprises.c.name, enterprise_bigrams, enterprise_bigrams.c.enterprise_id)
    fold_names(connection, tallies, tallies.c.org_name, tally_bigrams, tally_bigrams.c.tally_id)
    fold_keys(connection)
    fold_dictionaries(connection)


def rows(connection: sa.Connection, statement: sa.Select[Any], id_: sa.ColumnClause[Any]) -> Iterator[Sequence[Any]]:
    """The rows in batches by id, which may be changed meanwhile."""
    batch = connection.execute(statement.order_by(id_).limit(BATCH)).all()
    while batch:
        yield batch
        last = getattr(batch[-1], id_.name)
        batch = connection.execute(statement.where(id_ > last).order_by(id_).limit(BATCH)).all()


def fold_numbers(connection: sa.Connection) -> None:
    """Of the records with one number the oldest is the first; an existing key ends in the number as typed."""
    statement = sa.select(inspections.c.id, inspections.c.sheet_key, inspections.c.submitted_at).where(inspections.c.sheet_key.is_not(None))
    numbered = []
    for batch in rows(connection, statement, inspections.c.id):
        for row in batch:
            *prefix, number = row.sheet_key.split(':', 3)
            numbered.append((sheet_key(':'.join(prefix), number), str(row.submitted_at), row.id, row.sheet_key))
    numbered.sort(key=lambda one: (one[0], one[1], str(one[2])))
    changed: list[dict[str, Any]] = []
    before, twin = None, 0
    for key, _, id_, old in numbered:
        before, twin = key, twin + 1 if key == before else 0
        if key != old or twin:
            changed.append({'record': id_, 'key': key, 'twin': twin})
    update(connection, sa.update(inspections).where(inspections.c.id == sa.bindparam('record')).values(sheet_key=sa.bindparam('key'), sheet_twin=sa.bindparam('twin')), changed)


def update(connection: sa.Connection, statement: Any, changed: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(changed), BATCH):
        connection.execute(statement, changed[start : start + BATCH])


def fold_names(connection: sa.Connection, table: Any, name: Any, pairs: Any, owner: Any) -> None:
    """Only those that fold otherwise than before are written."""
    statement = sa.select(table.c.id, table.c.area1, table.c.folded_name, name.label('typed'))
    for batch in rows(connection, statement, table.c.id):
        changed = [(row, fold(row.typed)) for row in batch if fold(row.typed)[:100] != row.folded_name]
        if not changed:
            continue
        update(connection, sa.update(table).where(table.c.id == sa.bindparam('row')).values(folded_name=sa.bindparam('folded')), [{'row': row.id, 'folded': folded[:100]} for row, folded in changed])
        connection.execute(sa.delete(pairs).where(owner.in_([row.id for row, _ in changed])))
        fresh = [{owner.name: row.id, 'bigram': pair, 'area1': row.area1} for row, folded in changed for pair in bigrams(folded) if pair]
        if fresh:
            connection.execute(sa.insert(pairs), fresh)


def fold_keys(connection: sa.Connection) -> None:
    """Enterprises without a code are known by name and address; those that turn out to be one are counted as one."""
    one = sa.select(inspections.c.data).where(inspections.c.tally_id == tallies.c.id).limit(1).scalar_subquery()
    statement = sa.select(tallies, one.label('data')).where(tallies.c.org_key.like('n:%'))
    for batch in rows(connection, statement, tallies.c.id):
        for row in batch:
            if row.data is None:  # no record counts to it any more
                continue
            address = row.data.get('org_address')
            text = f"{fold(row.org_name)}\x1f{fold(address if isinstance(address, str) else '')}"
            key = 'n:' + hashlib.sha256(text.encode()).hexdigest()[:32]
            if key != row.org_key:
                move_tally(connection, row, key)


def move_tally(connection: sa.Connection, row: Any, key: str) -> None:
    same = sa.and_(
        tallies.c.office_id == row.office_id, tallies.c.kind == row.kind, tallies.c.product_code == row.product_code,
        tallies.c.org_key == key, tallies.c.org_name == row.org_name,
    )
    other = connection.scalar(sa.select(tallies.c.id).where(same))
    if other is None:
        connection.execute(sa.update(tallies).where(tallies.c.id == row.id).values(org_key=key))
        return
    more = {name: tallies.c[name] + getattr(row, name) for name in COUNTED}
    connection.execute(sa.update(tallies).where(tallies.c.id == other).values(more))
    connection.execute(sa.update(inspections).where(inspections.c.tally_id == row.id).values(tally_id=other))
    connection.execute(sa.delete(tally_bigrams).where(tally_bigrams.c.tally_id == row.id))
    connection.execute(sa.delete(tallies).where(tallies.c.id == row.id))


def fold_dictionaries(connection: sa.Connection) -> None:
    """Of entries with one name the oldest stays, that of the whole country before those of a province."""
    entries = connection.execute(sa.select(dictionary).order_by(dictionary.c.area1, dictionary.c.created_at, dictionary.c.id)).all()
    first: dict[tuple[str, ...], Any] = {}
    stays: dict[Any, Any] = {}
    for entry in entries:
        if entry.alias_of is not None:
            continue
        folded = fold(entry.name)[:100]
        place = (entry.dictionary, entry.product_code, folded)
        stays[entry.id] = first.get((*place, ''), first.setdefault((*place, entry.area1), entry.id))
    changed = []
    for entry in entries:
        alias_of = stays[entry.id] if entry.alias_of is None else stays.get(entry.alias_of, entry.alias_of)
        if alias_of != entry.id and alias_of != entry.alias_of:
            changed.append({'entry': entry.id, 'of': alias_of})
    update(connection, sa.update(dictionary).where(dictionary.c.id == sa.bindparam('entry')).values(alias_of=sa.bindparam('of')), changed)
    folded_anew = [{'entry': entry.id, 'folded': fold(entry.name)[:100]} for entry in entries if fold(entry.name)[:100] != entry.folded_name]
    update(connection, sa.update(dictionary).where(dictionary.c.id == sa.bindparam('entry')).values(folded_name=sa.bindparam('folded')), folded_anew)


def downgrade() -> None:
    """Names and keys stay folded as they are (`./manage tallies reconcile` counts by the older rule); merged entries
    stay other names. Numbers are compared as typed again."""
    op.drop_index('uq_inspections_sheet_key', table_name='inspections')
    connection = op.get_bind()
    statement = sa.select(inspections.c.id, inspections.c.sheet_key, inspections.c.data).where(inspections.c.sheet_key.is_not(None))
    seen: set[str] = set()
    changed = []
    for batch in rows(connection, statement, inspections.c.id):
        for row in batch:
            prefix = ':'.join(row.sheet_key.split(':', 3)[:3])
            key = f"{prefix}:{row.data.get('sheet_no', '')}"[:80]
            if key != row.sheet_key or key in seen:
                changed.append({'record': row.id, 'key': None if key in seen else key})
            seen.add(key)
    update(connection, sa.update(inspections).where(inspections.c.id == sa.bindparam('record')).values(sheet_key=sa.bindparam('key')), changed)
    op.drop_column('inspections', 'sheet_twin')
    op.create_index('uq_inspections_sheet_key', 'inspections', ['sheet_key'], unique=True, sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER)
