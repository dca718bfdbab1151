"""What `make client` built for WeChat: its size, that nothing is missing in it, and nothing that WeChat refuses."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundle import client_build

PROGRAM = client_build.built_folder("mp-weixin")
COMPILERS = client_build.CLIENT / "node_modules" / "miniprogram-compiler" / "bin" / "linux"
MAIN_PACKAGE = 700 * 1024
"""What we allow the main package, raw; WeChat allows 2 MB."""
PACKAGE = 2 * 1024 * 1024

pytestmark = pytest.mark.skipif(
    not client_build.is_current("mp-weixin"), reason="the mini-program is not built of these sources: make client"
)


def app() -> dict[str, list[str]]:
    """`app.json`: pages of the main package under an empty root, of each other package under its root."""
    declared = json.loads((PROGRAM / "app.json").read_text(encoding="utf-8"))
    packages = {"": declared["pages"]}
    for package in declared.get("subPackages", []):
        packages[package["root"]] = [f"{package['root']}/{page}" for page in package["pages"]]
    return packages


def files(*endings: str) -> Iterator[Path]:
    yield from sorted(path for path in PROGRAM.rglob("*") if path.is_file() and path.suffix in endings)


def found(pattern: str, *endings: str) -> list[str]:
    """File and text of everything that a pattern finds."""
    return [
        f"{path.relative_to(PROGRAM)}: {match[0][:80]}"
        for path in files(*endings)
        for match in re.finditer(pattern, path.read_text(encoding="utf-8"))
    ]


def test_each_package_is_small_enough() -> None:
    roots = [root for root in app() if root]
    sizes = dict.fromkeys(app(), 0)
    for path in PROGRAM.rglob("*"):
        if path.is_file():
            name = path.relative_to(PROGRAM).as_posix()
            owner = next((root for root in roots if name.startswith(f"{root}/")), "")
            sizes[owner] += path.stat().st_size
    assert sizes[""] <= MAIN_PACKAGE, sizes
    assert max(sizes.values()) <= PACKAGE, sizes


def test_every_page_is_there_with_all_its_files() -> None:
    pages = [page for package in app().values() for page in package]
    assert len(pages) > 10
    assert [
        f"{page}{ending}" for page in pages for ending in (".js", ".json", ".wxml")
        if not (PROGRAM / f"{page}{ending}").is_file()
    ] == []  # fmt: skip


def test_every_component_that_is_named_is_there() -> None:
    missing = []
    for path in files(".json"):
        named = json.loads(path.read_text(encoding="utf-8")).get("usingComponents", {})
        for component in named.values():
            base = PROGRAM / component.lstrip("/") if component.startswith("/") else path.parent / component
            if not base.with_name(f"{base.name}.js").is_file() or not base.with_name(f"{base.name}.wxml").is_file():
                missing.append(f"{path.relative_to(PROGRAM)}: {component}")
    assert missing == []


def test_every_module_that_is_asked_for_is_there() -> None:
    missing = []
    for path in files(".js"):
        for name in re.findall(r'require\("(\.[^"]+)"\)', path.read_text(encoding="utf-8")):
            if not (path.parent / name).resolve().is_file():
                missing.append(f"{path.relative_to(PROGRAM)}: {name}")
    assert missing == []


def test_no_part_is_fetched_while_it_runs() -> None:
    """uni-app makes a bare text of `import()`: what was to be fetched would be missing."""
    assert found(r"\bawait\s*[\"'][^\"']*[\"']|\bimport\s*\(", ".js") == []


def test_no_text_is_run_as_code() -> None:
    """A mini-program may not: WeChat's runtime has neither."""
    assert found(r"(?<![\w.$])eval\s*\(|\bnew\s+Function\b|(?<![\w.$])Function\s*\(\s*[\"'`]", ".js") == []


def test_nothing_is_fetched_from_elsewhere_by_a_style() -> None:
    assert found(r"url\(\s*[\"']?(?:https?:)?//[^)]*|@import\s+[\"']?(?:https?:)?//[^;]*", ".wxss") == []


def test_sizes_do_not_follow_the_width_of_the_screen() -> None:
    """In WeChat a rem is a twentieth of the screen's width, whatever size of type a person chose."""
    assert found(r"[\d.]+rem\b", ".wxss") == []


@pytest.mark.parametrize(("compiler", "ending"), [("wcc", ".wxml"), ("wcsc", ".wxss")])
def test_the_compilers_of_wechat_accept_every_file(compiler: str, ending: str, tmp_path: Path) -> None:
    program = tmp_path / compiler
    if not (COMPILERS / compiler).is_file():
        pytest.skip("WeChat's compilers are not installed: make client")
    program.write_bytes((COMPILERS / compiler).read_bytes())
    program.chmod(0o755)
    names = [f"./{path.relative_to(PROGRAM).as_posix()}" for path in files(ending)]
    try:
        done = subprocess.run([program, *names], cwd=PROGRAM, capture_output=True, text=True, timeout=120, check=False)
    except OSError as error:
        pytest.skip(f"WeChat's compilers do not run on this machine: {error}")
    assert names and done.returncode == 0, done.stderr[-2000:]
