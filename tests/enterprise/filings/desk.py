"""The engine with the invented kind, and the steps that bring a filing of it to where a test begins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import insert, select

from core.actor import Actor
from core.db import Database
from core.errors import Problem
from core.models import Clock
from enterprise.filings import operations
from enterprise.filings.declaring.declarations import APPLICANT, NATURAL
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.many.clock_jobs import ring_clocks
from enterprise.filings.models import Filing
from enterprise.filings.steps.actions import act
from tests.documented import INVENTED
from tests.enterprise.filings.invented import Quota, invented, publicity

START = "2026-09-28T10:00:00+08:00"
"""A Monday. From 1 to 7 October nobody works; Saturday the 10th is worked for it."""


@dataclass
class Desk:
    """The engine with the invented kind, and who uses it."""

    database: Database
    engine: Filings
    enterprise: Actor
    officers: list[Actor]

    def declare(self, kind: FilingKind) -> None:
        self.engine.kinds[kind.code] = kind
        INVENTED.update({kind.code, *kind.labels, *(step.action for step in kind.steps)})

    def open(self) -> UUID:
        filing_id = uuid4()
        with self.database.write() as session:
            body = {"kind": "invented", "data": {"wish": "某事"}}
            operations.save(session, self.engine, self.enterprise, filing_id, body)
        return filing_id

    def act(self, filing_id: UUID, *actions: str, by: Actor | None = None, **body: Any) -> str:
        """Take steps one after the other, each by whom it falls to; the status afterwards."""
        for action in actions:
            with self.database.write() as session:
                filing = session.get_one(Filing, filing_id)
                step = self.engine.kind_of(filing).step(action, filing.status)
                actor = by or (self.enterprise if step is not None and APPLICANT in step.takers else self.officers[0])
                sent = {"version": filing.version, "comment": "原因", **body}
                act(session, self.engine, actor, filing_id, action, sent)
        return self.status(filing_id)

    def refused(self, filing_id: UUID, action: str, **kwargs: Any) -> str:
        with pytest.raises(Problem) as refusal:
            self.act(filing_id, action, **kwargs)
        return refusal.value.code

    def status(self, filing_id: UUID) -> str:
        with self.database.read() as session:
            return session.get_one(Filing, filing_id).status

    def last_day(self, filing_id: UUID, name: str = "publicity") -> date:
        with self.database.read() as session:
            return session.scalars(
                select(Clock.last_day).where(Clock.subject_id == filing_id, Clock.name == name)
            ).one()

    def ring(self) -> int:
        return ring_clocks(self.engine).run(self.database)


def quota(desk: Desk, total: str) -> None:
    with desk.database.write() as session:
        session.execute(insert(Quota).values(id="uses", used=0, total=Decimal(total)))


def used(desk: Desk) -> Decimal:
    with desk.database.read() as session:
        return session.get_one(Quota, "uses").used


def confirming(desk: Desk) -> UUID:
    desk.declare(invented(publicity(NATURAL, 1)))
    with time_machine.travel("2026-11-10T10:00:00+08:00", tick=False):
        filing = desk.open()
        desk.act(filing, "submit", "pass", "publish")
    with time_machine.travel("2026-11-12T10:00:00+08:00", tick=False):
        assert desk.act(filing, "end") == "confirming"
    return filing


def valid(desk: Desk) -> UUID:
    filing = confirming(desk)
    with time_machine.travel("2026-11-12T12:00:00+08:00", tick=False):
        desk.act(filing, "confirm")
    return filing


def outcome(call: Callable[[], Any]) -> Callable[[], str]:
    def run() -> str:
        try:
            call()
        except Problem as error:
            return error.code
        return "ok"

    return run
