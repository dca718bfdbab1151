"""Codes and papers are made once; then they come from memory or from the storage, and never fail because of it."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from pydantic import SecretStr

from assets.files.storage import Storage, StorageUnavailable, open_storage
from assets.paper import compiling, made_pictures
from assets.paper.made_pictures import MadePictures
from core.config import Settings
from core.errors import Problem
from tests.assets.qr_pictures import ADDRESS, decoded, opened

DATA = {"matter": "食品经营许可"}


@pytest.fixture
def pictures(storage: Storage, tmp_path: Path) -> MadePictures:
    return MadePictures(storage, tmp_path / "incoming")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "papers" / "poster.typ"
    path.parent.mkdir()
    path.write_text("#sys.inputs.data")
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made, and not taken from anywhere; nothing is compiled for it."""
    calls: list[str] = []

    def compile(template: Path, data: Any, form: str) -> bytes:
        calls.append(f"{template.stem}.{form}")
        return f"{template.stem} {form} {data}".encode() * 1000

    monkeypatch.setattr(compiling, "compile", compile)
    return calls


@pytest.fixture
def dead(tmp_path: Path) -> Storage:
    """A storage that refuses every connection."""
    return open_storage(
        Settings(
            data_dir=tmp_path, s3_bucket="none", s3_endpoint="http://127.0.0.1:9", s3_access_key_id="test",
            s3_secret_access_key=SecretStr("test"),
        )
    )  # fmt: skip


def test_pictures_are_swept_after_ninety_days_and_made_again(
    pictures: MadePictures, storage: Storage, tmp_path: Path, template: Path, made: list[str]
) -> None:
    upload = tmp_path / "report.pdf"
    upload.write_bytes(b"%PDF-1.7")
    storage.put("uploads/00/report", upload)
    for form in ("png", "pdf"):
        pictures.paper(template, DATA, form)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=89), tick=False):
        assert made_pictures.sweep(storage) == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(days=91), tick=False):
        assert made_pictures.sweep(storage) == 2
        assert made_pictures.sweep(storage) == 0
    assert MadePictures(storage, tmp_path).paper(template, DATA, "pdf")
    assert made == ["poster.png", "poster.pdf", "poster.pdf"]
    assert b"".join(storage.chunks("uploads/00/report")[1]) == b"%PDF-1.7"


def test_what_a_killed_process_left_half_written_is_swept_too(tmp_path: Path) -> None:
    storage = open_storage(Settings(data_dir=tmp_path))
    half = tmp_path / "files" / "made" / "ab" / "cdef#1"
    half.parent.mkdir(parents=True)
    half.touch()
    made_pictures.sweep(storage)
    assert half.exists()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=91), tick=False):
        made_pictures.sweep(storage)
    assert not half.exists()


def test_a_picture_is_made_once(pictures: MadePictures, template: Path, made: list[str]) -> None:
    first = pictures.paper(template, DATA, "pdf")
    assert pictures.paper(template, DATA, "pdf") == first
    assert made == ["poster.pdf"]


def test_another_process_takes_it_from_the_storage(
    pictures: MadePictures, storage: Storage, tmp_path: Path, template: Path, made: list[str]
) -> None:
    first = pictures.paper(template, DATA, "png")
    assert MadePictures(storage, tmp_path).paper(template, DATA, "png") == first
    assert made == ["poster.png"]


def test_what_goes_into_a_paper_tells_it_from_others(pictures: MadePictures, template: Path, made: list[str]) -> None:
    asked = [DATA, {}, {"matter": "食品"}, {"bureau": "食品"}]
    assert len({pictures.paper(template, data, "pdf") for data in asked}) == 4
    pictures.paper(template, DATA, "png")
    sign = template.with_name("sign.typ")
    sign.write_text(template.read_text())
    pictures.paper(sign, DATA, "pdf")
    assert len(made) == 6


def test_another_template_or_another_font_is_another_paper(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def identity() -> str:
        compiling.identity.cache_clear()
        return compiling.identity(template)

    first = identity()
    assert identity() == first
    template.with_name("parts.typ").write_text("// shared")
    second = identity()
    template.write_text("#sys.inputs.data ")
    third = identity()
    monkeypatch.setattr(compiling, "version", lambda _name: "another typst")
    fourth = identity()
    monkeypatch.setattr(compiling.fonts.Fonts, "identity", lambda _self: "another font")
    assert len({first, second, third, fourth, identity()}) == 5
    compiling.identity.cache_clear()


def test_a_lost_picture_is_made_again(
    pictures: MadePictures, storage: Storage, tmp_path: Path, template: Path, made: list[str]
) -> None:
    first = pictures.paper(template, DATA, "pdf")
    (key,) = (key for batch in storage.older_than(datetime.now(UTC) + timedelta(days=1), "made") for key in batch)
    storage.delete([key])
    for _ in range(2):
        assert MadePictures(storage, tmp_path).paper(template, DATA, "pdf") == first
    assert len(made) == 2


def test_the_memory_of_a_process_is_bounded(
    pictures: MadePictures, template: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_pictures, "KEPT_BYTES", 500_000)
    for number in range(20):
        pictures.paper(template, {"matter": f"事项 {number}"}, "pdf")
    assert 0 < sum(map(len, pictures._kept.values())) == pictures._size <= 500_000
    pictures.paper(template, {"matter": "事项 0"}, "pdf")
    assert len(made) == 20


def test_a_broken_storage_does_not_prevent_answering_and_is_left_alone_for_a_while(
    dead: Storage, tmp_path: Path, template: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    original = Storage.chunks

    def counted(self: Storage, key: str) -> object:
        asked.append(key)
        return original(self, key)

    monkeypatch.setattr(Storage, "chunks", counted)
    pictures = MadePictures(dead, tmp_path)
    assert decoded(opened(pictures.qr_png(ADDRESS, size=300))) == ADDRESS
    assert pictures.qr_svg(ADDRESS).startswith(b"<svg")
    assert pictures.paper(template, DATA, "pdf")
    assert len(asked) == 1
    assert list(tmp_path.glob("made-*")) == []


def test_many_who_ask_at_once_get_one_drawing(pictures: MadePictures, template: Path, made: list[str]) -> None:
    barrier = threading.Barrier(8)
    got: list[bytes] = []

    def ask() -> None:
        barrier.wait()
        got.append(pictures.paper(template, DATA, "pdf"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1
    assert made == ["poster.pdf"]


def test_who_does_not_get_a_turn_is_asked_to_come_again(
    pictures: MadePictures, template: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "PATIENCE", 0.01)
    with pictures._turn, pytest.raises(Problem, match="not_ready"):
        pictures.paper(template, DATA, "pdf")
    assert pictures.paper(template, DATA, "pdf") and made == ["poster.pdf"]


def test_the_sweep_of_uploads_does_not_see_them(
    pictures: MadePictures, storage: Storage, template: Path, made: list[str]
) -> None:
    pictures.paper(template, DATA, "pdf")
    later = datetime.now(UTC) + timedelta(days=400)
    assert [key for batch in storage.older_than(later) for key in batch] == []
    with pytest.raises(StorageUnavailable):
        storage.chunks("made/none")
