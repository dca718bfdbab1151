"""S3 on a bad day: it accepts and never answers, or dribbles. Everything ends within the time limit in the settings."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from assets.files import buckets
from assets.files.buckets import Bucket
from assets.files.storage import Storage, StorageUnavailable, open_storage
from assets.paper import made_pictures
from assets.paper.made_pictures import MadePictures
from core.config import Settings
from core.gateways.clamd import Clamd, ScannerUnavailable
from core.gateways.sms import SmsFailed
from core.gateways.tencent_sms import TencentSender
from core.gateways.wechat import WeChat, WeChatFailed
from tests.silent_services import SilentService, silent_service

LIMIT = 2.0
AMPLE = 30.0
"""Without the limits everything here lasts for ever, or for minutes."""


@pytest.fixture(params=[False, True], ids=["silent", "dribbling"])
def service(request: pytest.FixtureRequest) -> Iterator[SilentService]:
    with silent_service(dribbling=request.param) as found:
        yield found


@pytest.fixture
def silent() -> Iterator[SilentService]:
    with silent_service() as found:
        yield found


def on(service: SilentService, tmp_path: Path, **more: object) -> Settings:
    return Settings(
        data_dir=tmp_path, s3_bucket="bucket", s3_endpoint=service.url, s3_access_key_id="a",
        s3_secret_access_key=SecretStr("b"), s3_timeout=LIMIT, **more,
    )  # fmt: skip


def put(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(300_000))
    storage.put("uploads/aa/bb", source)


CALLS: dict[str, Callable[[Storage, Path], object]] = {
    "put": put,
    "chunks": lambda storage, _: storage.chunks("uploads/aa/bb"),
    "delete": lambda storage, _: storage.delete(["uploads/aa/bb"]),
    "older_than": lambda storage, _: list(storage.older_than(datetime.now(UTC))),
    "check": lambda storage, _: storage.check(),
}


@pytest.mark.parametrize("call", CALLS)
def test_every_call_to_the_storage_ends(service: SilentService, tmp_path: Path, call: str) -> None:
    storage = open_storage(on(service, tmp_path))
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        CALLS[call](storage, tmp_path)
    assert time.monotonic() - began < AMPLE and service.connections >= 1


def unbounded(self: Bucket, *, attempt: float, retry_within: float, retries: int = 0) -> Any:
    """A client whose own limits are as good as none."""
    return _client(self, attempt=attempt * 1000, retry_within=retry_within * 1000, retries=retries)


_client = Bucket._client


@pytest.mark.parametrize("call", [call for call in CALLS if call != "check"])
def test_every_call_ends_where_the_library_keeps_to_no_limit_of_its_own(
    silent: SilentService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(Bucket, "_client", unbounded)
    storage = open_storage(on(silent, tmp_path))
    with pytest.raises(StorageUnavailable, match="no answer within 2 seconds"):
        CALLS[call](storage, tmp_path)


@pytest.mark.parametrize("call", [call for call in CALLS if call != "check"])
def test_a_call_that_was_given_up_comes_to_its_end_and_gives_its_place_back(
    silent: SilentService, tmp_path: Path, call: str
) -> None:
    before = set(threading.enumerate())
    with pytest.raises(StorageUnavailable):
        CALLS[call](open_storage(on(silent, tmp_path)), tmp_path)
    for thread in set(threading.enumerate()) - before:
        if thread.name == "outside-s3":
            thread.join(AMPLE)
            assert not thread.is_alive()


def test_whoever_has_less_time_left_waits_no_longer(
    silent: SilentService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bucket, "_client", unbounded)
    source = tmp_path / "source"
    source.write_bytes(bytes(300_000))
    with pytest.raises(StorageUnavailable, match=r"no answer within 0\.2 seconds"):
        open_storage(on(silent, tmp_path)).put("uploads/aa/bb", source, 0.2)
    began, scanner = time.monotonic(), Clamd(f"127.0.0.1:{silent.port}", timeout=10_000)
    with source.open("rb") as file, pytest.raises(ScannerUnavailable):
        scanner.scan(file, 0.2)
    assert time.monotonic() - began < AMPLE


def test_the_pieces_of_a_download_share_half_the_time(
    silent: SilentService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_bucket: Bucket, _key: str, start: int, end: int) -> bytes:
        time.sleep(LIMIT / 8)  # each of them in time
        return bytes(end - start)

    monkeypatch.setattr(Bucket, "_begin", lambda *_: (100 * buckets.PIECE, bytes(buckets.PIECE)))
    monkeypatch.setattr(Bucket, "_piece", slow)
    size, pieces = open_storage(on(silent, tmp_path)).chunks("uploads/aa/bb")
    with pytest.raises(StorageUnavailable, match=f"of {size} bytes"):
        list(pieces)


def test_a_storage_that_stays_silent_is_not_waited_for_again_and_again(service: SilentService, tmp_path: Path) -> None:
    storage = open_storage(on(service, tmp_path))
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            put(storage, tmp_path)
    asked = service.connections
    for _ in range(20):
        with pytest.raises(StorageUnavailable, match="left alone"):
            put(storage, tmp_path)
    assert service.connections == asked


def test_made_pictures_are_drawn_without_the_storage(service: SilentService, tmp_path: Path) -> None:
    pictures = MadePictures(open_storage(on(service, tmp_path)), tmp_path / "scratch")
    assert pictures.qr_png("https://a.example/1").startswith(b"\x89PNG")
    asked = service.connections
    assert pictures.qr_png("https://a.example/2").startswith(b"\x89PNG")
    assert service.connections == asked


def test_who_finds_others_waiting_for_the_storage_draws_the_picture_anew(
    service: SilentService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_pictures, "ASKING_AT_ONCE", 0)
    pictures = MadePictures(open_storage(on(service, tmp_path)), tmp_path / "scratch")
    pictures._asking.acquire(blocking=False)
    assert pictures.qr_png("https://a.example/1").startswith(b"\x89PNG")
    assert service.connections == 0


def test_the_scanner_the_text_messages_and_wechat_have_their_limits_too(service: SilentService, tmp_path: Path) -> None:
    began = time.monotonic()
    scanner = Clamd(f"127.0.0.1:{service.port}", timeout=0.5)
    source = tmp_path / "source"
    source.write_bytes(bytes(300_000))
    with source.open("rb") as file, pytest.raises(ScannerUnavailable):
        scanner.scan(file)
    assert not scanner.ping()
    sender = TencentSender(
        "id", "key", sdk_app_id="1", sign_name="s", template_id="1", endpoint=service.url, timeout=0.5
    )  # fmt: skip
    with pytest.raises(SmsFailed) as failed:
        sender.send_code("13800000001", "123456", 5)
    assert failed.value.retryable
    wechat = WeChat("appid", "secret", service.url, timeout=0.5)
    for call in (lambda: wechat.code_to_session("code"), lambda: wechat.unlimited_code("a", "pages/a")):
        with pytest.raises(WeChatFailed) as refused:
            call()
        assert refused.value.retryable
    assert time.monotonic() - began < AMPLE


def test_text_messages_and_wechat_that_were_given_up_come_to_their_end(silent: SilentService) -> None:
    before = set(threading.enumerate())
    sender = TencentSender(
        "id", "key", sdk_app_id="1", sign_name="s", template_id="1", endpoint=silent.url, timeout=0.5
    )  # fmt: skip
    with pytest.raises(SmsFailed):
        sender.send_code("13800000001", "123456", 5)
    with pytest.raises(WeChatFailed):
        WeChat("appid", "secret", silent.url, timeout=0.5).code_to_session("code")
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("outside-"):
            thread.join(AMPLE)
            assert not thread.is_alive()
