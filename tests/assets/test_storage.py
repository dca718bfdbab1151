"""Stored bytes: whole or not at all, in the local folder and in S3 alike."""

import os
import socket
import stat
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from pydantic import SecretStr

from assets.files.storage import Storage, StorageUnavailable, new_key, open_storage
from core.config import Settings, SettingsError, load_settings
from tests.object_storage import local, on_s3

LATER = timedelta(minutes=5)


def stored(storage: Storage, tmp_path: Path, content: bytes) -> str:
    source = tmp_path / "source"
    source.write_bytes(content)
    key = new_key()
    storage.put(key, source)
    return key


def read(storage: Storage, key: str) -> bytes:
    size, chunks = storage.chunks(key)
    content = b"".join(chunks)
    assert len(content) == size
    return content


def keys(storage: Storage) -> set[str]:
    return {key for batch in storage.older_than(datetime.now(UTC) + LATER) for key in batch}


@pytest.mark.parametrize("size", [0, 1, 300_000, 6 * 1024 * 1024])
def test_what_is_stored_is_read_back(storage: Storage, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    assert read(storage, stored(storage, tmp_path, content)) == content


def test_content_comes_in_small_pieces(storage: Storage, tmp_path: Path) -> None:
    _, chunks = storage.chunks(stored(storage, tmp_path, bytes(4_000_000)))
    assert max(len(chunk) for chunk in chunks) <= 2 * 1024 * 1024


def test_what_is_deleted_is_gone_and_may_be_deleted_again(storage: Storage, tmp_path: Path) -> None:
    key, other = stored(storage, tmp_path, b"a"), stored(storage, tmp_path, b"b")
    for _ in range(2):
        storage.delete([key])
    with pytest.raises(StorageUnavailable):
        storage.chunks(key)
    assert read(storage, other) == b"b"


def test_objects_are_listed_by_age(storage: Storage, tmp_path: Path) -> None:
    made = {stored(storage, tmp_path, b"a") for _ in range(3)}
    assert keys(storage) == made
    assert [key for batch in storage.older_than(datetime.now(UTC) - LATER) for key in batch] == []


def test_what_is_not_ours_in_the_bucket_is_not_listed(storage: Storage, tmp_path: Path) -> None:
    obstore.put(storage._store, "backups/database.dump", b"precious")
    key = stored(storage, tmp_path, b"a")
    assert keys(storage) == {key}


def test_a_reachable_storage_passes_its_check(storage: Storage) -> None:
    storage.check()


def test_keys_tell_nothing_and_never_repeat() -> None:
    made = {new_key() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(key.replace("/", "")) == len("uploads") + 32 for key in made)


def test_local_files_are_for_the_owner_only(tmp_path: Path) -> None:
    open_storage(local(tmp_path))
    assert stat.S_IMODE((tmp_path / "files").stat().st_mode) == 0o700


def test_a_missing_bucket_is_noticed(tmp_path: Path) -> None:
    storage = open_storage(on_s3(local(tmp_path)).model_copy(update={"s3_bucket": "nobodys-bucket"}))
    with pytest.raises(StorageUnavailable):
        storage.check()


def test_a_missing_folder_is_noticed(tmp_path: Path) -> None:
    storage = open_storage(local(tmp_path))
    (tmp_path / "files").rmdir()
    with pytest.raises(StorageUnavailable):
        storage.check()


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    storage = open_storage(local(tmp_path))
    (tmp_path / "files" / "uploads").write_text("a file where the folder should be")
    with pytest.raises(StorageUnavailable):
        stored(storage, tmp_path, b"a")


def test_a_stored_file_is_moved_and_not_copied(tmp_path: Path) -> None:
    storage = open_storage(local(tmp_path))
    source = tmp_path / "source"
    source.write_bytes(b"a")
    number, key = source.stat().st_ino, new_key()
    storage.put(key, source)
    assert (tmp_path / "files" / key).stat().st_ino == number
    assert not source.exists()


def another_file_system(than: Path) -> str:
    for folder in ("/dev/shm", tempfile.gettempdir()):
        if os.access(folder, os.W_OK) and os.stat(folder).st_dev != than.stat().st_dev:
            return folder
    pytest.skip("there is no second file system")


def test_a_file_on_another_file_system_is_stored_whole(tmp_path: Path) -> None:
    storage = open_storage(local(tmp_path))
    content = os.urandom(3_000_000)
    with tempfile.NamedTemporaryFile(dir=another_file_system(tmp_path)) as source:
        source.write(content)
        source.flush()
        key = new_key()
        storage.put(key, Path(source.name))
    assert read(storage, key) == content


def test_leavings_of_a_killed_process_are_removed_when_they_are_old(tmp_path: Path) -> None:
    storage = open_storage(local(tmp_path))
    key = stored(storage, tmp_path, b"a")
    half = tmp_path / "files" / f"{key}#1"
    half.write_bytes(b"half")
    now = datetime.now(UTC)
    assert keys(storage) == {key}
    assert storage.remove_partial_files(now - LATER) == 0 and half.exists()
    assert storage.remove_partial_files(now + LATER) == 1 and not half.exists()
    assert read(storage, key) == b"a"


def unreachable(tmp_path: Path) -> Settings:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return on_s3(local(tmp_path)).model_copy(update={"s3_endpoint": f"http://127.0.0.1:{port}"})


def test_a_service_that_cannot_be_reached_is_said_so_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage(unreachable(tmp_path))
    with pytest.raises(StorageUnavailable):
        stored(storage, tmp_path, b"a")
    with pytest.raises(StorageUnavailable):
        storage.check()


def test_a_service_that_stumbles_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[bytes] = []

    def answer(listener: socket.socket) -> None:
        for status in (b"503 Slow Down", b"500 Internal", b"200 OK"):
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                requests.append(stream.readline())
                length = 0
                while line := stream.readline().strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                requests[-1] += stream.read(length)
                connection.sendall(
                    b"HTTP/1.1 " + status + b'\r\nETag: "a"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
                )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings(
            data_dir=tmp_path, s3_bucket="bucket", s3_endpoint=address, s3_access_key_id="a",
            s3_secret_access_key=SecretStr("b"),
        )  # fmt: skip
        stored(open_storage(settings), tmp_path, b"content")
    assert len(requests) == 3 and all(request.endswith(b"content") for request in requests)


def test_a_refusal_of_the_service_is_not_asked_again(tmp_path: Path) -> None:
    storage = open_storage(on_s3(local(tmp_path)).model_copy(update={"s3_bucket": "nobodys-bucket"}))
    with pytest.raises(StorageUnavailable, match="404"):
        stored(storage, tmp_path, b"a")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"S3_BUCKET": "b"}, "S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY"),
        ({"S3_ENDPOINT": "https://s3.example"}, "S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY"),
        ({"S3_BUCKET": "b", "S3_ACCESS_KEY_ID": "k"}, "S3_SECRET_ACCESS_KEY"),
        ({"S3_BUCKET": "b", "S3_ACCESS_KEY_ID": "k", "S3_SECRET_ACCESS_KEY": "s", "S3_ENDPOINT": "s3.example"}, "https://"),
        ({"CLAMD_ADDRESS": "localhost"}, "CLAMD_ADDRESS"),
    ],
)  # fmt: skip
def test_half_a_setting_is_refused_and_named(
    given: dict[str, str], missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=missing):
        load_settings()
