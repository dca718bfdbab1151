"""keys are retired by a rotation; contents whose personal data was sealed anew

Revision ID: 0042
Revises: 0041
"""

import sqlalchemy as sa
from alembic import op

from core.keys import resealing
from core.privacy import NAMED, seal, unseal_for

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installation_keys", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "resealed_contents",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("attested", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_resealed_contents")),
    )


def downgrade() -> None:
    unname()
    op.drop_table("resealed_contents")
    with op.batch_alter_table("installation_keys") as batch:
        batch.drop_column("retired_at")


def unname() -> None:
    """Earlier releases open only what names no key and is bound to nothing."""
    connection = op.get_bind()
    there = sa.inspect(connection).get_multi_columns()
    present = {name: {column['name'] for column in columns} for (_, name), columns in there.items()}
    # Each batch is a transaction of its own; the connection of the downgrade keeps no lock meanwhile.
    connection.execution_options(reading=True)
    with op.get_context().autocommit_block():
        for _ in resealing.walk(connection.engine, is_named, unnamed, present=present):
            pass
        connection.execution_options(reading=False)


def is_named(sealed: str) -> bool:
    return sealed.startswith(NAMED)


def unnamed(sealed: str, where: str) -> str:
    return seal(unseal_for(sealed, where))
