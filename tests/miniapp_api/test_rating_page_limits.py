"""What the citizen's pages never do: run what was typed, load from elsewhere, lead away, grow, change by a look."""

import base64
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import select
from werkzeug.serving import make_server

from core.db import Database
from feedback.models import RatingCode
from miniapp_api.http.wiring import KEY
from tests.problems import ONE_DATABASE
from tests.raters import Hall, Page

pytestmark = ONE_DATABASE

TYPED: dict[str, Any] = {"level": 5, "tags5": [510, 517], "rater_name": "张某某", "mobile": "13800000001"}
MARKUP = '<script>alert(1)</script> & "引号" \'<b>粗体</b></textarea><img src=x onerror=alert(1)>'


def test_markup_that_was_typed_is_text_wherever_it_is_shown(hall: Hall) -> None:
    code = hall.code(matter_name=MARKUP)
    bare = hall.open(hall.code())
    shown = hall.send(code, hall.open(code), **{**TYPED, "comment": MARKUP, "rater_name": MARKUP[:30], "mobile": "<i>"})
    page = Page.of(shown)
    assert sorted(set(page.tags)) == sorted({*bare.tags, "ul", "li", "h2"})
    assert (page.fields["comment"], page.fields["mobile"]) == (MARKUP, "<i>")
    assert page.fields["rater_name"] == MARKUP[:30] and MARKUP in page.text
    where = hall.send(code, hall.open(code), **{**TYPED, "comment": MARKUP}).headers["Location"]
    answer = Page.of(hall.get(where))
    assert MARKUP in answer.text and not {"script", "img", "b"} & set(answer.tags)


@pytest.mark.parametrize("typed", ["//evil.example", "/../..", "https://evil.example", "a\r\nSet-Cookie: x=1", "%"])
def test_what_is_typed_as_a_query_code_leads_nowhere_else(hall: Hall, typed: str) -> None:
    answer = hall.client.get("/r/answers", query_string={"code": typed})
    assert answer.status_code == 303
    where = urlsplit(answer.headers["Location"])
    assert (where.scheme, where.netloc) == ("", "") and where.path.startswith("/r/answers")
    assert "Set-Cookie" not in answer.headers


def hashes_of(policy: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.strip().partition(" ") for part in policy.split(";"))}


def test_the_policy_allows_exactly_the_pages_own_style_and_script(hall: Hall) -> None:
    code = hall.code()
    fresh = hall.get(f"/r/{code['token']}")
    faulty = hall.send(code, hall.open(code))
    thanks = hall.get(hall.send(code, hall.open(code), **TYPED).headers["Location"])
    for answer in (fresh, faulty, thanks, hall.get("/r/answers"), hall.get("/r/unknown"), hall.get("/")):
        policy, page = hashes_of(answer.headers["Content-Security-Policy"]), Page.of(answer)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["form-action"] == "'self'"
        for tag, directive in (("style", "style-src"), ("script", "script-src")):
            if tag in page.inline:
                digest = base64.b64encode(hashlib.sha256(page.inline[tag].encode()).digest()).decode()
                assert f"'sha256-{digest}'" in policy[directive].split()
        assert "style" in page.inline
        assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "style")]
        assert "Set-Cookie" not in answer.headers


@contextmanager
def served(application: APIFlask) -> Iterator[tuple[str, int]]:
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield "127.0.0.1", server.server_port
    finally:
        server.shutdown()
        server.server_close()


def bytes_over_the_wire(at: tuple[str, int], path: str) -> bytes:
    with socket.create_connection(at, timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        received = b""
        while more := connection.recv(65536):
            received += more
    return received


def test_the_whole_page_is_less_than_20_kb_over_the_wire_and_needs_nothing_else(
    hall: Hall, application: APIFlask
) -> None:
    code = hall.code(matter_name="特种设备使用登记" * 20, org_name="江苏省常州市天宁区市场监督管理局", window="1号窗口")
    thanks = hall.send(code, hall.open(code), **TYPED).headers["Location"]
    with served(application) as at:
        for path in (f"/r/{code['token']}", thanks, "/r/answers", "/r/unknown"):
            received = bytes_over_the_wire(at, path)
            assert received.startswith(b"HTTP/1") and len(received) < 20_000, (path, len(received))
            assert not re.search(rb"<(?:link|img|iframe|script src)|url\(|@import|https?://", received), path


def test_the_page_lives_without_its_script(hall: Hall) -> None:
    page = hall.open(hall.code())
    assert ("form", "method", "post") in page.attributes and ("button", "value", "send") in page.attributes
    # No field is switched off or hidden until a script switches it on.
    assert not {"disabled", "hidden", "noscript"} & {name for _, name, _ in page.attributes} | {"noscript"} & {
        *page.tags
    }


def test_looking_at_a_page_changes_no_status_and_counts_the_scans(
    hall: Hall, application: APIFlask, clock: time_machine.Traveller, database: Database
) -> None:
    code = hall.code(kind="per_matter")
    for _ in range(3):
        hall.open(code)
    hall.client.head(f"/r/{code['token']}")  # a preview, no scan
    clock.shift(timedelta(days=31))
    assert hall.get(f"/r/{code['token']}").status_code == 410
    application.extensions[KEY].scans.write()
    with database.read() as session:
        kept = session.scalars(select(RatingCode)).one()
    assert (kept.status, kept.version, kept.scans) == ("active", 2, 3)


def test_a_form_that_is_far_too_large_is_refused_with_a_page(hall: Hall) -> None:
    code = hall.code()
    answer = hall.client.post(f"/r/{code['token']}", data={"comment": "很" * 600_000})
    assert answer.status_code == 413 and answer.mimetype == "text/html"
