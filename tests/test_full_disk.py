"""A full disk, really: the server's folder is a small file system that is filled up and emptied again."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from cli.serving import WORKERS
from core.config import Settings
from tests.people import PASSWORD, new_id, production, uscc
from tests.servers import server_process
from tests.small_disks import Disk, on_small_disk, why_not

MEBIBYTES = 48
YESTERDAY = (date.today() - timedelta(days=1)).isoformat()

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


class Phone:
    """An inspector who is signed in; each request on a connection of its own, so that both workers are met."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, "Connection": "close"}
        return requests.request(method, f"{self.base}{path}", headers=headers, timeout=30, **more)

    def sign_in(self) -> requests.Response:
        body = {"username": "county_inspector", "password": PASSWORD}
        return self.ask("POST", "/api/v1/sessions", json=body)

    def submit(self, record: str, number: int, photo: str | None = None) -> requests.Response:
        body = production(uscc=uscc(number), check_date=YESTERDAY, remark="很长的备注" * 30)
        if photo is not None:
            body["photos"] = [photo]
        return self.ask("PUT", f"/api/v1/inspections/{record}/submission", json=body)

    def upload(self, file_id: str, content: bytes) -> requests.Response:
        sent = {"file": ("照片.jpg", content, "image/jpeg")}
        return self.ask("POST", "/api/v1/files", files=sent, data={"purpose": "photo", "id": file_id})


def picture(number: int) -> bytes:
    made = BytesIO()
    Image.effect_noise((400, 300), 10 + number).convert("RGB").save(made, "JPEG")
    return made.getvalue()


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    folder.mkdir()
    return folder


@pytest.fixture
def running(settings: Settings, dialect: str, tmp_path: Path, content: Path) -> Iterator[tuple[Phone, Disk, Any]]:
    with started(settings, dialect, tmp_path, content) as server:
        yield server


@contextmanager
def started(
    settings: Settings, dialect: str, tmp_path: Path, content: Path, constants: str = ""
) -> Iterator[tuple[Phone, Disk, subprocess.Popen[bytes]]]:
    """The server with its folder, its log and its temporary files on a small disk; SQLite there too, PostgreSQL not."""
    place = tmp_path / "disk"
    place.mkdir()
    environment = {"DATABASE_URL": settings.database_url}
    if dialect == "sqlite":
        (tmp_path / "test.sqlite3").rename(content / "gongpin.sqlite3")
        environment = {}
    (content / "tmp").mkdir()
    log_to_the_disk = f"import os; os.dup2(os.open('{place}/log', os.O_CREAT | os.O_WRONLY | os.O_APPEND), 2)\n"
    with server_process(
        place, constants=log_to_the_disk + constants, within=on_small_disk(place, content, MEBIBYTES),
        DATA_KEY=settings.data_key.get_secret_value(), DEMO="0", LOG_LEVEL="INFO", TMPDIR=str(place / "tmp"),
        **environment,
    ) as (base, process):  # fmt: skip
        yield Phone(base), Disk(process.pid, place), process


def workers(process: subprocess.Popen[bytes]) -> set[int]:
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def all_workers(process: subprocess.Popen[bytes]) -> set[int]:
    """Once all have been forked: the first may answer before."""
    deadline = time.monotonic() + 60
    while len(workers(process)) < WORKERS and time.monotonic() < deadline:
        time.sleep(0.05)
    return workers(process)


def refused_for_the_disk(answer: requests.Response) -> bool:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    told = answer.json()
    assert "磁盘空间不足" in told["title"] and int(answer.headers["Retry-After"]) > 0
    return (answer.status_code, told["code"]) == (503, "disk_full")


def test_on_a_full_disk_reading_goes_on_writing_is_refused_and_all_comes_back_with_the_room(
    running: tuple[Phone, Disk, subprocess.Popen[bytes]], dialect: str
) -> None:
    phone, disk, process = running
    phone.headers = {"Authorization": f"Bearer {phone.sign_in().json()['token']}"}
    photo, record = new_id(), new_id()
    assert phone.upload(photo, picture(0)).status_code == 201
    assert phone.submit(record, 0, photo).status_code == 201
    before, stored = all_workers(process), disk.files("files")

    disk.fill()
    late, late_photo = new_id(), new_id()
    for number in range(6):  # whichever worker answers
        assert phone.ask("GET", "/healthz").status_code == 200
        ready = phone.ask("GET", "/readyz")
        assert ready.status_code == 200 and ready.json()["checks"]["disk"].startswith("low: ")
        assert phone.ask("GET", "/metrics").status_code == 200
        assert phone.ask("GET", "/api/v1/inspections").json()["total"] >= 1
        assert phone.ask("GET", f"/api/v1/inspections/{record}").status_code == 200
        assert phone.ask("GET", f"/api/v1/files/{photo}").status_code == 200
        assert phone.ask("GET", f"/api/v1/files/{photo}/thumbnail").status_code == 200
        assert refused_for_the_disk(phone.upload(late_photo, picture(1)))
        if dialect == "sqlite":
            assert refused_for_the_disk(phone.submit(late, 1))
            assert refused_for_the_disk(phone.sign_in())
        else:
            assert phone.submit(late, 1).status_code == (201 if number == 0 else 200)
            assert phone.sign_in().status_code == 201
    assert workers(process) == before
    assert disk.files("incoming") == set() and disk.files("files") == stored

    disk.make_room()
    assert phone.upload(late_photo, picture(1)).status_code == 201
    assert phone.submit(late, 1).status_code == (201 if dialect == "sqlite" else 200)
    assert phone.sign_in().status_code == 201
    assert phone.ask("GET", "/api/v1/inspections").json()["total"] == 2


def test_a_worker_that_is_started_on_a_full_disk_reads_as_well(
    running: tuple[Phone, Disk, subprocess.Popen[bytes]],
) -> None:
    phone, disk, process = running
    phone.headers = {"Authorization": f"Bearer {phone.sign_in().json()['token']}"}
    before = all_workers(process)
    disk.fill()
    os.kill(min(before), 9)
    deadline = time.monotonic() + 60
    while len(workers(process) - before) < 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    answered: set[int] = set()
    while len(answered) < 2 and time.monotonic() < deadline:
        for pid in workers(process):
            answered |= {pid} if answers_requests(pid) else set()
        assert phone.ask("GET", "/healthz").status_code == 200
        assert phone.ask("GET", "/api/v1/inspections").json()["total"] == 0
    assert len(workers(process)) == WORKERS


def answers_requests(pid: int) -> bool:
    """Whether the worker has made its application: its jobs' threads are there."""
    return len(list(Path(f"/proc/{pid}/task").iterdir())) >= 3


def test_figures_that_stand_on_the_full_disk_itself_kill_no_worker(
    settings: Settings, tmp_path: Path, content: Path
) -> None:
    """Where there is no shared memory."""
    constants = "import pathlib, cli.worker_figures as figures; figures.SHARED_MEMORY = pathlib.Path('/nowhere')"
    with started(settings, "", tmp_path, content, constants) as (phone, disk, process):
        before = all_workers(process)
        disk.fill()
        for number in range(60):
            assert phone.ask("GET", "/healthz").status_code == 200
            assert phone.ask("GET", f"/api/v1/files/{number}").status_code == 404
        assert workers(process) == before
        assert 'route="/healthz"' in phone.ask("GET", "/metrics").text


def test_whatever_was_acknowledged_while_the_disk_filled_is_there_afterwards_and_once(
    running: tuple[Phone, Disk, subprocess.Popen[bytes]], dialect: str
) -> None:
    phone, disk, _process = running
    phone.headers = {"Authorization": f"Bearer {phone.sign_in().json()['token']}"}
    with (disk.path / "filler").open("ab", buffering=0) as file:
        file.write(bytes(disk.free() - 3 * 1024 * 1024))
    acknowledged, refused = [], []
    for number in range(400):
        record = new_id()
        answer = phone.submit(record, number)
        if answer.status_code == 201:
            acknowledged.append(record)
        else:
            assert refused_for_the_disk(answer)
            refused.append((record, number))
        if number % 5 == 0:
            photo = phone.upload(new_id(), picture(number))
            assert photo.status_code == 201 or refused_for_the_disk(photo)
        if len(refused) == 3 or (dialect == "postgresql" and disk.free() < 65536):
            break
    disk.make_room()
    for record, number in refused:
        assert phone.submit(record, number).status_code == 201
    for record in acknowledged:
        assert phone.ask("GET", f"/api/v1/inspections/{record}").status_code == 200
    assert phone.ask("GET", "/api/v1/inspections").json()["total"] == len(acknowledged) + len(refused)
    assert len(refused) == (3 if dialect == "sqlite" else 0)
    assert disk.files("incoming") == set()
    if dialect == "sqlite":
        with closing(sqlite3.connect(disk.path / "gongpin.sqlite3")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
