"""The OpenAPI document has a type for everything: a client's program that is generated from it knows every field."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import ROOT

ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
CLIENT = ROOT / "client"
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")
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
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the client's programs, installed as its lock says."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed: the types of the client are not generated")
    folder = tmp_path_factory.mktemp("client")
    for name in ("package.json", "package-lock.json", "core/package.json", "phone/package.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(CLIENT / name, folder / name)
    command = [npm, "ci", "--workspace", "core", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and any(code in done.stderr for code in UNREACHABLE):
        pytest.skip("the npm registry cannot be reached: the types of the client are not generated")
    assert done.returncode == 0, done.stderr
    return folder / "node_modules" / ".bin"


@ON_SQLITE
def test_openapi_typescript_knows_every_type(client: FlaskClient, tools: Path, tmp_path: Path) -> None:
    source, generated = tmp_path / "openapi.json", tmp_path / "openapi.ts"
    source.write_text(json.dumps(client.get("/api/v1/openapi.json").json))
    generate = [tools / "openapi-typescript", source, "-o", generated]
    subprocess.run(generate, check=True, capture_output=True, timeout=120)
    types = BESIDE_EACH_RESPONSE.sub("", generated.read_text())
    code = re.sub(r"/\*.*?\*/", "", types, flags=re.DOTALL)
    unknown = [line for line in code.splitlines() if re.search(r"(?<![\w\"])(unknown|any)(?![\w\"]|\??:)", line)]
    assert unknown == []
    command = [tools / "tsc", "--noEmit", "--strict", "--lib", "es2022", generated]
    compiled = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert compiled.returncode == 0, compiled.stdout
