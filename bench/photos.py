"""A record with a photo (upload and submission) against a bare route that stores the same bytes and two rows."""

import http.client
import io
import itertools
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

import orjson
from PIL import Image

from bench import bodies, city
from bench.bare import metadata
from bench.city import City
from bench.databases import Place, place
from bench.server import Server, product, serving
from bench.tables import print_table, spread
from core.db import make_engine

SIZES = {"300 KB": ((1600, 1200), 58), "3 MB": ((4000, 3000), 80)}
TARGET, TARGET_BEFORE = 0.3, 6.0
CONNECTIONS = 8
BASES = 4
"""Number of photos that are drawn; each copy that is sent has a comment of its own."""
BOUNDARY = "gongpin-bench"
_FOUND = (
    "import pickle, sys; from pathlib import Path; from bench import city; from bench.databases import Place; "
    "sys.stdout.buffer.write(pickle.dumps(city.found(Place(sys.argv[1], sys.argv[2], Path(sys.argv[3])))))"
)

Request = tuple[str, str, dict[str, str], bytes]
"""Method, path, headers, body."""


def photo(size: tuple[int, int], quality: int) -> bytes:
    """A picture that compresses like a photo: soft shapes under fine noise."""
    shapes = Image.frombytes("RGB", (48, 36), os.urandom(48 * 36 * 3)).resize(size, Image.Resampling.BICUBIC)
    grain = Image.merge("RGB", [Image.effect_noise(size, 40)] * 3)
    exif = Image.Exif()
    exif[0x0110] = "ALN-AL00"
    out = io.BytesIO()
    Image.blend(shapes, grain, 0.25).save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def _form(content: bytes, file_id: str, **more: str) -> bytes:
    fields = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"purpose": "photo", "id": file_id, **more}.items()
    )
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="IMG_{file_id[:8]}.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return b"".join((fields.encode(), head.encode(), content, f"\r\n--{BOUNDARY}--\r\n".encode()))


def _different(content: bytes) -> bytes:
    """The same picture with other bytes, so that it is no repeated upload."""
    comment = uuid4().bytes
    return content[:2] + b"\xff\xfe\x00\x12" + comment + content[2:]


def pairs(people: City, photos: Sequence[bytes]) -> Iterator[tuple[Request, ...]]:
    """Endless pairs of an upload and the submission that claims it."""
    for count in itertools.count():
        number, days_ago = count % bodies.AMONG, count // bodies.AMONG
        seat = people.counties[number % len(people.counties)]
        token, file_id = {"Authorization": f"Bearer {seat.token}"}, str(uuid4())
        upload = _form(_different(photos[count % len(photos)]), file_id)
        record = {**bodies.production(people, number, days_ago), "photos": [file_id]}
        yield (
            ("POST", "/api/v1/files", {**token, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, upload),
            ("PUT", f"/api/v1/inspections/{uuid4()}/submission", {**token, "Content-Type": "application/json"},
             orjson.dumps(record)),
        )  # fmt: skip


def plain(people: City, photos: Sequence[bytes]) -> Iterator[tuple[Request, ...]]:
    """The same pairs for the bare route, each in one request."""
    for count in itertools.count():
        record = orjson.dumps(bodies.production(people, count % bodies.AMONG, count // bodies.AMONG)).decode()
        upload = _form(_different(photos[count % len(photos)]), str(uuid4()), record=record)
        yield (("POST", "/pairs", {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, upload),)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Pairs per second, and the duration of each in seconds."""

    rate: float
    seconds: list[float]


def send(port: int, items: list[tuple[Request, ...]]) -> Outcome:
    """In the client process: `CONNECTIONS` threads, each of which sends the requests of an item one after the other."""
    waiting, taken, lock = iter(items), list[float](), threading.Lock()
    faults: list[str] = []

    def phone() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not faults:
            with lock:
                item = next(waiting, None)
            if item is None:
                return
            began = time.perf_counter()
            for method, path, headers, body in item:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 201:
                    faults.append(f"{path}: {answer.status} {text[:300]!r}")
                    return
            taken.append(time.perf_counter() - began)

    threads = [threading.Thread(target=phone) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(faults[0])
    return Outcome(len(taken) / (time.perf_counter() - started), taken)


class _Side:
    """A server and the requests for it; the number in a turn is adapted so that a turn takes the wanted seconds."""

    def __init__(self, server: Server, items: Iterable[tuple[Request, ...]], client: ProcessPoolExecutor) -> None:
        self._server, self._items, self._client = server, iter(items), client
        self._wanted = 4 * CONNECTIONS
        self.rates: list[float] = []
        self.seconds: list[float] = []

    def turn(self, seconds: float, *, counts: bool) -> None:
        items = list(itertools.islice(self._items, self._wanted))
        outcome: Outcome = self._client.submit(send, self._server.port, items).result()
        self._wanted = max(2 * CONNECTIONS, int(outcome.rate * seconds))
        if counts:
            self.rates.append(outcome.rate)
            self.seconds += outcome.seconds

    def row(self, name: str, against: "_Side", target: str) -> list[str]:
        """A row of the table; its ratio is the rate of `against` divided by this one's."""
        ratios = [mine / theirs for mine, theirs in zip(against.rates, self.rates, strict=True)]
        ratio = spread(ratios) if against is not self else ""
        p95 = quantiles(self.seconds, n=20)[-1] * 1000
        return [name, f"{median(self.rates):.1f}", f"{median(self.seconds) * 1000:.0f}", f"{p95:.0f}", ratio, target]


def _found_by(checkout: Path, there: Place) -> City:
    """The city, made by another checkout of the product."""
    asked = [sys.executable, "-c", _FOUND, there.dialect, there.url, str(there.folder)]
    found = subprocess.run(asked, cwd=checkout, check=True, stdout=subprocess.PIPE).stdout
    people: City = pickle.loads(found)
    return people


def measure(dialect: str, size: str, before: Path | None, *, quick: bool) -> list[list[str]]:
    """The rows of one size."""
    rounds, seconds = (3, 3.0) if quick else (7, 6.0)
    made = [photo(*SIZES[size]) for _ in range(BASES)]
    with ExitStack() as opened:
        enter = opened.enter_context
        client = enter(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        ours, theirs = enter(place(dialect)), enter(place(dialect))
        engine = make_engine(theirs.url)
        metadata.create_all(engine)
        engine.dispose()

        def side(server: AbstractContextManager[Server], items: Iterable[tuple[Request, ...]]) -> _Side:
            return _Side(enter(server), items, client)

        people = city.found(ours)
        new = side(product(ours), pairs(people, made))
        bare = side(serving("bench.bare_photos:create_app()", theirs), plain(people, made))
        sides = [new, bare]
        if before is not None:
            earlier = enter(place(dialect))
            sides.append(side(product(earlier, root=before), pairs(_found_by(before, earlier), made)))
        for number in range(-1, rounds):
            for one in sides:
                one.turn(seconds, counts=number >= 0)
    label = f"{size} ({sum(map(len, made)) / len(made) / 1000:.0f} KB), {dialect}"
    rows = [new.row(label, new, ""), bare.row("  bare route", new, f">= {TARGET}")]
    if before is not None:
        rows.append(sides[2].row("  earlier checkout", new, f">= {TARGET_BEFORE:.0f}" if size == "300 KB" else ""))
    return rows


def report(dialects: list[str], *, quick: bool, before: Path | None = None) -> None:
    """Print the table. `before` is another checkout of the product, to be measured as well."""
    rows = [row for dialect in dialects for size in SIZES for row in measure(dialect, size, before, quick=quick)]
    print_table(
        f"Photo + submission against a bare multipart route with one fsync and two rows ({CONNECTIONS} connections)",
        ["photo", "pairs a second", "median ms", "p95 ms", "ours / this, median (range)", "target"],
        rows,
    )
