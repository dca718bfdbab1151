"""Addresses and query strings that nobody means: not found, refused at the parameter, or the same as none."""

import pytest
from flask.testing import FlaskClient

from tests.people import Person, faults, new_id, production
from tests.problems import ONE_DATABASE, problem_of

STRANGE_PATHS = [
    "/account-applications/status/a%00b", "/enterprises/9132%000400", "/enterprises/%F0%9F%98%80", "/forms/%00",
    "/forms/gpc-production/99999999999999999999999", "/forms/gpc-production/0", "/products/%00/items",
    "/products/06'--/items", "/regions/%FF%FE", "/inspections/{check}/versions/99999999999999999999",
    "/inspections/{check}/versions/2147483648", "/account-applications/status/" + "x" * 5_000,
]  # fmt: skip


@pytest.mark.usefixtures("clock")
def test_a_strange_address_is_not_found(county_inspector: Person) -> None:
    check = new_id()
    assert county_inspector.put(f"/inspections/{check}/submission", production()).status_code == 201
    for path in STRANGE_PATHS:
        answer = county_inspector.get(path.replace("{check}", check))
        assert answer.status_code == 404, path[:60]
        problem_of(answer)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("/api/docs", "/api/docs/"), ("/api/docs?x=1", "/api/docs/?x=1"), ("/api//docs", "/api/docs/"),
        ("/api/v1//regions?parent=320000", "/api/v1/regions?parent=320000"),
    ],
)  # fmt: skip
@ONE_DATABASE
def test_a_redirect_says_a_path_and_not_the_host_it_was_asked_by(client: FlaskClient, asked: str, told: str) -> None:
    answer = client.get(asked, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert (answer.status_code, answer.headers["Location"]) == (308, told)
    assert "evil" not in answer.get_data(as_text=True)


@ONE_DATABASE
def test_the_api_pages_do_not_name_the_host_they_were_asked_by(client: FlaskClient) -> None:
    answer = client.get("/api/docs/", headers={"Host": "evil.example"})
    assert answer.status_code == 200 and "evil" not in answer.get_data(as_text=True)


FAULTY_QUERIES = {
    "page=0": "/page", "page=-1": "/page", "page=abc": "/page", "page=1.5": "/page",
    "page=99999999999999999999": "/page",
    "page_size=0": "/page_size", "page_size=101": "/page_size", "page_size=x": "/page_size", "from=garbage": "/from",
    "from=2026-02-30": "/from", "to=20261120T00": "/to", "to=2026-13-01": "/to", "problem=maybe": "/problem",
    "disposal=gone": "/disposal", "status=deleted": "/status", "q=" + "长" * 101: "/q", "region=3204020": "/region",
    "conclusion=good": "/conclusion", "own_office=2": "/own_office", "product_code=006": "/product_code",
}  # fmt: skip


@ONE_DATABASE
def test_a_faulty_query_is_refused_at_its_parameter_in_lists_and_exports(county_inspector: Person) -> None:
    for query, place in FAULTY_QUERIES.items():
        for path in ("/inspections", "/spot-checks", "/inspections.csv", "/spot-checks.xlsx"):
            answer = county_inspector.get(f"{path}?{query}")
            assert problem_of(answer)["status"] == 422
            assert set(faults(answer)) == {place}, (path, query[:25])


def test_a_nul_in_a_query_is_a_fault(county_inspector: Person) -> None:
    for path in ("/inspections", "/inspections.csv", "/enterprises", "/statistics/progress"):
        for name in ("q", "kind", "region", "product_code"):
            answer = county_inspector.get(f"{path}?{name}=a%00b")
            assert problem_of(answer)["status"] == 422, (path, name)


BLANK = [
    "kind=", "q=", "q=%20", "page=", "from=&to=", "problem=", "region=", "status=&disposal=", "q=%FF",
]  # fmt: skip


@pytest.mark.usefixtures("clock")
def test_a_blank_parameter_means_the_same_as_leaving_it_out(county_inspector: Person) -> None:
    assert county_inspector.put(f"/inspections/{new_id()}/submission", production()).status_code == 201
    for query in BLANK:
        answer = county_inspector.get(f"/inspections?{query}")
        assert answer.status_code == 200 and answer.json is not None
        # What is no UTF-8 is a text that no name has.
        assert answer.json["total"] == (0 if query == "q=%FF" else 1), query


@ONE_DATABASE
def test_a_page_behind_the_last_one_is_empty_and_the_deepest_allowed_one_too(county_inspector: Person) -> None:
    for page in (2, 10_000):
        answer = county_inspector.get(f"/inspections?page={page}&page_size=100").get_json()
        assert (answer["items"], answer["total"], answer["page"]) == ([], 0, page)
