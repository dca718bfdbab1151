"""Bodies that are refused while the client still writes: it reads the answer only afterwards, as many phones do."""

import http.client
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import DATA_KEY
from tests.databases import copy_sqlite
from tests.people import PASSWORD, new_id
from tests.servers import server_process

MIB = 1024 * 1024
BOUNDARY = "x-boundary"
JSON = "application/json"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture(scope="module")
def base(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("data")
    url = copy_sqlite(sqlite_template, folder / "test.sqlite3")
    with server_process(folder, DATABASE_URL=url, DATA_KEY=DATA_KEY, DEMO="0", LOG_LEVEL="ERROR") as (base, _):
        yield base


def sent(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | Iterable[bytes], media: str,
    token: str = "",
) -> tuple[int, Any]:  # fmt: skip
    """Status and content of the answer to a body that is written to its end first; in chunks unless it is bytes."""
    headers = {"Content-Type": media} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(method, f"/api/v1{path}", body, headers, encode_chunked=not isinstance(body, bytes))
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def connected(base: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)


def signed_in(connection: http.client.HTTPConnection) -> str:
    body = json.dumps({"username": "county_inspector", "password": PASSWORD}).encode()
    status, answer = sent(connection, "POST", "/sessions", body, JSON)
    assert status == 201, answer
    return str(answer["token"])


def multipart(size: int) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    return head.encode() + bytes(size) + f"\r\n--{BOUNDARY}--\r\n".encode()


def in_pieces(body: bytes) -> Iterator[bytes]:
    yield from (body[start : start + 100_000] for start in range(0, len(body), 100_000))


def test_a_record_that_is_too_large_is_answered_413_and_so_is_the_next_of_the_same_client(base: str) -> None:
    connection = connected(base)
    token = signed_in(connection)
    body = json.dumps({"answers": "x" * 10 * MIB}).encode()
    for written in (body, in_pieces(body), body):
        status, answer = sent(connection, "PUT", f"/inspections/{new_id()}", written, JSON, token)
        assert (status, answer["code"]) == (413, "payload_too_large")
    assert signed_in(connection)


def test_a_file_that_is_too_large_is_answered_413_however_it_is_sent(base: str) -> None:
    connection = connected(base)
    token = signed_in(connection)
    body = multipart(30 * MIB)
    for written in (body, in_pieces(body)):
        status, answer = sent(connection, "POST", "/files", written, MULTIPART, token)
        assert (status, answer["code"]) == (413, "payload_too_large")
        assert "20M" in answer["detail"]


def test_an_answer_before_the_end_of_a_body_says_that_the_connection_ends(base: str) -> None:
    connection = connected(base)
    token = signed_in(connection)
    for body, left in ((multipart(30 * MIB), "close"), (b"{}", "keep-alive")):
        headers = {"Content-Type": MULTIPART, "Authorization": f"Bearer {token}"}
        connection.request("POST", "/api/v1/files", body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status >= 400 and answer.getheader("Connection") == left, answer.status
    assert signed_in(connection)


def test_strangers_are_answered_too(base: str) -> None:
    connection = connected(base)
    assert sent(connection, "POST", "/sessions", b" " * 10 * MIB, JSON)[0] == 413
    # A phone whose session has ended meanwhile is to learn that, and not to try again for ever.
    status, answer = sent(connection, "POST", "/files", multipart(3 * MIB), MULTIPART, "ended")
    assert (status, answer["code"]) == (401, "unauthenticated")


def test_a_broken_chunk_after_a_refusal_changes_nothing(base: str) -> None:
    connection = connected(base)
    connection.putrequest("POST", "/api/v1/files")
    for name, value in (("Content-Type", MULTIPART), ("Transfer-Encoding", "chunked"), ("Authorization", "Bearer x")):
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(b"5\r\nabcde\r\nno number\r\n")
    assert connection.getresponse().status == 401


def test_a_long_address_is_answered_as_everything_else(base: str) -> None:
    connection = connected(base)
    connection.request("GET", f"/api/v1/nothing?q={'x' * 8000}")
    answer = connection.getresponse()
    assert answer.status == 404 and answer.getheader("Content-Type") == "application/problem+json"
