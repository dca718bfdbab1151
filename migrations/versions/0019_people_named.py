"""who decided an application, as what, at which office; the unit that a user named when applying

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op


revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

APPLICATIONS = 'account_applications'


def upgrade() -> None:
    op.add_column('users', sa.Column('unit_name', sa.String(length=100), nullable=True))
    op.add_column(APPLICATIONS, sa.Column('decided_as', sa.JSON(none_as_null=True), nullable=True))
    applications = sa.table(
        APPLICATIONS, sa.column('id', sa.Uuid), sa.column('user_id', sa.Uuid), sa.column('unit_name'),
        sa.column('status'), sa.column('decided_by', sa.Uuid), sa.column('decided_as', sa.JSON),
        sa.column('created_at'),
    )
    users = sa.table(
        'users', sa.column('id', sa.Uuid), sa.column('username'), sa.column('full_name'), sa.column('unit_name'),
        sa.column('office_id', sa.Uuid),
    )
    offices = sa.table('offices', sa.column('id', sa.Uuid), sa.column('name'))
    connection = op.get_bind()
    # The office at which the decider sits today: before, it was told by the history only.
    deciders = connection.execute(
        sa.select(users.c.id, users.c.username, users.c.full_name, offices.c.name)
        .join(offices, offices.c.id == users.c.office_id)
        .where(users.c.id.in_(sa.select(applications.c.decided_by).where(applications.c.decided_by.is_not(None))))
    ).all()
    for row in deciders:
        told = {'username': row.username, 'name': row.full_name, 'office': row.name}
        connection.execute(sa.update(applications).where(applications.c.decided_by == row.id).values(decided_as=told))
    applied = connection.execute(
        sa.select(applications.c.user_id, applications.c.unit_name)
        .where(applications.c.status != 'rejected')
        .order_by(applications.c.created_at)
    ).all()
    for row in applied:
        connection.execute(sa.update(users).where(users.c.id == row.user_id).values(unit_name=row.unit_name))


def downgrade() -> None:
    op.drop_column(APPLICATIONS, 'decided_as')
    op.drop_column('users', 'unit_name')
