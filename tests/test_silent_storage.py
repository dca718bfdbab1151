"""The server as it is really run while S3 accepts and never answers: files wait, and nobody else does."""

import http.client
import json
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from apiflask import APIFlask
from sqlalchemy import insert, select

from accounts.models import User
from assets.files.models import File
from cli.arrivals import Arrival, arrival
from cli.worker import FILE_THREADS
from core import clock
from core.config import Settings
from core.db import Database
from miniapp_api.http import readiness
from miniapp_api.http.file_places import FilePlaces, Places
from miniapp_api.http.readiness import Check, ask_all
from miniapp_api.http.wiring import KEY
from tests.paperwork import docx
from tests.people import PASSWORD, Person
from tests.servers import server_process
from tests.silent_services import SilentService, silent_service

AT_ONCE = 24
"""Of each kind; the server has sixteen ordinary threads."""
LIMIT = 6.0


@pytest.fixture
def service() -> Iterator[SilentService]:
    with silent_service() as found:
        yield found


@pytest.fixture
def base(settings: Settings, service: SilentService, tmp_path: Path) -> Iterator[str]:
    with server_process(
        tmp_path, DATABASE_URL=settings.database_url, DATA_KEY=settings.data_key.get_secret_value(), DEMO="0",
        LOG_LEVEL="ERROR", S3_BUCKET="bucket", S3_ENDPOINT=service.url, S3_ACCESS_KEY_ID="a",
        S3_SECRET_ACCESS_KEY="b", S3_TIMEOUT=str(LIMIT), unready=True,
    ) as (base, _):  # fmt: skip
        yield base


@pytest.fixture
def stored(settings: Settings) -> list[str]:
    """Files of the inspector whose bytes lie in the bucket."""
    database = Database(settings.database_url)
    ids, now = [uuid.uuid4() for _ in range(AT_ONCE)], clock.now()
    with database.write() as session:
        user = session.scalars(select(User.id).where(User.username == "county_inspector")).one()
        rows = [
            {
                "id": one, "purpose": "photo", "original_name": "证据.jpg", "extension": ".jpg",
                "media_type": "image/jpeg", "size": 10, "sha256": "0" * 64, "sent_sha256": one.hex * 2,
                "stored_key": f"uploads/aa/{one.hex}", "uploaded_by": user, "uploaded_at": now, "unclaimed_since": now,
            }
            for one in ids
        ]  # fmt: skip
        session.execute(insert(File), rows)
    database.dispose()
    return [str(one) for one in ids]


def sign_in(base: str) -> str:
    body = {"username": "county_inspector", "password": PASSWORD}
    return str(requests.post(f"{base}/api/v1/sessions", json=body, timeout=60).json()["token"])


def sent(base: str, request: bytes) -> socket.socket:
    address = urlsplit(base)
    sock = socket.create_connection((address.hostname, address.port or 80), timeout=60)
    sock.sendall(request)
    return sock


def upload(token: str, content: bytes) -> bytes:
    form = requests.Request(
        "POST", "http://x/api/v1/files", files={"file": ("自查报告.docx", content)},
        data={"purpose": "self_check_report"}, headers={"Authorization": f"Bearer {token}"},
    ).prepare()  # fmt: skip
    head = "\r\n".join(f"{name}: {value}" for name, value in form.headers.items())
    assert isinstance(form.body, bytes)
    return f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + form.body


def answered(sock: socket.socket) -> tuple[int, dict[str, Any], str | None]:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, json.loads(answer.read()), answer.headers["Retry-After"]


def still_waiting(socks: list[socket.socket]) -> int:
    count = 0
    for sock in socks:
        sock.setblocking(False)
        try:
            sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            count += 1
        sock.settimeout(60)
    return count


def test_uploads_and_downloads_that_wait_for_a_silent_storage_hold_up_nobody_and_are_told_to_come_back(
    base: str, stored: list[str], service: SilentService
) -> None:
    token = sign_in(base)
    headers, bearer = {"Authorization": f"Bearer {token}"}, f"Authorization: Bearer {token}\r\n\r\n"
    with ExitStack() as stack:
        waiting = [
            stack.enter_context(sent(base, upload(token, docx(f"第{number}份"))))  # small: it came at once
            for number in range(AT_ONCE)
        ]
        waiting += [
            stack.enter_context(sent(base, f"GET /api/v1/files/{one} HTTP/1.1\r\nHost: x\r\n{bearer}".encode()))
            for one in stored
        ]  # fmt: skip
        beside = 0
        for _ in range(10):  # whichever worker answers
            assert requests.get(f"{base}/healthz", timeout=60).status_code == 200
            listed = requests.get(f"{base}/api/v1/inspections", headers=headers, timeout=60)
            assert listed.status_code == 200
            if still_waiting(waiting) == 0:  # on a slow machine their time is over before
                break
            beside += 1
        assert beside > 0
        ready = requests.get(f"{base}/readyz", timeout=60)
        assert ready.status_code == 503 and ready.json()["checks"]["storage"] != "ok"
        outcomes = [answered(sock) for sock in waiting]
    assert {status for status, *_ in outcomes} == {503}
    told = Counter(problem["code"] for _, problem, _ in outcomes)
    assert set(told) <= {"storage_unavailable", "busy"} and told["storage_unavailable"] > 0
    assert all(int(retry or 0) > 0 for *_, retry in outcomes)
    assert all("稍后重试" in problem["title"] for _, problem, _ in outcomes)


def test_whatever_moves_files_has_threads_of_its_own(application: APIFlask) -> None:
    rules = [rule for rule in application.url_map.iter_rules() if rule.endpoint.startswith("files.")]
    assert len(rules) >= 4
    for rule in rules:
        address = rule.rule.replace("<uuid:file_id>", str(uuid.uuid4()))
        for method in (rule.methods or set()) - {"OPTIONS"}:
            for line in (f"{method} {address} HTTP/1.1", f"{method} {address}?a=b HTTP/1.1"):
                assert arrival(f"{line}\r\nHost: x\r\n\r\n".encode()) is Arrival.FILE
    assert arrival(b"GET /api/v1/filings HTTP/1.1\r\nHost: x\r\n\r\n") is Arrival.WHOLE


def test_there_are_threads_left_to_say_that_all_places_are_taken() -> None:
    places = FilePlaces()
    assert places.uploads.count + places.downloads.count < FILE_THREADS


def test_a_download_gives_its_place_back_whether_it_succeeds_or_fails_or_is_broken_off(
    county_inspector: Person, application: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(1, 0)
    monkeypatch.setattr(application.extensions[KEY].places, "downloads", places)
    sent = {"file": (BytesIO(docx("报告")), "报告.docx"), "purpose": "self_check_report"}
    file = county_inspector.call("POST", "/files", data=sent).json
    assert file is not None
    for _ in range(3):
        assert county_inspector.get(f"/files/{uuid.uuid4()}").status_code == 404
        whole = county_inspector.get(f"/files/{file['id']}")
        assert whole.status_code == 200 and len(whole.data) == file["size"]
        begun = county_inspector.get(f"/files/{file['id']}")
        refused = county_inspector.get(f"/files/{file['id']}")
        assert refused.status_code == 503 and refused.json is not None
        assert (refused.json["code"], refused.headers["Retry-After"]) == ("busy", "5")
        begun.close()
        begun.close()


def test_readiness_waits_for_no_check_and_those_who_ask_at_once_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "SECONDS", 0.2)
    asked, free = [], threading.Event()

    def hangs() -> str:
        asked.append(1)
        free.wait(60)
        return "ok"

    def breaks() -> str:
        raise KeyError("whatever")

    checks = [Check("one", hangs), Check("two", lambda: "ok"), Check("three", breaks)]
    for outcome in [checks[0].begin() for _ in range(3)]:
        assert outcome() == "no answer"
    for _ in range(3):
        assert ask_all(checks) == {"one": "no answer", "two": "ok", "three": "failed"}
    assert len(asked) == 1
    free.set()
    run = checks[0]._run
    assert run is not None and run.ended.wait(60)
    # What was silent a moment ago is not waited for again so soon.
    assert ask_all(checks[:1]) == {"one": "no answer"} and len(asked) == 1
    monkeypatch.setattr(checks[0], "_silent_until", 0.0)
    assert ask_all(checks[:1]) == {"one": "ok"}
