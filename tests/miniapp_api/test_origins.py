"""Every counter counts by where a request comes from, and counts before it acts."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import create_app
from core.config import Settings
from core.db import Database
from feedback.models import Rating, SmsCode
from miniapp_api.http.limits import limiter
from tests.newcomers import at_once, code_of, make_user, try_sign_in
from tests.people import PASSWORD, SignIn
from tests.problems import ONE_DATABASE
from tests.raters import Hall

WRONG = "Wrong-Pass-2026"
LINE, NETWORK = "2001:db8:7:1::{}", "2001:db8:7:{}::1"


@pytest.fixture(autouse=True)
def no_counts_of_others(application: Any) -> Iterator[None]:
    limiter.reset()
    yield
    limiter.reset()


@ONE_DATABASE
def test_addresses_of_one_line_share_its_wrong_passwords(client: FlaskClient) -> None:
    tries = [try_sign_in(client, f"user_{n}", WRONG, address=LINE.format(n + 1)).status_code for n in range(12)]
    assert tries == [401] * 10 + [429] * 2
    assert try_sign_in(client, "user_x", WRONG, address="2001:db8:7:2::1").status_code == 401
    assert try_sign_in(client, "user_x", WRONG, address="::ffff:192.0.2.9").status_code == 401


@ONE_DATABASE
def test_lines_of_one_network_have_a_wider_limit_together(client: FlaskClient) -> None:
    tries = Counter(
        try_sign_in(client, f"user_{n}", WRONG, address=NETWORK.format(f"{n + 16:x}")).status_code for n in range(110)
    )
    assert tries == {401: 100, 429: 10}
    assert try_sign_in(client, "user_x", WRONG, address="2001:db8:8::1").status_code == 401


@ONE_DATABASE
@pytest.mark.parametrize("address", [LINE, "::ffff:192.0.2.7", "192.0.2.7"])
def test_traffic_of_one_line_is_limited_together(settings: Settings, address: str) -> None:
    client = create_app(settings.model_copy(update={"sign_in_limit": "5 per hour"})).test_client()
    tries = [try_sign_in(client, f"user_{n}", WRONG, address=address.format(n + 1)).status_code for n in range(7)]
    assert tries == [401] * 5 + [429] * 2


@ONE_DATABASE
def test_traffic_of_one_network_has_a_wider_limit(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"sign_in_limit": "2 per hour"})).test_client()
    tries = [
        try_sign_in(client, f"user_{n}", WRONG, address=NETWORK.format(f"{n + 16:x}")).status_code for n in range(22)
    ]
    assert tries == [401] * 20 + [429] * 2


@ONE_DATABASE
def test_spellings_of_one_address_are_one(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"sign_in_limit": "2 per hour", "trusted_proxies": 1})).test_client()
    statuses = [
        client.post(
            "/api/v1/sessions", json={"username": "nobody", "password": WRONG}, headers={"X-Forwarded-For": spelt}
        ).status_code
        for spelt in ("192.0.2.7", "192.0.2.7:4711", "::ffff:192.0.2.7", "[::ffff:192.0.2.7]:9")
    ]
    assert statuses == [401, 401, 429, 429]


@ONE_DATABASE
@pytest.mark.parametrize("said", ["unknown", "_hidden", "' OR 1=1", "1.2.3", "1.2.3.4:99999", "x" * 4000])
def test_an_address_that_is_none_is_refused(settings: Settings, said: str) -> None:
    client = create_app(settings.model_copy(update={"trusted_proxies": 1})).test_client()
    for path in ("/api/v1/regions", "/r/x", "/healthz"):
        refused = client.get(path, headers={"X-Forwarded-For": said})
        assert code_of(refused) == (400, "bad_request") and "代理" in refused.get_data(as_text=True)


@ONE_DATABASE
@pytest.mark.parametrize("trusted_proxies", [0, 1])
def test_a_request_without_an_address_is_refused_and_a_proxy_on_a_unix_socket_may_say_it(
    settings: Settings, trusted_proxies: int
) -> None:
    client = create_app(settings.model_copy(update={"trusted_proxies": trusted_proxies})).test_client()
    del client.environ_base["REMOTE_ADDR"]
    for absent in ({}, {"REMOTE_ADDR": ""}):
        refused = client.get("/api/v1/regions", environ_base=absent)
        assert code_of(refused) == (400, "bad_request") and "代理" in refused.get_data(as_text=True)
    said = client.get("/healthz", headers={"X-Forwarded-For": "192.0.2.7"}, environ_base={"REMOTE_ADDR": ""})
    assert said.status_code == (200 if trusted_proxies else 400)


@ONE_DATABASE
def test_who_signed_in_from_a_line_is_known_at_its_next_address(
    client: FlaskClient, database: Database, sign_in: SignIn
) -> None:
    make_user(database, "320404", "owner")
    assert try_sign_in(client, "owner", PASSWORD, address=LINE.format("a")).status_code == 201
    for n in range(11):
        try_sign_in(client, "owner", WRONG, address=f"192.0.2.{n}")
    assert code_of(try_sign_in(client, "owner", PASSWORD, address="198.51.100.1")) == (403, "captcha_required")
    assert try_sign_in(client, "owner", PASSWORD, address=LINE.format("b")).status_code == 201


class TestAtOnce:
    """What is allowed so many times is not done more often when it is asked for at one moment."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        changes = {
            "rating_address_limit": "6 per hour", "rating_address_ceiling": "6 per hour", "sms_sender": "log",
            "rating_sms_proof": False,
        }  # fmt: skip
        return settings.model_copy(update=changes)

    def test_no_more_codes_are_sent_than_an_address_may_have(self, application: Any, database: Database) -> None:
        def ask(number: int) -> int:
            body = {"mobile": f"138000{number:05d}"}
            return int(application.test_client().post("/api/v1/ratings/sms-codes", json=body).status_code)

        statuses = at_once(*[lambda number=number: ask(number) for number in range(16)])
        assert Counter(statuses) == {200: 6, 429: 10}
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(SmsCode)) == 6

    def test_no_more_ratings_are_stored_than_an_address_may_give(self, hall: Hall, database: Database) -> None:
        code = hall.code()
        answers = at_once(*[lambda n=n: hall.rate(code, mobile=f"138000{n:05d}") for n in range(16)])
        assert Counter(answer.status_code for answer in answers) == {201: 6, 429: 10}
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(Rating)) == 6

    def test_a_code_that_is_not_made_is_not_counted(self, client: FlaskClient) -> None:
        for _ in range(8):
            assert client.post("/api/v1/ratings/sms-codes", json={"mobile": "123"}).status_code == 422
        assert client.post("/api/v1/ratings/sms-codes", json={"mobile": "13800000001"}).status_code == 200


@ONE_DATABASE
def test_applications_of_one_line_are_limited_together(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"application_limit": "3 per hour"})).test_client()
    statuses = []
    for number in range(5):
        client.environ_base["REMOTE_ADDR"] = LINE.format(number + 1)
        statuses.append(client.post("/api/v1/account-applications", json={}).status_code)
    assert statuses == [422] * 3 + [429] * 2
