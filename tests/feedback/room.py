"""The feedback room as tests use it: people of one office, its codes, and raters who send forms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from assets.files.models import File
from core import clock
from core.actor import Actor
from core.database.paging import PageRequest
from core.db import Database
from core.errors import Problem
from feedback import queries
from feedback.codes import operations as codes
from feedback.follow_ups import operations as follow_ups
from feedback.models import Rating, RatingCode
from feedback.ratings import publication
from feedback.ratings.fields import Sent, read_form
from feedback.ratings.rating_window import RatingRules
from feedback.ratings.submitting import Sender, Submitted, submit
from feedback.statistics import queries as statistics

BAD: dict[str, Any] = {"level": 1, "tags": [109, 115], "comment": "多次被要求补交材料"}
GOOD: dict[str, Any] = {"rater_name": "张某某", "mobile": "13800000001", "level": 5, "tags": [510], "comment": None}

# What a person of the right role sends with each step.
BODIES: dict[str, dict[str, Any]] = {
    "contact": {"channel": "phone", "result": "reached", "note": "已说明情况"},
    "verify": {"verify_result": "confirmed", "classification": "at_once"},
    "rectify": {"measures": "窗口人员重新培训"},
    "explain": {"explanation": "材料清单由省局统一规定"},
    "reply": {"feedback_text": "已整改，感谢监督", "feedback_channel": "phone"},
    "close": {"satisfied_after": "satisfied"},
    "return": {"opinion": "反馈不具体"},
    "uphold": {"opinion": "申诉理由不成立"},
    "void": {"opinion": "经复核属误评"},
    "withhold": {"reason": "用语不文明"},
}

# The steps that lead from a new bad rating into a status.
WAYS: dict[str, list[str]] = {
    "to_verify": [],
    "verified": ["contact", "verify"],
    "rectifying": ["contact", "verify", "rectify"],
    "explained": ["contact", "verify", "explain"],
    "fed_back": ["contact", "verify", "rectify", "reply"],
    "closed": ["contact", "verify", "rectify", "reply", "close"],
    "appealing": ["appeal"],
    "voided": ["appeal", "void"],
}
HANDLER_STEPS = {"contact", "verify", "rectify", "explain", "reply", "appeal"}


@dataclass
class Room:
    """One database with its people; every call is a transaction of its own."""

    database: Database
    people: dict[str, Actor]
    rules: RatingRules = field(default_factory=RatingRules)
    numbers: int = 0

    def new_mobile(self) -> str:
        self.numbers += 1
        return f"1380000{self.numbers:04d}"

    def code(self, person: str = "officer", *, generated: bool = True, **changes: Any) -> RatingCode:
        body = {"kind": "per_visit", "matter_name": "营业执照办理", **changes}
        if body["kind"] == "per_matter":
            body.setdefault("matter_ref", uuid4().hex)
        with self.database.write() as session:
            made, _ = codes.create(session, self.people[person], body)
            return codes.generate(session, self.people[person], made.id) if generated else made

    def send(self, code: RatingCode, *, address: str = "192.0.2.1", **changes: Any) -> Submitted:
        """A form as it comes in, with a new number unless one is given; `rules`, `admit`, `actor` go to `submit`."""
        given = {name: changes.pop(name) for name in ("actor", "verified") if name in changes}
        rules, admit = changes.pop("rules", self.rules), changes.pop("admit", None)
        form = {**GOOD, "mobile": changes.get("mobile") or self.new_mobile(), **changes}
        with self.database.write() as session:
            sender = Sender(address, "a browser", **given)
            return submit(session, rules, read_form(code.token or "", Sent(**form)), sender, admit)

    def bad(self, code: RatingCode, **changes: Any) -> UUID:
        return self.send(code, **{**BAD, **changes}).id

    def rating(self, rating_id: UUID) -> Rating:
        with self.database.read() as session:
            return session.get_one(Rating, rating_id)

    def code_now(self, code: RatingCode) -> RatingCode:
        with self.database.read() as session:
            return session.get_one(RatingCode, code.id)

    def act(self, person: str, rating_id: UUID, action: str, **body: Any) -> Rating:
        """A step, with the version that the rating has now unless told."""
        actor = self.people[person]
        sent = {"version": self.rating(rating_id).version, **self.body_of(person, action), **body}
        with self.database.write() as session:
            if action in publication.DECISIONS:
                return publication.decide(session, actor, rating_id, action, sent)
            return follow_ups.act(session, actor, rating_id, action, sent)

    def body_of(self, person: str, action: str) -> dict[str, Any]:
        """What is sent with a step."""
        if action == "assign":
            return {"handler_id": str(self.people["handler"].user_id)}
        if action == "appeal":
            return {"reason": "对方从未来本窗口办事", "evidence": [str(self.upload(person))]}
        return BODIES.get(action, {})

    def upload(self, person: str) -> UUID:
        """A picture that the person has uploaded and no record claims yet."""
        file_id, now = uuid4(), clock.now()
        with self.database.write() as session:
            session.execute(
                insert(File).values(
                    id=file_id, purpose="photo", original_name="证据.jpg", extension=".jpg", media_type="image/jpeg",
                    size=10, sha256="0" * 64, sent_sha256=file_id.hex * 2, stored_key=file_id.hex,
                    uploaded_by=self.people[person].user_id, uploaded_at=now, unclaimed_since=now,
                )
            )  # fmt: skip
        return file_id

    def lead(self, rating_id: UUID, *actions: str, **bodies: dict[str, Any]) -> UUID:
        """Take steps, each by someone who may."""
        for action in actions:
            person = "handler" if action in HANDLER_STEPS else "supervisor"
            self.act(person, rating_id, action, **bodies.get(action, {}))
        return rating_id

    def standing(self, code: RatingCode, status: str, **changes: Any) -> UUID:
        """A bad rating in that status."""
        explained: dict[str, Any] = {"verify": {"classification": "explain"}} if status == "explained" else {}
        return self.lead(self.bad(code, **changes), *WAYS[status], **explained)

    def figures(self, person: str = "supervisor", **filters: Any) -> dict[str, Any]:
        with self.database.read() as session:
            return statistics.figures(session, self.people[person], statistics.StatisticsFilter(**filters))

    def listed(self, person: str = "supervisor", **filters: Any) -> list[UUID]:
        with self.database.read() as session:
            actor = self.people[person]
            page = queries.ratings(session, actor, queries.Filters(**filters), PageRequest(1, 100))
            assert all(queries.rating_as_json(row, actor)["id"] for row in page.items)
            return [row.Rating.id for row in page.items]


def refused(call: Callable[..., Any], *given: Any, **named: Any) -> Problem:
    """The refusal that a call meets."""
    with pytest.raises(Problem) as caught:
        call(*given, **named)
    return caught.value


def outcome(call: Callable[..., Any], *given: Any) -> Any:
    """What a call returns, or the code of its refusal."""
    try:
        return call(*given)
    except Problem as problem:
        return problem.code


def faults(problem: Problem) -> dict[str, str]:
    """path → code of a 422."""
    assert problem.code == "invalid"
    return {fault.path: fault.code for fault in problem.errors}


FIVE_DAYS = timedelta(days=5)
