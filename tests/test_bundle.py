"""The bundle for servers without internet: what goes in, and what its installer refuses before it changes anything.

`tests/offline.py` installs, upgrades and goes back with a real one.
"""

import ast
import importlib.util
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bundle import __main__ as building

ROOT = Path(__file__).resolve().parent.parent
INSTALLER = ROOT / "bundle" / "install.py"


@pytest.fixture
def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("installer", INSTALLER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def here() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def bundle(path: Path, installer: ModuleType, *, harmed: bool = False, **told: Any) -> Path:
    """A bundle without libraries."""
    manifest = {"version": "9.9", "machine": installer.platform.machine(), "pythons": [here()], "glibc": "2.5"} | told
    content = b"print()"
    sums = {"code/app.py": installer.hashlib.sha256(content).hexdigest()}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("code/app.py", content + b"#" if harmed else content)
        archive.writestr("manifest.json", json.dumps(manifest | {"files": sums}))
    return path


def test_the_installer_can_be_read_by_an_old_python_which_it_then_refuses(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ast.parse(INSTALLER.read_text("utf-8"), feature_version=(3, 6))
    monkeypatch.setattr(sys, "version_info", (3, 7, 9))
    assert installer.main(["/nowhere"]) == installer.REFUSED
    assert "需要 Python 3.11" in capsys.readouterr().out


def test_the_installer_needs_the_standard_library_only() -> None:
    tree = ast.parse(INSTALLER.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"pythons": ["3.99"]}, "安装包支持 Python 3.99"),
        ({"machine": "riscv64"}, "安装包用于 linux riscv64"),
        ({"glibc": "2.999"}, "需要 glibc 2.999"),
    ],
)
def test_another_machine_is_refused_before_anything_is_written(
    told: Any, sentence: str, installer: ModuleType, tmp_path: Path
) -> None:
    home = installer.Home(tmp_path / "home")
    archive = installer.Archive(bundle(tmp_path / "bundle.pyz", installer, **told))
    with pytest.raises(installer.Refused, match=sentence):
        installer.install(archive, home)
    assert not home.folder.exists()


def test_a_folder_with_other_things_in_it_is_refused(installer: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    archive = installer.Archive(bundle(tmp_path.parent / f"{tmp_path.name}.pyz", installer))
    with pytest.raises(installer.Refused, match="已有其他内容"):
        installer.install(archive, installer.Home(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def test_a_harmed_bundle_installs_nothing(installer: ModuleType, tmp_path: Path) -> None:
    home = installer.Home(tmp_path / "home")
    home.folder.mkdir()
    with pytest.raises(installer.Refused, match="安装包已损坏"):
        installer.install(installer.Archive(bundle(tmp_path / "bundle.pyz", installer, harmed=True)), home)
    assert not home.current.exists() and list(home.releases.iterdir()) == []


def test_settings_are_read_as_the_shell_reads_them(installer: ModuleType, tmp_path: Path) -> None:
    home = installer.Home(tmp_path)
    home.settings.write_text("# a comment\nPORT=8001 # here\nDATABASE_URL='postgresql://u:p$1@h/d'\n\nDATA_DIR=\n")
    found = home.environment()
    assert (found["PORT"], found["DATABASE_URL"]) == ("8001", "postgresql://u:p$1@h/d")
    assert found["DATA_DIR"] == str(tmp_path / "var")
    home.settings.write_text("PORT='8001\n")
    with pytest.raises(installer.Refused, match="PORT 一行的引号"):
        home.environment()


def test_a_running_server_is_not_upgraded(installer: ModuleType, tmp_path: Path) -> None:
    home = installer.Home(tmp_path)
    home.settings.write_text("")
    (tmp_path / "var").mkdir()
    with (tmp_path / "var" / "server.lock").open("a") as lock:
        installer.fcntl.flock(lock, installer.fcntl.LOCK_SH)
        with pytest.raises(installer.Refused, match="请先停止"), installer.stopped(home):
            pass


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("python", building.PYTHONS)
def test_every_requirement_of_a_server_is_asked_for_with_its_hashes(python: str, machine: str) -> None:
    asked = {name.split("==")[0]: (marker, hashes) for name, marker, hashes in building.requirements(python, machine)}
    assert {"flask", "sqlalchemy", "psycopg-binary", "pyrage", "pillow-heif", "typst"} <= asked.keys()
    assert not {"colorama", "win-unicode-console"} & asked.keys()
    assert all(hashes.startswith(" --hash=sha256:") for _, hashes in asked.values())
    # Debian 12 has 3.11.2; whether it is needed is known on the server only.
    assert ("async-timeout" in asked) is (python == "3.11")
    assert all("python_full_version" in marker for name, (marker, _) in asked.items() if name == "async-timeout")


def test_code_and_nothing_of_the_development_goes_in() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in building.code_files()}
    assert {
        "app.py",
        "cli/__main__.py",
        "manage",
        "alembic.ini",
        "pyproject.toml",
        "migrations/env.py",
        "backups/making.py",
        "feedback/papers/poster.typ",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", ".", "var/"))]


@pytest.mark.parametrize(
    ("wheel", "minor"),
    [
        ("a-1-py3-none-any.whl", 0),
        ("a-1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl", 17),
        ("a-1-cp311-cp311-manylinux1_x86_64.manylinux_2_28_x86_64.manylinux_2_5_x86_64.whl", 5),
        ("a-1-cp311-abi3-manylinux_2_34_aarch64.whl", 34),
    ],
)
def test_the_oldest_c_library_is_read_from_the_names_of_the_wheels(wheel: str, minor: int) -> None:
    assert building.oldest([wheel]) == minor
