"""The way of a bureau's server: bundle, install without a network, serve, back up, restore, upgrade, go back.

`python -m tests.offline`, run by `.ci/run`; about two minutes. Everything stands in a temporary folder.
"""

import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg

from tests.databases import postgres_answers, postgres_database

ROOT = Path(__file__).resolve().parent.parent
# As on a server: nothing of this machine's settings, no index, and a network of nothing where the kernel lets us.
BARE = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PIP_INDEX_URL": "http://127.0.0.1:9/", "HOME": "/nonexistent"}


def python() -> str:
    """The machine's own, which may lack pip and ensurepip as Debian's does."""
    for name in ("/usr/bin/python3", sys._base_executable):  # type: ignore[attr-defined]
        asked = [name, "-c", f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"]
        if Path(name).exists() and subprocess.run(asked, check=False).returncode == 0:
            return name
    raise SystemExit("no Python of the development's version on this machine")


def network_less() -> list[str]:
    probe = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return ["unshare", "-n"] if probe.returncode == 0 else []


def run(*command: object, expect: int | None = 0, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env=BARE if env is None else {**BARE, **env},
    )  # fmt: skip
    assert expect is None or done.returncode == expect, (
        f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done.stdout + done.stderr


@contextmanager
def serving(home: Path, port: int, **env: str) -> Iterator[str]:
    """The installed server, ready."""
    process = subprocess.Popen(
        [str(home / "manage"), "serve"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**BARE, **env}, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(1200):
            assert process.poll() is None, f"the server ended with {process.returncode}"
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                assert json.load(answer)["status"] == "ready"
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the server did not become ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def contents(data_dir: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Rows of every table, and the SHA-256 of every stored file that a row names; asked of SQLite alone."""
    with closing(sqlite3.connect(data_dir / "gongpin.sqlite3")) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables}
        files = {}
        for key, expected in database.execute("SELECT stored_key, sha256 FROM files"):
            files[key] = hashlib.sha256((data_dir / "files" / key).read_bytes()).hexdigest()
            assert files[key] == expected, key
    for moving in ("leases", "sessions"):
        counts.pop(moving, None)
    return counts, files


def without_seals(found: tuple[dict[str, int], dict[str, str]]) -> tuple[dict[str, int], dict[str, str]]:
    """The same without what a server that runs seals of its history each minute."""
    counts, files = found
    sealed = ("history_seals", "history_gaps", "history_checks")
    return {table: count for table, count in counts.items() if table not in sealed}, files


def postgres_counts(url: str, tables: dict[str, int]) -> dict[str, int]:
    """Rows of these tables."""
    with psycopg.connect(url) as connection:
        found = {table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone() for table in tables}
    return {table: row[0] for table, row in found.items() if row is not None}


def newer(bundle: Path, target: Path) -> Path:
    """The same bundle as a later release: another version, otherwise the same."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(target, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        name = "code/pyproject.toml"
        changed = old.read(name).replace(b'version = "', b'version = "9.', 1)
        manifest["version"] = "9." + manifest["version"]
        manifest["files"][name] = hashlib.sha256(changed).hexdigest()
        replaced = {name: changed, "manifest.json": json.dumps(manifest).encode()}
        for info in old.infolist():
            new.writestr(info, replaced.get(info.filename) or old.read(info.filename))
    return target


def main() -> None:
    """All of it; an assertion says what does not hold."""
    began = time.monotonic()

    def step(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        home, port = scratch / "gongpin", free_port()
        step("bundle")
        minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
        made = subprocess.run(
            [sys.executable, "-m", "bundle", "--python", minor, "--folder", scratch], cwd=ROOT, check=False
        )
        assert made.returncode == 0
        (bundle,) = scratch.glob("*.pyz")

        step("install without a network; once interrupted, once to the end")
        offline = [*network_less(), python()]
        interrupted = subprocess.Popen([*offline, str(bundle), str(home)], env=BARE, stdout=subprocess.DEVNULL)
        while interrupted.poll() is None and not list(home.glob("releases/*/.venv/lib/*/site-packages/*")):
            time.sleep(0.05)
        interrupted.kill()
        interrupted.wait()
        assert not (home / "current").exists()
        while "还没有停下" in (said := run(*offline, bundle, home, expect=None)):
            time.sleep(0.2)  # what it had started goes on for a moment
        assert "已安装" in said, said
        assert "没有需要做的" in run(*offline, bundle, home)
        settings = home / "settings.env"
        text = settings.read_text().replace("PORT=8000", f"PORT={port}").replace("DEMO=0", "DEMO=1")
        settings.write_text(text)

        step("serve with the demo")
        with serving(home, port) as url:
            with urllib.request.urlopen(f"{url}/app/", timeout=5) as answer:
                assert "/app/assets/" in answer.read().decode(), "the bundle carries no phone app"
            assert "请先停止" in run(*offline, newer(bundle, scratch / "later.pyz"), home, expect=2)

        step("back up")
        key = scratch / "backup.key"
        said = run(home / "manage", "backup", "key", key)
        recipient = next(line for line in said.splitlines() if line.startswith("BACKUP_RECIPIENT="))
        settings.write_text(f"{text}\nBACKUP_DIR={scratch / 'backups'}\n{recipient}\n")
        run(home / "manage", "backup", "make")
        (backup,) = (scratch / "backups").glob("*-full.tar.age")
        before = contents(home / "var")
        assert before[0]["users"] and before[0]["inspections"] and before[1]

        step("restore into an empty place and compare")
        there = scratch / "restored"
        run(home / "manage", "restore", backup, "--key", key, env={"DATA_DIR": str(there)})
        assert contents(there) == before
        assert (there / "data.key").read_text() == (home / "var" / "data.key").read_text()
        assert "不会覆盖" in run(
            home / "manage", "restore", backup, "--key", key, env={"DATA_DIR": str(there)}, expect=2
        )
        with serving(home, port, DATA_DIR=str(there)):
            pass

        if postgres_answers():
            step("the same into PostgreSQL, and back again")
            with postgres_database() as database:
                url = database.render_as_string(hide_password=False)
                env = {"DATABASE_URL": url, "DATA_DIR": str(scratch / "postgres")}
                run(home / "manage", "restore", backup, "--key", key, env=env)
                assert postgres_counts(url, before[0]) == before[0]
                run(home / "manage", "backup", "make", "--to", scratch / "other", env=env)
            (other,) = (scratch / "other").glob("*.age")
            run(home / "manage", "restore", other, "--key", key, env={"DATA_DIR": str(scratch / "back")})
            assert contents(scratch / "back") == before

        step("upgrade, and go back")
        former = (home / "current").resolve()
        run(*offline, scratch / "later.pyz", home)
        assert "9." in run(home / "manage", "--version")
        assert (home / "previous").resolve() == former
        assert list((home / "var" / "before-upgrade").iterdir())
        assert list((scratch / "backups").glob("*-database.tar.age"))
        with serving(home, port):
            pass
        assert without_seals(contents(home / "var")) == without_seals(before)
        run(*offline, scratch / "later.pyz", home, "--back")
        assert (home / "current").resolve() == former
        with serving(home, port):
            pass

        step("done")


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
