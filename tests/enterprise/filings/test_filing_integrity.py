"""`history verify` over filings: what was changed past the history is shown, and nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from core.clock import today
from core.config import Settings
from core.db import Database
from core.models import HistoryEntry, HistoryPayload
from core.workflows import erasure
from enterprise.filings import integrity
from enterprise.filings.models import Filing, FilingVersion
from enterprise.production.kinds import KINDS
from tests import paperwork
from tests.command_line import Run, command_line
from tests.parties import DECLARATION, WORKS, Parties, act, open_declaration, upload
from tests.people import new_id
from tests.tampering import attack


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def filings(parties: Parties) -> list[UUID]:
    """A declaration sent twice and pending, a rectification that was ordered, one that was sent."""
    row = open_declaration(parties)
    body = {"data": DECLARATION, "version": row["version"]}
    row = parties.enterprise.put(f"/filings/{row['id']}", body).json
    row = act(parties.enterprise, row, "submit").json
    row = act(parties.reviewer, row, "return", comment="产品明细不全").json
    changed = {"data": {**DECLARATION, "product_detail": "架空绞线"}, "version": row["version"]}
    row = parties.enterprise.put(f"/filings/{row['id']}", changed).json
    row = act(parties.enterprise, row, "submit").json
    ids = [row["id"]]
    data = {"problem": "未按标准检验", "due_on": (today() + timedelta(days=30)).isoformat()}
    for _ in range(2):
        filing = new_id()
        ordered = parties.reviewer.put(f"/filings/{filing}", {"kind": "rectification", "uscc": WORKS, "data": data})
        assert ordered.status_code == 201, ordered.get_data(as_text=True)
        ids.append(filing)
    report = upload(parties.enterprise, paperwork.pdf(), "整改报告.pdf", "rectification_report")
    documents = [{"category": "rectification_report", "file_id": report}]
    own = parties.enterprise.get(f"/filings/{ids[2]}").json
    body = {"data": own["data"], "documents": documents, "version": own["version"]}
    own = parties.enterprise.put(f"/filings/{ids[2]}", body).json
    assert act(parties.enterprise, own, "submit").status_code == 200
    return [UUID(one) for one in ids]


@pytest.mark.usefixtures("filings")
def test_untouched_filings_hold(run: Run) -> None:
    assert "完整" in run("history", "verify").stdout


def _values(filing_id: UUID, **values: Any) -> Any:
    return update(Filing).where(Filing.id == filing_id).values(**values)


def _status(session: Any, filing_id: UUID) -> None:
    session.execute(_values(filing_id, status="done"))


def _version(session: Any, filing_id: UUID) -> None:
    session.execute(_values(filing_id, version=99))


def _data(session: Any, filing_id: UUID) -> None:
    data = session.get_one(Filing, filing_id).data
    session.execute(_values(filing_id, data={**data, "product_detail": "全部产品"}))


def _documents(session: Any, filing_id: UUID) -> None:
    session.execute(_values(filing_id, documents=[{"category": "x", "file_id": new_id()}]))


def _sent_before(session: Any, filing_id: UUID) -> None:
    row = session.scalars(
        select(FilingVersion).where(FilingVersion.filing_id == filing_id, FilingVersion.number == 1)
    ).one()
    row.data = {**row.data, "contact_name": "别人"}


def _both(session: Any, filing_id: UUID) -> None:
    """Working copy and newest version alike: only the history tells."""
    data = {**session.get_one(Filing, filing_id).data, "product_detail": "全部产品"}
    session.execute(_values(filing_id, data=data))
    last = (FilingVersion.filing_id == filing_id) & (FilingVersion.number == 2)
    session.execute(update(FilingVersion).where(last).values(data=data))


def _version_removed(session: Any, filing_id: UUID) -> None:
    first = (FilingVersion.filing_id == filing_id) & (FilingVersion.number == 1)
    session.execute(delete(FilingVersion).where(first))


def _version_added(session: Any, filing_id: UUID) -> None:
    row = session.scalars(
        select(FilingVersion).where(FilingVersion.filing_id == filing_id, FilingVersion.number == 2)
    ).one()
    values = {column.name: getattr(row, column.name) for column in FilingVersion.__table__.columns}
    session.add(FilingVersion(**{**values, "id": UUID(new_id()), "number": 3}))
    session.execute(_values(filing_id, sent=3))


def _history_removed(session: Any, filing_id: UUID) -> None:
    ids = select(HistoryEntry.id).where(HistoryEntry.subject_id == filing_id)
    session.execute(delete(HistoryPayload).where(HistoryPayload.history_id.in_(ids)))
    session.execute(delete(HistoryEntry).where(HistoryEntry.subject_id == filing_id))


def _removed(session: Any, filing_id: UUID) -> None:
    session.execute(delete(FilingVersion).where(FilingVersion.filing_id == filing_id))
    session.execute(delete(Filing).where(Filing.id == filing_id))


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (_status, "record is done, its history ends at pending"),
        (_version, "record is at version 99"),
        (_data, "content of the filing was changed"),
        (_documents, "content of the filing was changed"),
        (_sent_before, "version 1 is not the one that was sent"),
        (_both, "version 2 is not the one that was sent"),
        (_version_removed, "2 versions were sent, 1 are kept"),
        (_version_added, "version 3 is not the one that was sent"),
        (_history_removed, "has no history"),
        (_removed, "record is gone"),
    ],
)
def test_a_filing_changed_past_its_history_is_shown(
    run: Run, database: Database, filings: list[UUID], tamper: Callable[[Any, UUID], None], told: str
) -> None:
    attack(database, lambda session: tamper(session, filings[0]))
    answer = run("history", "verify", status=1)
    assert f"filing {filings[0]}" in answer.stderr and told in answer.stderr
    assert not any(str(other) in answer.stderr for other in filings[1:])


def test_an_erased_payload_is_no_break(run: Run, database: Database, filings: list[UUID]) -> None:
    with database.write() as session:
        sent = select(HistoryEntry.seq).where(HistoryEntry.subject_id == filings[0], HistoryEntry.action == "submit")
        assert erasure.erase(session, filings[0], session.scalars(sent).all(), {"reason": "依申请删除"})
    run("history", "verify")


@pytest.mark.parametrize("chunk", [1, 2])
def test_filings_are_looked_at_in_chunks_none_twice_and_none_left_out(
    database: Database, filings: list[UUID], monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(integrity, "CHUNK", chunk)
    with database.write() as session:
        for filing in filings:
            _version(session, filing)
        _sent_before(session, filings[0])
    seen: list[int] = []
    with database.read() as session:
        kinds = {kind.code: kind for kind in KINDS}
        broken = [one.subject_id for one in integrity.verify_filings(session, kinds, seen.append)]
    # The one that waits for its enterprise may have been saved as often as its version says.
    assert sorted(broken, key=str) == sorted([filings[0], filings[0], filings[2]], key=str)
    assert sum(seen) == len(filings) + 3 and max(seen) <= chunk
