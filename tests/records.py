"""Saving and submitting field records over HTTP, for tests that are about what happens afterwards."""

from collections.abc import Callable
from typing import Any

from accounts.sign_in.sessions import find_actor
from core.actor import Actor
from core.db import Database
from tests.people import Person, new_id, production

Json = dict[str, Any]


def save(person: Person, body: Json | None = None, record_id: str | None = None, noun: str = "inspections") -> Json:
    """Save a draft and return the record."""
    answer = person.put(f"/{noun}/{record_id or new_id()}", production() if body is None else body)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    assert answer.json is not None
    return dict(answer.json)


def submit(person: Person, body: Json | None = None, record_id: str | None = None, noun: str = "inspections") -> Json:
    """Submit and return the record."""
    sent = production() if body is None else body
    answer = person.put(f"/{noun}/{record_id or new_id()}/submission", sent)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    assert answer.json is not None
    return dict(answer.json)


def read(person: Person, path: str) -> Json:
    """What a GET answers."""
    answer = person.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.json is not None
    return dict(answer.json)


def listed(person: Person, query: str = "", noun: str = "inspections") -> list[str]:
    """The ids of a list, all of them on one page."""
    page = read(person, f"/{noun}?page_size=100&{query}")
    assert page["total"] == len(page["items"])
    return [item["id"] for item in page["items"]]


def problem(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
    return answer.status_code, answer.json["code"]


def actor_of(database: Database, person: Person) -> Actor:
    """Someone signed in, as the rooms see them."""
    with database.read() as session:
        found = find_actor(session, person.token)
    assert found is not None
    return found[0]


def items_of(person: Person, product_code: str) -> Callable[[str], str]:
    """Looks up the id of a product item by the beginning of its name."""
    items = read(person, f"/products/{product_code}/items")["items"]
    return lambda name: next(item["id"] for item in items if item["name"].startswith(name))
