"""The OpenAPI document: valid, complete, and true of what the server answers."""

import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urljoin

import pytest
import schemathesis
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks
from schemathesis.core.failures import Failure, FailureGroup

from accounts.verbs import Role
from feedback.codes.operations import LENGTHS
from miniapp_api.http.wiring import KEY
from tests.newcomers import make_user
from tests.parties import WORKS, open_declaration, prepare, sign_in_enterprise
from tests.people import Person, SignIn
from tests.records import save, submit
from tests.rounds import rounds

ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
METHODS = ("get", "put", "post", "delete")
EXAMPLES = rounds(6, few=2)
"""Of each operation, over all who may call it."""
CHECKS = [
    checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_schema_conformance,
]  # fmt: skip
RATING_ROLES = (Role.RATING_OFFICER, Role.RATING_HANDLER, Role.RATING_SUPERVISOR)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield method, path, operation


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert isinstance(answer.json, dict)
    return answer.json


@ON_SQLITE
def test_the_document_is_valid_as_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


@ON_SQLITE
def test_every_operation_has_an_id_of_its_own_and_a_summary(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids)) > 40
    assert all(operation["summary"].strip() for _, _, operation in operations(document))
    assert all("patch" not in item for item in document["paths"].values())


@ON_SQLITE
def test_every_body_names_its_fields(document: dict[str, Any]) -> None:
    """`EmptyBody` has none; what a form adds of its own is said in words."""
    for method, path, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"]
            name = schema.get("$ref", "").rpartition("/")[2]
            schema = document["components"]["schemas"][name] if name else schema
            assert name == "EmptyBody" or schema["properties"], (method, path)


@ON_SQLITE
def test_bodies_that_rooms_validate_are_described_each_by_its_own_fields(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["RatingCodeBody"]["required"] == ["kind", "matter_name"]
    assert set(schemas["RatingCodeBody"]["properties"]) == {"id", "kind", "office_id", "org_name", *LENGTHS}
    assert {"kind", "uscc", "subject", "data", "documents", "version"} == set(schemas["FilingBody"]["properties"])
    assert "data_declaration" in schemas["FilingBody"]["properties"]["kind"]["enum"]
    steps = schemas["RatingStepBody"]["properties"]
    assert steps["verify_result"]["enum"] == ["confirmed", "partly", "unfounded", "mistaken", "unreachable"]
    assert {"version", "handler_id", "measures", "feedback_text", "satisfied_after", "evidence"} < set(steps)
    assert "confirm_duplicate" in schemas["SubmissionBody"]["properties"]
    assert schemas["CorrectionBody"]["required"] == ["product_code", "version", "reason"]


@ON_SQLITE
def test_every_operation_tells_how_it_refuses(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        refusals = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert refusals, (method, path)
        for answer in refusals.values():
            schema = answer["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}
        # Whoever is signed in may rate too; a session that is over is told so.
        signs_in = operation["operationId"] in (
            "create_session",
            "create_session_by_wechat",
            "create_query_session",
            "post_rating",
        )
        assert ("401" in refusals) == ("security" in operation or signs_in), (method, path)
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(refusals), (method, path)


@ON_SQLITE
def test_every_route_of_the_api_stands_in_the_document(application: APIFlask, document: dict[str, Any]) -> None:
    documented = {(method.upper(), path) for method, path, _ in operations(document)}
    served = set()
    for rule in application.url_map.iter_rules():
        if rule.rule.startswith("/api/v1") and rule.rule != "/api/v1/openapi.json":
            path = "".join(
                "{" + part[1] + "}" if part[0] else part[1]
                for part in ((dynamic, data) for dynamic, data in rule._trace if data != "|")
            )
            served |= {(method, path) for method in rule.methods or () if method.lower() in METHODS}
    assert served == documented


@ON_SQLITE
def test_every_answer_is_a_model(document: dict[str, Any]) -> None:
    """Or a file; only an unchanged one (304) is answered with nothing."""
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            assert (status == "304") == ("content" not in answer), (method, path)
            for media_type, content in answer.get("content", {}).items():
                either = content["schema"].get("anyOf", [content["schema"]])
                are_models = all("$ref" in schema for schema in either)
                assert are_models == media_type.endswith("json"), (method, path, media_type)


@ON_SQLITE
def test_every_model_is_a_component_with_a_short_name_of_its_own(document: dict[str, Any]) -> None:
    """pydantic adds the module's name where two models have the same."""
    assert [name for name in document["components"]["schemas"] if "__" in name or name[-1] in "_0123456789"] == []


@ON_SQLITE
def test_every_endpoint_is_a_plain_function_that_its_name_finds(application: APIFlask) -> None:
    """None is made inside of another function, once for each noun."""
    for rule in application.url_map.iter_rules():
        if rule.rule.startswith("/api/v1") and rule.rule != "/api/v1/openapi.json":
            view = inspect.unwrap(application.view_functions[rule.endpoint])
            assert getattr(inspect.getmodule(view), view.__name__, None) is not None, rule.rule
            assert "<locals>" not in view.__qualname__, rule.rule


@ON_SQLITE
def test_the_pages_to_read_it_come_from_our_own_origin(client: FlaskClient) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    loaded = re.findall(rb"""(?:src|href)=["']([^"']+)""", page.data)
    assert loaded
    for address in loaded:
        assert not re.match(rb"(?:https?:)?//", address)
        assert client.get(urljoin("/api/docs/", address.decode())).status_code == 200


def probe(operation: Any, token: str, known: dict[str, str], examples: int) -> int:
    """Call an operation with so many generated requests; returns how many there were, raises what is wrong.

    Every other request is about what is `known` (path parameters by name): others end in 404.
    """
    called = 0

    @seed(20261121)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def conforms(case: Any) -> None:
        nonlocal called
        called += 1
        if called % 2:
            case.path_parameters.update({name: known[name] for name in case.path_parameters.keys() & known.keys()})
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        case.validate_response(response, checks=CHECKS)

    conforms()
    return called


def from_here(application: APIFlask) -> Callable[[dict[str, Any], Any], Any]:
    """The application to a caller of this machine: the client of Schemathesis says no address, which is refused."""

    def called(environ: dict[str, Any], start_response: Any) -> Any:
        return application({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)

    return called


@pytest.mark.rounds
@ON_SQLITE
def test_no_request_is_answered_otherwise_than_the_document_says(application: APIFlask, sign_in: SignIn) -> None:
    """Schemathesis against the WSGI application, by whoever may call: no server error, only documented answers."""
    parties = prepare(application, sign_in)
    make_user(application.extensions[KEY].database, "320400", "rating_officer", *RATING_ROLES)
    make_user(application.extensions[KEY].database, "320000", "sys_admin_user", Role.SYS_ADMIN)
    for username in ("city_reviewer", "county_inspector"):
        checked = submit(sign_in(username))
        save(sign_in(username))
    known = {"uscc": WORKS, "record_id": checked["id"], "filing_id": open_declaration(parties)["id"]}
    people: dict[str, Callable[[], Person]] = {
        name: partial(sign_in, name)
        for name in ("city_reviewer", "licence_reviewer", "rating_officer", "province_user", "sys_admin_user")
    }
    people["enterprise"] = partial(sign_in_enterprise, application, WORKS)
    verbs = {name: set(person().get("/me").json["verbs"]) for name, person in people.items()}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", from_here(application))
    todo = [result.ok() for result in schema.get_all_operations()]
    called, found = 0, []
    signed_in = {name: person() for name, person in people.items()}
    for number, operation in enumerate(todo):
        demanded = set(operation.definition.raw.get("x-verbs", ()))
        callers = [name for name in people if not demanded or demanded & verbs[name]]
        assert callers, operation.label
        # Another two of them each time, in `make test-rounds` all.
        turn = number % len(callers)
        for name in (callers[turn:] + callers[:turn])[: rounds(len(callers), few=2)]:
            if signed_in[name].get("/me").status_code != 200:  # some operations end sessions
                signed_in[name] = people[name]()
            try:
                called += probe(operation, signed_in[name].token, known, -(-EXAMPLES // len(callers)))
            except (AssertionError, FailureGroup, Failure) as error:
                found.append(f"{operation.label} by {name}: {error!r}")
    assert found == []
    assert called > EXAMPLES * len(todo) / 2
