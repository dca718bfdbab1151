"""Starting and stopping, as a newcomer does it: really, in a process of its own."""

import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import time_machine
from sqlalchemy import text

from cli import preparation, serving
from core.config import Settings
from core.db import Base, Database
from tests import paperwork
from tests.demo_folder import demo_folder
from tests.servers import ROOT, free_port, server_process, wait_until_ready

SHIPPED_FORMS = sum(len(list((ROOT / folder).glob("*.json"))) for folder in preparation.FORM_FOLDERS)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_of(tmp_path)


def environment_of(folder: Path) -> dict[str, str]:
    """What the server is started with: a data folder that is not there yet, a free port, nothing else."""
    outside = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "DEMO")}
    return {**outside, "DATA_DIR": str(folder / "data"), "HOST": "127.0.0.1", "PORT": str(free_port())}


def start(environment: dict[str, str], *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command or [sys.executable, "cli/__main__.py", "serve"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def run_once(
    environment: dict[str, str], stop: signal.Signals = signal.SIGTERM, meanwhile: Callable[[str], None] | None = None
) -> str:
    """Start, wait until ready, ask for the start page, call `meanwhile`, stop; returns what was printed."""
    process = start(environment)
    base = f"http://127.0.0.1:{environment['PORT']}"
    try:
        wait_until_ready(base, process)
        with urllib.request.urlopen(f"{base}/", timeout=5) as answer:
            assert answer.status == 200
        if meanwhile is not None:
            meanwhile(base)
    finally:
        process.send_signal(stop)
        try:
            printed, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, printed.decode()
    with socket.socket() as listener:  # nobody is left who listens
        assert listener.connect_ex(("127.0.0.1", int(environment["PORT"]))) != 0
    return printed.decode()


def state(data_dir: Path) -> tuple[dict[str, int], dict[str, tuple[str, int]]]:
    """How many rows each table has; content and time of every file."""
    database = Database(f"sqlite:///{data_dir / 'gongpin.sqlite3'}")
    with database.read() as session:
        rows = {
            name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in Base.metadata.tables
        }
    database.dispose()
    files = {
        str(path.relative_to(data_dir)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in data_dir.rglob("*")
        if path.is_file()
    }
    return rows, files


@dataclass
class FirstStart:
    """A server's first start, which loaded the demo, and has ended."""

    environment: dict[str, str]
    data: Path
    printed: str
    fetched: list[requests.Response]
    """One file of the demo, fetched eight times: by whichever worker answered."""


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    """Made once for all tests that look at one: loading the demo takes longer than all they do."""
    folder = tmp_path_factory.mktemp("first-start")
    environment, data, fetched = environment_of(folder), folder / "data", list[requests.Response]()

    def fetch(base: str) -> None:
        accounts = json.loads((data / "demo-accounts.json").read_text())
        reviewer = next(a for a in accounts if "licence_reviewer" in a["roles"])
        sent = {"username": reviewer["username"], "password": reviewer["password"]}
        token = requests.post(f"{base}/api/v1/sessions", json=sent, timeout=10).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        topics = requests.get(f"{base}/api/v1/self-check-topics", headers=headers, timeout=10).json()["items"]
        address = f"{base}/api/v1/files/{topics[0]['template_file_id']}"
        fetched.extend(requests.get(address, headers=headers, timeout=10) for _ in range(8))

    return FirstStart(environment, data, run_once(environment, meanwhile=fetch), fetched)


def test_the_first_start_says_where_to_go_and_the_second_changes_nothing(first_start: FirstStart) -> None:
    environment, data, printed = first_start.environment, first_start.data, first_start.printed
    base = f"http://127.0.0.1:{environment['PORT']}"
    assert f"{base}/api/docs/" in printed and f"{base}/api/v1/openapi.json" in printed
    accounts = json.loads((data / "demo-accounts.json").read_text())
    assert all(f"{a['username']} " in printed and a["password"] in printed for a in accounts)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for name in ("demo-accounts.json", "data.key", "gongpin.sqlite3"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600, name

    before = state(data)
    again = run_once(environment, stop=signal.SIGINT)
    assert state(data) == before
    assert not any(a["password"] in again for a in accounts) and "demo-accounts.json" in again
    assert "首次启动" in printed and "首次启动" not in again


def test_what_the_first_start_stored_can_be_fetched_from_every_worker(first_start: FirstStart) -> None:
    # The library that stores files does not survive a fork: used before it, every fetch would hang.
    assert len(first_start.fetched) == 8
    assert all(file.status_code == 200 and file.content for file in first_start.fetched)


def decoders_of(server: int) -> list[int]:
    """The fork servers of the workers of a server."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            grandparent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
            if grandparent == server and b"picture_server" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("stop", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.only_in_rounds)])
def test_what_decodes_pictures_is_there_when_one_comes_and_gone_when_the_server_stops(
    tmp_path_factory: pytest.TempPathFactory, stop: signal.Signals
) -> None:
    data = demo_folder(tmp_path_factory)
    with server_process(data) as (base, process):
        accounts = json.loads((data / "demo-accounts.json").read_text())
        inspector = next(a for a in accounts if "inspector" in a["roles"])
        sent = {"username": inspector["username"], "password": inspector["password"]}
        token = requests.post(f"{base}/api/v1/sessions", json=sent, timeout=10).json()["token"]
        assert decoders_of(process.pid) == []
        signature = {"file": ("签名.png", paperwork.png())}
        answer = requests.post(
            f"{base}/api/v1/files", headers={"Authorization": f"Bearer {token}"}, files=signature,
            data={"purpose": "signature"}, timeout=60,
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        [decoder] = decoders_of(process.pid)
        process.send_signal(stop)
        assert process.wait(60) == 0
        deadline = time.monotonic() + 60
        while Path(f"/proc/{decoder}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not Path(f"/proc/{decoder}").exists()


@pytest.mark.in_make_test
def test_without_the_demo_it_starts_empty(environment: dict[str, str], tmp_path: Path) -> None:
    printed = run_once({**environment, "DEMO": "0"})
    rows, files = state(tmp_path / "data")
    assert (rows["users"], rows["enterprises"], rows["inspections"]) == (0, 0, 0)
    assert rows["regions"] > 3000 and rows["form_versions"] == SHIPPED_FORMS and rows["campaigns"] == 1
    assert "demo-accounts.json" not in files
    assert "demo_tianning" not in printed


def test_the_log_says_that_each_worker_counts_limits_for_itself_without_redis(environment: dict[str, str]) -> None:
    printed = run_once({**environment, "DEMO": "0", "LOG_LEVEL": "INFO"})
    assert "rate_limits_counted_by_each_worker" in printed and "REDIS_URL" in printed


def test_the_start_warns_of_a_year_whose_working_days_are_guessed(
    settings: Settings, database: Database, clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    clock.move_to("2098-11-01T00:00+08:00")
    monkeypatch.setattr(serving.Server, "run", lambda _server: None)
    monkeypatch.setattr(serving, "Figures", lambda *_: None)
    serving.serve(settings.model_copy(update={"port": free_port(), "demo": False}), database)
    warned = capsys.readouterr().err
    assert "2098年的放假安排尚未录入" in warned and "calendar complete 2099" in warned


def test_forms_in_the_data_folder_are_published_and_a_faulty_one_does_not_stop_the_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    own = tmp_path / "data" / "forms"
    own.mkdir(parents=True)
    definition = json.loads((ROOT / "inspection" / "forms" / "gpc-sales.v1.json").read_text())
    (own / "ours.json").write_text(json.dumps(definition | {"version": 99, "title": "本局用语"}))
    (own / "faulty.json").write_text("{")
    printed = run_once({**environment, "DEMO": "0"})
    assert "gpc-sales 第 99 版" in printed
    assert "faulty.json" in printed
    assert state(tmp_path / "data")[0]["form_versions"] == SHIPPED_FORMS + 1


def test_a_port_that_is_taken_is_named_at_once(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(environment["PORT"])))
        other.listen()
        process = start(environment)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert environment["PORT"] in printed.decode() and "PORT=" in printed.decode()
    assert "Traceback" not in printed.decode()


def test_two_first_starts_at_once_load_everything_once(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "cli/__main__.py", "prepare"]
    processes = [start(environment, *command) for _ in range(2)]
    printed = [process.communicate(timeout=120)[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    rows, _ = state(tmp_path / "data")
    assert (rows["users"], rows["enterprises"], rows["inspections"]) == (26, 2280, 190)


def test_figures_of_all_workers_are_gathered(environment: dict[str, str]) -> None:
    process = start({**environment, "DEMO": "0"})
    base = f"http://127.0.0.1:{environment['PORT']}"
    try:
        wait_until_ready(base, process)
        for _ in range(20):
            with urllib.request.urlopen(f"{base}/healthz", timeout=5):
                pass
        with urllib.request.urlopen(f"{base}/metrics", timeout=5) as answer:
            figures = answer.read().decode()
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert 'http_requests_total{method="GET",route="/healthz",status="200"} 20.0' in figures


def test_the_manage_script_runs_from_any_folder(environment: dict[str, str], tmp_path: Path) -> None:
    if not (ROOT / ".venv" / "bin" / "python").exists():
        pytest.skip("there is no .venv")
    answer = subprocess.run(
        [str(ROOT / "manage"), "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "Usage: ./manage" in answer.stdout
    answer = subprocess.run(
        [str(ROOT / "manage"), "users", "list"], cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 2 and "database upgrade" in answer.stderr
