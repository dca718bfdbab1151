"""certificates (证书) with their versions, counters (核销数量) and what is drawn on them

Revision ID: 0067
Revises: 0066
"""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

HELD = sa.text("certificate_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("versions", sa.Integer(), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("org_name", sa.String(length=100), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("area1", sa.String(length=6), nullable=False),
        sa.Column("area2", sa.String(length=6), nullable=True),
        sa.Column("area3", sa.String(length=6), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_certificates_enterprise_id_enterprises")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("kind", "number", name=op.f("uq_certificates_kind_number")),
    )
    for name in ("area1", "area2", "area3", "kind", "enterprise_id"):
        op.create_index(f"ix_certificates_{name}", "certificates", [name, "created_at", "id"])
    op.create_index("ix_certificates_filing_id", "certificates", ["filing_id"])
    op.create_table(
        "certificate_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("form_code", sa.String(length=40), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("org_name", sa.String(length=100), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_certificate_versions_certificate_id_certificates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_versions")),
        sa.UniqueConstraint("certificate_id", "number", name=op.f("uq_certificate_versions_certificate_id_number")),
    )
    op.create_table(
        "certificate_counters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_certificate_counters_certificate_id_certificates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_counters")),
        sa.UniqueConstraint(
            "certificate_id", "line", "name", name=op.f("uq_certificate_counters_certificate_id_line_name")
        ),
    )
    op.create_table(
        "counter_draws",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_counter_draws_certificate_id_certificates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counter_draws")),
    )
    op.create_index("ix_counter_draws_certificate_id", "counter_draws", ["certificate_id", "made_at", "id"])
    op.create_index("ix_counter_draws_filing_id", "counter_draws", ["filing_id"])
    op.add_column("filing_claims", sa.Column("certificate_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_filing_claims_certificate_id", "filing_claims", ["certificate_id"], sqlite_where=HELD,
        postgresql_where=HELD,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_filing_claims_certificate_id", table_name="filing_claims")
    op.drop_column("filing_claims", "certificate_id")
    for name in ("counter_draws", "certificate_counters", "certificate_versions", "certificates"):
        op.drop_table(name)
