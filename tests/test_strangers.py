"""What strangers send, send by half or do not send at all, against the server as it is really run."""

import http.client
import json
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from apiflask import APIFlask
from flask.testing import FlaskClient
from PIL import Image
from prometheus_client import REGISTRY

from cli.arrivals import Arrival, arrival
from miniapp_api.http.gates import gate_of
from tests.conftest import DATA_KEY
from tests.databases import copy_sqlite
from tests.people import PASSWORD, new_id
from tests.problems import ONE_DATABASE
from tests.servers import server_process

STRANGERS = 80
"""More than both workers have threads for files."""
HALF_AN_UPLOAD = (
    b"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    b"Content-Length: 5000000\r\n%s\r\n--x"
)
HALF_A_RECORD = (
    b"PUT /api/v1/inspections/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 900000\r\n%%s\r\n{"a": "' % new_id().encode()
)
IN_CHUNKS = (
    b"PUT /api/v1/inspections/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Transfer-Encoding: chunked\r\n%%s\r\n5\r\n{"a":\r\n' % new_id().encode()
)
MADE_UP = b"Authorization: Bearer made-up-token\r\n"


PATIENT = "from cli import worker\nworker.SILENCE = worker.COMPLETE_WITHIN = worker.LINGERS = 600"
"""A server that gives up on nobody: what does not wait for strangers has not outwaited them either."""
SETTINGS = {"DEMO": "0", "LOG_LEVEL": "ERROR"}


@pytest.fixture(scope="module")
def base(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("data")
    url = copy_sqlite(sqlite_template, folder / "test.sqlite3")
    with server_process(folder, constants=PATIENT, DATABASE_URL=url, DATA_KEY=DATA_KEY, **SETTINGS) as (base, _):
        yield base


def connected(base: str, sent: bytes = b"") -> socket.socket:
    address = urlsplit(base)
    sock = socket.create_connection((address.hostname, address.port or 80), timeout=60)
    sock.sendall(sent)
    return sock


def answered(sock: socket.socket) -> tuple[int, Any]:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, json.loads(answer.read())


def is_open(sock: socket.socket) -> bool:
    """Whether the server has not hung up; what it has answered is read and forgotten."""
    sock.setblocking(False)
    try:
        while sock.recv(65536):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


@pytest.mark.parametrize("token", [b"", MADE_UP], ids=["no token", "a made-up token"])
@pytest.mark.parametrize("half", [HALF_AN_UPLOAD, HALF_A_RECORD, IN_CHUNKS], ids=["upload", "record", "in chunks"])
def test_a_stranger_is_refused_before_the_body_has_come(base: str, half: bytes, token: bytes) -> None:
    with connected(base, half % token) as stranger:
        status, told = answered(stranger)  # the rest is never sent
        assert (status, told["code"]) == (401, "unauthenticated")
        # Whoever goes on sending is not cut off before the answer is read.
        stranger.sendall(b"x" * 100_000)


def test_an_upload_does_not_wait_for_strangers(base: str) -> None:
    token = requests.post(
        f"{base}/api/v1/sessions", json={"username": "county_inspector", "password": PASSWORD}, timeout=60
    ).json()["token"]
    picture = BytesIO()
    Image.effect_noise((400, 300), 20).convert("RGB").save(picture, "JPEG")
    with ExitStack() as stack:
        for _ in range(STRANGERS):
            stack.enter_context(connected(base, HALF_AN_UPLOAD % b""))
        stored = requests.post(
            f"{base}/api/v1/files", files={"file": ("照片.jpg", picture.getvalue(), "image/jpeg")},
            data={"purpose": "photo"}, headers={"Authorization": f"Bearer {token}"}, timeout=120,
        )  # fmt: skip
        assert stored.status_code == 201


def test_silent_connections_make_room_the_oldest_first(tmp_path: Path) -> None:
    patient = "from cli import worker\nworker.FIRST_BYTE = worker.COMPLETE_WITHIN = 600.0"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    # Behind a reverse proxy one address may have as many as there are.
    with (
        server_process(tmp_path, constants=patient, TRUSTED_PROXIES="1", **SETTINGS) as (base, _),
        ExitStack() as stack,
    ):
        silent = [stack.enter_context(connected(base)) for _ in range(2100)]
        for _ in range(6):  # whichever worker answers
            with connected(base, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as asking:
                assert answered(asking)[0] == 200
        # Two workers have a thousand connections each, however the kernel deals them out.
        assert sum(is_open(one) for one in silent) <= 2000 and is_open(silent[-1])


def test_one_address_has_only_so_many_connections(tmp_path: Path) -> None:
    few = "from cli import serving, worker\nserving.PLACES = 10\nworker.FIRST_BYTE = worker.COMPLETE_WITHIN = 600.0"
    with server_process(tmp_path, constants=few, **SETTINGS) as (base, _), ExitStack() as stack:
        silent = [stack.enter_context(connected(base)) for _ in range(60)]
        with connected(base, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as asking:
            assert answered(asking)[0] == 200
        assert sum(is_open(one) for one in silent) <= 20 and is_open(silent[-1])


def test_a_connection_has_seconds_for_its_first_byte(tmp_path: Path) -> None:
    hurried = "from cli import worker\nworker.FIRST_BYTE = 1.0\nworker.COMPLETE_WITHIN = 600.0"
    with (
        server_process(tmp_path, constants=hurried, **SETTINGS) as (base, _),
        connected(base) as silent,
        connected(base, b"G") as slow,
    ):
        assert silent.recv(1) == b""
        assert is_open(slow)


@pytest.mark.parametrize("chunk", [b"zz\r\nhello\r\n", b"5\r\nhello world\r\n", b"-1\r\n\r\n"])
def test_a_broken_chunk_is_a_fault_of_the_caller(base: str, chunk: bytes) -> None:
    head = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with connected(base, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk) as sock:
        status, told = answered(sock)
        assert (status, told["code"]) == (400, "bad_request") and told["title"].startswith("请求有误")
        sock.settimeout(60)
        assert sock.recv(1) == b""  # nobody knows where the next request would begin


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/9.9\r\n\r\n", b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
             b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_refused_like_everything_else(base: str, sent: bytes) -> None:
    with connected(base, sent) as sock:
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        told = json.loads(answer.read())
        assert answer.status == told["status"] < 500 and "请" in told["title"]
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("header", ["SCRIPT_NAME", "SCRIPT-NAME", "PATH_INFO", "Path-Info"])
def test_a_header_does_not_lead_past_a_proxy_s_rule_for_an_address(base: str, header: str) -> None:
    asked = "/open/metrics" if "SCRIPT" in header.upper() else "/open"
    value = "/open" if "SCRIPT" in header.upper() else "/metrics"
    with connected(base, f"GET {asked} HTTP/1.1\r\nHost: x\r\n{header}: {value}\r\n\r\n".encode()) as sock:
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.status in (400, 404) and b"http_requests" not in answer.read()


@ONE_DATABASE
def test_calls_that_need_no_token_have_threads_of_their_own(application: APIFlask) -> None:
    head = "{} {} HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
    for rule in application.url_map.iter_rules():
        gate = gate_of(application.view_functions[rule.endpoint])
        assert gate is not None
        for method in (rule.methods or set()) & {"POST", "PUT", "DELETE"}:
            path = re.sub(r"<[^>]*>", "abc", rule.rule)
            expected = {Arrival.STRANGER} if gate.public else {Arrival.LARGE, Arrival.FILE}
            assert arrival(head.format(method, path).encode()) in expected, f"{method} {path}"


@ONE_DATABASE
def test_invented_methods_and_addresses_add_no_figures(client: FlaskClient) -> None:
    def figures() -> int:
        return sum(len(metric.samples) for metric in REGISTRY.collect())

    client.open("/healthz", method="INVENTED")
    client.open("/r/x", method="INVENTED")
    client.get("/nothing")
    before = figures()
    for number in range(300):
        client.open("/healthz", method=f"INVENTED{number}")
        client.open(f"/r/{number}", method=f"INVENTED{number}")
        client.get(f"/nothing/{number}", headers={"X-Request-ID": f"request-{number}"})
    assert figures() == before
