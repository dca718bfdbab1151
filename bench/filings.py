"""Filings: sending one with two documents against two bare inserts, and the first page of many against few.

The filing is a production self-check table (自查表) that declares a problem: it is the only kind that is sent with two
documents, its form is the longest, and the system's own step that follows at once (发现问题) is part of sending it. The
page is that of the city's reviewer, with the enterprises of all counties.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import orjson
from sqlalchemy import insert, select

from accounts import operations
from accounts.models import User
from accounts.verbs import Role
from assets.files.models import File
from bench import bare_filings, city
from bench.databases import Place, place
from bench.load import Load, request_bytes
from bench.server import product, serving
from bench.tables import print_table, spread
from core import clock
from core.db import Database, make_engine
from core.forms.form import Form
from core.forms.sealing import sealed
from enterprise.filings.content import data_place
from enterprise.filings.models import Filing
from enterprise.handover import office_of
from enterprise.models import Enterprise
from enterprise.production.kinds.self_check_table import PRODUCTION
from miniapp_api.http.wiring import KEY

SUBMIT_TARGET, LIST_TARGET = 0.35, 1.5
SMALL, LARGE = 10_000, 100_000
_CATEGORIES = ("hazard_ledger", "rectification_report")
_BATCH = 2000
_ANSWERS: dict[str, Any] = {
    **{str(number): "yes" for number in range(1, 11)},
    "1.licence": "320402000000001", "2": "no", "6.methods": ["self"], "7.detail": "ok",
    "8.detail": "bad", "8.problem": "台帐缺少批号",
}  # fmt: skip
_TABLE: dict[str, Any] = {
    "org_name": "常州某某电缆有限公司", "legal_representative": "钱某", "filled_by": "孙某", "answers": _ANSWERS,
}  # fmt: skip
"""A production self-check table that declares a problem, and so is sent with its two documents."""


@dataclass(frozen=True, slots=True)
class Sender:
    """An enterprise, its user's session, what it fills in, and the session of its city's reviewer."""

    enterprise: Enterprise
    user_id: UUID
    token: str
    form: Form
    values: dict[str, Any]
    reviewer_token: str


def _sender(where: Place) -> Sender:
    found = city.found(where)
    with city.application(where) as (application, database):
        uscc = found.enterprises[0]["uscc"]
        with database.write() as session:
            enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == uscc)).one()
            user_id = operations.create_user(
                session, office_of(session, enterprise), uscc, "-", [Role.ENTERPRISE], must_change_password=False
            )
            token = city.session_of(session, user_id)
            reviewer = session.scalars(select(User).where(User.username == found.reviewer.username)).one()
            reviewer.roles = [*reviewer.roles, Role.LICENCE_REVIEWER.value]
        with database.read() as session:
            enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == uscc)).one()
        form = application.extensions[KEY].filings.forms.get(PRODUCTION.form_code).form
        data = {**_TABLE, "check_date": clock.today().isoformat()}
        checked = form.check(data, submit=True, today=clock.today())
        if checked.faults or not checked.problems_found:
            raise RuntimeError(str(checked.faults))
        return Sender(enterprise, user_id, token, form, checked.values, found.reviewer.token)


def _filing(sender: Sender, filing_id: UUID, number: int, **values: Any) -> dict[str, Any]:
    enterprise: Enterprise = values.pop("enterprise", sender.enterprise)
    now = clock.now() - timedelta(seconds=number)
    return {
        "id": filing_id, "kind": PRODUCTION.code, "status": "draft", "version": 1, "title": PRODUCTION.title,
        "enterprise_id": enterprise.id, "uscc": enterprise.uscc, "org_name": enterprise.name,
        "area1": enterprise.area1, "area2": enterprise.area2, "area3": enterprise.area3, "opened_by": sender.user_id,
        "opened_by_office": False, "form_code": PRODUCTION.form_code, "form_version": 1,
        "data": sealed(sender.form, sender.values, data_place(filing_id)),
        "documents": [], "saved": True, "sent": 0, "late": False, "created_at": now, "updated_at": now,
        **values,
    }  # fmt: skip


def _file(sender: Sender, file_id: UUID, filing_id: UUID, category: str) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": file_id, "purpose": "rectification_report", "original_name": "报告.pdf", "extension": ".pdf",
        "media_type": "application/pdf", "size": 1000, "sha256": file_id.hex * 2, "sent_sha256": file_id.hex * 2,
        "stored_key": file_id.hex, "uploaded_by": sender.user_id, "uploaded_at": now, "claimed_type": "filing",
        "claimed_id": filing_id, "category": category, "claimed_at": now,
    }  # fmt: skip


def _drafts(database: Database, sender: Sender, count: int) -> list[UUID]:
    """Filled drafts with two claimed documents each."""
    made: list[UUID] = []
    for _ in range(0, count, _BATCH):
        filings, files = [], []
        for number in range(_BATCH):
            filing_id, ids = uuid4(), [uuid4() for _ in _CATEGORIES]
            documents = [{"category": c, "file_id": str(i)} for c, i in zip(_CATEGORIES, ids, strict=True)]
            filings.append(_filing(sender, filing_id, number, documents=documents))
            files += [_file(sender, i, filing_id, c) for c, i in zip(_CATEGORIES, ids, strict=True)]
            made.append(filing_id)
        with database.write() as session:
            session.execute(insert(Filing), filings)
            session.execute(insert(File), files)
    return made


def _submissions(sender: Sender, drafts: list[UUID]) -> Iterator[bytes]:
    for filing_id in drafts:
        path = f"/api/v1/filings/{filing_id}/actions/submit"
        yield request_bytes("POST", path, sender.token, orjson.dumps({"version": 1}))


def _plain(sender: Sender) -> Iterator[bytes]:
    documents = [{"category": category, "file_id": str(uuid4())} for category in _CATEGORIES]
    body = orjson.dumps({"data": sender.values, "documents": documents})
    while True:
        yield request_bytes("POST", f"/filings/{uuid4()}", None, body)


def submit(dialect: str, *, quick: bool) -> list[str]:
    """One row: sending, alternating with the bare route."""
    rounds, seconds = (3, 2.0) if quick else (5, 4.0)
    most, fastest = int(700 * seconds), int(6000 * seconds)
    with place(dialect) as ours, place(dialect) as theirs, Load() as load:
        sender = _sender(ours)
        database = Database(ours.url)
        real = _submissions(sender, _drafts(database, sender, most * (rounds + 1)))
        database.dispose()
        engine = make_engine(theirs.url)
        bare_filings.metadata.create_all(engine)
        engine.dispose()
        plain = _plain(sender)
        pairs: list[tuple[float, float]] = []
        with product(ours) as application, serving("bench.bare_filings:create_app()", theirs) as bare:
            for _ in range(rounds + 1):  # the first pair warms both up
                outcomes = [
                    load.run(application.port, itertools.islice(real, most), seconds),
                    load.run(bare.port, itertools.islice(plain, fastest), seconds),
                ]
                for outcome in outcomes:
                    if refused := outcome.refused(200):
                        raise RuntimeError(refused)
                pairs.append((outcomes[0].rate, outcomes[1].rate))
    del pairs[0]
    return [
        dialect, f"{median(a for a, _ in pairs):.0f}", f"{median(b for _, b in pairs):.0f}",
        spread([a / b for a, b in pairs]), f">= {SUBMIT_TARGET}", str(len(pairs)),
    ]  # fmt: skip


def first_page(dialect: str, *, quick: bool) -> list[list[str]]:
    """Rows: the first page with and without filters, alternating between both sizes, in process."""
    large = 30_000 if quick else LARGE
    kind, few_have, many_have = PRODUCTION.code, quote(city.SOME), quote(city.COMMON)
    questions = (
        "/filings", f"/filings?kind={kind}", "/filings?kind=rectification", "/filings?status=rectifying",
        f"/filings?kind={kind}&status=closed", f"/filings?q={few_have}", f"/filings?q={many_have}",
        f"/filings?status=closed&q={few_have}", "/filings?turn=mine", "/filings?overdue=true",
        "/filings?overdue=true&turn=mine", "/filings?system=production",
    )  # fmt: skip
    taken: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack:
        sizes = []
        for count in (SMALL, large):
            where = stack.enter_context(place(dialect))
            sender = _sender(where)
            app, database = stack.enter_context(city.application(where))
            _sent(database, sender, count)
            sizes.append((count, app.test_client(), {"Authorization": f"Bearer {sender.reviewer_token}"}))
        for _, question, (count, client, headers) in itertools.product(range(25), questions, sizes):
            started = time.perf_counter()
            answer = client.get(f"/api/v1{question}", headers=headers)
            taken.setdefault((question, count), []).append((time.perf_counter() - started) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(answer.get_data(as_text=True)[:300])
    rows = []
    for question in questions:
        few, many = (median(taken[question, count]) for count in (SMALL, large))
        rows.append([f"{dialect} {question}", f"{few:.1f}", f"{many:.1f}", f"{many / few:.2f}", f"<= {LIST_TARGET}"])
    return rows


def _day(number: int) -> dict[str, Any]:
    """The columns of a due day: one in forty has one that is over, all others have none."""
    over = clock.today() - timedelta(days=1 + number % 300) if number % 40 == 1 else None
    return {"due_on": over, "due_clock": "bench" if over else None}


def _sent(database: Database, sender: Sender, count: int) -> None:
    statuses = ("submitted", "rectifying", "done", "closed")
    with database.read() as session:
        enterprises = itertools.cycle(session.scalars(select(Enterprise).order_by(Enterprise.uscc)).all())
    for start in range(0, count, _BATCH):
        rows = [
            _filing(
                sender, uuid4(), start + number, enterprise=next(enterprises), status=statuses[number % 4], sent=1,
                sent_at=clock.now(), **_day(start + number),
            )
            for number in range(_BATCH)
        ]  # fmt: skip
        with database.write() as session:
            session.execute(insert(Filing), rows)
    if database.engine.dialect.name == "postgresql":
        # As autovacuum would do after so many new rows.
        with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE filings")


def report(dialects: list[str], *, quick: bool) -> None:
    """Print both tables."""
    print_table(
        "Sending a filing with two documents against two bare inserts (8 connections, answers a second)",
        ["database", "sending", "bare inserts", "ratio, median (range)", "target", "runs"],
        [submit(dialect, quick=quick) for dialect in dialects],
    )
    print_table(
        "First page of filings (milliseconds)",
        ["question", f"at {SMALL}", f"at {30_000 if quick else LARGE}", "ratio", "target"],
        [row for dialect in dialects for row in first_page(dialect, quick=quick)],
    )
