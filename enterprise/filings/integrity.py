"""Whether filings have the status and version with which their history ends, and the content that was sent.

The working copy in an editable status is no evidence and is not verified, because the enterprise may still change it.
Payloads that were erased by law are skipped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, or_, select, true
from sqlalchemy.orm import Session

from core.forms.sealing import opened
from core.models import HistoryEntry, HistoryPayload
from core.workflows.contents import Attested, attest, of_earlier_releases
from core.workflows.history import Broken
from core.workflows.integrity import in_chunks, is_last_row, recorded_contents, verify_presence
from enterprise.filings.content import (
    CONTENT,
    STEP_CONTENT,
    content_digest,
    data_place,
    is_content,
    step_digest,
    stored_digest,
    version_place,
)
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing, FilingStep, FilingVersion

CHUNK = 300
Progress = Callable[[int], object]


def verify_filings(
    session: Session, kinds: Mapping[str, FilingKind], progress: Progress = lambda _done: None
) -> Iterator[Broken]:
    """Each filing and each sent version that does not match its history, or is missing.

    `progress` is called with the number of rows verified since the last call.
    """
    yield from _verify_ends(session, kinds, progress)
    yield from _verify_versions(session, progress)
    yield from _verify_steps(session, progress)
    yield from verify_presence(session, "filing", Filing)


def _verify_ends(session: Session, kinds: Mapping[str, FilingKind], progress: Progress) -> Iterator[Broken]:
    """Each filing is read with its last history entry by one statement: a concurrent step raises no false alarm."""
    kept = select(func.count()).where(FilingVersion.filing_id == Filing.id).correlate(Filing).scalar_subquery()
    statement = (
        select(Filing, HistoryEntry, FilingVersion, kept)
        .select_from(Filing)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == Filing.id) & is_last_row())
        .outerjoin(FilingVersion, (FilingVersion.filing_id == Filing.id) & (FilingVersion.number == Filing.sent))
    )
    for rows in in_chunks(session, statement, Filing, CHUNK):
        for filing, entry, version, count in rows:
            kind = kinds.get(filing.kind)
            reason = _broken_end(filing, entry, kind is None or filing.status in kind.editable)
            if reason is None and count != filing.sent:
                reason = f"{filing.sent} versions were sent, {count} are kept"
            if reason is None and version is not None and (kind is None or filing.status not in kind.editable):
                same = filing.documents == version.documents and opened(filing.data, data_place(filing.id)) == opened(
                    version.data, version_place(version.id)
                )
                reason = None if same else "content of the filing was changed"
            if reason:
                yield Broken("filing", filing.id, entry.seq if entry else 0, reason)
        progress(len(rows))


def _broken_end(filing: Filing, entry: HistoryEntry | None, editable: bool) -> str | None:
    if entry is None:
        return "has no history"
    if entry.to_status != filing.status:
        return f"record is {filing.status}, its history ends at {entry.to_status}"
    # Saving the working copy increments the version without a history entry.
    if filing.version < entry.version or (filing.version > entry.version and not editable):
        return f"record is at version {filing.version}, its history ends at {entry.version}"
    return None


def _verify_versions(session: Session, progress: Progress) -> Iterator[Broken]:
    """Versions never change and are committed with their history, so their history may be read afterwards."""
    statement = select(FilingVersion).order_by(FilingVersion.filing_id, FilingVersion.number).limit(CHUNK)
    after: ColumnElement[bool] = true()
    while True:
        rows = session.scalars(statement.where(after)).all()
        recorded = recorded_digests(session, {row.filing_id for row in rows})
        attested = Attested(session, recorded.values())
        for row in rows:
            content = recorded.get((row.filing_id, row.number))
            if content is None and (row.filing_id, None) in recorded:
                continue  # a payload of this filing was erased: perhaps this one
            if not is_content(content, row, attested):
                reason = f"version {row.number} is not the one that was sent"
                yield Broken("filing", row.filing_id, 0, reason)
        progress(len(rows))
        if len(rows) < CHUNK:
            return
        last = rows[-1]
        same = FilingVersion.filing_id == last.filing_id
        after = or_(FilingVersion.filing_id > last.filing_id, same & (FilingVersion.number > last.number))
        session.expunge_all()


def unlike(session: Session, filing_id: UUID) -> list[str]:
    """The names of the digests, where a sent version of a filing, or what a step said, is not what its history says."""
    recorded = recorded_digests(session, {filing_id})
    attested = Attested(session, recorded.values())
    versions = session.scalars(
        select(FilingVersion).where(FilingVersion.filing_id == filing_id).execution_options(populate_existing=True)
    )
    said = ((recorded.get((filing_id, one.number)), one) for one in versions)
    changed = any(content is not None and not is_content(content, one, attested) for content, one in said)
    of_steps = recorded_contents(session, {filing_id}, "step_data", "step_content")
    steps = session.scalars(
        select(FilingStep).where(FilingStep.filing_id == filing_id).execution_options(populate_existing=True)
    )
    steps_changed = any(of_steps.get(one.id) not in (None, _digest_of(one)) for one in steps)
    return [*(["content"] if changed else []), *(["step_content"] if steps_changed else [])]


def _verify_steps(session: Session, progress: Progress) -> Iterator[Broken]:
    """What steps said never changes; it is verified by the digest that its history entry keeps."""
    after: UUID | None = None
    while True:
        statement = select(FilingStep).order_by(FilingStep.id).limit(CHUNK)
        rows = session.scalars(statement if after is None else statement.where(FilingStep.id > after)).all()
        recorded = recorded_contents(session, {row.filing_id for row in rows}, "step_data", "step_content")
        for row in rows:
            digest = recorded.get(row.id)
            if digest is None and row.filing_id in recorded:
                continue  # a payload of this filing was erased: perhaps this one
            if digest != _digest_of(row):
                yield Broken("filing", row.filing_id, 0, f"what the step {row.action} said is not what was sent")
        progress(len(rows))
        if len(rows) < CHUNK:
            return
        after = rows[-1].id
        session.expunge_all()


def _digest_of(row: FilingStep) -> str:
    return step_digest({name: getattr(row, name) for name in ("id", "filing_id", "data", *STEP_CONTENT)})


def attest_contents(connection: Connection, ids: Sequence[UUID]) -> None:
    """Keep the digests of versions whose personal data is about to be sealed anew."""
    columns = (getattr(FilingVersion, name) for name in ("id", "filing_id", *CONTENT))
    asked = connection.execute(select(*columns).where(FilingVersion.id.in_(ids))).mappings()
    rows = [dict(row) for row in asked if of_earlier_releases(row["data"])]
    attest(connection, [(stored_digest(row), content_digest(row)) for row in rows])


def recorded_digests(session: Session, filings: set[UUID]) -> dict[tuple[UUID, int | None], str]:
    """The digests in the history by filing and version number; the number is None for an erased payload."""
    rows = session.execute(
        select(HistoryEntry.subject_id, HistoryPayload.payload)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id.in_(filings))
        # An erasure by law names the digest of a version anew.
        .order_by(HistoryEntry.subject_id, HistoryEntry.seq)
    ).all()
    recorded: dict[tuple[UUID, int | None], str] = {}
    for filing_id, payload in rows:
        if payload is None:
            recorded[filing_id, None] = ""
        elif "content" in payload:
            recorded[filing_id, payload["sent"]] = payload["content"]
    return recorded
