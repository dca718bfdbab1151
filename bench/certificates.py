"""Lists of certificates (证书) at 1 000 and at 100 000: the same questions of an office and of a holder, in turns."""

import time
from contextlib import ExitStack
from datetime import timedelta
from statistics import median
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import insert, select

from accounts import offices, operations
from accounts.models import Region
from accounts.verbs import Role
from bench import city
from bench.databases import place
from bench.filing_engine import token_of
from bench.plans import caught, plan
from bench.tables import print_table
from core import clock
from core.db import Database
from enterprise.certificates.declarations import CertificateKind, CertificateStatus, Issues, Number
from enterprise.certificates.models import Certificate
from enterprise.filings.declaring.declarations import APPLICANT, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.models import Enterprise
from enterprise.production.kinds.posts import OFFICE
from miniapp_api.http.wiring import KEY

SMALL, LARGE, TARGET = 1_000, 100_000, 1.5
_BATCH = 1_000
_BODY = {"sections": [{"code": "body", "title": "内容", "items": [{"field": "wish", "text": "事项", "type": "text"}]}]}
FORM: dict[str, Any] = {"code": "bench-licence", "version": 1, "title": "许可证", "kind": "filing", **_BODY}
LICENCE = CertificateKind(
    "bench_licence", "许可证", "bench-licence", Number("BX{year}{seq:06}"),
    [CertificateStatus("valid", "有效"), CertificateStatus("cancelled", "已注销", holds=False)],
)  # fmt: skip
KIND = FilingKind(
    "bench_applications", "许可申请", "bench-licence",
    [
        Status("draft", "填报中", APPLICANT, edits=APPLICANT),
        Status("sent", "已提交", OFFICE),
        Status("done", "已发证", end=True),
    ],
    [
        Step("open", "填报", None, "draft", APPLICANT),
        Step("submit", "提交", "draft", "sent", APPLICANT, sends=True),
        Step("issue", "发证", "sent", "done", OFFICE, certificate=Issues(LICENCE)),
    ],
)  # fmt: skip
OF_OFFICE = {
    "": "newest", f"?kind={LICENCE.code}": "one kind", "?status=valid": "valid", "?status=expired": "expired, 1 in 20",
    "?status=cancelled": "cancelled, 1 in 10", "?q=BX2026000777": "by its number",
    f"?q={quote(city.RARE)}": "name, rare",
    f"?q={quote(city.SOME)}": "name, 1 in 150", f"?q={quote(city.COMMON)}&status=valid": "name, common, valid",
}  # fmt: skip
OF_HOLDER = {"": "own", "?status=valid": "own, valid"}


def _fill(database: Database, count: int) -> None:
    with database.read() as session:
        enterprises = session.scalars(select(Enterprise).order_by(Enterprise.uscc)).all()
    today, now = clock.today(), clock.now()
    for start in range(0, count, _BATCH):
        rows = []
        for number in range(start, start + _BATCH):
            of = enterprises[number % len(enterprises)]
            until = today - timedelta(days=number % 300 + 1) if number % 20 == 3 else today + timedelta(days=365)
            rows.append({
                "id": uuid4(), "kind": LICENCE.code, "number": f"BX2026{number:06}",
                "status": "cancelled" if number % 10 == 1 else "valid", "version": 1, "versions": 1,
                "filing_id": uuid4(),
                "enterprise_id": of.id, "uscc": of.uscc, "org_name": of.name, "office_id": None, "area1": of.area1,
                "area2": of.area2, "area3": of.area3, "issued_on": today, "valid_from": today, "valid_to": until,
                "created_at": now - timedelta(seconds=count - number), "updated_at": now,
            })  # fmt: skip
        with database.write() as session:
            session.execute(insert(Certificate), rows)
    if database.engine.dialect.name == "postgresql":
        # As autovacuum would do after so many new rows.
        with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE certificates")


class _Size:
    """An application over so many certificates, with an office and a holder who ask."""

    def __init__(self, stack: ExitStack, dialect: str, count: int) -> None:
        where = stack.enter_context(place(dialect))
        there = city.found(where)
        app, self.database = stack.enter_context(city.application(where))
        services = app.extensions[KEY]
        services.forms.publish(FORM)
        services.filings.kinds[KIND.code] = KIND
        _fill(self.database, count)
        self.client = app.test_client()
        holder = token_of(self.database, there.enterprises[0]["uscc"])
        with self.database.write() as session:
            bureau = offices.bureau_of(session, session.get_one(Region, city.CITY))
            user_id = operations.create_user(
                session, bureau, "licences", "-", [Role.LICENCE_REVIEWER], must_change_password=False
            )
            self.tokens = {"office": city.session_of(session, user_id), "holder": holder}

    def milliseconds(self, who: str, question: str) -> float:
        started = time.perf_counter()
        answer = self.client.get(
            f"/api/v1/certificates{question}", headers={"Authorization": f"Bearer {self.tokens[who]}"}
        )
        taken = (time.perf_counter() - started) * 1000
        if answer.status_code != 200:
            raise RuntimeError(answer.get_data(as_text=True)[:300])
        return taken

    def plans(self, who: str, question: str) -> list[str]:
        with caught(self.database.engine) as statements:
            self.milliseconds(who, question)
        pages = [(text, values) for text, values in statements if "FROM certificates" in text]
        return [line for text, values in pages for line in plan(self.database, text, values)]


def lists(dialect: str, *, quick: bool) -> tuple[list[list[str]], list[str]]:
    """Rows: each question at both sizes; and the query plans at the larger one."""
    rounds, large = (9, 20_000) if quick else (25, LARGE)
    asked = [*(("office", *one) for one in OF_OFFICE.items()), *(("holder", *one) for one in OF_HOLDER.items())]
    rows, plans = [], []
    with ExitStack() as stack:
        sizes = [_Size(stack, dialect, count) for count in (SMALL, large)]
        for who, question, name in asked:
            pairs = [[size.milliseconds(who, question) for size in sizes] for _ in range(rounds + 3)][3:]
            few, many = (median(pair[place] for pair in pairs) for place in (0, 1))
            rows.append([f"{dialect} {who}: {name}", f"{few:.1f}", f"{many:.1f}", f"{many / few:.2f}", f"<= {TARGET}"])
            plans += [f"{dialect} {who}: {name}", *(f"    {line}" for line in sizes[1].plans(who, question))]
    return rows, plans


def report(dialects: list[str], *, quick: bool) -> None:
    """Print the table, and the plans."""
    found = [lists(dialect, quick=quick) for dialect in dialects]
    print_table(
        "First page of certificates (milliseconds, in turns)",
        ["question", f"at {SMALL}", f"at {20_000 if quick else LARGE}", "ratio", "target"],
        [row for rows, _ in found for row in rows],
    )
    print("\n".join(line for _, plans in found for line in plans))
