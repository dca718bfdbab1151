"""Imports go downward only, and HTTP stays above the rooms: `[tool.importlinter]` of pyproject.toml."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["root_packages"])


def kept(folder: Path) -> subprocess.CompletedProcess[str]:
    """The linter of imports over the rooms in a folder."""
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([linter, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True, check=False)


def test_every_room_has_its_place() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/*.py")} | {path.stem for path in ROOT.glob("*.py")}
    assert rooms - {"app", "tests", "bench", "bundle", "migrations", *ROOMS} == set()


def test_imports_go_downward_only() -> None:
    found = kept(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_application_imports_nothing_of_the_command_line() -> None:
    """`app.py` is one file, of which the linter knows nothing."""
    tree = ast.parse((ROOT / "app.py").read_text("utf-8"))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert names.isdisjoint({"cli", "demo", "tests", "bench"})


def test_imports_that_go_upward_or_sideways_are_found(tmp_path: Path) -> None:
    """A house of empty rooms under the same contracts, with one wrong import for each of them."""
    wrong = {
        "core/wrong.py": "from accounts import models",
        "inspection/wrong.py": "import feedback",
        "accounts/wrong.py": "def f():\n    import flask",
        "assets/wrong.py": "import tests.people",
        "enterprise/operations.py": "from enterprise import filings",
        "enterprise/filings/many/wrong.py": "import enterprise.production",
        "enterprise/filings/drafts/wrong.py": "from enterprise.filings import steps",
        "feedback/wrong.py": "from core.database.prepared import Prepared",
        "enterprise/production/wrong.py": "from app import create_app",
    }
    rooms_of_files = [path for folder in ("enterprise", "enterprise/filings") for path in (ROOT / folder).glob("*.py")]
    for path in [*ROOT.glob("*/**/__init__.py"), *rooms_of_files, *allowed_to_prepare()]:
        if path.relative_to(ROOT).parts[0] in ROOMS:
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()
    for name, source in wrong.items():
        (tmp_path / name).write_text(source)
    (tmp_path / "core" / "database" / "prepared.py").touch()
    (tmp_path / "enterprise" / "production" / "commands.py").write_text("import enterprise.systems")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    found = kept(tmp_path)
    assert "6 broken" in found.stdout, found.stdout + found.stderr
    modules = [name.removesuffix(".py").replace("/", ".") for name in wrong]
    assert [module for module in modules if f"{module} ->" not in found.stdout] == []


def allowed_to_prepare() -> list[Path]:
    """The modules that may use prepared statements."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    return [
        ROOT / f"{module.replace('.', '/')}.py"
        for contract in contracts if contract["id"] == "prepared"
        for module in contract["allowed_importers"]
    ]  # fmt: skip
