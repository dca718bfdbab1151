"""The product as a process: started the way a newcomer starts it, on a free port of loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(base: str, process: subprocess.Popen[bytes], seconds: float = 120, path: str = "/readyz") -> None:
    """Poll `/readyz`, or another path, until it answers 200; fails when the process ends or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        try:
            with urllib.request.urlopen(f"{base}{path}", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")


@contextmanager
def server_process(
    data_dir: Path, *, constants: str = "", within: Sequence[str] = (), unready: bool = False, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`./manage serve` in a process group of its own; its address, and the process.

    `constants` are statements run before, which may shorten what would take long; `within` is a command that runs the
    server as the very same process; `unready` when something is missing, so that only its being up is waited for.
    """
    port = free_port()
    program = ["-c", f"{constants}\nfrom cli.commands import main\nmain()"] if constants else ["cli/__main__.py"]
    process = subprocess.Popen(
        [*within, sys.executable, *program, "serve"], cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "DATA_DIR": str(data_dir), "PORT": str(port), "HOST": "127.0.0.1", **environment},
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(base, process, path="/healthz" if unready else "/readyz")
        yield base, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def running_server(data_dir: Path, **environment: str) -> Iterator[str]:
    """The same, when only the address is wanted."""
    with server_process(data_dir, **environment) as (base, _process):
        yield base
