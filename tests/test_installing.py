"""`make setup` installs exactly the lock with the machine's own pip, also where newer releases have appeared since."""

import base64
import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def wheel(folder: Path, name: str, version: str, *requires: str) -> str:
    """Write a wheel with one empty module; its line in a lock."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    members = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: more\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        member: base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        for member, content in members.items()
    }
    record = "".join(f"{member},sha256={digest},\n" for member, digest in digests.items()) + f"{info}/RECORD,,\n"
    target = folder / "simple" / name.replace("_", "-") / f"{name}-{version}-py3-none-any.whl"
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for member, content in (members | {f"{info}/RECORD": record}).items():
            archive.writestr(member, content)
    links = "".join(f'<a href="{path.name}">{path.name}</a>\n' for path in sorted(target.parent.glob("*.whl")))
    (target.parent / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(target.read_bytes()).hexdigest()}\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout with two dependencies, one of which has a newer release than the lock pins."""
    folder = tmp_path / "clone"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    lock = wheel(tmp_path, "alpha_web", "1.0", "beta_types[more]>=1.0") + wheel(tmp_path, "beta_types", "1.0")
    wheel(tmp_path, "beta_types", "1.1")
    (folder / "requirements.txt").write_text(lock)
    return folder


def make_setup(clone: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    index = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": (clone.parent / "simple").as_uri()}
    return subprocess.run(
        ["make", "setup"], cwd=clone, env=kept | index, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


@pytest.mark.only_in_rounds
def test_a_release_newer_than_the_lock_is_not_looked_at(clone: Path) -> None:
    done = make_setup(clone)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = subprocess.run(
        [clone / ".venv" / "bin" / "python", "-m", "pip", "freeze"], capture_output=True, text=True, check=True
    )
    assert listed.stdout.split() == ["alpha_web==1.0", "beta_types==1.0"]


@pytest.mark.only_in_rounds
def test_a_lock_that_lacks_a_dependency_is_noticed(clone: Path) -> None:
    lock = (clone / "requirements.txt").read_text().splitlines(keepends=True)
    (clone / "requirements.txt").write_text(lock[0])
    done = make_setup(clone)
    assert done.returncode != 0 and "beta" in done.stdout + done.stderr


@pytest.mark.only_in_rounds
def test_bytes_that_the_lock_does_not_know_are_refused(clone: Path) -> None:
    wheel(clone.parent, "beta_types", "1.0", "alpha_web>=1.0")
    done = make_setup(clone)
    assert done.returncode != 0 and "HASHES" in done.stdout + done.stderr
