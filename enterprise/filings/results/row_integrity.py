"""Whether the rows of filings (明细行) are those that were sent: the tables are derived from the versions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from core.forms.sealing import opened
from core.workflows.history import Broken
from core.workflows.integrity import in_chunks
from enterprise.filings.content import version_place
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.declaring.row_tables import Rows
from enterprise.filings.integrity import recorded_digests
from enterprise.filings.models import DELETED, Filing, FilingVersion
from enterprise.filings.results.rows import expected, row_place

CHUNK = 100


def verify_rows(session: Session, kinds: Mapping[str, FilingKind]) -> Iterator[Broken]:
    """Each filing whose rows are not what its newest version says, and each row of none that was sent."""
    for kind in kinds.values():
        for declared in kind.rows:
            yield from _changed(session, kind, declared)
            yield from _stray(session, kind, declared)


def _changed(session: Session, kind: FilingKind, declared: Rows) -> Iterator[Broken]:
    newest = and_(FilingVersion.filing_id == Filing.id, FilingVersion.number == Filing.sent)
    of_kind = (Filing.kind == kind.code, Filing.sent > 0, Filing.status != DELETED)
    statement: Any = select(Filing, FilingVersion).join(FilingVersion, newest).where(*of_kind)
    table = declared.table
    for filings in in_chunks(session, statement, Filing, CHUNK):
        ids = {filing.id for filing, _ in filings}
        erased = {filing_id for filing_id, number in recorded_digests(session, ids) if number is None}
        stored: dict[UUID, list[Any]] = {}
        for row in session.scalars(select(table).where(table.filing_id.in_(ids)).order_by(table.number)):
            stored.setdefault(row.filing_id, []).append(row)
        for filing, version in filings:
            sent = opened(version.data, version_place(version.id)).get(declared.group) or []
            if filing.id not in erased and not _same(declared, filing.id, sent, stored.get(filing.id, [])):
                yield Broken("filing", filing.id, 0, f"its rows of {declared.group} are not those that were sent")


def _same(declared: Rows, filing_id: UUID, sent: Sequence[Mapping[str, Any]], rows: Sequence[Any]) -> bool:
    if len(sent) != len(rows):
        return False
    for number, (said, row) in enumerate(zip(sent, rows, strict=True)):
        wanted = expected(declared, filing_id, number, said)
        if any(getattr(row, name) != value for name, value in wanted.items()):
            return False
        if opened(row.data, row_place(declared, row.id)) != said:
            return False
    return True


def _stray(session: Session, kind: FilingKind, declared: Rows) -> Iterator[Broken]:
    table = declared.table
    there = select(Filing.id).where(
        Filing.id == table.filing_id, Filing.kind == kind.code, Filing.sent > 0, Filing.status != DELETED
    )
    for filing_id in session.scalars(select(table.filing_id).where(~there.exists()).distinct().limit(1000)):
        yield Broken("filing", filing_id, 0, f"it has rows of {declared.group} that nobody sent")
