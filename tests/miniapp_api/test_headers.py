"""What browsers are told beside an answer: a policy on every one, https only, and nothing about the inside."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from pydantic import SecretStr

from app import create_app
from core.config import Settings
from miniapp_api import phone_app
from tests.people import Person, new_id
from tests.problems import ONE_DATABASE

SECONDS = "max-age=31536000"


def every_address(application: APIFlask) -> list[str]:
    """Each rule that can be read, with something in the place of what varies."""
    filling = {"uuid": new_id(), "int": "1", "string": "06", "path": "swagger-ui.css"}
    rules = [rule for rule in application.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return [re.sub(r"<(\w+):\w+>", lambda found: filling[found[1]], rule.rule) for rule in rules]


@ONE_DATABASE
def test_every_answer_has_a_policy_that_takes_nothing_from_elsewhere(
    application: APIFlask, client: FlaskClient, county_inspector: Person
) -> None:
    token = {"Authorization": f"Bearer {county_inspector.token}"}
    more = ["/nothing/here", "/api/v1/nothing", "/api/docs", "//", "/app/no-such-file.js", "/r/0", "/r/answers/0"]
    for address in [*every_address(application), *more]:
        for answer in (client.get(address), client.get(address, headers=token), client.delete(address)):
            policies = answer.headers.getlist("Content-Security-Policy")
            assert len(policies) == 1, (address, answer.status_code)
            assert "default-src 'none'" in policies[0], address
            assert "http:" not in policies[0] and "https:" not in policies[0] and "*" not in policies[0], address
            if answer.mimetype == "text/html":
                assert "frame-ancestors 'none'" in policies[0] and "base-uri 'none'" in policies[0], address
                assert "unsafe" not in policies[0].partition("script-src")[2].partition(";")[0], address


@ONE_DATABASE
def test_the_page_that_there_is_no_app_has_a_policy_too(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_app, "APP", replace(phone_app.APP, built=Path("none/none/none")))
    answer = client.get("/app/")
    assert answer.status_code == 503 and "default-src 'none'" in answer.headers["Content-Security-Policy"]


@ONE_DATABASE
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"public_url": "https://gpc.example.gov.cn"}, f"{SECONDS}; includeSubDomains"),
        ({"public_url": "https://gpc.example.gov.cn", "hsts_subdomains": False}, SECONDS),
        ({"public_url": "https://gpc.example.gov.cn", "hsts_seconds": 0}, None),
        ({"public_url": "http://10.1.2.3:8000"}, None),
        ({}, None),
    ],
)
def test_browsers_are_told_to_ask_by_https_only_where_that_is_how_the_server_is_reached(
    settings: Settings, changed: dict[str, Any], told: str | None
) -> None:
    client = create_app(settings.model_copy(update=changed)).test_client()
    for address in ("/", "/healthz", "/api/v1/me", "/nothing", "/api/docs/"):
        assert client.get(address).headers.get("Strict-Transport-Security") == told, address


@ONE_DATABASE
@pytest.mark.parametrize(
    ("token", "headers", "address"),
    [
        ("", {}, "203.0.113.7"),
        ("", {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1"),
        ("figures-token", {}, "127.0.0.1"),
        ("figures-token", {"Authorization": "Bearer wrong"}, "127.0.0.1"),
    ],
)
def test_strangers_are_told_ready_or_not_and_no_more(
    settings: Settings, token: str, headers: dict[str, str], address: str
) -> None:
    client = create_app(settings.model_copy(update={"metrics_token": SecretStr(token)})).test_client()
    ready = client.get("/readyz", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert (ready.status_code, ready.json) == (200, {"status": "ready"})


@ONE_DATABASE
def test_whoever_has_the_token_of_the_figures_reads_what_was_checked(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"metrics_token": SecretStr("figures-token")})).test_client()
    ready = client.get(
        "/readyz", headers={"Authorization": "Bearer figures-token"}, environ_base={"REMOTE_ADDR": "203.0.113.7"}
    )
    assert ready.status_code == 200 and ready.json is not None and ready.json["checks"]["database"] == "ok"
