"""Uploads: time and memory of a 20 MiB PDF in a worker, against bare Flask, and memory of the child for a picture."""

import http.client
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from PIL import Image

from bench import city
from bench.databases import place
from bench.server import ROOT, Server, serving
from bench.tables import print_table

SIZE = 20 * 1024 * 1024 - 4096
ROUNDS, QUICK_ROUNDS = 12, 4
MEMORY_TARGET, RATIO_TARGET = 10.0, 0.6
BOUNDARY = "gongpin-bench"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def pdf(number: int) -> bytes:
    """A minimal PDF; each is different, so that none counts as a repeated upload."""
    head, tail = b"%%PDF-1.7\n%%%08d\n" % number, b"\nstartxref\n0\n%%EOF\n"
    return head + os.urandom(SIZE - len(head) - len(tail)) + tail


def form(content: bytes, name: str, purpose: str) -> bytes:
    """The multipart body of an upload."""
    lines = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return lines.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


class Client:
    """One keep-alive connection."""

    def __init__(self, server: Server, token: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def up(self, path: str, body: bytes, content_type: str) -> str:
        """Send a body; the answer's id."""
        self._connection.request("POST", path, body, {**self._headers, "Content-Type": content_type})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")
        return text.split(b'"id":', 1)[1].split(b'"')[1].decode()

    def down(self, path: str) -> int:
        """Fetch a file; its size in bytes."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        size = 0
        while piece := answer.read(1024 * 1024):
            size += len(piece)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return size


def seconds(work: Callable[[], object]) -> float:
    """Duration of the work in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _memory(pid: int, name: str) -> float:
    """A value of `/proc/PID/status`, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {name}")


def grown(server: Server, work: Callable[[], object]) -> float:
    """Peak memory of the only worker during the work, minus its memory before, in MiB."""
    [worker] = server.workers()
    before = _memory(worker, "VmRSS")
    Path(f"/proc/{worker}/clear_refs").write_text("5")
    work()
    return _memory(worker, "VmHWM") - before


class _Runs:
    """Sends one PDF after the other to our routes and the bare ones; times in seconds, memory in MiB."""

    def __init__(self, server: Server, ours: Client, bare: Client) -> None:
        self.server, self.ours, self.bare = server, ours, bare
        self.times: dict[str, list[float]] = {name: [] for name in ("up", "raw", "multipart", "down", "bare down")}
        self.memory_up = self.memory_down = 0.0
        self._id = self._bare_id = ""

    def one(self, content: bytes) -> None:
        """A round: each route once."""
        body = form(content, "report.pdf", "template")
        self.memory_up = max(self.memory_up, grown(self.server, lambda: self._timed("up", lambda: self._up(body))))
        self._timed("raw", lambda: self._raw(content))
        self._timed("multipart", lambda: self.bare.up("/multipart", body, MULTIPART))
        self.memory_down = max(self.memory_down, grown(self.server, lambda: self._timed("down", self._down)))
        self._timed("bare down", lambda: self.bare.down(f"/{self._bare_id}"))

    def _timed(self, name: str, work: Callable[[], object]) -> None:
        self.times[name].append(seconds(work))

    def _up(self, body: bytes) -> None:
        self._id = self.ours.up("/api/v1/files", body, MULTIPART)

    def _raw(self, content: bytes) -> None:
        self._bare_id = self.bare.up("/raw", content, "application/pdf")

    def _down(self) -> None:
        self.ours.down(f"/api/v1/files/{self._id}")


def large_files(dialect: str, rounds: int) -> None:
    """Upload and download 20 MiB, alternating with the bare routes, so that a slow moment affects both."""
    with place(dialect) as ours, place("sqlite") as bare_place:
        token = city.found(ours).counties[0].token
        with (
            serving("app:create_app()", ours, workers=1) as server,
            serving("bench.bare_files:create_app()", bare_place, workers=1) as bare,
        ):
            client, plain = Client(server, token), Client(bare)
            first = form(pdf(0), "report.pdf", "template")
            cold = grown(server, lambda: client.up("/api/v1/files", first, MULTIPART))
            runs = _Runs(server, client, plain)
            for number in range(1, rounds + 1):
                runs.one(pdf(number))
    middle = {name: median(values) for name, values in runs.times.items()}
    ratio = middle["multipart"] / middle["up"]
    rows = [
        ["up", "up", f"{runs.memory_up:.1f} (first: {cold:.1f})"],
        ["down", "down", f"{runs.memory_down:.1f}"],
        ["bare Flask, the same multipart body to disk", "multipart", ""],
        ["bare Flask, raw body to disk", "raw", ""],
        ["bare Flask, from disk", "bare down", ""],
    ]
    print_table(
        f"20 MiB PDF, one worker, {dialect} + local folder",
        ["", "milliseconds", "MiB/s", "worker grows by MiB"],
        [[label, f"{middle[key] * 1000:.0f}", f"{20 / middle[key]:.0f}", memory] for label, key, memory in rows],
    )
    print(
        f"up: {ratio:.2f} of bare Flask with the same body (target {RATIO_TARGET}), "
        f"{middle['raw'] / middle['up']:.2f} of a raw body; down: {middle['bare down'] / middle['down']:.2f} "
        f"of bare Flask; memory target {MEMORY_TARGET:.0f} MiB"
    )


def pictures() -> None:
    """Memory of the child that processes a picture; the time of photos is measured in `bench/photos.py`."""
    made = {
        "JPEG of 40 megapixels for printing": _flat((8000, 5000), "CMYK"),
        "48 megapixels, made smaller": _flat((8000, 6000)),
        "PNG of 40 megapixels with transparency": _flat((8000, 5000), "RGBA"),
    }
    print_table(
        "Memory of the picture's child, highest point",
        ["", "MiB"],
        [[name, f"{child_memory(content):.0f}"] for name, content in made.items()],
    )


def _flat(size: tuple[int, int], mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, "PNG" if mode == "RGBA" else "JPEG")
    return out.getvalue()


def child_memory(content: bytes) -> float:
    """Peak resident memory in MiB of a process that does the child's work; it is the only child of a process."""
    child = (
        "import io, sys; from assets.files.pictures import picture_worker as worker; "
        "worker.bound_server(); worker.warm_up(); "
        "worker.bound_child(); done = worker.work(b'J', sys.stdin.buffer, io.BytesIO()); assert 'width' in done, done"
    )
    asked = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", asked, sys.executable, "-c", child]
    with tempfile.TemporaryFile() as source:  # the child maps it
        source.write(content)
        source.seek(0)
        done = subprocess.run(command, stdin=source, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return int(done.stdout) / 1024


def report(dialects: list[str], *, quick: bool) -> None:
    """Print the tables."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for dialect in dialects:
        large_files(dialect, QUICK_ROUNDS if quick else ROUNDS)
    pictures()
