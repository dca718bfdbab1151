"""The OpenAPI 3.1 document, completed from what the gates and endpoints already say."""

import re
from typing import Any

from apiflask import APIFlask
from flask import Blueprint
from flask_swagger_ui import get_swaggerui_blueprint

from assets.files.file_types import PURPOSES
from core.errors import CATALOGUE
from miniapp_api.http.answers import statuses_of
from miniapp_api.http.gates import gate_of, public

DOCS_PATH, SPEC_PATH = "/api/docs", "/api/v1/openapi.json"

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "Chinese sentence a user can act on"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(CATALOGUE)},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "code", "message"],
                "properties": {
                    "path": {"type": "string", "description": "JSON Pointer into the body"},
                    "code": {"type": "string"},
                    "message": {"type": "string", "description": "Chinese sentence a user can act on"},
                },
            },
        },
        "request_id": {"type": "string"},
    },
}
_OBJECT = {"type": "object"}
_FILES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}
_UNCHANGED = {"description": "Unchanged since the ETag that was sent (`If-None-Match`)"}
_BYTES = {"type": "string", "format": "binary"}
_MAY_CONFLICT = {"delete_draft", "delete_filing", "preview_file"}
"""Calls without a body that can be refused with 409."""
_DOWNLOADS = {
    "download_file": "*/*",
    "preview_file": "*/*",
    "download_thumbnail": "image/jpeg",
    "read_qr_png": "image/png",
    "read_qr_svg": "image/svg+xml",
    "read_poster_png": "image/png",
    "read_poster_pdf": "application/pdf",
    "read_sign_png": "image/png",
    "read_sign_pdf": "application/pdf",
    "read_wxacode": "image/*",
}
_UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "purpose"],
                "properties": {
                    "file": {**_BYTES, "description": "one file, at most 20 MiB; the part carries its name"},
                    "purpose": {"type": "string", "enum": sorted(PURPOSES)},
                    "id": {"type": "string", "format": "uuid", "description": "made by the phone; optional"},
                },
            }
        }
    },
}


def install(app: APIFlask) -> None:
    """Serve the document and the pages to read it, both from our own origin."""

    @app.spec_processor
    def complete(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
        assert isinstance(spec, dict)
        spec["openapi"] = "3.1.0"
        # One tag stands on several blueprints and would be listed once for each.
        spec["tags"] = [{"name": name} for name in sorted({tag["name"] for tag in spec.get("tags", [])})]
        components = spec.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = _PROBLEM
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        for rule in app.url_map.iter_rules():
            path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
            for method in ("get", "post", "put", "delete"):
                operation = spec["paths"].get(path, {}).get(method)
                if operation is not None and method.upper() in (rule.methods or ()):
                    _complete(operation, path, rule.endpoint, app.view_functions[rule.endpoint])
        for schema in components["schemas"].values():
            _close(schema)
        return spec

    spec_view = "openapi.spec"  # as APIFlask registers it, without a gate
    app.view_functions[spec_view] = public(transaction=False)(app.view_functions[spec_view])
    # The address for OAuth, which we do not have, would be made of the host that the caller names.
    config = {"app_name": "工品查 API", "validatorUrl": None, "oauth2RedirectUrl": ""}
    pages = get_swaggerui_blueprint(DOCS_PATH, SPEC_PATH, config=config)
    _open(pages)
    app.register_blueprint(pages)


def _open(pages: Blueprint) -> None:
    """The pages hold nothing secret: their routes get the public gate like every other route."""

    @pages.record
    def _gated(state: Any) -> None:
        for endpoint, view in list(state.app.view_functions.items()):
            if endpoint.startswith(f"{state.blueprint.name}."):
                state.app.view_functions[endpoint] = public(transaction=False)(view)


def _complete(operation: dict[str, Any], path: str, endpoint: str, view: Any) -> None:
    gate = gate_of(view)
    blueprint, _, function = endpoint.rpartition(".")
    generic = function in ("save_draft", "submit", "correct", "void", "return", "ask_correction", "delete_draft",
                           "list", "read", "history", "versions", "version", "export_csv", "export_xlsx")  # fmt: skip
    operation["operationId"] = f"{blueprint}_{function}" if generic else function
    kept = {"requestBody", "parameters", "tags", "summary", "description", "operationId"}
    for key in set(operation) - kept:
        del operation[key]
    answer: dict[str, Any] = {"description": "Done", "content": {"application/json": {"schema": _OBJECT}}}
    for ending, media_type in _FILES.items():
        if path.endswith(f".{ending}"):
            answer = {"description": "The file", "content": {media_type: {"schema": {"type": "string"}}}}
    if function in _DOWNLOADS:
        answer = {"description": "The file", "content": {_DOWNLOADS[function]: {"schema": _BYTES}}}
    if function == "upload_file":
        operation["requestBody"] = _UPLOAD
    answered = {200: answer, 201: {**answer, "description": "Created"}, 304: _UNCHANGED}
    responses: dict[str, Any] = {str(status): answered[status] for status in statuses_of(view)}
    faults = {"400", "404", "422", "429", "503"}
    if "requestBody" in operation:
        faults |= {"409", "413", "415"}
    if function in _MAY_CONFLICT or path.endswith(("/approve", "/reject", "/enable")):
        faults.add("409")
    if gate is not None and not gate.public:
        faults |= {"401", "403"}
        operation["security"] = [{"bearer": []}]
        if gate.verbs:
            operation["x-verbs"] = sorted(gate.verbs)
    if function in ("create_session", "post_rating"):
        faults |= {"401", "403"}
    if function == "send_sms_code":
        faults.add("403")
    if path.startswith("/api/v1/ratings/form/"):
        faults |= {"409", "410"}
    if path.startswith("/api/v1/rating-codes/"):
        faults.add("409")
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted(faults):
        titles = sorted(code for code, (number, _) in CATALOGUE.items() if str(number) == status)
        responses[status] = {"description": ", ".join(titles), "content": problem}
    operation["responses"] = responses


def _close(schema: dict[str, Any]) -> None:
    """pydantic writes a discriminating `title` into every property; the document reads better without."""
    for inner in schema.get("properties", {}).values():
        inner.pop("title", None)
