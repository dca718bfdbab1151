"""The servers to measure, each on a free port of this machine: the one that `make run` starts, and the baselines."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.databases import Place
from cli.serving import THREADS, WORKERS

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0
"""Seconds that a server may take to start or to stop."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `pid` is gunicorn's arbiter."""

    port: int
    pid: int

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


DATA_KEY = "a key for measurements only, long enough"


def product(place: Place, *, root: Path = ROOT, **settings: str) -> AbstractContextManager[Server]:
    """The product, started as by `make run`; `settings` are added to its environment, `root` is the checkout."""
    program = "cli/__main__.py" if (root / "cli").is_dir() else "app.py"  # `app.py` up to 0.3.0
    return _running(place, lambda _port: [sys.executable, program, "serve"], WORKERS, settings, root)


def serving(target: str, place: Place, *, workers: int = WORKERS) -> AbstractContextManager[Server]:
    """A WSGI target such as `bench.bare:create_app()`, with the same server and worker class as the product."""

    def command(port: int) -> list[str]:
        return [
            sys.executable, "-m", "gunicorn", target, "--bind", f"127.0.0.1:{port}",
            "--worker-class", "cli.worker.PatientWorker",
            "--workers", str(workers), "--threads", str(THREADS), "--keep-alive", "5", "--timeout", "60",
            "--log-level", "warning", "--no-control-socket",
        ]  # fmt: skip

    return _running(place, command, workers, {})


@contextmanager
def _running(
    place: Place, command: Callable[[int], list[str]], workers: int, settings: Mapping[str, str], root: Path = ROOT
) -> Iterator[Server]:
    """Run a server with its workers until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = place.folder / f"{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(port),
            cwd=root,
            env={**_environment(place, port), **settings},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        _wait_until_up(process, port, log)
        server = Server(port, process.pid)
        while len(server.workers()) < workers:
            time.sleep(0.05)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _environment(place: Place, port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME", "LANG", "PG"))}
    return {
        **inherited,
        "ENVIRONMENT": "installation",
        "DATABASE_URL": place.url,
        "DATA_DIR": str(place.folder),
        "DATA_KEY": DATA_KEY,
        "DEMO": "0",
        "PORT": str(port),
    }


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if connection.recv(12).startswith(b"HTTP/1.1"):
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")
