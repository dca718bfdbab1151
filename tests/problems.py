"""What a fault must look like, wherever it comes from (HTTP contract, §1)."""

import re
from typing import Any

import pytest

from tests.people import Person

ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
"""For tests whose outcome no database can change."""

CHINESE = re.compile(r"[\u4e00-\u9fff]{2}")


def problem_of(answer: Any) -> dict[str, Any]:
    """A fault in the shape that the contract gives it."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)[:300]
    body: dict[str, Any] = answer.json
    assert {"type", "title", "status", "code", "request_id"} <= set(body)
    assert body["status"] == answer.status_code and body["type"].endswith(body["code"])
    assert re.fullmatch(r"[a-z_]+", body["code"]) and CHINESE.search(body["title"])
    assert body["request_id"] == answer.headers["X-Request-ID"]
    for fault in body.get("errors", []):
        assert set(fault) == {"path", "code", "message"} and CHINESE.search(fault["message"])
        assert fault["path"] == "" or fault["path"].startswith("/")
        assert re.fullmatch(r"[a-z_]+", fault["code"])
    whole = answer.get_data(as_text=True)
    for inside in ("Traceback", "sqlalchemy", "psycopg", "SELECT ", "INSERT ", "sqlite3", "pydantic", ".py"):
        assert inside not in whole, whole[:300]
    return body


def sent(person: Person, method: str, path: str, data: bytes, media_type: str = "application/json") -> Any:
    """What raw bytes are answered with."""
    return person.call(method, path, data=data, content_type=media_type)
