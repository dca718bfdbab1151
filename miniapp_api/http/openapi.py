"""The OpenAPI 3.1 document, completed from what the gates and endpoints already say."""

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from apiflask import APIFlask
from flask import Blueprint, Response, make_response
from flask_swagger_ui import get_swaggerui_blueprint
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from core.errors import CATALOGUE
from miniapp_api.http.answers import (
    COMPONENT,
    AnswerValue,
    File,
    JsonValue,
    description_of,
    received_by,
    refusals_of,
    successes_of,
)
from miniapp_api.http.gates import gate_of, public
from miniapp_api.http.problem_answers import Problem

DOCS_PATH, SPEC_PATH = "/api/docs", "/api/v1/openapi.json"

_REFUSALS = frozenset({400, 404, 422, 429, 503})
_REFUSALS_OF_BODIES = frozenset({409, 413, 415})
_REFUSALS_OF_GATES = frozenset({401, 403})
_BYTES = {"type": "string", "format": "binary"}
_REFERENCE = "#/components/schemas/{model}"


def install(app: APIFlask) -> None:
    """Serve the document and the pages to read it, both from our own origin."""
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False

    @app.spec_processor
    def complete(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
        assert isinstance(spec, dict)
        spec["openapi"] = "3.1.0"
        # One tag stands on several blueprints and would be listed once for each.
        spec["tags"] = [{"name": name} for name in sorted({tag["name"] for tag in spec.get("tags", [])})]
        components = spec.setdefault("components", {})
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        operations = list(_operations(app, spec))
        with app.app_context():  # some enums are those of what is registered in this application
            schemas = _Schemas(operations)
        for operation in operations:
            _complete(operation, schemas)
        for name, schema in schemas.components.items():
            assert name not in components.setdefault("schemas", {}), f"a body and an answer are both called {name}"
            components["schemas"][name] = schema
        for schema in components["schemas"].values():
            _without_titles(schema)
            _refer(schema)
        return spec

    spec_view = "openapi.spec"  # as APIFlask registers it, without a gate
    app.view_functions[spec_view] = public(transaction=False)(app.view_functions[spec_view])
    # The address for OAuth, which we do not have, would be made of the host that the caller names.
    config = {"app_name": "工品查 API", "validatorUrl": None, "oauth2RedirectUrl": ""}
    pages = get_swaggerui_blueprint(DOCS_PATH, SPEC_PATH, config=config)
    _open(pages)
    app.register_blueprint(pages)


def _open(pages: Blueprint) -> None:
    """The pages hold nothing secret: their routes get the public gate like every other route, and a policy."""

    @pages.record
    def _gated(state: Any) -> None:
        for endpoint, view in list(state.app.view_functions.items()):
            if endpoint.startswith(f"{state.blueprint.name}."):
                state.app.view_functions[endpoint] = public(transaction=False)(_with_policy(view))


def _with_policy(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view with a policy that allows the scripts of its page and what they ask of this server."""

    @functools.wraps(view)
    def shown(*args: Any, **kwargs: Any) -> Response:
        response = make_response(view(*args, **kwargs))
        if response.mimetype == "text/html":
            inline = re.findall(r"<script>(.*?)</script>", response.get_data(as_text=True), re.DOTALL)
            digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline)
            scripts = " ".join(f"'sha256-{digest}'" for digest in digests)
            # Swagger UI writes styles into its elements; its pictures are part of its style sheet.
            response.headers["Content-Security-Policy"] = (
                f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
                "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            )
        return response

    return shown


@dataclass(frozen=True, slots=True)
class _Operation:
    """An operation of the document beside the function that serves it."""

    document: dict[str, Any]
    endpoint: str
    view: Any


def _operations(app: APIFlask, spec: dict[Any, Any]) -> Iterator[_Operation]:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in ("get", "post", "put", "delete"):
            operation = spec["paths"].get(path, {}).get(method)
            if operation is not None and method.upper() in (rule.methods or ()):
                yield _Operation(operation, rule.endpoint, app.view_functions[rule.endpoint])


class _Names(GenerateJsonSchema):
    """Names of components as a client's program would write them: `Page[Region]` is `RegionPage`."""

    def normalize_name(self, name: str) -> str:
        return super().normalize_name(re.sub(r"^(\w+)\[(\w+)\]$", r"\2\1", name))

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class _Schemas:
    """The schemas of all models that the endpoints name: each a component of its own, however often it is used."""

    def __init__(self, operations: list[_Operation]) -> None:
        everywhere: tuple[Any, ...] = (Problem, AnswerValue, JsonValue)
        adapters: dict[tuple[Any, JsonSchemaMode], TypeAdapter[Any]] = {
            (model, "serialization"): TypeAdapter(model) for model in everywhere
        }
        for operation in operations:
            if received := received_by(operation.view):
                adapters[received[1], "validation"] = TypeAdapter(received[1])
            for content in successes_of(operation.view).values():
                if content is not None and not isinstance(content, File):
                    adapters[content, "serialization"] = TypeAdapter(content)
        keyed = [(str(n), mode, adapter) for n, ((_, mode), adapter) in enumerate(adapters.items())]
        schemas, definitions = TypeAdapter.json_schemas(keyed, ref_template=_REFERENCE, schema_generator=_Names)
        self.components: dict[str, Any] = definitions["$defs"]
        self._by_model = {
            model: schemas[number, mode] for (model, mode), (number, _, _) in zip(adapters, keyed, strict=True)
        }

        self._in_place: dict[Any, dict[str, Any]] = {}

    def content(self, answer: Any) -> dict[str, Any]:
        """The `content` of a response."""
        if isinstance(answer, File):
            text = answer.media_type.startswith("text/")
            return {answer.media_type: {"schema": {"type": "string"} if text else _BYTES}}
        return {"application/json": {"schema": self._by_model[answer]}}

    def of(self, model: Any) -> Any:
        """The schema of a model: most often a reference to its component."""
        return self._by_model[model]

    def in_place(self, model: Any) -> Any:
        """The same without a component, for what is no JSON."""
        if model not in self._in_place:
            schema = self.components.pop(self.of(model)["$ref"].rpartition("/")[2])
            _without_titles(schema)
            self._in_place[model] = schema
        return deepcopy(self._in_place[model])


def _complete(operation: _Operation, schemas: _Schemas) -> None:
    document, view = operation.document, operation.view
    gate = gate_of(view)
    document["operationId"] = operation.endpoint.rpartition(".")[2]
    kept = {"requestBody", "parameters", "tags", "summary", "description", "operationId"}
    for key in set(document) - kept:
        del document[key]
    if received := received_by(view):
        media_type, model = received
        document["requestBody"] = {"required": True, "content": {media_type: {"schema": schemas.in_place(model)}}}
    responses: dict[str, Any] = {}
    for status, content in successes_of(view).items():
        responses[str(status)] = {"description": description_of(status, content)}
        if content is not None:
            responses[str(status)]["content"] = schemas.content(content)
    faults = _REFUSALS | refusals_of(view)
    if "requestBody" in document:
        faults |= _REFUSALS_OF_BODIES
    if gate is not None and not gate.public:
        faults |= _REFUSALS_OF_GATES
        document["security"] = [{"bearer": []}]
        if gate.verbs:
            document["x-verbs"] = sorted(gate.verbs)
    problem = {"application/problem+json": {"schema": schemas.of(Problem)}}
    for status in sorted(faults):
        codes = sorted(code for code, (number, _) in CATALOGUE.items() if number == status)
        responses[str(status)] = {"description": ", ".join(codes), "content": problem}
    document["responses"] = responses


def _without_titles(schema: dict[str, Any]) -> None:
    """pydantic writes the name of every model and field as its `title`; the document reads better without."""
    schema.pop("title", None)
    for inner in schema.get("properties", {}).values():
        inner.pop("title", None)


def _refer(schema: Any) -> None:
    """Turn `COMPONENT` into the reference that it stands for."""
    if isinstance(schema, dict):
        if COMPONENT in schema:
            schema["$ref"] = _REFERENCE.format(model=schema.pop(COMPONENT))
        for inner in schema.values():
            _refer(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _refer(inner)
