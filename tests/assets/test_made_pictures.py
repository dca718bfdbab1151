"""Pictures are made once; after that they come from memory or from the storage, and never fail because of it."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from pydantic import SecretStr

from assets.files.storage import Storage, StorageUnavailable, open_storage
from assets.paper import fonts, made_pictures
from assets.paper.fonts import CharactersMissing, FontMissing, Weight
from assets.paper.made_pictures import MadePictures
from assets.paper.poster_text import Poster
from core.config import Settings
from tests.assets.qr_pictures import ADDRESS, decoded, opened, printed

POSTER = Poster(ADDRESS, "食品经营许可", "合肥市市场监督管理局", "3 号窗口")


@pytest.fixture
def pictures(storage: Storage, tmp_path: Path) -> MadePictures:
    return MadePictures(storage, tmp_path / "incoming")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made, and not taken from anywhere; nothing is drawn for it."""
    calls: list[str] = []

    def draw(what: str, form: str, poster: Poster) -> bytes:
        calls.append(f"{what}.{form}")
        return f"{what} {form} {poster}".encode() * 1000

    monkeypatch.setattr(made_pictures, "_draw", draw)
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


def test_posters_and_signs_are_drawn_in_a_child_process_and_can_be_read(pictures: MadePictures) -> None:
    try:
        fonts.load(Weight.REGULAR)
    except FontMissing:
        pytest.skip("no Chinese font on this machine")
    assert decoded(opened(pictures.poster(POSTER, "png"))) == ADDRESS
    assert decoded(printed(pictures.sign(POSTER, "pdf"))) == ADDRESS


def test_pictures_are_swept_after_ninety_days_and_made_again(
    pictures: MadePictures, storage: Storage, tmp_path: Path, made: list[str]
) -> None:
    upload = tmp_path / "report.pdf"
    upload.write_bytes(b"%PDF-1.7")
    storage.put("uploads/00/report", upload)
    for form in ("png", "pdf"):
        pictures.poster(POSTER, form)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=89), tick=False):
        assert made_pictures.sweep(storage) == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(days=91), tick=False):
        assert made_pictures.sweep(storage) == 2
        assert made_pictures.sweep(storage) == 0
    assert MadePictures(storage, tmp_path).poster(POSTER, "pdf")
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


def test_a_picture_is_made_once(pictures: MadePictures, made: list[str]) -> None:
    first = pictures.poster(POSTER, "pdf")
    assert pictures.poster(POSTER, "pdf") == first
    assert made == ["poster.pdf"]


def test_another_process_takes_it_from_the_storage(
    pictures: MadePictures, storage: Storage, tmp_path: Path, made: list[str]
) -> None:
    first = pictures.sign(POSTER, "png")
    assert MadePictures(storage, tmp_path).sign(POSTER, "png") == first
    assert made == ["sign.png"]


def test_what_goes_into_a_picture_tells_it_from_others(
    pictures: MadePictures, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [POSTER, Poster(ADDRESS), Poster(ADDRESS, matter="食品"), Poster(ADDRESS, bureau="食品")]
    assert len({pictures.poster(poster, "pdf") for poster in asked}) == 4
    pictures.poster(POSTER, "png")
    pictures.sign(POSTER, "pdf")
    assert len(made) == 6
    monkeypatch.setattr(made_pictures, "LAYOUT_VERSION", 999)
    pictures.poster(POSTER, "pdf")
    monkeypatch.setattr(made_pictures, "_fonts", lambda: "another font")
    pictures.poster(POSTER, "pdf")
    assert len(made) == 8


def test_a_lost_picture_is_made_again(
    pictures: MadePictures, storage: Storage, tmp_path: Path, made: list[str]
) -> None:
    first = pictures.poster(POSTER, "pdf")
    storage.delete([made_pictures._key("poster.pdf", fonts=made_pictures._fonts(), **made_pictures.asdict(POSTER))])
    for _ in range(2):
        assert MadePictures(storage, tmp_path).poster(POSTER, "pdf") == first
    assert len(made) == 2


def test_the_memory_of_a_process_is_bounded(
    pictures: MadePictures, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_pictures, "KEPT_BYTES", 500_000)
    for number in range(20):
        pictures.poster(Poster(ADDRESS, f"事项 {number}"), "pdf")
    assert 0 < sum(map(len, pictures._kept.values())) == pictures._size <= 500_000
    pictures.poster(Poster(ADDRESS, "事项 0"), "pdf")
    assert len(made) == 20


def test_a_broken_storage_does_not_prevent_answering_and_is_left_alone_for_a_while(
    dead: Storage, tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
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
    assert pictures.poster(POSTER, "pdf")
    assert len(asked) == 1
    assert list(tmp_path.glob("made-*")) == []


def test_many_who_ask_at_once_get_one_drawing(pictures: MadePictures, made: list[str]) -> None:
    barrier = threading.Barrier(8)
    got: list[bytes] = []

    def ask() -> None:
        barrier.wait()
        got.append(pictures.poster(POSTER, "pdf"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1
    assert made == ["poster.pdf"]


def test_what_the_child_process_refuses_is_refused_here(pictures: MadePictures) -> None:
    try:
        fonts.load(Weight.REGULAR)
    except FontMissing:
        pytest.skip("no Chinese font on this machine")
    with pytest.raises(CharactersMissing) as refusal:
        pictures.poster(Poster(ADDRESS, matter="甲\U0010fffd"), "pdf")
    assert refusal.value.characters == "\U0010fffd"


def test_the_sweep_of_uploads_does_not_see_them(pictures: MadePictures, storage: Storage, made: list[str]) -> None:
    pictures.poster(POSTER, "pdf")
    later = datetime.now(UTC) + timedelta(days=400)
    assert [key for batch in storage.older_than(later) for key in batch] == []
    with pytest.raises(StorageUnavailable):
        storage.chunks("made/none")
