"""keyed history and sign-ins, seals over them; on PostgreSQL nothing changes or removes them by mistake

Revision ID: 0037
Revises: 0036
"""

import hashlib
from datetime import UTC

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GUARDED = {
    "history": "UPDATE OR DELETE OR TRUNCATE",
    "history_payloads": "UPDATE OR DELETE OR TRUNCATE",
    "history_seals": "UPDATE OR DELETE OR TRUNCATE",
    # Tries that failed leave the audit after half a year.
    "sign_ins": "UPDATE OR TRUNCATE",
}

# A restore that is begun again drops tables, not functions.
GUARD = """
CREATE OR REPLACE FUNCTION history_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('gongpin.history', true) = 'maintenance' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING MESSAGE = TG_OP || ' on ' || TG_TABLE_NAME || ' is refused: the history is only added to',
        ERRCODE = 'insufficient_privilege',
        HINT = 'Erasures by law are made by history_erase(), maintenance says SET LOCAL gongpin.history = maintenance';
END $$
"""

# The payload goes only with a row of the same transaction that says so. Whoever may call it needs no other right.
ERASE = """
CREATE OR REPLACE FUNCTION history_erase(erasure bigint, erased bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET gongpin.history = 'maintenance' AS $$
DECLARE
    gone integer;
BEGIN
    DELETE FROM history_payloads p USING history h, history e
    WHERE p.history_id = ANY (erased) AND h.id = p.history_id AND e.id = erasure AND e.action = 'erase'
        AND e.subject_id = h.subject_id AND e.seq > h.seq AND h.action <> 'erase'
        AND e.xmin = pg_current_xact_id()::xid;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""


def upgrade() -> None:
    op.add_column("history", sa.Column("key_id", sa.String(length=10), nullable=True))
    op.add_column("sign_ins", sa.Column("digest", sa.LargeBinary(length=32), nullable=True))
    op.add_column("sign_ins", sa.Column("key_id", sa.String(length=10), nullable=True))
    op.create_table(
        "history_seals",
        sa.Column("no", SERIAL, autoincrement=False, nullable=False),
        sa.Column("log", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("founding", sa.Boolean(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("absent", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("late", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("bare", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("passing_count", sa.Integer(), nullable=False),
        sa.Column("passing_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=10), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_history_seals")),
    )
    op.create_index("ix_history_seals_log", "history_seals", ["log", "no"])
    late = sa.text("late IS NOT NULL")
    op.create_index("ix_history_seals_late", "history_seals", ["log"], sqlite_where=late, postgresql_where=late)
    op.create_table(
        "history_gaps",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("log", sa.String(length=20), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_gaps")),
        sa.UniqueConstraint("log", "first_id", name=op.f("uq_history_gaps_log_first_id")),
    )
    op.create_table(
        "history_checks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("breaks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_checks")),
    )
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    connection.exec_driver_sql(GUARD)
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    connection.exec_driver_sql(ERASE.format(schema=schema))
    connection.exec_driver_sql("REVOKE ALL ON FUNCTION history_erase(bigint, bigint[]) FROM PUBLIC")
    for table, statements in GUARDED.items():
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_guard BEFORE {statements} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION history_guard()"
        )


HISTORY = sa.table("history", *(sa.column(name, kind) for name, kind in (
    ("id", SERIAL), ("subject_type", sa.String()), ("subject_id", sa.Uuid()), ("seq", sa.Integer()),
    ("at", sa.DateTime(timezone=True)), ("action", sa.String()), ("from_status", sa.String()),
    ("to_status", sa.String()), ("version", sa.Integer()), ("actor_id", sa.Uuid()),
    ("payload_digest", sa.LargeBinary()), ("previous_hash", sa.LargeBinary()), ("hash", sa.LargeBinary()),
    ("key_id", sa.String()),
)))  # fmt: skip


def _hash_without_keys(connection: sa.Connection) -> None:
    """Releases up to 0.3 know no keys: each row that has one gets the hash that they would have given it."""
    c = HISTORY.c
    keyed = sa.select(c.subject_id).where(c.key_id.is_not(None)).distinct()
    chosen = sa.select(HISTORY).where(c.subject_id.in_(keyed)).order_by(c.subject_id, c.seq)
    subject, previous, changed = None, bytes(32), []
    for row in connection.execute(chosen).all():
        if row.subject_id != subject:
            subject, previous = row.subject_id, bytes(32)
        if row.key_id is None:
            previous = row.hash
            continue
        at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)
        parts = [
            row.subject_type, str(row.subject_id), row.seq, at.astimezone(UTC).isoformat(), row.action,
            row.from_status, row.to_status, row.version, None if row.actor_id is None else str(row.actor_id),
            row.payload_digest.hex(), previous.hex(),
        ]  # fmt: skip
        hashed = hashlib.sha256(orjson.dumps(parts)).digest()
        changed.append({"row": row.id, "before": previous, "hashed": hashed})
        previous = hashed
    if changed:
        statement = sa.update(HISTORY).where(c.id == sa.bindparam("row"))
        connection.execute(statement.values(previous_hash=sa.bindparam("before"), hash=sa.bindparam("hashed")), changed)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in GUARDED:
            connection.exec_driver_sql(f"DROP TRIGGER {table}_guard ON {table}")
        connection.exec_driver_sql("DROP FUNCTION history_guard()")
        connection.exec_driver_sql("DROP FUNCTION history_erase(bigint, bigint[])")
    _hash_without_keys(connection)
    op.drop_table("history_checks")
    op.drop_table("history_gaps")
    op.drop_table("history_seals")
    op.drop_column("sign_ins", "key_id")
    op.drop_column("sign_ins", "digest")
    op.drop_column("history", "key_id")
