"""The manners of the contract (§1): how faults are told, what is refused, and what is never echoed."""

import os
import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from core.config import Settings
from core.db import Database
from core.models import CalendarDay, CalendarYear
from miniapp_api.http.gates import gate_of
from miniapp_api.http.limits import limiter
from miniapp_api.http.wiring import KEY
from tests.newcomers import at_once, code_of, try_sign_in
from tests.people import Person, new_id, production
from tests.problems import ONE_DATABASE, problem_of, sent


@ONE_DATABASE
def test_every_kind_of_fault_has_the_same_shape(client: FlaskClient, county_inspector: Person) -> None:
    path = f"/inspections/{new_id()}"
    for answer, status, code in (
        (sent(county_inspector, "PUT", path, b"{broken"), 400, "malformed_json"),
        (client.get("/api/v1/me"), 401, "unauthenticated"),
        (county_inspector.get("/users"), 403, "forbidden"),
        (county_inspector.get(path), 404, "not_found"),
        (client.get("/api/v1/no-such-thing"), 404, "not_found"),
        (client.get("/nothing/here"), 404, "not_found"),
        (county_inspector.get("/inspections/not-a-uuid"), 404, "not_found"),
        (client.put("/api/v1/sessions", json={}), 405, "method_not_allowed"),
        (client.patch("/api/v1/me", json={}), 405, "method_not_allowed"),
        (client.post("/api/v1/sessions", json={"username": "x" * (1 << 20)}), 413, "payload_too_large"),
        (sent(county_inspector, "PUT", path, b"kind=production", "text/plain"), 415, "unsupported_media_type"),
        (county_inspector.put(path, {"kind": "nonsense"}), 422, "invalid"),
    ):
        body = problem_of(answer)
        assert (body["status"], body["code"]) == (status, code)


@ONE_DATABASE
def test_traffic_limits_answer_429_with_retry_after(settings: Settings) -> None:
    application = create_app(settings.model_copy(update={"sign_in_limit": "2 per minute"}))
    client = application.test_client()
    limiter.reset()
    statuses = [try_sign_in(client, "nobody", "Wrong-2026").status_code for _ in range(2)]
    limited = try_sign_in(client, "nobody", "Wrong-2026")
    limiter.reset()
    assert statuses == [401, 401]
    assert problem_of(limited)["code"] == "too_many_requests" and int(limited.headers["Retry-After"]) > 0


@ONE_DATABASE
def test_a_traffic_limit_says_the_true_rest_and_lets_in_when_it_is_over(
    settings: Settings, clock: time_machine.Traveller
) -> None:
    application = create_app(settings.model_copy(update={"sign_in_limit": "2 per hour"}))
    client = application.test_client()
    limiter.reset()
    for _ in range(2):
        assert try_sign_in(client, "nobody", "Wrong-2026").status_code == 401
    clock.shift(timedelta(minutes=50))
    limited = try_sign_in(client, "nobody", "Wrong-2026")
    wait = int(limited.headers["Retry-After"])
    assert limited.status_code == 429 and 9 * 60 < wait <= 10 * 60 + 1
    clock.shift(timedelta(seconds=wait))
    assert try_sign_in(client, "nobody", "Wrong-2026").status_code == 401
    limiter.reset()


@ONE_DATABASE
@pytest.mark.parametrize("own", ["abcdefgh", "a-1_B.2c" * 8, "0123-4567"])
def test_a_well_formed_request_id_comes_back_in_header_and_body(client: FlaskClient, own: str) -> None:
    answer = client.get("/api/v1/me", headers={"X-Request-ID": own})
    assert answer.headers["X-Request-ID"] == own == problem_of(answer)["request_id"]


@ONE_DATABASE
@pytest.mark.parametrize(
    "bad", ["short", "x" * 65, "with space 1", "<script>alert(1)</script>", "中文标识一二三四", "a/b/c/d/e"]
)
def test_any_other_request_id_is_replaced(client: FlaskClient, bad: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": bad.encode().decode("latin-1")})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert answer.headers["X-Request-ID"] != client.get("/healthz").headers["X-Request-ID"]


@ONE_DATABASE
def test_what_was_sent_is_never_echoed(client: FlaskClient, county_inspector: Person) -> None:
    echo = "ECHO7391<b>"
    path = f"/inspections/{new_id()}/submission"
    for answer in (
        client.post("/api/v1/sessions", json={"username": echo, "password": echo}),
        client.post(
            "/api/v1/sessions", json={"username": [echo], "password": {echo: echo}, "operator_name": echo * 20}
        ),
        client.post("/api/v1/account-applications", json={"username": echo, "mobile": echo, "region_code": echo}),
        client.get(f"/api/v1/{echo}"),
        client.get(f"/api/v1/account-applications/status/{echo}"),
        county_inspector.get(f"/inspections?from={echo}&page={echo}&status={echo}"),
        county_inspector.get(f"/enterprises/{echo}"),
        county_inspector.get(f"/forms/{echo}"),
        county_inspector.put(path, production(uscc=echo, check_date=echo, org_scale=echo, products=[echo])),
        county_inspector.put(path, {"kind": echo, "product_code": echo, "form_version": echo, "version": echo}),
        sent(county_inspector, "PUT", path, f'{{"a": {echo}'.encode()),
    ):
        assert answer.status_code >= 400
        problem_of(answer)
        assert "ECHO7391" not in answer.get_data(as_text=True), answer.request.path


@ONE_DATABASE
def test_every_answer_carries_the_security_headers_and_answers_of_the_api_are_not_kept(
    client: FlaskClient, county_inspector: Person
) -> None:
    for answer in (
        county_inspector.get("/me"), county_inspector.get("/inspections"), county_inspector.get("/inspections.csv"),
        client.get("/api/v1/me"), client.get("/api/v1/nothing"), client.get("/api/v1/regions"),
    ):  # fmt: skip
        assert answer.headers["Cache-Control"] == "no-store"
    for answer in (client.get("/"), client.get("/healthz"), client.get("/api/docs/"), county_inspector.get("/me")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Request-ID"]
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


@ONE_DATABASE
def test_options_tell_the_methods_and_a_wrong_method_too(client: FlaskClient) -> None:
    told = client.options("/api/v1/me/password")
    assert told.status_code == 200 and told.data == b"" and "PUT" in told.headers["Allow"]
    wrong = client.post("/api/v1/me/password", json={})
    assert problem_of(wrong)["code"] == "method_not_allowed" and "PUT" in wrong.headers["Allow"]


@ONE_DATABASE
def test_the_head_of_a_list_has_no_body(county_inspector: Person) -> None:
    answer = county_inspector.call("HEAD", "/inspections")
    assert answer.status_code == 200 and answer.data == b"" and answer.mimetype == "application/json"


def test_a_get_changes_no_status_and_leaves_no_row(
    application: APIFlask, database: Database, county_inspector: Person
) -> None:
    def counted() -> list[int]:
        tables = ("inspections", "history", "idempotency_keys", "todos", "sign_ins", "sessions", "users")
        with database.read() as session:
            return [session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables]

    before = counted()
    for rule in application.url_map.iter_rules():
        gate = gate_of(application.view_functions[rule.endpoint])
        if "GET" in (rule.methods or ()) and not rule.arguments and gate is not None and not gate.public:
            # 422 where a list is of one field that has to be named (`/suggestions`).
            assert county_inspector.get(rule.rule.removeprefix("/api/v1")).status_code in (200, 403, 422)
    assert counted() == before


def test_the_health_pages_say_that_database_and_storage_are_reachable(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "up"}
    ready = client.get("/readyz")
    assert ready.status_code == 200 and ready.get_json()["status"] == "ready"
    assert ready.get_json()["checks"].items() >= {"database": "ok", "storage": "ok"}.items()


@ONE_DATABASE
def test_readiness_says_whether_the_workers_count_limits_together(client: FlaskClient) -> None:
    checks = client.get("/readyz").get_json()["checks"]
    assert checks["rate_limits"] == "each worker counts for itself: REDIS_URL not configured"


@ONE_DATABASE
@pytest.mark.parametrize("answers", [True, False])
def test_readiness_says_whether_redis_answers_and_does_not_hang_on_it(
    settings: Settings, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9") if answers else "redis://127.0.0.1:1/0"
    application = create_app(settings.model_copy(update={"redis_url": url}))
    if answers and not limiter.storage.check():
        pytest.skip("no Redis answers")
    ready = application.test_client().get("/readyz")
    application.extensions[KEY].database.dispose()
    assert ready.status_code == 200
    told = "ok" if answers else "each worker counts for itself: Redis unreachable"
    assert ready.get_json()["checks"]["rate_limits"] == told


def test_readiness_says_which_year_s_working_days_are_guessed(
    client: FlaskClient, database: Database, clock: time_machine.Traveller
) -> None:
    clock.move_to("2026-10-31T23:59+08:00")
    assert client.get("/readyz").get_json()["checks"]["working_days"] == "ok"
    clock.move_to("2098-11-01T00:00+08:00")
    ready = client.get("/readyz")
    assert ready.status_code == 200 and ready.get_json()["status"] == "ready"
    assert ready.get_json()["checks"]["working_days"].startswith("2098, 2099: holidays not loaded")
    with database.write() as session:
        session.add_all([CalendarDay(day=date(2099, 1, 1), working=False), CalendarYear(year=2099)])
        session.add(CalendarDay(day=date(2098, 1, 1), working=False))
    assert client.get("/readyz").get_json()["checks"]["working_days"].startswith("2098: ")


@ONE_DATABASE
def test_readiness_is_lost_without_a_database(client: FlaskClient, database: Database) -> None:
    with database.write() as session:
        session.execute(text("DROP TABLE alembic_version"))
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.get_json()["checks"]["database"] != "ok"
    assert client.get("/healthz").status_code == 200


def test_many_who_read_at_once_are_all_answered(application: APIFlask, county_inspector: Person) -> None:
    def read() -> int:
        return Person("county_inspector", application.test_client(), county_inspector.token).get("/me").status_code

    assert at_once(*[read] * 24) == [200] * 24


@ONE_DATABASE
def test_the_token_is_asked_for_before_an_unknown_record_is_looked_up(client: FlaskClient) -> None:
    assert code_of(client.get(f"/api/v1/inspections/{new_id()}")) == (401, "unauthenticated")


def test_a_stranger_is_not_told_that_a_body_is_too_large(client: FlaskClient, county_inspector: Person) -> None:
    body, path = {"remark": "x" * (1 << 20)}, f"/inspections/{new_id()}"
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert code_of(client.put(f"/api/v1{path}", json=body, headers=headers)) == (401, "unauthenticated")
    assert code_of(county_inspector.put(path, body)) == (413, "payload_too_large")


def test_more_than_a_workers_threads_come_in_at_once_after_a_pause_over_the_fewest_connections(
    settings: Settings, application: APIFlask, county_inspector: Person, clock: Any
) -> None:
    clock.shift(timedelta(minutes=6))
    few = create_app(settings.model_copy(update={"database_pool_size": 8})).test_client
    headers = {"Authorization": f"Bearer {county_inspector.token}"}

    def save() -> int:
        return few().put(f"/api/v1/inspections/{new_id()}", json=production(), headers=headers).status_code

    assert at_once(*[save] * 12) == [201] * 12


def test_an_unknown_option_is_answered_with_the_options_in_plain_words(county_inspector: Person) -> None:
    answer = county_inspector.get("/inspections?status=deleted&disposal=x")
    assert answer.json is not None
    assert [fault["message"] for fault in answer.json["errors"]] == [
        "“状态”不是可选的值，可选：draft、submitted、voided",
        "“处置情况”不是可选的值，可选：none、in_progress、done、na",
    ]
