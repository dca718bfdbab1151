"""What `make client` built for browsers: nothing from elsewhere, all that it names, and a way without a network."""

import json
import re
from pathlib import Path

import pytest

from bundle import client_build

BUILT = client_build.built_folder("h5")

pytestmark = pytest.mark.skipif(
    not client_build.is_current("h5"), reason="the phone's app is not built of these sources: make client"
)


def texts(ending: str) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(BUILT.rglob(f"*{ending}"))}


def test_no_style_fetches_anything_from_elsewhere() -> None:
    assert {
        name: found for name, text in texts(".css").items()
        if (found := re.findall(r"url\(\s*[\"']?(?:https?:)?//[^)]*\)|@import[^;]*//[^;]*", text))
    } == {}  # fmt: skip


def test_the_start_page_has_no_script_or_style_of_its_own_and_all_that_it_names_is_there() -> None:
    page = (BUILT / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page) == []
    named = re.findall(r"(?:src|href)=\"(?:/app/)?([^\"]+)\"", page)
    assert named and [name for name in named if not (BUILT / name).is_file()] == []


def test_the_browser_keeps_every_file_of_the_app() -> None:
    worker = (BUILT / "sw.js").read_text(encoding="utf-8")
    kept = json.loads(re.search(r"const FILES = (\[.*\])", worker)[1])  # type: ignore[index]
    all_files = {path.relative_to(BUILT).as_posix() for path in BUILT.rglob("*") if path.is_file()}
    texts_only = {name for name in all_files if not name.endswith((".gz", ".br")) and name != "sw.js"}
    assert set(kept) == texts_only - {"index.html"} | {"./"}


def test_every_text_has_compressed_copies() -> None:
    bare = [path for path in BUILT.rglob("*") if path.suffix in {".js", ".css", ".html"}]
    missing = [path.name for path in bare for ending in (".gz", ".br") if not Path(f"{path}{ending}").is_file()]
    assert bare and missing == []
