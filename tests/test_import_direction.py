"""Imports go downward only, and HTTP stays in one room (docs/architecture.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the top down; those on one line never import each other.
LEVELS = [
    {"app", "commands", "start_up"},
    {"miniapp_api", "demo"},
    {"inspection", "feedback"},
    {"enterprise"},
    {"assets"},
    {"accounts"},
    {"core"},
]
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
TOP = LEVELS[0]
HTTP = {"flask", "apiflask", "werkzeug", "flask_limiter", "flask_swagger_ui"}
MAY_SPEAK_HTTP = TOP | {"miniapp_api"}


def files() -> Iterator[tuple[str, Path]]:
    """Every file of every room, with the room's name."""
    for room in LEVEL:
        for path in [ROOT / f"{room}.py"] if room in TOP else sorted((ROOT / room).rglob("*.py")):
            yield room, path


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, "." * node.level + node.module


def offences(room: str, source: str) -> list[str]:
    """What is wrong with the imports of a file of that room."""
    found = []
    for line, name in imported(ast.parse(source)):
        other = name.split(".")[0]
        if name.startswith("."):
            found.append(f"line {line}: relative import, write the room's name")
        elif other in HTTP and room not in MAY_SPEAK_HTTP:
            found.append(f"line {line}: {room} imports {other}; only miniapp_api and app.py speak HTTP")
        elif other in ("tests", "bench"):
            found.append(f"line {line}: {room} imports {other}")
        elif other in LEVEL and other != room and room not in TOP and LEVEL[other] <= LEVEL[room]:
            found.append(f"line {line}: {room} imports {other}, which stands above or beside it")
    return found


def test_every_room_has_its_place() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/*.py")} | {path.stem for path in ROOT.glob("*.py")}
    assert rooms - {"tests", "bench", "migrations", *LEVEL} == set()


def test_imports_go_downward_only() -> None:
    found = [
        f"{path.relative_to(ROOT)} {text}" for room, path in files() for text in offences(room, path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("core", "from accounts.models import User"),
        ("inspection", "import feedback.models"),
        ("demo", "from miniapp_api.wiring import KEY"),
        ("accounts", "def f():\n    import flask"),
        ("enterprise", "from .models import Enterprise"),
        ("core", "import tests.people"),
    ],
)
def test_an_import_that_goes_upward_is_found(room: str, source: str) -> None:
    assert len(offences(room, source)) == 1


def test_an_import_that_goes_downward_is_none_to_be_found() -> None:
    assert offences("inspection", "import accounts.models\nfrom inspection import models\nimport sqlalchemy") == []
    assert offences("miniapp_api", "from flask import Flask\nfrom inspection import queries") == []
