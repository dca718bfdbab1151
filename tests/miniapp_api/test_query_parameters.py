"""Query parameters: what nobody declared is refused, by whatever address, and so is a value that cannot be one."""

import json
from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from accounts.verbs import Role
from core.db import Database
from miniapp_api.http.gates import gate_of
from miniapp_api.http.query_names import declared
from tests.miniapp_api.test_gates import filled
from tests.newcomers import make_user
from tests.people import Person, SignIn
from tests.records import problem, read

ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
API = "/api/v1/"


def addresses(application: APIFlask) -> Iterator[tuple[str, str, tuple[str, ...], bool]]:
    """Method, rule, parameters and whether it is public, of every address of the API."""
    for rule in application.url_map.iter_rules():
        view = application.view_functions[rule.endpoint]
        gate = gate_of(view)
        assert gate is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if rule.rule.startswith(API):
                yield method, rule.rule, declared(view), gate.public


@pytest.fixture
def anybody(database: Database, sign_in: SignIn) -> Person:
    """Somebody who holds every verb."""
    make_user(database, "320402", "of_all_roles", *Role)
    return sign_in("of_all_roles")


@ON_SQLITE
def test_every_address_refuses_a_parameter_that_it_does_not_know(
    application: APIFlask, client: FlaskClient, anybody: Person
) -> None:
    seen = 0
    for method, rule, names, public in addresses(application):
        address = f"{filled(rule)}?{''.join(f'{name}=&' for name in names)}prodct=06"
        answer = call(client, anybody, method, address, public)
        assert problem(answer) == (422, "unknown_parameter"), (method, rule)
        assert [fault["path"] for fault in answer.json["errors"]] == ["/prodct"]
        seen += 1
    assert seen > 80


@ON_SQLITE
def test_every_parameter_may_be_given_once(application: APIFlask, client: FlaskClient, anybody: Person) -> None:
    twice = [(method, rule, name, public) for method, rule, names, public in addresses(application) for name in names]
    assert len(twice) > 60
    for method, rule, name, public in twice:
        answer = call(client, anybody, method, f"{filled(rule)}?{name}=1&{name}=1", public)
        assert problem(answer) == (422, "invalid"), (rule, name)
        assert {fault["code"] for fault in answer.json["errors"]} == {"repeated_parameter"}


def call(client: FlaskClient, anybody: Person, method: str, address: str, public: bool) -> TestResponse:
    return client.open(address, method=method) if public else anybody.call(method, address.removeprefix("/api/v1"))


def test_a_refusal_names_the_parameter_and_those_there_are(city_reviewer: Person) -> None:
    answer = city_reviewer.get("/inspections?product=06&kind=production&utm_source=x")
    assert problem(answer) == (422, "unknown_parameter")
    told = {fault["path"]: fault["message"] for fault in answer.json["errors"]}
    assert list(told) == ["/product", "/utm_source"]
    assert "是否应为 product_code？" in told["/product"] and "own_office" in told["/product"]
    alone = city_reviewer.get("/me?verbose=1")
    assert alone.json["errors"][0]["message"].startswith("这个地址不带查询参数")


def test_a_stranger_learns_no_more_by_it(client: FlaskClient, sign_in: SignIn, county_inspector: Person) -> None:
    assert problem(client.get("/api/v1/inspections?product=06")) == (401, "unauthenticated")
    assert problem(county_inspector.get("/users?product=06")) == (403, "forbidden")


FAULTY = [
    "/inspections?product_code=99", "/inspections?product_code=6", "/inspections?kind=produktion",
    "/inspections?kind=spot_check", "/spot-checks?kind=production", "/inspections?status=open",
    "/inspections?region=999999", "/inspections?region=32", "/inspections?status=draft&region=999999",
    "/inspections?from=2026-11-21&to=2026-11-20", "/inspections?from=2026-02-30", "/inspections?problem=perhaps",
    "/inspections?page=0", "/inspections?page=x", "/inspections?page_size=0", "/inspections?page_size=101",
    "/inspections?page_size=-1", "/inspections?page=1&after=x", "/inspections?after=x",
    "/inspections.csv?product_code=99", "/inspections.xlsx?region=999999", 
    "/spot-checks.csv?from=2026-11-21&to=2026-11-20",
    "/spot-checks?conclusion=good", "/enterprises?product_code=99", "/enterprises?region=999999",
    "/enterprises?visited=perhaps", "/enterprises?from=2026-11-01",
    "/enterprises?visited=false&from=2026-11-21&to=2026-11-20", "/regions?parent=999999",
    "/regions?code=999999", "/regions?code=32", "/regions?parent=320400&code=320402",
    "/statistics/progress?product_code=99", "/statistics/progress?region=999999",
    "/statistics/progress.csv?region=999999", "/statistics/progress.xlsx?from=2026-11-21&to=2026-11-20",
    "/statistics/progress?from=2026-11-21&to=2026-11-20", "/licences?uscc=123", "/filings?kind=x", "/filings?status=x",
    "/filings?kind=rectification&status=read", "/users?status=x", "/ratings?status=x", "/ratings?level=6",
    "/ratings?from=2026-11-21&to=2026-11-20", "/ratings.csv?channel=x", "/ratings/public?region=999999",
    "/statistics/ratings?region=999999", "/statistics/ratings?from=2026-11-21&to=2026-11-20",
    "/statistics/ratings.xlsx?from=2026-11-21&to=2026-11-20",

]  # fmt: skip


@ON_SQLITE
def test_a_value_that_cannot_be_one_is_refused(anybody: Person) -> None:
    for address in FAULTY:
        answer = anybody.get(address)
        assert problem(answer) == (422, "invalid"), address
        assert all(fault["message"] and not fault["message"].isascii() for fault in answer.json["errors"])


@ON_SQLITE
def test_a_number_is_neither_a_day_nor_a_time(application: APIFlask, anybody: Person) -> None:
    """Pydantic by itself takes it for seconds since 1970, and a list would be empty without a word."""
    dated = [
        (path, parameter["name"])
        for path, operations in application.spec["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", ())
        if '"format": "date' in json.dumps(parameter["schema"])
    ]
    assert len(dated) > 20
    for path, name in dated:
        for number in ("0", "0.5", "20261121", "-1"):
            assert problem(anybody.get(f"{filled(path.removeprefix('/api/v1'))}?{name}={number}")) == (
                422,
                "invalid",
            ), path


def test_one_day_is_a_range_and_so_is_an_open_end(city_reviewer: Person) -> None:
    for query in ("from=2026-11-21&to=2026-11-21", "from=2026-11-21", "to=2026-11-20", "from=&to="):
        for path in ("/inspections", "/spot-checks", "/statistics/progress"):
            assert city_reviewer.get(f"{path}?{query}").status_code == 200, (path, query)


def test_a_region_that_was_abolished_is_understood(province_user: Person) -> None:
    for path in ("/inspections", "/enterprises", "/statistics/progress"):
        assert province_user.get(f"{path}?region=500105").status_code == 200
    assert read(province_user, "/regions?parent=500105")["items"] == []


def test_a_region_has_a_name_also_where_it_is_not_directly_below_the_own_one(province_user: Person) -> None:
    found = read(province_user, "/regions?code=320402")["items"]
    assert found == [{"code": "320402", "name": "天宁区", "level": "county"}]


def test_a_kind_is_known_by_the_code_of_its_form(county_inspector: Person) -> None:
    assert county_inspector.get("/inspections?kind=gpc-production").status_code == 200


@ON_SQLITE
def test_pages_for_people_take_what_browsers_and_wechat_add(client: FlaskClient) -> None:
    """Addresses that are passed on in WeChat come back with `from` and `isappinstalled`, campaigns add `utm_…`."""
    added = "?from=timeline&isappinstalled=0&utm_source=poster&utm_source=poster"
    for path in ("/", "/r/unknown", "/r/answers", "/healthz", "/api/docs/"):
        plain, passed_on = client.get(path), client.get(path + added)
        assert plain.status_code == passed_on.status_code, path
