"""The fork server: bounded, shut in, had again after whatever happens to it, and gone with its server."""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from assets.files.pictures import fork_servers, picture_worker
from assets.files.pictures.fork_servers import TIMEOUT, ForkServer
from assets.files.pictures.picture_server import NO_ROOM
from core.clock import TimeLimit
from core.errors import Problem
from tests.assets.test_document_conversion import has_landlock

ODD = "tests.assets.odd_picture_worker"
ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60.0

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")


@pytest.fixture
def odd() -> Iterator[ForkServer]:
    server = ForkServer(ODD)
    yield server
    server.stop()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"")
    return path


def ample() -> TimeLimit:
    return TimeLimit(PATIENCE)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, or will have in a moment."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


def pid_written(target: Path) -> int:
    """The child that hangs writes its number before it does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if target.exists() and (text := target.read_text()):
            return int(text)
        time.sleep(0.02)
    raise AssertionError("no child came")


def test_it_is_started_when_it_is_first_needed_and_stays(odd: ForkServer, source: Path, tmp_path: Path) -> None:
    assert odd.pid is None
    source.write_bytes(b"some bytes")
    assert odd.ask(b"c", source, tmp_path / "target", ample()) == {"copied": True}
    first = odd.pid
    assert first is not None and (tmp_path / "target").read_bytes() == b"some bytes"
    source.write_bytes(b"")
    one, other = (odd.ask(b"?", source, tmp_path / "target", ample()) for _ in range(2))
    assert odd.pid == one["parent"] == other["parent"] == first and one["pid"] != other["pid"]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (b"9", {"returncode": -signal.SIGKILL}),
        (b"x", {"returncode": -signal.SIGXCPU}),
        (b"s", {"returncode": -signal.SIGSEGV}),
        (b"a", {"returncode": -signal.SIGABRT}),
        (b"m", {"returncode": 1}),
        (b"q", {"returncode": NO_ROOM}),
    ],
)
def test_a_child_that_dies_says_how_and_takes_nobody_along(
    odd: ForkServer, source: Path, tmp_path: Path, asked: bytes, answer: dict[str, Any]
) -> None:
    assert odd.ask(b"c", source, tmp_path / "target", ample()) == {"copied": True}
    before = odd.pid
    assert odd.ask(asked, source, tmp_path / "target", ample()) == answer
    assert odd.ask(b"c", source, tmp_path / "target", ample()) == {"copied": True} and odd.pid == before


def test_a_child_that_hangs_is_ended(
    odd: ForkServer, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_servers, "TIMEOUT", 0.5)
    assert odd.ask(b"h", source, tmp_path / "target", ample()) == {"timeout": True}
    assert is_gone(int((tmp_path / "target").read_text()))
    monkeypatch.undo()
    first = odd.pid
    assert odd.ask(b"c", source, tmp_path / "target", ample()) == {"copied": True} and odd.pid == first


def test_who_has_less_time_than_a_picture_may_take_ends_the_child_and_not_the_server(
    odd: ForkServer, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_servers, "GRACE", PATIENCE)  # so that a busy machine is not taken for one that hangs
    odd.ask(b"c", source, tmp_path / "target", TimeLimit(PATIENCE * 2))
    first = odd.pid
    assert odd.ask(b"h", source, tmp_path / "target", TimeLimit(PATIENCE + 1)) == {"timeout": True}
    assert odd.pid == first is not None


def test_who_has_no_time_left_is_refused_and_nobody_is_asked(odd: ForkServer, source: Path, tmp_path: Path) -> None:
    odd.ask(b"c", source, tmp_path / "target", ample())
    first = odd.pid
    with pytest.raises(Problem) as refused:
        odd.ask(b"c", source, tmp_path / "target", TimeLimit(0))
    assert refused.value.code == "not_ready" and odd.pid == first


def test_one_that_never_comes_up_is_waited_for_no_longer_than_there_is_time(source: Path, tmp_path: Path) -> None:
    silent = ForkServer("tests.assets.worker_that_never_starts")
    with pytest.raises(Problem) as refused:
        silent.ask(b"c", source, tmp_path / "target", TimeLimit(0.5))
    assert refused.value.code == "not_ready" and silent.pid is None


@on_linux
def test_a_child_is_bounded_in_memory_time_and_output(odd: ForkServer, source: Path, tmp_path: Path) -> None:
    limits = odd.ask(b"?", source, tmp_path / "target", ample())["limits"]
    assert limits["RLIMIT_AS"] == [picture_worker.MEMORY] * 2 and picture_worker.MEMORY <= 1024**3
    assert limits["RLIMIT_FSIZE"][1] <= 256 * 1024**2 and limits["RLIMIT_CORE"] == [0, 0]
    # The hard limit kills as a machine does that is out of memory: the soft one comes first.
    soft, hard = limits["RLIMIT_CPU"]
    assert soft < hard <= 30 and soft < TIMEOUT


@on_linux
def test_the_fork_server_itself_is_bounded_in_memory_and_not_in_time(
    odd: ForkServer, source: Path, tmp_path: Path
) -> None:
    odd.ask(b"c", source, tmp_path / "target", ample())
    assert odd.pid is not None
    assert resource.prlimit(odd.pid, resource.RLIMIT_AS) == (picture_worker.MEMORY,) * 2
    assert resource.prlimit(odd.pid, resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY


def test_a_child_has_nothing_of_the_server_and_nothing_of_other_pictures(
    odd: ForkServer, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_KEY", "secret")
    (tmp_path / "secret").write_text("secret")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    hanging = ThreadPoolExecutor(1)
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "secret").open() as kept:
        os.set_inheritable(kept.fileno(), True)
        busy = hanging.submit(odd.ask, b"h", source, tmp_path / "hanging", ample())
        child = pid_written(tmp_path / "hanging")
        asked = tmp_path / "asked"
        asked.write_text(f"{listener.getsockname()[1]}\n")
        told = odd.ask(b"?", asked, tmp_path / "target", ample())
        assert "DATA_KEY" not in told["environment"]
        # Besides the two files: nothing, nothing (1 and 2 are /dev/null), and the socket of its answer.
        assert len(told["descriptors"]) == 3 and told["descriptors"][:2] == [1, 2]
        os.kill(child, signal.SIGKILL)
        assert busy.result() == {"returncode": -signal.SIGKILL}
    for descriptor in (read, write):
        os.close(descriptor)
    hanging.shutdown()


@pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")
def test_a_child_can_open_no_file(odd: ForkServer, source: Path, tmp_path: Path) -> None:
    secret = tmp_path / "app.sqlite3"
    secret.write_text("secret")
    source.write_text(f"0\n{secret}\n/etc/passwd\n/proc/self/environ\n{__file__}\n")
    assert odd.ask(b"?", source, tmp_path / "target", ample())["reads"] == []


@pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")
def test_a_child_reaches_no_network(odd: ForkServer, source: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        source.write_text(f"{listener.getsockname()[1]}\n")
        assert odd.ask(b"?", source, tmp_path / "target", ample())["connects"] is False


def test_a_fork_server_that_was_killed_is_started_anew_and_the_picture_is_done(
    odd: ForkServer, source: Path, tmp_path: Path
) -> None:
    odd.ask(b"c", source, tmp_path / "target", ample())
    first = odd.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    source.write_bytes(b"after")
    assert odd.ask(b"c", source, tmp_path / "target", ample()) == {"copied": True}
    assert (tmp_path / "target").read_bytes() == b"after" and odd.pid != first


@on_linux
def test_a_fork_server_that_is_killed_takes_its_children_along(odd: ForkServer, source: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(odd.ask, b"h", source, tmp_path / "target", ample())
        child, first = pid_written(tmp_path / "target"), odd.pid
        assert first is not None
        (tmp_path / "target").write_text("")
        os.kill(first, signal.SIGKILL)
        assert is_gone(child)
        # It is tried once more, with a new fork server, and given up after that.
        again = pid_written(tmp_path / "target")
        assert odd.pid not in (None, first)
        os.kill(odd.pid, signal.SIGKILL)
        with pytest.raises(Problem) as refused:
            busy.result()
        assert is_gone(again)
    assert (refused.value.code, refused.value.status) == ("not_ready", 503) and refused.value.retry_after


def test_a_fork_server_that_does_not_answer_is_replaced(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = ForkServer(ODD)
    odd.ask(b"c", source, tmp_path / "target", ample())
    first = odd.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(fork_servers, "GRACE", 0.5)
    monkeypatch.setattr(fork_servers, "TIMEOUT", 0.5)
    with pytest.raises(Problem) as refused:
        odd.ask(b"c", source, tmp_path / "target", ample())
    assert refused.value.code == "not_ready" and is_gone(first)
    monkeypatch.undo()
    assert odd.ask(b"c", source, tmp_path / "target", ample()) == {"copied": True}
    odd.stop()


def test_one_that_cannot_be_started_is_said_so(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem) as refused:
        ForkServer("tests.assets.no_such_worker").ask(b"c", source, tmp_path / "target", ample())
    assert refused.value.code == "not_ready"


def test_many_threads_share_one_and_each_gets_its_own_answer_while_it_is_killed_again_and_again(
    odd: ForkServer, tmp_path: Path
) -> None:
    done, stop = [0], threading.Event()

    def killing() -> None:
        while not stop.is_set():
            pid = odd.pid
            if pid is not None and done[0] % 5 == 4:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            stop.wait(0.01)

    def copying(number: int) -> bool:
        mine, target = tmp_path / f"source-{number}", tmp_path / f"target-{number}"
        mine.write_text(f"picture {number}")
        try:
            told = odd.ask(b"c", mine, target, ample())
        except Problem as problem:
            return problem.code == "not_ready"
        finally:
            done[0] += 1
        return told == {"copied": True} and target.read_text() == f"picture {number}"

    killer = threading.Thread(target=killing)
    killer.start()
    try:
        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(copying, range(60)))
    finally:
        stop.set()
        killer.join()
    assert copying(1000)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind_when_the_process_that_started_it_ends(
    source: Path, tmp_path: Path, how: signal.Signals
) -> None:
    program = (
        "import sys, threading, pathlib\n"
        "from assets.files.pictures.fork_servers import ForkServer\n"
        "from core.clock import TimeLimit\n"
        "source, target = map(pathlib.Path, sys.argv[1:])\n"
        f"odd = ForkServer({ODD!r})\n"
        "odd.ask(b'c', source, target, TimeLimit(60))\n"
        "print(odd.pid, flush=True)\n"
        "odd.ask(b'h', source, target, TimeLimit(60))\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program, str(source), str(tmp_path / "target")], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    fork_server, child = int(owner.stdout.readline()), pid_written(tmp_path / "target")
    os.kill(owner.pid, how)
    owner.wait()
    owner.stdout.close()
    assert is_gone(fork_server) and is_gone(child)


def test_a_process_that_is_forked_has_one_of_its_own(odd: ForkServer, source: Path, tmp_path: Path) -> None:
    odd.ask(b"c", source, tmp_path / "target", ample())
    first, (reading, writing) = odd.pid, os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            odd.ask(b"c", source, tmp_path / "target", ample())
            os.write(writing, str(odd.pid).encode())
            odd.stop()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    own = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    assert own != first and is_gone(own)
    assert odd.ask(b"c", source, tmp_path / "target", ample()) == {"copied": True} and odd.pid == first
