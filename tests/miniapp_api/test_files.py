"""Uploading and fetching files over HTTP; SQLite with the local folder, PostgreSQL with S3."""

import hashlib
import io
import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from PIL import Image, ImageOps
from werkzeug.test import TestResponse

from assets.files.storage import Storage, StorageUnavailable
from core.config import Settings
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests.object_storage import on_s3
from tests.people import Person, faults, new_id

PDF = paperwork.pdf()


@pytest.fixture
def settings(settings: Settings, dialect: str) -> Settings:
    return on_s3(settings) if dialect == "postgresql" else settings


def upload(
    person: Person,
    content: bytes = PDF,
    name: str = "自查报告.pdf",
    purpose: str | None = "self_check_report",
    **form: Any,
) -> TestResponse:
    data = {"file": (io.BytesIO(content), name), **({"purpose": purpose} if purpose else {}), **form}
    return person.call("POST", "/files", data=data, content_type="multipart/form-data")


def uploaded(person: Person, *args: Any, **form: Any) -> dict[str, Any]:
    answer = upload(person, *args, **form)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    assert answer.json is not None
    return dict(answer.json)


def test_a_document_goes_up_and_comes_down_as_it_was(county_inspector: Person) -> None:
    answer = upload(county_inspector)
    assert answer.status_code == 201
    file = answer.json
    assert file["name"] == "自查报告.pdf" and file["media_type"] == "application/pdf" and file["size"] == len(PDF)
    assert file["sha256"] == hashlib.sha256(PDF).hexdigest() and file["purpose"] == "self_check_report"
    down = county_inspector.get(f"/files/{file['id']}")
    assert down.status_code == 200 and down.data == PDF
    assert down.headers["Content-Type"] == "application/pdf" and down.headers["Content-Length"] == str(len(PDF))
    assert down.headers["Content-Disposition"] == (
        "attachment; filename=\"file.pdf\"; filename*=UTF-8''%E8%87%AA%E6%9F%A5%E6%8A%A5%E5%91%8A.pdf"
    )
    assert down.headers["X-Content-Type-Options"] == "nosniff"
    assert down.headers["Cache-Control"] == "private, no-store"
    assert "sandbox" in down.headers["Content-Security-Policy"]
    assert county_inspector.get(f"/files/{file['id']}/thumbnail").status_code == 404


def test_a_real_word_document_is_taken(county_inspector: Person) -> None:
    content = paperwork.REPORT_DOC.read_bytes()
    file = uploaded(county_inspector, content, "报告.doc", "rectification_report")
    assert (file["media_type"], file["sha256"]) == ("application/msword", hashlib.sha256(content).hexdigest())


def test_a_photo_comes_down_upright_and_without_its_position(county_inspector: Person) -> None:
    photo = paperwork.jpeg((640, 480), orientation=6, taken="2026:11:20 09:30:00", place=True)
    file = uploaded(county_inspector, photo, "IMG_0001.jpg", "photo")
    assert (file["width"], file["height"], file["taken_at"]) == (480, 640, "2026-11-20T01:30:00Z")
    assert (file["latitude"], file["longitude"]) == ("31.810700", "119.974000")
    down = county_inspector.get(f"/files/{file['id']}").data
    assert hashlib.sha256(down).hexdigest() == file["sha256"] and len(down) == file["size"]
    picture = Image.open(io.BytesIO(down))
    # The pixels lie as the sensor had them; programs turn them by the one thing that is left of the camera's notes.
    assert picture.size == (640, 480) and dict(picture.getexif()) == {0x0112: 6}
    assert ImageOps.exif_transpose(picture).size == (480, 640)
    thumbnail = county_inspector.get(f"/files/{file['id']}/thumbnail")
    assert thumbnail.mimetype == "image/jpeg" and Image.open(io.BytesIO(thumbnail.data)).size == (240, 320)
    assert "IMG_0001.jpg" in thumbnail.headers["Content-Disposition"]


def test_the_details_of_a_photo_tell_the_digest_of_what_came_and_of_what_is_kept(
    county_inspector: Person, county_colleague: Person
) -> None:
    photo = paperwork.jpeg((640, 480), taken="2026:11:20 09:30:00", place=True)
    file = uploaded(county_inspector, photo, "IMG_0001.jpg", "photo")
    details = county_inspector.get(f"/files/{file['id']}/details").json
    assert details == {**file, "sent_sha256": hashlib.sha256(photo).hexdigest()}
    assert details["sent_sha256"] != details["sha256"]
    document = uploaded(county_inspector)
    kept_as_it_came = county_inspector.get(f"/files/{document['id']}/details").json
    assert kept_as_it_came["sent_sha256"] == kept_as_it_came["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert county_colleague.get(f"/files/{file['id']}/details").status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "purpose", "kept", "media_type"),
    [
        (paperwork.heic(), "IMG_0001.HEIC", "photo", "IMG_0001.jpg", "image/jpeg"),
        (paperwork.webp(), "mmexport.webp", "photo", "mmexport.jpg", "image/jpeg"),
        (paperwork.webp(), "mmexport.jpg", "photo", "mmexport.jpg", "image/jpeg"),
        (paperwork.jpeg(), "截图.PNG", "photo", "截图.jpg", "image/jpeg"),
        (paperwork.jpeg(), "IMG_0001.JPEG", "photo", "IMG_0001.JPEG", "image/jpeg"),
        (paperwork.png(), "IMG_0001.jpg", "photo", "IMG_0001.png", "image/png"),
        (paperwork.png(), "整改.jpg", "rectification_report", "整改.jpg", "image/jpeg"),
        (paperwork.heic(), "整改.heic", "rectification_report", "整改.jpg", "image/jpeg"),
        (paperwork.jpeg(), "签名.png", "signature", "签名.png", "image/png"),
        (paperwork.jpeg(), "长" * 196 + ".png", "photo", "长" * 196 + ".jpg", "image/jpeg"),
        (paperwork.png(), "长" * 195 + ".jpeg", "photo", "长" * 195 + ".png", "image/png"),
    ],
)  # fmt: skip
def test_a_picture_is_taken_by_its_content_and_its_name_mended(
    county_inspector: Person, content: bytes, name: str, purpose: str, kept: str, media_type: str
) -> None:
    answer = upload(county_inspector, content, name, purpose)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert (answer.json["name"], answer.json["media_type"]) == (kept, media_type)
    down = county_inspector.get(f"/files/{answer.json['id']}")
    assert down.mimetype == media_type and (down.data[:2] == b"\xff\xd8") == (media_type == "image/jpeg")
    # Sent again, under the name it had, it is the same file.
    again = upload(county_inspector, content, name, purpose)
    assert (again.status_code, again.json) == (200, answer.json)


def test_the_same_upload_again_is_the_same_file(county_inspector: Person) -> None:
    file_id = new_id()
    first = upload(county_inspector, id=file_id)
    assert (first.status_code, first.json["id"]) == (201, file_id)
    again = upload(county_inspector, id=file_id)
    assert again.status_code == 200 and again.json == first.json
    without_id = upload(county_inspector)
    again = upload(county_inspector)
    assert (without_id.status_code, again.status_code) == (201, 200) and again.json == without_id.json


def test_the_same_bytes_under_another_id_and_name_are_another_file(county_inspector: Person) -> None:
    first = upload(county_inspector, id=new_id())
    file_id = new_id()
    second = upload(county_inspector, name="另一份.pdf", id=file_id)
    assert (second.status_code, second.json["id"], second.json["name"]) == (201, file_id, "另一份.pdf")
    assert second.json["sha256"] == first.json["sha256"]


def test_an_id_that_stands_for_something_else_is_taken(county_inspector: Person, county_colleague: Person) -> None:
    file_id = new_id()
    upload(county_inspector, id=file_id)
    for answer in (
        upload(county_inspector, paperwork.pdf("other"), id=file_id),
        upload(county_colleague, id=file_id),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "id_taken")


def test_an_unclaimed_file_is_nobody_elses(
    county_inspector: Person, county_colleague: Person, city_reviewer: Person, client: FlaskClient
) -> None:
    file = uploaded(county_inspector, paperwork.jpeg(), "a.jpg", "photo")
    for path in (f"/files/{file['id']}", f"/files/{file['id']}/thumbnail", f"/files/{file['id']}/preview"):
        for stranger in (county_colleague, city_reviewer):
            answer = stranger.get(path)
            assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert client.get(f"/api/v1{path}").status_code == 401
    missing = county_colleague.get(f"/files/{new_id()}").json
    hidden = county_colleague.get(f"/files/{file['id']}").json
    assert {k: v for k, v in missing.items() if k != "request_id"} == {
        k: v for k, v in hidden.items() if k != "request_id"
    }


def test_without_a_token_nothing_is_read(client: FlaskClient) -> None:
    data = {"file": (io.BytesIO(PDF), "a.pdf"), "purpose": "photo"}
    answer = client.post("/api/v1/files", data=data, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


def test_every_refusal_says_why_and_leaves_nothing(county_inspector: Person, application: APIFlask) -> None:
    for content, name, purpose, code in (
        (b"", "a.pdf", "self_check_report", "empty_file"),
        (b"#!/bin/sh", "a.pdf", "self_check_report", "content_mismatch"),
        (paperwork.macro_docx(), "a.docx", "self_check_report", "macro_document"),
        (paperwork.zip_bomb(), "a.docx", "self_check_report", "zip_bomb"),
        (paperwork.huge_png(), "a.png", "photo", "picture_too_large"),
        (paperwork.jpeg() + b"<html>", "a.jpg", "photo", "polyglot"),
        (paperwork.docx(), "a.docx", "rectification_report", "type_not_allowed"),
        (PDF, "a.exe.pdf", "self_check_report", "double_extension"),
        (PDF, "长" * 300 + ".pdf", "self_check_report", "name_too_long"),
        (PDF, "..", "self_check_report", "bad_name"),
    ):
        answer = upload(county_inspector, content, name, purpose)
        assert faults(answer) == {"/file": code}, name
        assert any("\u4e00" <= character <= "\u9fff" for character in answer.json["errors"][0]["message"])
    assert list(application.extensions[KEY].uploads.incoming.iterdir()) == []


def test_a_name_never_becomes_a_path(county_inspector: Person) -> None:
    assert uploaded(county_inspector, PDF, "../../etc/报告.pdf")["name"] == "报告.pdf"


def test_all_faults_of_the_form_come_at_once(county_inspector: Person) -> None:
    answer = county_inspector.call("POST", "/files", data={"id": "7"}, content_type="multipart/form-data")
    assert faults(answer) == {"/file": "required", "/purpose": "required", "/id": "bad_format"}
    assert faults(upload(county_inspector, purpose="selfie")) == {"/purpose": "unknown_purpose"}
    two = [(io.BytesIO(PDF), "a.pdf"), (io.BytesIO(PDF), "b.pdf")]
    answer = county_inspector.call(
        "POST", "/files", data={"file": two, "purpose": "photo"}, content_type="multipart/form-data"
    )
    assert faults(answer) == {"/file": "required"}


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{}", "application/json", 415, "unsupported_media_type"),
        (b"", "", 415, "unsupported_media_type"),
        (b"x", "multipart/form-data", 400, "bad_request"),
        (b"x", "multipart/form-data; boundary=" + "b" * 300, 400, "bad_request"),
        (b"not multipart at all", "multipart/form-data; boundary=b", 400, "bad_request"),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF',
         "multipart/form-data; boundary=b", 400, "bad_request"),
        (b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n' + b"a" * 2_000_000 + b"\r\n--b--\r\n",
         "multipart/form-data; boundary=b", 413, "payload_too_large"),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 50 + b"--b--\r\n",
         "multipart/form-data; boundary=b", 413, "payload_too_large"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_upload_is_refused(
    county_inspector: Person, application: APIFlask, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = county_inspector.call("POST", "/files", data=body, content_type=content_type)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert list(application.extensions[KEY].uploads.incoming.iterdir()) == []


def test_20_mib_go_through_and_a_little_more_do_not(county_inspector: Person) -> None:
    room = 20 * 1024 * 1024
    frame = len(paperwork.pdf(size=room)) - room
    largest = paperwork.pdf(size=room - frame - 64)
    assert room - 4096 < len(largest) <= room
    file = uploaded(county_inspector, largest)
    assert hashlib.sha256(county_inspector.get(f"/files/{file['id']}").data).hexdigest() == file["sha256"]
    for size in (room + 10, room + 5_000_000):
        answer = upload(county_inspector, paperwork.pdf(size=size))
        assert (answer.status_code, answer.json["code"]) == (413, "payload_too_large")
        assert "20M" in answer.json["detail"]


def test_json_bodies_stay_small(county_inspector: Person) -> None:
    answer = county_inspector.put(f"/inspections/{new_id()}", {"remark": "长" * 1_000_000})
    assert (answer.status_code, answer.json["code"]) == (413, "payload_too_large")


def test_eight_phones_that_send_the_same_photo_at_once_get_one_file(
    county_inspector: Person, application: APIFlask
) -> None:
    together, photo = threading.Barrier(8), paperwork.jpeg()

    def send(_number: int) -> TestResponse:
        person = Person("county_inspector", application.test_client(), county_inspector.token)
        together.wait(60)
        return upload(person, photo, "a.jpg", "photo")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1


def test_an_object_that_is_lost_is_said_so(county_inspector: Person, application: APIFlask) -> None:
    file = uploaded(county_inspector)
    storage = application.extensions[KEY].uploads.storage
    keys = [key for batch in storage.older_than(_far()) for key in batch]
    storage.delete(keys)
    answer = county_inspector.get(f"/files/{file['id']}")
    assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")


@contextmanager
def full_disk(folder: Path, room: int) -> Iterator[None]:
    """A disk of 4 MiB on that folder, on which only so many bytes are free."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        (folder / "others").write_bytes(bytes(4 * 1024 * 1024 - room))
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def put_off(answer: TestResponse, code: str = "storage_unavailable") -> bool:
    """Whether the phone is to send the same again later."""
    assert answer.json is not None
    return (answer.status_code, answer.json["code"]) == (503, code) and "Retry-After" in answer.headers


def noise(side: int) -> bytes:
    """A photo that cannot be packed any smaller."""
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(out, "JPEG", quality=90)
    return out.getvalue()


def test_files_wait_while_the_disk_is_full(county_inspector: Person, settings: Settings) -> None:
    photo = noise(1000)
    room = len(photo) * 3 // 2
    with full_disk(settings.incoming_dir, room):
        # The photo finds room, what is made of it does not.
        assert put_off(upload(county_inspector, photo, "a.jpg", "photo"), "disk_full")
        assert put_off(upload(county_inspector, PDF + bytes(room) + PDF), "disk_full")
        assert [path.name for path in settings.incoming_dir.iterdir()] == ["others"]
        assert upload(county_inspector).status_code == 201
    assert upload(county_inspector, photo, "a.jpg", "photo").status_code == 201


@pytest.mark.parametrize(("content", "name", "purpose"), [(PDF, "a.pdf", "self_check_report"),
                                                           (paperwork.jpeg(), "a.jpg", "photo")])  # fmt: skip
def test_files_wait_while_the_folder_they_arrive_in_is_gone(
    county_inspector: Person, settings: Settings, content: bytes, name: str, purpose: str
) -> None:
    settings.incoming_dir.rmdir()
    assert put_off(upload(county_inspector, content, name, purpose))


def _far() -> Any:
    from datetime import UTC, datetime

    return datetime(2100, 1, 1, tzinfo=UTC)


def test_readyz_speaks_of_storage_and_scanner(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    checks = {"database": "ok", "storage": "ok", "virus_scan": "not configured", "document_preview": "not configured"}
    assert answer.json["checks"].items() >= checks.items()


def test_readyz_notices_a_storage_that_is_gone(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_storage: Storage) -> None:
        raise StorageUnavailable("no answer from s3.internal")

    monkeypatch.setattr(Storage, "check", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json["checks"]["storage"] == "unreachable"
    assert "internal" not in answer.get_data(as_text=True)


class TestWithAScannerThatIsDown:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as listener:
            return settings.model_copy(update={"clamd_address": f"127.0.0.1:{listener.getsockname()[1]}"})

    def test_nothing_is_taken_unseen(
        self, county_inspector: Person, client: FlaskClient, application: APIFlask
    ) -> None:
        answer = upload(county_inspector)
        assert (answer.status_code, answer.json["code"]) == (503, "scanner_unavailable")
        assert answer.headers["Retry-After"]
        storage = application.extensions[KEY].uploads.storage
        assert [key for batch in storage.older_than(_far()) for key in batch] == []
        ready = client.get("/readyz")
        assert ready.status_code == 200 and ready.json["checks"]["virus_scan"] == "unreachable"


def test_the_document_describes_the_upload(client: FlaskClient) -> None:
    paths = client.get("/api/v1/openapi.json").json["paths"]
    operation = paths["/api/v1/files"]["post"]
    schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["file", "purpose"] and "photo" in schema["properties"]["purpose"]["enum"]
    assert {"200", "201", "401", "409", "413", "415", "422", "503"} <= operation["responses"].keys()
    for path in ("/api/v1/files/{file_id}", "/api/v1/files/{file_id}/preview"):
        assert "application/json" not in paths[path]["get"]["responses"]["200"]["content"]
    assert "no_preview" in paths["/api/v1/files/{file_id}/preview"]["get"]["responses"]["409"]["description"]


def test_pictures_and_documents_under_strange_names_or_none_are_taken_by_what_they_are(
    county_inspector: Person,
) -> None:
    for name, content, purpose, kept in (
        ("照片.jfif", paperwork.photo(), "photo", "照片.jpg"),
        ("照片.jpe", paperwork.jpeg(), "photo", "照片.jpg"),
        ("微信图片_20261120", paperwork.photo(), "photo", "微信图片_20261120.jpg"),
        ("截图", paperwork.png(), "photo", "截图.png"),
        ("自查报告", paperwork.pdf("无扩展名"), "self_check_report", "自查报告.pdf"),
        ("自查报告v1.2", paperwork.docx("无扩展名"), "self_check_report", "自查报告v1.2.docx"),
    ):
        sent = county_inspector.call("POST", "/files", data={"file": (io.BytesIO(content), name), "purpose": purpose})
        assert sent.status_code == 201, sent.get_data(as_text=True)
        assert sent.json is not None and sent.json["name"] == kept
    refused = county_inspector.call(
        "POST", "/files", data={"file": (io.BytesIO(b"#!/bin/sh\n"), "脚本"), "purpose": "self_check_report"}
    )
    assert refused.status_code == 422 and faults(refused) == {"/file": "content_mismatch"}
