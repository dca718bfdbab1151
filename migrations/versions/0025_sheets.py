"""numbers of sampling sheets are unique per bureau that samples

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op


revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

INDEX = 'uq_inspections_sheet_key'
HAS_NUMBER = sa.text('sheet_key IS NOT NULL')
AT_ONCE = 500

inspections = sa.table(
    'inspections', sa.column('id', sa.Uuid), sa.column('office_id', sa.Uuid), sa.column('sheet_key'),
    sa.column('sheet_bureau', sa.Uuid), sa.column('sheet_twin', sa.Integer), sa.column('submitted_at'),
)
offices = sa.table('offices', sa.column('id', sa.Uuid), sa.column('kind'), sa.column('parent_id', sa.Uuid))


def upgrade() -> None:
    op.add_column('inspections', sa.Column('sheet_bureau', sa.Uuid(), nullable=True))
    op.drop_index(INDEX, table_name='inspections', sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER)
    connection = op.get_bind()
    bureaus = _bureaus(connection)
    found = connection.execute(_numbered()).all()
    _tell_apart(connection, [(row.id, row.sheet_key, bureaus[row.office_id]) for row in found])
    op.create_index(INDEX, 'inspections', ['sheet_key', 'sheet_bureau', 'sheet_twin'], unique=True, sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER)


def downgrade() -> None:
    op.drop_index(INDEX, table_name='inspections', sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER)
    connection = op.get_bind()
    _tell_apart(connection, [(row.id, row.sheet_key, None) for row in connection.execute(_numbered()).all()])
    op.drop_column('inspections', 'sheet_bureau')
    op.create_index(INDEX, 'inspections', ['sheet_key', 'sheet_twin'], unique=True, sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER)


def _numbered() -> sa.Select:
    """All numbered records, of one number those first that stood first."""
    i = inspections.c
    wanted = sa.select(i.id, i.sheet_key, i.office_id).where(i.sheet_key.is_not(None))
    return wanted.order_by(i.sheet_key, i.sheet_twin, i.submitted_at, i.id)


def _bureaus(connection: sa.Connection) -> dict:
    """Of each office the bureau that it is or works for."""
    known = {row.id: row for row in connection.execute(sa.select(offices)).all()}
    told = {}
    for office in known.values():
        bureau, seen = office, set()
        while bureau.kind != 'market_supervision_bureau' and bureau.parent_id in known and bureau.id not in seen:
            seen.add(bureau.id)
            bureau = known[bureau.parent_id]
        told[office.id] = bureau.id
    return told


def _tell_apart(connection: sa.Connection, numbered: list) -> None:
    """Number those that share number and bureau from 0 on."""
    used: dict = {}
    changed = []
    for record, key, bureau in numbered:
        twin = used.get((key, bureau), 0)
        used[key, bureau] = twin + 1
        changed.append({'record': record, 'bureau': bureau, 'twin': twin})
    statement = sa.update(inspections).where(inspections.c.id == sa.bindparam('record'))
    statement = statement.values(sheet_bureau=sa.bindparam('bureau'), sheet_twin=sa.bindparam('twin'))
    for start in range(0, len(changed), AT_ONCE):
        connection.execute(statement, changed[start:start + AT_ONCE])
