"""A service hall over HTTP: its people signed in, its codes, and citizens with browsers that run no script."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from accounts.verbs import Role
from core.db import Database
from tests.newcomers import make_user
from tests.parties import upload
from tests.people import Person, new_id
from tests.records import Json

STAFF = {
    "officer": ("320402", Role.RATING_OFFICER),
    "handler": ("320402", Role.RATING_HANDLER),
    "other_handler": ("320402", Role.RATING_HANDLER),
    "supervisor": ("320402", Role.RATING_SUPERVISOR),
    "other_supervisor": ("320402", Role.RATING_SUPERVISOR),
    "inspector": ("320402", Role.INSPECTOR),
    "far_officer": ("320102", Role.RATING_OFFICER),
    "far_handler": ("320102", Role.RATING_HANDLER),
    "far_supervisor": ("320102", Role.RATING_SUPERVISOR),
}

STREET = "192.0.2.1"
"""Where citizens call from: nobody of the staff is signed in there."""

GOOD: Json = {"rater_name": "张某某", "mobile": "13800000001", "level": 5, "tags": [510], "comment": "办得很快"}
BAD: Json = {**GOOD, "level": 1, "tags": [109, 115], "comment": "多次被要求补交材料"}

STEPS: dict[str, Json] = {
    "contact": {"channel": "phone", "result": "reached", "note": "已说明情况"},
    "verify": {"verify_result": "confirmed", "classification": "at_once"},
    "rectify": {"measures": "窗口人员重新培训"},
    "reply": {"feedback_text": "已整改，感谢监督", "feedback_channel": "phone"},
    "close": {"satisfied_after": "satisfied"},
    "return": {"opinion": "反馈不具体"},
    "uphold": {"opinion": "申诉理由不成立"},
    "void": {"opinion": "经复核属误评"},
}
"""What is sent with each step, beside the version."""


@dataclass
class Hall:
    """The rated office, everybody signed in when first asked for."""

    client: FlaskClient
    database: Database
    sign_in: Callable[[str], Person]
    people: dict[str, Person] = field(default_factory=dict)
    numbers: int = 100

    def person(self, name: str) -> Person:
        if name not in self.people:
            region, role = STAFF[name]
            make_user(self.database, region, name, role)
            self.people[name] = self.sign_in(name)
        return self.people[name]

    def new_mobile(self) -> str:
        self.numbers += 1
        return f"1380000{self.numbers:04d}"

    def code(self, person: str = "officer", *, generated: bool = True, **changes: Any) -> Json:
        """A code as its maker sees it; its `token` is the end of its address."""
        body = {"kind": "per_visit", "matter_name": "营业执照办理", **changes}
        if body["kind"] == "per_matter":
            body.setdefault("matter_ref", new_id())
        made = ok(self.person(person).post("/rating-codes", body), 201)
        return self.generate(made["id"], person) if generated else made

    def generate(self, code_id: str, person: str = "officer") -> Json:
        made = ok(self.person(person).post(f"/rating-codes/{code_id}/generate", {}))
        return {**made, "token": made["url"].rpartition("/")[2]}

    def rate(self, code: Json, *, address: str = STREET, token: str = "", **changes: Any) -> TestResponse:
        """A rating as the mini-program sends it, from a number of its own unless one is given."""
        body = {**GOOD, "mobile": changes.get("mobile") or self.new_mobile(), **changes}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.post(
            f"/api/v1/ratings/form/{code['token']}", json=body, headers=headers, environ_base={"REMOTE_ADDR": address}
        )

    def rated(self, code: Json, **changes: Any) -> str:
        """The id of an accepted rating."""
        return str(ok(self.rate(code, **changes), 201)["id"])

    def bad(self, code: Json, **changes: Any) -> str:
        return self.rated(code, **{**BAD, "mobile": self.new_mobile(), **changes})

    def get(self, path: str) -> TestResponse:
        """What a citizen is answered."""
        return self.client.get(path, environ_base={"REMOTE_ADDR": STREET})

    def open(self, code: Json) -> "Page":
        """The page behind a code."""
        return Page.of(self.get(f"/r/{code['token']}"))

    def send(self, code: Json, page: "Page", *, address: str = STREET, button: str = "send", **typed: Any) -> Any:
        """Press a button of the page's form: what a browser without scripts sends."""
        return self.client.post(
            f"/r/{code['token']}", data=page.filled_in(button, **typed), environ_base={"REMOTE_ADDR": address}
        )

    def rating(self, rating_id: str, person: str = "supervisor") -> Json:
        return ok(self.person(person).get(f"/ratings/{rating_id}"))

    def act(self, person: str, rating_id: str, action: str, **body: Any) -> TestResponse:
        """A step, with the version that the rating has now unless told."""
        sent = {"version": self.rating(rating_id)["version"], **STEPS.get(action, {}), **body}
        if action == "appeal":
            evidence = sent.pop("evidence", None) or [upload_photo(self.person(person))]
            sent = {"reason": "对方从未来本窗口办事", "evidence": evidence, **sent}
        return self.person(person).post(f"/ratings/{rating_id}/actions/{action}", sent)

    def lead(self, rating_id: str, *actions: str) -> str:
        for action in actions:
            ok(self.act("handler" if action not in ("close", "return", "void") else "supervisor", rating_id, action))
        return rating_id


def ok(answer: TestResponse, status: int = 200) -> Json:
    """The JSON of an answer with that status."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.json is not None
    return dict(answer.json)


@functools.cache
def _photo() -> bytes:
    content = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(content, "JPEG")
    return content.getvalue()


def upload_photo(person: Person) -> str:
    """A picture that no record claims yet; its id."""
    return upload(person, _photo(), "证据.jpg", "photo")


class Page(HTMLParser):
    """A page as a browser reads it: its form with what stands in the fields, its texts by the ids of their elements."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: MultiDict[str, str] = MultiDict()
        self.names: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: dict[str, str] = {}
        self.inline: dict[str, str] = {}
        self.text = ""
        self.links: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self._area: str | None = None

    @classmethod
    def of(cls, answer: TestResponse) -> "Page":
        assert answer.mimetype == "text/html", answer.get_data(as_text=True)[:300]
        page = cls()
        page.feed(answer.get_data(as_text=True))
        return page

    def filled_in(self, button: str = "send", **typed: Any) -> MultiDict[str, str]:
        """The fields with what was typed; a list ticks several boxes, None clears a field."""
        sent = self.fields.copy()
        for name, value in typed.items():
            sent.poplist(name)
            for one in value if isinstance(value, list) else [] if value is None else [value]:
                sent.add(name, str(one))
        sent["action"] = button
        return sent

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if "id" in given:
            self.texts.setdefault(given["id"] or "", "")
        if tag in ("input", "textarea") and given.get("name"):
            self._field(tag, given)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag not in ("input", "meta", "br", "wbr", "path", "circle"):
            self._open.append((tag, given.get("id")))

    def _field(self, tag: str, given: dict[str, str | None]) -> None:
        name = given["name"] or ""
        self.names.append(name)
        if tag == "textarea":
            self._area, self.fields[name] = name, ""
        elif given.get("type") not in ("radio", "checkbox") or "checked" in given:
            self.fields.add(name, given.get("value") or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self._open and self._open[-1][0] == tag:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        while self._open and self._open[-1][0] != tag and tag not in ("path", "circle"):
            self._open.pop()
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] in ("style", "script"):
            self.inline[self._open[-1][0]] = self.inline.get(self._open[-1][0], "") + data
            return
        if self._area is not None:
            self.fields[self._area] += data
        self.text += data
        for _, name in self._open:
            if name:
                self.texts[name] += data
