"""The filing engine: a filing with 60 rows against one without, and what ringing 500 due clocks lets others wait.

Both run in process, one after the other in turns, so that what else the machine does meets both alike.
"""

import threading
import time
from contextlib import ExitStack
from datetime import date, timedelta
from statistics import median
from typing import Any
from uuid import UUID, uuid4

from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Index, MetaData, String, insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from accounts import operations
from accounts.verbs import Role
from bench import city
from bench.city import session_of
from bench.databases import Place, place
from bench.tables import print_table, spread
from core import clock
from core.db import Database
from core.deadlines import clocks
from core.deadlines.clocks import Due
from core.deadlines.periods import DEADLINE, NATURAL
from core.jobs.one_by_one import OneByOne
from core.models import Clock as ClockRow
from core.models import Lease
from enterprise.filings.declaring.declarations import APPLICANT, SYSTEM, Clock, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.declaring.row_tables import RowColumns, Rows
from enterprise.filings.many.clock_jobs import ring
from enterprise.handover import office_of
from enterprise.models import Enterprise
from enterprise.production.kinds.posts import OFFICE
from miniapp_api.http.wiring import KEY

ROWS, ROWS_TARGET = 60, 3.0
CLOCKS, WAIT_TARGET = 500, 0.2
_STAFF = {
    "field": "staff", "text": "人员", "type": "group", "max_items": 200, "items": [
        {"field": "name", "text": "姓名", "type": "text", "required": True},
        {"field": "id_no", "text": "身份证号", "type": "resident_id", "required": True, "sensitive": True},
        {"field": "until", "text": "有效期至", "type": "date"},
    ],
}  # fmt: skip
FORM: dict[str, Any] = {
    "code": "bench-rows", "version": 1, "title": "明细行", "kind": "filing",
    "sections": [{"code": "body", "title": "内容", "items": [
        {"field": "wish", "text": "事项", "type": "text", "required": True}, _STAFF,
    ]}],
}  # fmt: skip


class _Base(DeclarativeBase):
    metadata = MetaData()


class _Staff(RowColumns, _Base):
    __tablename__ = "bench_staff"
    __table_args__ = (Index("ix_bench_staff_filing_id", "filing_id", "number"),)

    name: Mapped[str] = mapped_column(String(50))
    until: Mapped[date | None]


KIND = FilingKind(
    "bench_rows",
    "明细行",
    "bench-rows",
    [
        Status("draft", "填报中", APPLICANT, edits=APPLICANT),
        Status("sent", "已提交", OFFICE),
        Status("done", "办结", end=True),
        Status("lapsed", "逾期", end=True),
    ],
    [
        Step("open", "填报", None, "draft", APPLICANT),
        Step("submit", "提交", "draft", "sent", APPLICANT, sends=True),
        Step("close", "办结", "sent", "done", OFFICE),
        Step("lapse", "逾期", "sent", "lapsed", SYSTEM),
    ],
    [Clock("term", 30, NATURAL, DEADLINE, ["sent"], rings="lapse")],
    rows=[Rows("staff", _Staff, {"name": "name", "until": "until"}, ("name",), "id_no")],
)


def _resident_id(number: int) -> str:
    """A number with a right check digit."""
    digits = f"11010119900307{number:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]


class _Side:
    """An application with the kind, and an enterprise that is signed in."""

    def __init__(self, stack: ExitStack, where: Place) -> None:
        found = city.found(where)
        self.app, self.database = stack.enter_context(city.application(where))
        services = self.app.extensions[KEY]
        services.forms.publish(FORM)
        services.filings.kinds[KIND.code] = KIND
        self.engine = services.filings
        _Base.metadata.create_all(self.database.engine)
        self.headers = {"Authorization": f"Bearer {token_of(self.database, found.enterprises[0]['uscc'])}"}
        self.client: FlaskClient = self.app.test_client()

    def draft(self, rows: int) -> dict[str, Any]:
        staff = [{"name": f"王{n}", "id_no": _resident_id(n), "until": "2030-01-31"} for n in range(rows)]
        body = {"kind": KIND.code, "data": {"wish": "增项", "staff": staff}}
        return self._asked(self.client.put(f"/api/v1/filings/{uuid4()}", json=body, headers=self.headers), 201)

    def send(self, filing: dict[str, Any]) -> float:
        """Seconds of the call."""
        path = f"/api/v1/filings/{filing['id']}/actions/submit"
        started = time.perf_counter()
        answer = self.client.post(path, json={"version": filing["version"]}, headers=self.headers)
        taken = time.perf_counter() - started
        self._asked(answer, 200)
        return taken

    def _asked(self, answer: Any, expected: int) -> dict[str, Any]:
        if answer.status_code != expected:
            raise RuntimeError(answer.get_data(as_text=True)[:500])
        return dict(answer.json)


def token_of(database: Database, uscc: str) -> str:
    """A session of an enterprise's own user."""
    with database.write() as session:
        enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == uscc)).one()
        office = office_of(session, enterprise)
        user_id: UUID = operations.create_user(
            session, office, uscc, "-", [Role.ENTERPRISE], must_change_password=False
        )  # fmt: skip
        return session_of(session, user_id)


def rows(dialect: str, *, quick: bool) -> list[str]:
    """One row: sending 60 rows against none, in turns."""
    rounds = 15 if quick else 60
    with ExitStack() as stack:
        side = _Side(stack, stack.enter_context(place(dialect)))
        taken: dict[int, list[float]] = {0: [], ROWS: []}
        for number in range(rounds + 2):  # the first two warm both up
            for count in (0, ROWS) if number % 2 else (ROWS, 0):
                seconds = side.send(side.draft(count))
                if number > 1:
                    taken[count].append(seconds)
    none, many = (median(taken[count]) * 1000 for count in (0, ROWS))
    return [dialect, f"{none:.1f}", f"{many:.1f}", f"{many / none:.2f}", f"<= {ROWS_TARGET}", str(rounds)]


def ringing(dialect: str, *, quick: bool) -> list[str]:
    """One row: what somebody who writes waits while clocks that are over are rung."""
    count = 100 if quick else CLOCKS
    with ExitStack() as stack:
        side = _Side(stack, stack.enter_context(place(dialect)))
        for _ in range(count):
            side.send(side.draft(0))
        with side.database.write() as session:
            session.execute(update(ClockRow).values(last_day=clock.today() - timedelta(days=1)))
        waits: list[float] = []
        over = threading.Event()
        writer = threading.Thread(target=_write_on, args=(side.app, side.database, waits, over))
        writer.start()
        started = time.perf_counter()
        cpu: list[float] = []

        def timed(session: Session, key: Due) -> bool:
            begun = time.thread_time()
            did = ring(session, side.engine, key[1])
            cpu.append((time.thread_time() - begun) * 1000)
            return did

        rung = OneByOne("clock", clocks.due, timed).run(side.database)
        seconds = time.perf_counter() - started
        over.set()
        writer.join()
        if rung != count:
            raise RuntimeError(f"{rung} of {count} clocks were rung")
    return [
        dialect, str(count), f"{seconds:.1f}", spread(waits), f"{max(waits):.3f}", f"<= {WAIT_TARGET}", str(len(waits)),
        f"{median(cpu):.1f} ({max(cpu):.1f})",
    ]  # fmt: skip


def _write_on(_app: APIFlask, database: Database, waits: list[float], over: threading.Event) -> None:
    """Write a row again and again: how long each small transaction takes, with its wait."""
    while not over.is_set():
        started = time.perf_counter()
        with database.write() as session:
            session.execute(insert(Lease).values(name=f"bench-{uuid4().hex[:20]}", holder="bench", until=clock.now()))
        waits.append(time.perf_counter() - started)
        time.sleep(0.01)


def report(dialects: list[str], *, quick: bool) -> None:
    """Print both tables."""
    print_table(
        f"Sending a filing with {ROWS} rows against one without (milliseconds, in turns)",
        ["database", "without", f"{ROWS} rows", "ratio", "target", "runs"],
        [rows(dialect, quick=quick) for dialect in dialects],
    )
    print_table(
        "Writing while due clocks are rung (seconds that one small write takes)",
        ["database", "clocks", "ringing", "median (range)", "longest", "target", "writes", "CPU of one, ms (longest)"],
        [ringing(dialect, quick=quick) for dialect in dialects],
    )
