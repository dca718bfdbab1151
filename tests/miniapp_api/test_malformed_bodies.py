"""Bodies that are too large, of the wrong kind, broken, or JSON of a shape that nobody asked for."""

import json
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from core.db import Database
from tests.people import Person, faults, new_id, production
from tests.problems import ONE_DATABASE, problem_of, sent


@ONE_DATABASE
def test_a_body_of_ten_mebibytes_is_refused_for_callers_and_strangers(
    client: FlaskClient, county_inspector: Person
) -> None:
    huge = b'{"kind": "' + b"x" * (10 << 20) + b'"}'
    path = f"/inspections/{new_id()}/submission"
    assert problem_of(sent(county_inspector, "PUT", path, huge))["code"] == "payload_too_large"
    assert problem_of(client.post("/api/v1/sessions", data=huge, content_type="application/json"))["status"] == 413
    # A stranger learns nothing of what would be too large.
    assert problem_of(client.put(f"/api/v1{path}", data=huge, content_type="application/json"))["status"] == 401


@ONE_DATABASE
def test_a_body_sent_in_chunks_is_refused_for_its_size_and_not_for_its_end(county_inspector: Person) -> None:
    for beyond in (b'{"kind": "' + b"x" * (2 << 20) + b'"}', b"{}" + b" " * (2 << 20)):
        answer = county_inspector.call(
            "PUT", f"/inspections/{new_id()}", input_stream=BytesIO(beyond), content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        )  # fmt: skip
        assert problem_of(answer)["code"] == "payload_too_large"


@ONE_DATABASE
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(client: FlaskClient, media_type: str) -> None:
    answer = client.post("/api/v1/sessions", data=b'{"username": "a", "password": "b"}', content_type=media_type)
    assert problem_of(answer)["code"] == "unsupported_media_type"


@ONE_DATABASE
def test_an_absent_body_is_told_which_fields_are_missing(client: FlaskClient) -> None:
    assert set(faults(client.post("/api/v1/sessions"))) == {"/username", "/password"}


def nested(depth: int) -> bytes:
    return b'{"answers": ' + b'{"a": ' * depth + b"1" + b"}" * depth + b"}"


BROKEN = {
    "an open brace": b'{"kind": "production"', "single quotes": b"{'kind': 1}", "NaN": b'{"version": NaN}',
    "Infinity": b'{"version": -Infinity}', "a lone surrogate": b'{"remark": "\\ud800"}', "no UTF-8": b'{"a": "\xff"}',
    "a raw NUL": b'{"remark": "a\x00b"}', "depth 5 000": nested(5_000), "a deep list": b"[" * 5_000 + b"]" * 5_000,
    "an endless number": b'{"version": 1e999}', "two values": b"{} {}", "a comment": b'{/* */"kind": 1}',
}  # fmt: skip


@ONE_DATABASE
def test_broken_json_is_told_as_such(client: FlaskClient, county_inspector: Person) -> None:
    for name, data in BROKEN.items():
        for answer in (
            client.post("/api/v1/sessions", data=data, content_type="application/json"),
            sent(county_inspector, "PUT", f"/inspections/{new_id()}", data),
        ):
            assert (answer.status_code, problem_of(answer)["code"]) == (400, "malformed_json"), name


WRONG_SHAPE = {
    "a list": b"[]", "a text": b'"x"', "a number": b"7", "null": b"null", "true": b"true",
    "a list of objects": b'[{"username": "a"}]', "an escaped NUL": b'{"remark": "a\\u0000b"}',
    "a NUL in a name": b'{"a\\u0000b": 1}', "depth 1 000": nested(1_000), "depth 400": nested(400),
    "depth 1 000 with a NUL": nested(1_000).replace(b"1", b'"\\u0000"'),
    "a list where an object belongs": b'{"kind": "production", "answers": [], "disposals": "x", "products": {}}',
    "a huge number": b'{"kind": "production", "version": 123456789012345678901234567890}',
    "numbers everywhere": b'{"kind": 1, "product_code": 6, "uscc": 7, "unable": 2, "inspectors": 3, "check_date": 4}',
    "nulls everywhere": b'{"kind": null, "product_code": null, "answers": null, "version": null}',
    "a text of 100 000": json.dumps({"kind": "production", "remark": "长" * 100_000}).encode(),
    "10 000 unknown fields": json.dumps({f"field{n}": n for n in range(10_000)}).encode(),
}  # fmt: skip


def test_json_of_the_wrong_shape_is_a_fault_of_the_fields_and_nothing_is_stored(
    client: FlaskClient, database: Database, county_inspector: Person
) -> None:
    for name, data in WRONG_SHAPE.items():
        for tail in ("", "/submission"):
            answer = sent(county_inspector, "PUT", f"/inspections/{new_id()}{tail}", data)
            assert answer.status_code == 422, name
            assert problem_of(answer)["errors"], name
        signed_in = client.post("/api/v1/sessions", data=data, content_type="application/json")
        assert problem_of(signed_in)["status"] == 422, name
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM inspections")) == 0


STRANGE_NUMBERS = [2**31, 2**63, 2**64, 10**30, -1, 0, 1.5, True, "1", [1]]


def test_a_strange_version_is_stale_or_a_fault_but_never_an_error(county_inspector: Person) -> None:
    path = f"/inspections/{new_id()}"
    assert county_inspector.put(path, production()).status_code == 201
    for version in STRANGE_NUMBERS:
        data = json.dumps(production(version=version, remark="改")).encode()
        for tail in ("", "/submission"):
            assert problem_of(sent(county_inspector, "PUT", f"{path}{tail}", data))["status"] in (409, 422), version
        strange = json.dumps(production(form_version=version)).encode()
        answer = sent(county_inspector, "PUT", f"/inspections/{new_id()}", strange)
        assert problem_of(answer)["status"] == 422, version
