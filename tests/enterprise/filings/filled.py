"""Filings of any kind, filled in by their declaration alone, and put into whatever status a test needs."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from accounts.models import Office, User
from assets.files.models import File
from core import clock
from core.forms.sealing import sealed
from enterprise.filings.content import data_place, version_place
from enterprise.filings.declaring.declarations import APPLICANT, BACK, SYSTEM, Document
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.steps.opening import open_filing
from enterprise.models import Enterprise
from enterprise.production.kinds.posts import OFFICE
from enterprise.production.models import Licence, SelfCheckTopic
from tests.parties import WORKS

Json = dict[str, Any]

VALUES: Json = {
    "text": "某某", "number": "1", "boolean": True, "mobile": "13800000007", "tel": "0519-88880000",
    "email": "a@example.com", "uscc": WORKS, "resident_id": "11010519491231002X", "region": "320402",
}  # fmt: skip


def filled(engine: Filings, kind: FilingKind, *, problem: bool = False) -> Json:
    """Data that may be sent: what is required, found by asking the form; with the problem answers if wanted."""
    form = engine.forms.get(kind.form_code).form
    items = {
        item["no"] if "no" in item else item["field"]: item for s in form.definition["sections"] for item in s["items"]
    }
    data: Json = {"answers": {}}
    for _ in range(20):
        faults = form.check(data, submit=True, today=clock.today()).faults
        if not faults:
            return data
        for fault in faults:
            assert fault.code == "required", fault
            place, name = ("answers", fault.path[9:]) if fault.path.startswith("/answers/") else ("", fault.path[1:])
            (data["answers"] if place else data)[name] = _value(items[name], problem)
    raise AssertionError("the form is never satisfied")


def _value(item: Json, problem: bool) -> Any:
    if item["type"] in ("choice", "multi"):
        options = [option["value"] for option in item["options"]]
        bad = set(item.get("problem_when", ()))
        wanted = [value for value in options if (value in bad) == (problem and bool(bad))]
        return wanted[:1] if item["type"] == "multi" else wanted[0]
    if item["type"] == "date":
        return (clock.today() + timedelta(days=-1 if item.get("not_future") else 1)).isoformat()
    return VALUES[item["type"]]


def required_paths(engine: Filings, kind: FilingKind, data: Json) -> list[tuple[str, Json]]:
    """For each required field: where its fault must stand, and the data without it."""
    form = engine.forms.get(kind.form_code).form
    found = []
    for place in ("", "answers"):
        for name in data[place] if place else [key for key in data if key != "answers"]:
            less = {**data, "answers": dict(data["answers"])}
            del (less[place] if place else less)[name]
            path = f"/answers/{name}" if place else f"/{name}"
            if any(fault.path == path for fault in form.check(less, submit=True, today=clock.today()).faults):
                found.append((f"/data{path}", less))
    return found


def user_of(session: Session, username: str) -> UUID:
    return session.execute(select(User.id).where(User.username == username)).scalar_one()


def file_row(session: Session, username: str, document: Document, filing_id: UUID | None = None) -> str:
    """An uploaded file that fits a category, claimed by a filing if one is named; its id."""
    purpose = min(purpose.code for purpose in document.category.purposes)
    now, file_id = clock.now(), uuid4()
    user_id = user_of(session, username)
    claimed = {
        "claimed_type": "filing", "claimed_id": filing_id, "category": document.category.code,
        "claimed_at": now, "unclaimed_since": None,
    } if filing_id else {"unclaimed_since": now}  # fmt: skip
    session.execute(
        insert(File).values(
            id=file_id, purpose=purpose, original_name="材料.pdf", extension=document.category.allowed[-1],
            media_type="application/pdf", size=1, sha256="0" * 64, sent_sha256=file_id.hex * 2,
            stored_key=file_id.hex, uploaded_by=user_id, uploaded_at=now, **claimed,
        )
    )  # fmt: skip
    return str(file_id)


def subject_of(session: Session, kind: FilingKind) -> tuple[str, UUID] | None:
    """What a filing of the kind may be about; a kind with another subject type adds a line here."""
    if kind.subject_type is None:
        return None
    if kind.subject_type == "licence":
        return "licence", session.scalars(select(Licence.id)).first() or uuid4()
    assert kind.subject_type == "self_check_topic", kind.subject_type
    office = session.scalars(select(Office).where(Office.region_code == "320402", Office.kind != "enterprise")).first()
    assert office is not None
    topic = SelfCheckTopic(
        id=uuid4(), version=1, title="自查", year=2026, template_id=uuid4(), open_from=date(2020, 1, 1), open_to=None,
        active=True, office_id=office.id, area1="320000", area2="320400", area3="320402", created_at=clock.now(),
    )  # fmt: skip
    session.add(topic)
    session.flush()
    return "self_check_topic", topic.id


def standing(session: Session, engine: Filings, kind: FilingKind, status: str, **changes: Any) -> UUID:
    """A whole filing of 常州某某电缆 that stands in a status and was sent once; nothing else is open beside it.

    `data`: clear data instead of faultless ones; `without`: a category left out; other changes are columns.
    """
    session.execute(update(Filing).values(open_key=None))
    enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == WORKS)).one()
    form = engine.forms.get(kind.form_code).form
    filing_id, version_id = uuid4(), uuid4()
    clear = changes.pop("data", None) or filled(engine, kind)
    without = changes.pop("without", None)
    opener: Any = SimpleNamespace(user_id=user_of(session, WORKS), verbs={APPLICANT.verb, OFFICE.verb}, as_payload=dict)
    filing = open_filing(
        session,
        engine,
        kind,
        enterprise,
        filing_id=filing_id,
        subject=subject_of(session, kind),
        actor=opener,
        data=sealed(form, clear, data_place(filing_id)),
        saved=True,
    )
    documents = [
        {"category": d.category.code, "file_id": file_row(session, WORKS, d, filing.id)}
        for d in kind.documents
        if d.category.code != without
    ]
    asker = next((step.source for step in kind.steps if step.asks_back), None)
    values = {"status": status, "documents": documents, "sent": 1, "return_to": asker, **changes}
    session.execute(update(Filing).where(Filing.id == filing.id).values(values))
    session.execute(
        insert(FilingVersion).values(
            id=version_id, filing_id=filing.id, number=1, form_code=form.code, form_version=form.version,
            data=sealed(form, clear, version_place(version_id)), documents=documents, sent_at=clock.now(),
        )
    )  # fmt: skip
    return filing.id


def may_end_in(kind: FilingKind, target: str, return_to: str | None) -> set[str]:
    """Where a step to `target` may leave a filing: there, or where the system takes it at once."""
    ends = {return_to if target == BACK else target}
    while more := {s.target for s in kind.steps if SYSTEM in s.takers and s.source in ends} - ends:
        ends |= more
    return {status for status in ends if status is not None}
