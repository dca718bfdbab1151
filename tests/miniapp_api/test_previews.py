"""Files to look at over HTTP; SQLite with the local folder, PostgreSQL with S3."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update

from assets.files import previews
from assets.files.documents import document_conversion, documents
from assets.files.documents.document_conversion import ConversionFailed, Converter
from assets.files.file_types import FileType
from assets.files.models import File
from assets.files.sweeping import Swept, sweep
from assets.files.uploads import Uploads
from core import clock as wall
from core.config import Settings, SettingsError, load_settings
from core.db import Database
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests.miniapp_api.test_files import put_off, uploaded
from tests.object_storage import on_s3
from tests.office import SOFFICE, needs_office, needs_sheets, text_of
from tests.people import Person

INLINE_PDF = "inline; filename=\"file.pdf\"; filename*=UTF-8''%E8%87%AA%E6%9F%A5%E6%8A%A5%E5%91%8A.pdf"


@pytest.fixture
def settings(settings: Settings, dialect: str) -> Settings:
    settings = settings.model_copy(update={"document_converter": str(SOFFICE)})
    return on_s3(settings) if dialect == "postgresql" else settings


@pytest.fixture
def uploads(application: APIFlask) -> Uploads:
    found: Uploads = application.extensions[KEY].uploads
    return found


def stored(uploads: Uploads) -> int:
    return sum(len(batch) for batch in uploads.storage.older_than(datetime(2100, 1, 1, tzinfo=UTC)))


def word(person: Person, content: bytes | None = None) -> str:
    """A .docx report, uploaded."""
    return str(uploaded(person, content or paperwork.docx(), "自查报告.docx")["id"])


class FakeOffice:
    """Stands in where it does not matter what makes the PDF; `during` is called while it is made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = 0
        self.during: Callable[[], object] = lambda: None

        def to_pdf(_self: Converter, source: Path, _kind: FileType, folder: Path) -> Path:
            self.made += 1
            assert source.read_bytes().startswith(b"PK")
            self.during()
            pdf = folder / "made.pdf"
            pdf.write_bytes(paperwork.pdf())
            return pdf

        monkeypatch.setattr(Converter, "to_pdf", to_pdf)
        monkeypatch.setattr(Converter, "is_there", lambda _self: True)


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> FakeOffice:
    return FakeOffice(monkeypatch)


def test_a_pdf_is_shown_as_it_is(county_inspector: Person) -> None:
    content = paperwork.pdf()
    seen = county_inspector.get(f"/files/{uploaded(county_inspector, content)['id']}/preview")
    assert seen.status_code == 200 and seen.data == content
    assert seen.headers["Content-Type"] == "application/pdf" and seen.headers["Content-Length"] == str(len(content))
    assert seen.headers["Content-Disposition"] == INLINE_PDF
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    assert seen.headers["Cache-Control"] == "private, no-store"
    assert "sandbox" in seen.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [(paperwork.jpeg(), "现场.jpg", "image/jpeg"), (paperwork.png(), "现场.png", "image/png")],
)
def test_a_picture_is_shown_as_it_is(county_inspector: Person, content: bytes, name: str, media_type: str) -> None:
    file = uploaded(county_inspector, content, name, "photo")
    seen = county_inspector.get(f"/files/{file['id']}/preview")
    assert (seen.status_code, seen.headers["Content-Type"]) == (200, media_type)
    assert seen.data == county_inspector.get(f"/files/{file['id']}").data
    assert seen.headers["Content-Disposition"].startswith("inline; ")


def test_a_document_waits_while_the_disk_is_full_or_gone(
    county_inspector: Person, settings: Settings, office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = word(county_inspector)
    with monkeypatch.context() as while_full:
        while_full.setattr(previews, "ROOM", shutil.disk_usage(settings.data_dir).total * 2)
        assert put_off(county_inspector.get(f"/files/{file_id}/preview"), "disk_full")
    settings.incoming_dir.rmdir()
    assert put_off(county_inspector.get(f"/files/{file_id}/preview"))
    settings.incoming_dir.mkdir()
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 200 and office.made == 1


@needs_office
@pytest.mark.parametrize(
    ("content", "name", "purpose", "text"),
    [
        (paperwork.docx("自查情况：未发现问题。"), "自查报告.docx", "self_check_report", "自查情况：未发现问题。"),
        pytest.param(
            paperwork.REPORT_DOC.read_bytes(),
            "自查报告.doc",
            "self_check_report",
            "工业产品生产许可证获证企业自查报告",
            marks=pytest.mark.only_in_rounds,
        ),
        pytest.param(
            paperwork.xlsx(),
            "自查报告.xlsx",
            "declaration_attachment",
            "企业名称",
            marks=(needs_sheets, pytest.mark.only_in_rounds),
        ),
    ],
    ids=["docx", "doc", "xlsx"],
)
def test_an_office_document_is_shown_as_pdf_and_made_once(
    county_inspector: Person, uploads: Uploads, monkeypatch: pytest.MonkeyPatch,
    content: bytes, name: str, purpose: str, text: str,
) -> None:  # fmt: skip
    path = f"/files/{uploaded(county_inspector, content, name, purpose)['id']}"
    seen = county_inspector.get(f"{path}/preview")
    assert seen.status_code == 200, seen.get_data(as_text=True)
    assert text in text_of(seen.data)
    assert seen.headers["Content-Type"] == "application/pdf"
    assert seen.headers["Content-Disposition"] == INLINE_PDF
    assert seen.headers["Cache-Control"] == "private, no-store"
    assert "sandbox" in seen.headers["Content-Security-Policy"]
    assert stored(uploads) == 2 and list(uploads.incoming.iterdir()) == []

    def fail(*_arguments: object) -> Path:
        raise AssertionError("converted again")

    monkeypatch.setattr(Converter, "to_pdf", fail)
    assert county_inspector.get(f"{path}/preview").data == seen.data
    assert county_inspector.get(path).data == content  # the download is what was sent


@needs_office
def test_a_broken_document_says_so_and_is_left_alone_for_a_day(
    county_inspector: Person, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As one that was stored before documents were checked so closely.
    with monkeypatch.context() as unchecked:
        unchecked.setattr(documents, "recognise", lambda _source, named, _purpose, _deadline: named)
        file_id = word(county_inspector, paperwork.broken_docx())
    answer = county_inspector.get(f"/files/{file_id}/preview")
    assert (answer.status_code, answer.json["code"]) == (409, "preview_failed")
    assert "损坏" in answer.json["title"] and "下载" in answer.json["title"]
    assert stored(uploads) == 1 and list(uploads.incoming.iterdir()) == []
    office = FakeOffice(monkeypatch)
    assert county_inspector.get(f"/files/{file_id}/preview").json["code"] == "preview_failed"
    assert office.made == 0
    monkeypatch.setattr(previews, "TRIED_AGAIN_AFTER", timedelta(0))
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 200
    assert office.made == 1


def test_what_has_no_preview_says_what_to_do_instead(county_inspector: Person) -> None:
    archive = uploaded(
        county_inspector, paperwork.zipped({"a.pdf": paperwork.pdf()}), "材料.zip", "declaration_attachment"
    )
    answer = county_inspector.get(f"/files/{archive['id']}/preview")
    assert (answer.status_code, answer.json["code"]) == (409, "no_preview")
    assert "下载" in answer.json["title"]


class TestWithoutAConverter:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"document_converter": ""})

    def test_documents_are_to_be_downloaded(self, county_inspector: Person, client: FlaskClient) -> None:
        path = f"/files/{word(county_inspector)}"
        answer = county_inspector.get(f"{path}/preview")
        assert (answer.status_code, answer.json["code"]) == (409, "no_preview")
        assert "下载" in answer.json["title"]
        assert county_inspector.get(path).status_code == 200
        assert county_inspector.get(f"/files/{uploaded(county_inspector)['id']}/preview").status_code == 200
        assert client.get("/readyz").json["checks"]["document_preview"] == "not configured"


class TestWithAConverterThatIsGone:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"document_converter": "/nowhere/soffice"})

    def test_it_is_said_and_not_held_against_the_document(
        self, county_inspector: Person, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = f"/files/{word(county_inspector)}/preview"
        answer = county_inspector.get(path)
        assert (answer.status_code, answer.json["code"]) == (503, "converter_unavailable")
        assert answer.headers["Retry-After"]
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json["checks"]["document_preview"]) == (200, "missing")
        FakeOffice(monkeypatch)
        assert county_inspector.get(path).status_code == 200


@needs_office
def test_readyz_says_that_documents_are_converted(client: FlaskClient) -> None:
    assert client.get("/readyz").json["checks"]["document_preview"] == "ok"


def test_a_converter_is_named_by_its_whole_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DOCUMENT_CONVERTER", "soffice")
    with pytest.raises(SettingsError, match="DOCUMENT_CONVERTER"):
        load_settings()


def test_many_who_look_at_once_have_it_converted_once(
    county_inspector: Person,
    application: APIFlask,
    uploads: Uploads,
    office: FakeOffice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(document_conversion, "PATIENCE", 30.0)
    file_id, together = word(county_inspector), threading.Barrier(6)

    def look(_number: int) -> tuple[int, bytes]:
        person = Person("county_inspector", application.test_client(), county_inspector.token)
        together.wait(60)
        seen = person.get(f"/files/{file_id}/preview")
        return seen.status_code, seen.data

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(look, range(6)))
    assert len(set(answers)) == 1 and answers[0][0] == 200
    assert office.made == 1 and stored(uploads) == 2


def test_two_servers_that_convert_at_once_leave_one_preview(
    county_inspector: Person, application: APIFlask, uploads: Uploads, office: FakeOffice
) -> None:
    """The other one is done while this one is still converting."""
    file_id = word(county_inspector)
    database, apart = application.extensions[KEY].database, replace(uploads, scanner=None, converter=Converter(SOFFICE))

    def meanwhile() -> None:
        if office.made == 1:
            previews.make(database, apart, UUID(file_id))

    office.during = meanwhile
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 200
    assert office.made == 2 and stored(uploads) == 2


def test_who_does_not_get_a_turn_is_asked_to_come_back(
    county_inspector: Person, uploads: Uploads, office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_conversion, "PATIENCE", 0.05)
    file_id = word(county_inspector)
    assert uploads.converter is not None
    with uploads.converter.turn():
        answer = county_inspector.get(f"/files/{file_id}/preview")
    assert (answer.status_code, answer.json["code"]) == (503, "not_ready")
    assert answer.headers["Retry-After"] and "稍后" in answer.json["detail"]
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 200


def test_no_transaction_is_open_while_a_document_is_converted(
    county_inspector: Person, database: Database, office: FakeOffice
) -> None:
    file_id = word(county_inspector)

    def write() -> None:
        with database.write() as session:
            session.execute(update(File).values(category=None))
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]

    office.during = write
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 200


def test_a_right_that_goes_while_a_document_is_converted_is_gone(
    county_inspector: Person, database: Database, office: FakeOffice
) -> None:
    file_id = word(county_inspector)

    def claim() -> None:
        values = {"claimed_type": "spot_check", "claimed_id": uuid4(), "unclaimed_since": None}
        with database.write() as session:
            session.execute(update(File).values(**values))

    office.during = claim
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 404


def test_a_file_that_goes_while_it_is_converted_leaves_nothing(
    county_inspector: Person, database: Database, uploads: Uploads, office: FakeOffice
) -> None:
    file_id = word(county_inspector)

    def remove() -> None:
        with database.write() as session:
            session.execute(delete(File))

    office.during = remove
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 404
    assert stored(uploads) == 1  # the document itself, which whoever removes the row removes


def test_the_sweep_takes_a_preview_with_its_file_and_not_before(
    county_inspector: Person, database: Database, uploads: Uploads, office: FakeOffice
) -> None:
    file_id = word(county_inspector)
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 200
    with time_machine.travel(wall.now() + timedelta(days=3), tick=False):
        with database.write() as session:
            session.execute(update(File).values(unclaimed_since=wall.now()))
        assert sweep(database, uploads.storage, uploads.incoming) == Swept(0, 0, 0)
        assert stored(uploads) == 2
    with time_machine.travel(wall.now() + timedelta(days=5), tick=False):
        assert sweep(database, uploads.storage, uploads.incoming).files == 1
    assert stored(uploads) == 0
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(File)) == 0


def test_the_sweep_takes_what_a_killed_conversion_left(database: Database, uploads: Uploads) -> None:
    left = uploads.incoming / "preview-abc" / "profile" / "user"
    left.mkdir(parents=True)
    (left / "registrymodifications.xcu").write_text("<items/>")
    with time_machine.travel(wall.now() + timedelta(days=3), tick=False):
        assert sweep(database, uploads.storage, uploads.incoming).partial_files == 1
        assert list(uploads.incoming.iterdir()) == []


def test_a_failure_is_not_noted_at_a_file_that_has_its_preview(
    county_inspector: Person,
    application: APIFlask,
    uploads: Uploads,
    office: FakeOffice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One server ran out of time, another one did not."""
    file_id = word(county_inspector)
    apart = replace(uploads, scanner=None, converter=Converter(SOFFICE))

    def fail() -> None:
        if office.made == 1:
            previews.make(application.extensions[KEY].database, apart, UUID(file_id))
            raise ConversionFailed("not done")

    office.during = fail
    assert county_inspector.get(f"/files/{file_id}/preview").json["code"] == "preview_failed"
    assert county_inspector.get(f"/files/{file_id}/preview").status_code == 200
