"""Thumbnails are made when a picture is first looked at, once, and kept."""

import io
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from PIL import Image
from sqlalchemy import update

from assets.files import thumbnails, uploading
from assets.files.models import File
from assets.files.pictures import pictures
from assets.files.storage import StorageUnavailable
from assets.files.sweeping import sweep
from assets.files.uploading import Upload
from assets.files.uploads import Uploads
from core import clock as wall
from core.actor import Actor
from core.clock import TimeLimit
from core.db import Database
from core.errors import Problem
from tests import paperwork

pytestmark = pytest.mark.usefixtures("application")


@pytest.fixture
def photo(database: Database, uploads: Uploads, actor_of: Callable[[str], Actor], tmp_path: Path) -> File:
    source = tmp_path / uuid.uuid4().hex
    source.write_bytes(paperwork.jpeg(orientation=6))
    actor = actor_of("county_inspector")
    return uploading.upload(database, uploads, actor, Upload(source, "IMG.jpg", "photo"))[0]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The pictures of which a thumbnail was made, in turn."""
    sources: list[Path] = []
    make = pictures.make_thumbnail

    def noted(source: Path, target: Path, deadline: TimeLimit) -> None:
        sources.append(source)
        make(source, target, deadline)

    monkeypatch.setattr(pictures, "make_thumbnail", noted)
    return sources


def stored(uploads: Uploads) -> set[str]:
    return {key for batch in uploads.storage.older_than(wall.now().replace(year=2100)) for key in batch}


def again(database: Database, file: File) -> File:
    with database.read() as session:
        found = session.get(File, file.id)
    assert found is not None
    return found


def test_a_thumbnail_is_made_at_the_first_look_and_kept(
    database: Database, uploads: Uploads, photo: File, made: list[Path]
) -> None:
    assert photo.thumbnail_key is None and stored(uploads) == {photo.stored_key}
    key = thumbnails.get_or_make_key(database, uploads, photo)
    assert Image.open(io.BytesIO(b"".join(uploads.storage.chunks(key)[1]))).size == (240, 320)
    assert stored(uploads) == {photo.stored_key, key} and list(uploads.incoming.iterdir()) == []
    assert thumbnails.get_or_make_key(database, uploads, photo) == key  # whoever still has the row of before
    assert thumbnails.get_or_make_key(database, uploads, again(database, photo)) == key and len(made) == 1


def test_of_eight_who_look_at_once_one_makes_it(
    database: Database, uploads: Uploads, photo: File, made: list[Path]
) -> None:
    together = threading.Barrier(8)

    def look(_number: int) -> str:
        together.wait(60)
        return thumbnails.get_or_make_key(database, uploads, photo)

    with ThreadPoolExecutor(8) as pool:
        [key] = set(pool.map(look, range(8)))
    assert len(made) == 1 and stored(uploads) == {photo.stored_key, key}


def test_of_two_processes_that_make_it_the_first_stays(
    database: Database, uploads: Uploads, photo: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = pictures.make_thumbnail

    def overtaken(source: Path, target: Path, deadline: TimeLimit) -> None:
        make(source, target, deadline)
        with database.write() as session:
            session.execute(update(File).where(File.id == photo.id).values(thumbnail_key="uploads/aa/theirs"))

    monkeypatch.setattr(pictures, "make_thumbnail", overtaken)
    assert thumbnails.get_or_make_key(database, uploads, photo) == "uploads/aa/theirs"
    assert stored(uploads) == {photo.stored_key}


def test_who_has_waited_long_enough_for_anothers_making_is_told_to_come_back(
    database: Database, uploads: Uploads, photo: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float | None] = []

    def over(_until: Callable[[], bool], seconds: float | None = None) -> bool:
        waited.append(seconds)
        return False

    monkeypatch.setattr(thumbnails._turns, "wait_for", over)
    with pytest.raises(Problem) as refused:
        thumbnails.get_or_make_key(database, uploads, photo)
    assert (refused.value.code, refused.value.retry_after) == ("not_ready", 1)
    assert waited == [thumbnails.PATIENCE] and stored(uploads) == {photo.stored_key}


def test_one_that_is_swept_meanwhile_leaves_nothing(
    database: Database, uploads: Uploads, photo: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = pictures.make_thumbnail

    def swept(source: Path, target: Path, deadline: TimeLimit) -> None:
        make(source, target, deadline)
        with time_machine.travel(wall.now() + timedelta(days=2), tick=False):
            sweep(database, uploads.storage, uploads.incoming / "elsewhere")

    monkeypatch.setattr(pictures, "make_thumbnail", swept)
    with pytest.raises(Problem) as refused:
        thumbnails.get_or_make_key(database, uploads, photo)
    assert refused.value.code == "not_found" and stored(uploads) == set()


def test_what_is_no_picture_has_none(
    database: Database, uploads: Uploads, actor_of: Callable[[str], Actor], tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(paperwork.pdf())
    actor = actor_of("county_inspector")
    file, _ = uploading.upload(database, uploads, actor, Upload(tmp_path / "source", "a.pdf", "self_check_report"))
    with pytest.raises(Problem) as refused:
        thumbnails.get_or_make_key(database, uploads, file)
    assert refused.value.code == "not_found"


def test_a_storage_that_fails_is_said_so_and_the_next_look_makes_it(
    database: Database, uploads: Uploads, photo: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_key: str, _path: Path, _seconds: float) -> None:
        raise StorageUnavailable("down")

    with monkeypatch.context() as patched:
        patched.setattr(uploads.storage, "put", fail)
        with pytest.raises(Problem) as refused:
            thumbnails.get_or_make_key(database, uploads, photo)
    assert refused.value.code == "storage_unavailable" and stored(uploads) == {photo.stored_key}
    assert thumbnails.get_or_make_key(database, uploads, photo) in stored(uploads)


def test_a_picture_that_cannot_be_read_any_more_is_said_so(
    database: Database, uploads: Uploads, photo: File, tmp_path: Path
) -> None:
    (tmp_path / "spoilt").write_bytes(b"\xff\xd8\xff spoilt")
    uploads.storage.put("uploads/aa/spoilt", tmp_path / "spoilt")
    with database.write() as session:
        session.execute(update(File).where(File.id == photo.id).values(stored_key="uploads/aa/spoilt"))
    with pytest.raises(Problem) as refused:
        thumbnails.get_or_make_key(database, uploads, photo)
    assert (refused.value.code, refused.value.status) == ("preview_failed", 409)


def test_a_thumbnail_goes_with_its_file(database: Database, uploads: Uploads, photo: File) -> None:
    thumbnails.get_or_make_key(database, uploads, photo)
    with time_machine.travel(wall.now() + timedelta(days=2), tick=False):
        sweep(database, uploads.storage, uploads.incoming)
    assert stored(uploads) == set()
