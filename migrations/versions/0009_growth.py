"""Indexes with which lists and dated figures of field records cost the same however many there are.

Each of them holds all that is asked, so that the rows, which are wide, are read for the shown page alone.

Revision ID: 0009
Revises: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AREAS = ("area1", "area2", "area3")
_ASKED = ("kind", "product_code", "tally_id", "unable", "problems_found", "disposal_state", "conclusion", *_AREAS,
          "status")  # fmt: skip
_SUBMITTED, _IN_PROGRESS = "status = 'submitted'", "disposal_state = 'in_progress'"


def _create(name: str, columns: Sequence[str], only: str | None = None) -> None:
    where = sa.text(only) if only else None
    op.create_index(f"ix_inspections_{name}", "inspections", columns, sqlite_where=where, postgresql_where=where)


def _drop(*names: str) -> None:
    for name in names:
        op.drop_index(f"ix_inspections_{name}", "inspections")


def _with_what_is_asked(*columns: str) -> list[str]:
    return [*columns, *(column for column in _ASKED if column not in columns)]


def upgrade() -> None:
    _drop(*_AREAS, "area1_check_date", "area2_check_date", *(f"{area}_in_progress" for area in _AREAS), "tally_id")
    for area in _AREAS:
        _create(area, _with_what_is_asked(area, "book", "submitted_at", "id", "check_date"), _SUBMITTED)
        by_day = _with_what_is_asked(area, "book", "check_date", "submitted_at", "id")
        _create(f"{area}_check_date", by_day, _SUBMITTED)
        by_disposal = _with_what_is_asked(area, "book", "disposal_state", "submitted_at", "id", "check_date")
        _create(f"{area}_disposal", by_disposal, "disposal_state <> 'none'")
    _create("tally_id", ["tally_id", "check_date", "submitted_at", "id", "status", "unable", "problems_found",
                         "disposal_state", "conclusion"])  # fmt: skip


def downgrade() -> None:
    _drop("tally_id", *(f"{area}{kind}" for area in _AREAS for kind in ("", "_check_date", "_disposal")))
    _create("tally_id", ["tally_id", "submitted_at", "id"])
    for area in _AREAS:
        _create(area, [area, "book", "submitted_at", "id"], _SUBMITTED)
        _create(f"{area}_in_progress", [area, "book", "submitted_at", "id"], _IN_PROGRESS)
    for area in _AREAS[:2]:
        _create(f"{area}_check_date", [area, "book", "check_date"], _SUBMITTED)
