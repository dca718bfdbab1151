"""Chinese type: where it comes from, and that a character which no font has is never left out silently."""

import base64
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from fontTools.ttLib import TTCollection, TTFont

from assets.paper import fetch_fonts, font_files, fonts
from assets.paper.fetch_fonts import SANS, Family, FetchFailed, fetch
from assets.paper.fonts import CharactersMissing, Face, FontMissing, Fonts, Weight
from tests.assets.small_fonts import BOLD, CHINESE, REGULAR, write_font


def found(tmp_path: Path) -> Fonts:
    return Fonts(tmp_path / "set-up", [tmp_path / "system"], fontconfig=False)


def test_the_fonts_of_the_set_up_come_before_those_of_the_system(tmp_path: Path) -> None:
    regular = write_font(tmp_path / "set-up" / "any" / REGULAR, CHINESE)
    bold = write_font(tmp_path / "set-up" / "any" / BOLD, CHINESE)
    write_font(tmp_path / "system" / "DroidSansFallbackFull.ttf", CHINESE)
    assert found(tmp_path).load(Weight.REGULAR) == Face(regular)
    assert found(tmp_path).load(Weight.BOLD) == Face(bold)


def test_without_the_set_up_a_font_of_the_system_is_used_for_both_weights(tmp_path: Path) -> None:
    path = write_font(tmp_path / "system" / "truetype" / "DroidSansFallbackFull.ttf", CHINESE)
    assert found(tmp_path).load(Weight.REGULAR) == Face(path)
    assert found(tmp_path).load(Weight.BOLD) == Face(path)


def test_papers_are_set_in_song_type_and_what_it_lacks_in_the_other_and_then_in_a_bureaus_own(tmp_path: Path) -> None:
    song = write_font(tmp_path / "set-up" / "NotoSerifSC_400Regular.ttf", CHINESE)
    hei = write_font(tmp_path / "set-up" / REGULAR, CHINESE + "张")
    own = write_font(tmp_path / "own" / "局内字库.ttf", "䶮")
    fonts_ = Fonts(tmp_path / "set-up", [], fontconfig=False, style="serif", own=tmp_path / "own")
    assert fonts_.faces("政张䶮") == [Face(song), Face(hei), Face(own)]


def test_a_font_without_chinese_is_no_font(tmp_path: Path) -> None:
    write_font(tmp_path / "system" / "DroidSansFallbackFull.ttf", "abc")
    with pytest.raises(FontMissing, match=r"make setup.*fonts-noto-cjk"):
        found(tmp_path).load(Weight.REGULAR)


def test_a_broken_font_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "set-up").mkdir()
    (tmp_path / "set-up" / REGULAR).write_bytes(b"not a font")
    path = write_font(tmp_path / "system" / "DroidSansFallbackFull.ttf", CHINESE)
    assert found(tmp_path).load(Weight.REGULAR) == Face(path)


def test_a_character_that_the_first_font_lacks_is_drawn_by_another(tmp_path: Path) -> None:
    first = write_font(tmp_path / "set-up" / REGULAR, CHINESE + "张工")
    second = write_font(tmp_path / "system" / "HanaMinA.ttf", "䶮")
    third = write_font(tmp_path / "system" / "HanaMinB.ttf", "𬭊")
    (tmp_path / "set-up" / BOLD).write_bytes(b"not a font")
    assert found(tmp_path).faces("张䶮𬭊工") == [Face(first), Face(second), Face(third)]
    assert found(tmp_path).faces("张 工\n") == [Face(first)]


def test_characters_that_no_font_has_are_named(tmp_path: Path) -> None:
    write_font(tmp_path / "set-up" / REGULAR, CHINESE)
    assert found(tmp_path).missing("评䶮好𬭊䶮") == "䶮𬭊"
    with pytest.raises(CharactersMissing, match=r"“䶮”（U\+4DAE）、“𬭊”（U\+2CB4A）") as refusal:
        found(tmp_path).faces("评䶮好𬭊䶮")
    assert refusal.value.characters == "䶮𬭊"


def read_by_fonttools(path: Path) -> frozenset[int]:
    with TTFont(str(path), lazy=True, fontNumber=0) as font:
        return frozenset() if "fvar" in font else frozenset(font.getBestCmap() or ())


def test_the_characters_of_a_font_are_those_that_another_program_reads(tmp_path: Path) -> None:
    made = [
        write_font(tmp_path / f"{kind}.otf", CHINESE + "䶮𬭊", postscript=kind == "cff") for kind in ("glyf", "cff")
    ]
    there = [path for folder in (fonts.SET_UP_FOLDER, Path("/usr/share/fonts")) for path in folder.rglob("*.[to]t[cf]")]
    for path in [*made, *sorted(there)[:20]]:
        assert font_files.characters(path) == read_by_fonttools(path), path
    assert {ord(c) for c in CHINESE + "䶮𬭊"} < font_files.characters(made[0])


def test_a_file_that_is_cut_off_anywhere_has_no_characters_and_raises_nothing(tmp_path: Path) -> None:
    whole = write_font(tmp_path / "whole.ttf", CHINESE + "䶮𬭊").read_bytes()
    cut = tmp_path / "cut.ttf"
    for length in range(0, len(whole), 7):
        cut.write_bytes(whole[:length])
        assert font_files.characters(cut) <= font_files.characters(tmp_path / "whole.ttf")
        font_files.families(cut)


def test_of_a_collection_the_font_with_the_shapes_of_the_mainland_is_taken(tmp_path: Path) -> None:
    collection = TTCollection()
    collection.fonts = [
        TTFont(write_font(tmp_path / f"{name}.ttf", CHINESE))
        for name in ("Noto CJK JP", "Noto CJK Mono SC", "Noto CJK SC")
    ]
    path = tmp_path / "system" / "NotoSansCJK-Regular.ttc"
    path.parent.mkdir()
    collection.save(path)
    assert font_files.families(path) == ["Noto CJK JP", "Noto CJK Mono SC", "Noto CJK SC"]
    assert found(tmp_path).load(Weight.REGULAR) == Face(path, 2)


@pytest.mark.parametrize("weight", Weight)
def test_the_font_of_the_set_up_has_the_rare_characters_of_names(weight: Weight) -> None:
    if not list(fonts.SET_UP_FOLDER.rglob(REGULAR)):
        pytest.skip("the set-up could not fetch Noto Sans SC: python -m assets.paper.fetch_fonts")
    main = fonts.load(weight)
    assert main.path.name in (REGULAR, BOLD)
    assert main in fonts.installed().faces("䶮𬭊镕喆堃昇")
    assert {ord(character) for character in "䶮𬭊镕喆堃昇"} <= font_files.characters(main.path)


# Fetching, from a registry over the wire.


def archive(content: bytes = b"font") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name in (*SANS.members, "package/../../outside", "package/README.md"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def family(content: bytes) -> Family:
    return replace(SANS, integrity="sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode())


class Registry:
    """An npm registry that has one file, or fails so many times first."""

    def __init__(self, content: bytes) -> None:
        self.asked: list[str] = []
        self.failures = 0
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.asked.append(self.path)
                failed = len(registry.asked) <= registry.failures
                self.send_response(503 if failed else 200)
                self.end_headers()
                self.wfile.write(b"" if failed else content)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    double = Registry(archive())
    threading.Thread(target=double.server.serve_forever, daemon=True).start()
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", double.address + "/mirror/")
    yield double
    double.server.shutdown()
    double.server.server_close()


def test_the_fonts_are_fetched_once_from_the_registry_that_npm_is_set_up_with(
    registry: Registry, tmp_path: Path
) -> None:
    assert fetch(tmp_path, family=family(archive()))
    assert registry.asked == [f"/mirror/@expo-google-fonts/{SANS.name}/-/{SANS.name}-{SANS.version}.tgz"]
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {f"{SANS.name}-{SANS.version}/{name}" for name in (REGULAR, BOLD, "LICENSE_FONT")}
    assert not fetch(tmp_path, family=family(archive()))
    assert len(registry.asked) == 1


def test_a_registry_that_fails_once_is_asked_again(registry: Registry, tmp_path: Path) -> None:
    registry.failures = 1
    assert fetch(tmp_path, family=family(archive()))


def test_another_archive_than_the_pinned_one_is_refused_and_leaves_nothing(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="sha512"):
        fetch(tmp_path, family=family(archive(b"tampered with")))
    assert list(tmp_path.iterdir()) == []


def test_an_archive_can_be_brought_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    (tmp_path / "fonts.tgz").write_bytes(archive())
    assert fetch(tmp_path / "fonts", tmp_path / "fonts.tgz", family=family(archive()))


def test_without_a_network_the_set_up_warns_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    monkeypatch.setattr(fetch_fonts, "SET_UP_FOLDER", tmp_path)
    assert fetch_fonts.main([]) == 1
    assert "apt-get install fonts-noto-cjk" in capsys.readouterr().err
