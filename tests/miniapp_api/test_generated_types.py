"""The OpenAPI document has a type for everything: a client's program that is generated from it knows every field."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import ROOT

ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
CLIENT = ROOT / "client"
SCHEMA = CLIENT / "core" / "src" / "api" / "schema.ts"
BESIDE_EACH_RESPONSE = re.compile(r"headers: \{\s*\[name: string\]: unknown;\s*\};")
"""What openapi-typescript says of the headers of every response, whatever the document says of them."""


def schemas(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every schema that stands in the document by itself, with its place."""
    yield from document["components"]["schemas"].items()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            place = f"{method} {path}"
            for parameter in operation.get("parameters", ()):
                yield f"{place} {parameter['name']}", parameter["schema"]
            answers = operation["responses"].items()
            for part, holder in (("body", operation.get("requestBody", {})), *answers):
                for content in holder.get("content", {}).values():
                    yield f"{place} {part}", content["schema"]


def untyped(schema: Any, place: str) -> Iterator[str]:
    """The places at which openapi-typescript would write `unknown`, or would leave a field out."""
    if not isinstance(schema, dict) or not schema.keys() & {"$ref", "type", "enum", "const", "anyOf", "oneOf", "allOf"}:
        yield place
        return
    for key in ("anyOf", "oneOf", "allOf"):
        for number, one in enumerate(schema.get(key, ())):
            yield from untyped(one, f"{place}/{key}/{number}")
    if schema.get("type") == "array":
        yield from untyped(schema.get("items"), f"{place}/items")
    if schema.get("type") == "object":
        if "properties" not in schema and "additionalProperties" not in schema:
            yield place
        for name, one in schema.get("properties", {}).items():
            yield from untyped(one, f"{place}/{name}")
        if schema.get("additionalProperties", False) is not False:
            yield from untyped(schema["additionalProperties"], f"{place}/*")


@ON_SQLITE
def test_nothing_in_the_document_lacks_a_type(client: FlaskClient) -> None:
    document: Any = client.get("/api/v1/openapi.json").json
    lacking = [found for place, schema in schemas(document) for found in untyped(schema, place)]
    assert lacking == []


@pytest.mark.parametrize(
    "schema",
    [
        {}, True, {"description": "anything"}, {"type": "object"}, {"type": "array"}, {"type": "array", "items": {}},
        {"type": "object", "additionalProperties": True}, {"type": "object", "properties": {"a": {}}},
        {"anyOf": [{"type": "null"}, {}]},
    ],
)  # fmt: skip
def test_what_lacks_a_type_is_found(schema: Any) -> None:
    assert list(untyped(schema, "here"))


@pytest.fixture(scope="module")
def tools(client_tools: Path) -> Path:
    """The folder of the client's programs."""
    return client_tools / "node_modules" / ".bin"


@pytest.fixture(scope="module")
def document() -> str:
    """The OpenAPI document as the command prints it."""
    done = subprocess.run([ROOT / "manage", "openapi"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def generated(document: str, tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The types that openapi-typescript makes of the document."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "openapi.json").write_text(document)
    generate = [tools / "openapi-typescript", folder / "openapi.json", "-o", folder / "schema.ts"]
    subprocess.run(generate, check=True, capture_output=True, timeout=120)
    return folder / "schema.ts"


@ON_SQLITE
def test_the_command_prints_the_document_that_is_served(client: FlaskClient, document: str) -> None:
    assert json.loads(document) == client.get("/api/v1/openapi.json").json


def test_the_types_of_the_client_are_those_of_the_document(generated: Path) -> None:
    assert generated.read_text() == SCHEMA.read_text(), "the types of the client are stale: run  make types"


def test_openapi_typescript_knows_every_type(generated: Path, tools: Path) -> None:
    types = BESIDE_EACH_RESPONSE.sub("", generated.read_text())
    code = re.sub(r"/\*.*?\*/", "", types, flags=re.DOTALL)
    unknown = [line for line in code.splitlines() if re.search(r"(?<![\w\"])(unknown|any)(?![\w\"]|\??:)", line)]
    assert unknown == []
    command = [tools / "tsc", "--noEmit", "--strict", "--lib", "es2022", generated]
    compiled = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert compiled.returncode == 0, compiled.stdout
