"""The files with the versions hold everything that `pyproject.toml` asks for: a fresh clone installs from them."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ASKED = tomllib.loads((ROOT / "pyproject.toml").read_text())


def plain(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def locked(file: str) -> set[str]:
    return {plain(line) for line in (ROOT / file).read_text().splitlines() if re.match(r"[A-Za-z0-9]", line)}


def versions(file: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", (ROOT / file).read_text(), re.M))


def test_what_is_tested_is_what_ships() -> None:
    shipped, tested = versions("requirements.txt"), versions("requirements-dev.txt")
    assert {name: tested.get(name) for name in shipped} == shipped


@pytest.mark.parametrize(
    ("file", "asked"),
    [
        ("requirements.txt", ASKED["project"]["dependencies"]),
        ("requirements-dev.txt", [*ASKED["project"]["dependencies"], *ASKED["dependency-groups"]["dev"]]),
    ],
)
def test_every_dependency_that_is_asked_for_is_locked(file: str, asked: list[str]) -> None:
    assert {plain(requirement) for requirement in asked} - locked(file) == set()
