"""`python -m bundle`: makes the archive that installs and upgrades the product on a server without internet.

The archive is one zip file that Python runs (`python3 gongpin-….pyz FOLDER`). It holds our code, the phone's app as
it was built here, Noto Sans SC and Noto Serif SC, pip, and the wheels of `requirements.txt` for several versions of
Python; each has the hash in the lock file. A library without a wheel is refused here, because the server could not
compile it. On the server, `bundle/install.py` runs.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

from assets.paper import fetch_fonts, fonts
from bundle import client_build

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
"""Versions of Python: of Debian 12 and openEuler 24.03, of Ubuntu 24.04, of Debian 13."""
GLIBC = 28
"""Wheels may need glibc 2.28 at most: that of Debian 10, Kylin V10 SP2 and openEuler 20.03."""
# pragma: allowlist nextline secret
PIP = "pip==25.3 --hash=sha256:9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd"
"""Added to the archive, because Debian's python3 has neither pip nor ensurepip."""
LEFT_OUT = (
    "tests/",
    "bench/",
    "bundle/",
    "client/",
    ".ci/",
    "docs/pictures/",
    "docs/samples/",
    ".",
    "Makefile",
    "requirements",
    "docs/query-plans.md",
)
"""Prefixes of paths that a server does not need."""
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


class BundleError(Exception):
    """The archive cannot be made."""


def requirements(python: str, machine: str) -> list[tuple[str, str, str]]:
    """Lines of the lock file that may apply to a Python version and machine: requirement, marker, hashes.

    They cover every patch release: Debian 12 has 3.11.2, and one library needs another one before 3.11.3.
    """
    environments = [
        {
            "python_version": python, "python_full_version": f"{python}.{patch}", "implementation_name": "cpython",
            "platform_python_implementation": "CPython", "sys_platform": "linux", "os_name": "posix",
            "platform_system": "Linux", "platform_machine": machine,
        }
        for patch in (0, 99)
    ]  # fmt: skip
    found = []
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        text, _, hashes = line.partition(" --hash=")
        if text.strip() and not text.lstrip().startswith("#"):
            asked = Requirement(text.strip())
            if asked.marker is None or any(map(asked.marker.evaluate, environments)):
                marker = f" ; {asked.marker}" if asked.marker else ""
                found.append((f"{asked.name}{asked.specifier}", marker, f" --hash={' '.join(hashes.split())}"))
    return found


def download(folder: Path, lines: list[str], python: str, machine: str) -> None:
    """Download wheels, for any glibc up to `GLIBC`. Raises `BundleError` that names libraries without a wheel."""
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC, 4, -1)]
    platforms += [f"{name}_{machine}" for name in _LEGACY.values()]
    asked = folder / "asked.txt"
    asked.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(  # noqa: S603 -- our own interpreter
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
            "--only-binary=:all:", "--implementation=cp", f"--python-version={python}", f"--dest={folder}",
            *(f"--platform={platform}" for platform in platforms), f"--requirement={asked}",
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    asked.unlink()
    if done.returncode != 0:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise BundleError(f"Python {python}, {machine}: " + "\n".join(reasons or [done.stderr]))


def code_files() -> Iterator[Path]:
    """Our own files that a server needs: those tracked by git, or all files if git is not available."""
    listed = subprocess.run(  # noqa: S603 -- a fixed program
        ["git", "-C", str(ROOT), "ls-files", "-z"],  # noqa: S607
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        names = sorted(name for name in listed.stdout.decode().split("\0") if name)
    else:
        skipped = {"var", "dist", "__pycache__", "node_modules"}
        paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        names = sorted(path.as_posix() for path in paths if not skipped & set(path.parts))
    for name in names:
        path = ROOT / name
        if not name.startswith(LEFT_OUT) and path.is_file():
            yield path


def program_version() -> str:
    """The version in `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


class _Archive:
    """The zip, with the checksum of every member in a manifest at its end. The same content gives the same file."""

    def __init__(self, target: Path) -> None:
        self._zip = zipfile.ZipFile(target, "w")
        self.sums: dict[str, str] = {}

    def add(self, name: str, content: bytes, *, executable: bool = False, listed: bool = True) -> None:
        head = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        head.external_attr = (0o755 if executable else 0o644) << 16
        # Wheels are already compressed.
        head.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
        self._zip.writestr(head, content)
        if listed:
            self.sums[name] = hashlib.sha256(content).hexdigest()

    def close(self, **facts: object) -> None:
        manifest = json.dumps({**facts, "files": self.sums}, ensure_ascii=False, indent=1, sort_keys=True)
        self.add("manifest.json", manifest.encode(), listed=False)
        self._zip.close()


def build(folder: Path, pythons: list[str], machine: str) -> Path:
    """Make the archive and a file with its checksum in a folder; the path of the archive."""
    try:
        fetch_fonts.fetch_all(fonts.SET_UP_FOLDER)
    except fetch_fonts.FetchFailed as error:
        raise BundleError(f"the Chinese type cannot be had: {error}") from error
    try:
        for app in client_build.SERVED:
            client_build.build(app, if_stale=True)
    except client_build.BuildFailed as error:
        raise BundleError(f"an app cannot be built: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"gongpin-{program_version()}-linux-{machine}.pyz"
    part = target.with_suffix(".part")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        wheels = Path(scratch)
        archive = _Archive(part)
        archive.add("__main__.py", (ROOT / "bundle" / "install.py").read_bytes(), listed=False)
        for path in code_files():
            name = path.relative_to(ROOT).as_posix()
            archive.add(f"code/{name}", path.read_bytes(), executable=os.access(path, os.X_OK))
        for app in client_build.SERVED:
            for path in sorted(client_build.built_folder(app).rglob("*")):
                if path.is_file():
                    archive.add(f"code/{path.relative_to(ROOT).as_posix()}", path.read_bytes())
        for path in sorted(fonts.SET_UP_FOLDER.rglob("*")):
            if path.is_file():
                archive.add(f"fonts/{path.relative_to(fonts.SET_UP_FOLDER).as_posix()}", path.read_bytes())
        for python in pythons:
            print(f"Wheels for Python {python} on {machine}", flush=True)
            asked = requirements(python, machine)
            # Markers are left out here, because pip would evaluate them for the Python that runs this.
            download(wheels, [*(name + hashes for name, _, hashes in asked), PIP], python, machine)
            archive.add(f"requirements-{python}.txt", "".join(f"{''.join(parts)}\n" for parts in asked).encode())
        names = sorted(path.name for path in wheels.glob("*.whl"))
        for name in names:
            archive.add(f"wheels/{name}", (wheels / name).read_bytes())
        archive.close(
            product="gongpin", version=program_version(), machine=machine, pythons=pythons, glibc=f"2.{oldest(names)}"
        )
    part.replace(target)
    target.chmod(0o755)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_name(target.name + ".sha256").write_text(f"{digest}  {target.name}\n")
    return target


def oldest(names: Iterable[str]) -> int:
    """The oldest minor version of glibc 2 with which all of these wheels run."""
    needed = 0
    for name in names:
        found = [int(minor) for minor in re.findall(r"manylinux_2_(\d+)_", name)]
        found += [minor for minor, legacy in _LEGACY.items() if f"{legacy}_" in name]
        needed = max(needed, min(found, default=0))
    return needed


def main() -> int:
    """Entry point of `make bundle`; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bundle", description="Make the archive for a server without internet."
    )
    parser.add_argument("--machine", default="x86_64", choices=["x86_64", "aarch64"])
    parser.add_argument(
        "--python", dest="pythons", action="append", metavar="3.N", help=f"default: {' '.join(PYTHONS)}"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "dist")
    options = parser.parse_args()
    try:
        target = build(options.folder, options.pythons or list(PYTHONS), options.machine)
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{target}  ({target.stat().st_size // 1024**2} MiB)\nOn the server:  python3 {target.name} /opt/gongpin")
    return 0


if __name__ == "__main__":
    sys.exit(main())
