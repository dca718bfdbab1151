"""What looks at uploads hangs: the phone is answered in time with what to do, and the next upload goes through."""

import os
import signal
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from assets.files import thumbnails, uploading
from assets.files.documents import documents
from assets.files.file_types import FILE_TYPES
from assets.files.pictures import fork_servers, pictures
from core.clock import TimeLimit
from core.errors import Problem
from core.gateways.clamd import Clamd
from enterprise.production.operations import TEMPLATE
from miniapp_api.http.file_places import FilePlaces
from tests import paperwork
from tests.assets.test_fork_servers import is_gone
from tests.people import Person
from tests.silent_services import silent_service

LIMIT = 20.0
"""Seconds that a phone can bear to wait for a file in all."""
AMPLE = 30.0


def upload(person: Person, content: bytes, name: str, purpose: str) -> TestResponse:
    return person.call("POST", "/files", data={"file": (BytesIO(content), name), "purpose": purpose})


def assert_put_off(answer: TestResponse) -> None:
    assert answer.status_code == 503 and answer.json is not None
    assert answer.json["code"] == "not_ready" and int(answer.headers["Retry-After"]) > 0
    assert answer.json["detail"] == "服务器正忙，文件没有处理完，请稍后重试"


def test_a_fork_server_that_hangs_costs_a_picture_no_more_than_the_limit_and_the_next_upload_works(
    county_inspector: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert upload(county_inspector, paperwork.png(), "一.png", "photo").status_code == 201
    hanging = pictures._fork_server.pid
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)
    began = time.monotonic()
    with monkeypatch.context() as patched:
        patched.setattr(uploading, "SECONDS", fork_servers.GRACE + 2, raising=False)
        assert_put_off(upload(county_inspector, paperwork.png(), "二.png", "photo"))
    assert time.monotonic() - began < AMPLE
    assert upload(county_inspector, paperwork.png(), "三.png", "photo").status_code == 201
    assert is_gone(hanging)


def test_a_thumbnail_is_not_waited_for_any_longer(county_inspector: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = upload(county_inspector, paperwork.png(), "一.png", "photo").json
    assert sent is not None and pictures._fork_server.pid is not None
    os.kill(pictures._fork_server.pid, signal.SIGSTOP)
    began = time.monotonic()
    with monkeypatch.context() as patched:
        patched.setattr(thumbnails, "SECONDS", fork_servers.GRACE + 2, raising=False)
        assert_put_off(county_inspector.get(f"/files/{sent['id']}/thumbnail"))
    assert time.monotonic() - began < AMPLE
    assert county_inspector.get(f"/files/{sent['id']}/thumbnail").status_code == 200


def test_a_document_whose_check_hangs_is_put_off(
    county_inspector: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "worker.py"
    program.write_text("import signal; signal.pause()")
    began = time.monotonic()
    with monkeypatch.context() as patched:
        patched.setattr(documents, "_PROGRAM", program)
        patched.setattr(uploading, "SECONDS", 2, raising=False)
        assert_put_off(upload(county_inspector, paperwork.pdf(), "报告.pdf", "self_check_report"))
    assert time.monotonic() - began < AMPLE
    assert upload(county_inspector, paperwork.pdf(), "报告.pdf", "self_check_report").status_code == 201


def test_all_steps_of_a_file_together_keep_within_the_limit() -> None:
    place = FilePlaces()
    assert max(place.uploads.patience, place.downloads.patience) + max(uploading.SECONDS, thumbnails.SECONDS) <= LIMIT
    # What hangs is found out while there is time, and the bounds that a file itself meets come before that.
    assert fork_servers.TIMEOUT + fork_servers.GRACE < uploading.SECONDS
    assert documents.TIMEOUT < uploading.SECONDS


def test_who_has_no_time_left_does_not_ask_the_scanner() -> None:
    with silent_service() as service, pytest.raises(Exception, match="no time left"):
        Clamd(f"127.0.0.1:{service.port}").scan(BytesIO(b"x"), 0.0)
    assert service.connections == 0


@pytest.mark.parametrize("room", [pictures, documents])
def test_nobody_waits_for_a_place_longer_than_there_is_time(
    room: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = threading.BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(room, "_places", taken)
    source = tmp_path / "source"
    source.write_bytes(paperwork.pdf() if room is documents else paperwork.png())
    ask: dict[Any, Callable[[], object]] = {
        pictures: lambda: pictures.make_thumbnail(source, tmp_path / "target", TimeLimit(0.2)),
        documents: lambda: documents.check(source, FILE_TYPES[".pdf"], TEMPLATE, TimeLimit(0.2)),
    }
    began = time.monotonic()
    with pytest.raises(Problem) as refused:
        ask[room]()
    assert refused.value.code == "not_ready" and time.monotonic() - began < AMPLE
