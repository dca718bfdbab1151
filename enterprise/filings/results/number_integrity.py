"""Whether numbers (编号) are those that were given, and series count on from the last one."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.models import HistoryEntry, HistoryPayload
from core.workflows.history import Broken
from core.workflows.integrity import in_chunks
from enterprise.certificates.declarations import Number
from enterprise.certificates.models import Certificate, NumberSeries
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing

CHUNK = 300


def verify_numbers(session: Session, kinds: Mapping[str, FilingKind]) -> Iterator[Broken]:
    """Each filing with another number than its history tells, each series that stands elsewhere than its numbers."""
    yield from _filings(session, kinds)
    yield from _series(session, kinds)


def _filings(session: Session, kinds: Mapping[str, FilingKind]) -> Iterator[Broken]:
    numbered = [kind.code for kind in kinds.values() if kind.number is not None]
    statement: Any = select(Filing).where(or_(Filing.number.is_not(None), Filing.kind.in_(numbered)))
    for rows in in_chunks(session, statement, Filing, CHUNK):
        told: dict[UUID, str | None] = {}
        erased = set()
        payloads = (
            select(HistoryEntry.subject_id, HistoryPayload.payload)
            .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
            .where(HistoryEntry.subject_id.in_([filing.id for (filing,) in rows]))
        )
        for filing_id, payload in session.execute(payloads):
            if payload is None:
                erased.add(filing_id)
            elif "number" in payload:
                told[filing_id] = payload["number"]
        for (filing,) in rows:
            if filing.id not in erased and filing.number != told.get(filing.id):
                yield Broken("filing", filing.id, 0, "its number is not the one that was given")


def _series(session: Session, kinds: Mapping[str, FilingKind]) -> Iterator[Broken]:
    """The last number of a series is there and the next one is not, so it was neither set back nor forward."""
    declared: dict[str, Number] = {}
    of: dict[str, list[Any]] = {}
    for kind in kinds.values():
        if kind.number is not None:
            name = kind.number.series or kind.code
            declared[name] = kind.number
            of.setdefault(name, []).append((Filing, kind.code))
        for certificate in kind.certificates:
            name = certificate.number.series or certificate.code
            declared[name] = certificate.number
            of.setdefault(name, []).append((Certificate, certificate.code))
    for row in session.scalars(select(NumberSeries).order_by(NumberSeries.series, NumberSeries.stem)):
        if row.series not in declared:
            continue
        number, there = declared[row.series], of[row.series]
        last, following = (number.written(row.stem, running) for running in (row.last, row.last + 1))
        if not _is_given(session, there, last) or _is_given(session, there, following):
            subject = uuid5(NAMESPACE_OID, f"{row.series} {row.stem}")
            said = f"the series {row.series} {row.stem} stands at {row.last}, which is not the last number given"
            yield Broken("number_series", subject, 0, said)


def _is_given(session: Session, there: list[Any], number: str) -> bool:
    asked = (select(table.id).where(table.kind == code, table.number == number) for table, code in there)
    return any(session.scalars(one.limit(1)).first() is not None for one in asked)
