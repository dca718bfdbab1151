"""Imports go downward only, and HTTP stays in one room (docs/architecture.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the top down; those on one line never import each other.
LEVELS = [
    {"cli"},
    {"app"},
    {"composition"},
    {"miniapp_api", "demo"},
    {"inspection", "feedback"},
    {"enterprise"},
    {"backups"},
    {"assets"},
    {"accounts"},
    {"core"},
]
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}

# The same within the room `enterprise`; the last is the register with whatever else is not named here.
FLOORS = [
    {"enterprise.commands", "enterprise.filing_commands", "enterprise.production.commands"},
    {"enterprise.systems"},
    {"enterprise.production"},
    {"enterprise.filings"},
    {"enterprise"},
]
FLOOR = {place: floor for floor, places in enumerate(FLOORS) for place in places}
HTTP = {"flask", "apiflask", "werkzeug", "flask_limiter", "flask_swagger_ui"}
MAY_SPEAK_HTTP = {"app", "composition", "miniapp_api"}


def files() -> Iterator[tuple[str, Path]]:
    """Every file of every room, with the name of its module."""
    for room in LEVEL:
        for path in [ROOT / f"{room}.py"] if room == "app" else sorted((ROOT / room).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, "." * node.level + f"{node.module}.{alias.name}") for alias in node.names)


def place_of(module: str) -> str:
    """Where in the room `enterprise` a module, or a name within one, stands."""
    return max((place for place in FLOOR if f"{module}.".startswith(f"{place}.")), key=len)


def goes_upward(place: str, other: str) -> bool:
    """Whether it is upward, or sideways, from one place in the room `enterprise` to another."""
    return place != other and FLOOR[other] <= FLOOR[place]


def offences(module: str, source: str) -> list[str]:
    """What is wrong with the imports of that module."""
    found = []
    room = module.split(".")[0]
    for line, name in imported(ast.parse(source)):
        other = name.split(".")[0]
        if name.startswith("."):
            found.append(f"line {line}: relative import, write the room's name")
        elif other in HTTP and room not in MAY_SPEAK_HTTP:
            found.append(f"line {line}: {room} imports {other}; only miniapp_api and app.py speak HTTP")
        elif other in ("tests", "bench"):
            found.append(f"line {line}: {room} imports {other}")
        elif other in LEVEL and other != room and LEVEL[other] <= LEVEL[room]:
            found.append(f"line {line}: {room} imports {other}, which stands above or beside it")
        elif room == other == "enterprise" and goes_upward(place_of(module), place_of(name)):
            found.append(f"line {line}: {module} imports {name}, which stands above or beside it")
    return found


def test_every_room_has_its_place() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/*.py")} | {path.stem for path in ROOT.glob("*.py")}
    assert rooms - {"tests", "bench", "bundle", "migrations", *LEVEL} == set()


def test_imports_go_downward_only() -> None:
    found = [
        f"{path.relative_to(ROOT)} {text}"
        for module, path in files()
        for text in offences(module, path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core", "from accounts.models import User"),
        ("inspection", "import feedback.models"),
        ("demo", "from miniapp_api.http.wiring import KEY"),
        ("accounts", "def f():\n    import flask"),
        ("enterprise", "from .models import Enterprise"),
        ("core", "import tests.people"),
        ("enterprise.operations", "from enterprise.filings.models import Filing"),
        ("enterprise.handover", "from enterprise import filings"),
        ("enterprise.filings.actions", "import enterprise.production.models"),
        ("enterprise.production.operations", "from enterprise.systems import KINDS"),
        ("enterprise.commands", "from enterprise.filing_commands import filings"),
    ],
)
def test_an_import_that_goes_upward_is_found(module: str, source: str) -> None:
    assert len(offences(module, source)) == 1


def test_an_import_that_goes_downward_is_none_to_be_found() -> None:
    assert offences("inspection", "import accounts.models\nfrom inspection import models\nimport sqlalchemy") == []
    assert offences("miniapp_api", "from flask import Flask\nfrom inspection import queries") == []
    assert offences("enterprise.production.queries", "from enterprise.filings.models import Filing") == []
    assert offences("enterprise.filings.kinds", "from enterprise import queries\nimport enterprise.filings.moves") == []
    assert offences("enterprise.systems", "from enterprise.production import kinds") == []
