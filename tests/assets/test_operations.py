"""Files are received, claimed, let go of and swept; on both databases and both kinds of storage."""

import hashlib
import math
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, text, update

from assets.files import claiming, queries, uploading
from assets.files.claiming import Claim
from assets.files.documents import documents
from assets.files.form_files import PHOTO
from assets.files.models import File
from assets.files.pictures import pictures
from assets.files.purposes import Category, categories
from assets.files.storage import StorageUnavailable
from assets.files.sweeping import sweep
from assets.files.uploading import Upload
from assets.files.uploads import Uploads
from core import clock as wall
from core.actor import Actor
from core.clock import TimeLimit
from core.db import Database
from core.errors import Fault, Problem
from core.workflows.subjects import SubjectRegistry
from enterprise.production.kinds.self_check_report import REPORT_UPLOAD as SELF_CHECK_REPORT
from tests import paperwork

pytestmark = pytest.mark.usefixtures("application")

ActorOf = Callable[[str], Actor]
ALLOWED = categories(
    Category("report", "自查报告", frozenset({SELF_CHECK_REPORT})),
    Category("photos", "照片", frozenset({PHOTO}), max_count=2),
    Category("small", "小附件", frozenset({SELF_CHECK_REPORT}), extensions=frozenset({".pdf"}), max_bytes=100),
)
PDF = paperwork.pdf()


@pytest.fixture
def inspector(actor_of: ActorOf) -> Actor:
    return actor_of("county_inspector")


@pytest.fixture
def colleague(actor_of: ActorOf) -> Actor:
    return actor_of("county_colleague")


@pytest.fixture
def receive(database: Database, uploads: Uploads, inspector: Actor, tmp_path: Path) -> Callable[..., tuple[File, bool]]:
    def received(
        content: bytes = PDF, name: str = "报告.pdf", purpose: str = "self_check_report", *,
        actor: Actor = inspector, file_id: uuid.UUID | None = None, at: Uploads = uploads,
    ) -> tuple[File, bool]:  # fmt: skip
        source = tmp_path / uuid.uuid4().hex
        source.write_bytes(content)
        return uploading.upload(database, at, actor, Upload(source, name, purpose, file_id))

    return received


Receive = Callable[..., tuple[File, bool]]


def stored(uploads: Uploads) -> set[str]:
    return {key for batch in uploads.storage.older_than(wall.now().replace(year=2100)) for key in batch}


def content_of(uploads: Uploads, key: str) -> bytes:
    return b"".join(uploads.storage.chunks(key)[1])


def rows(database: Database) -> list[File]:
    with database.read() as session:
        return list(session.scalars(select(File)))


def claim(database: Database, actor: Actor, subject: uuid.UUID, *wanted: tuple[str, uuid.UUID]) -> list[Fault]:
    claims = [Claim(category, file_id, f"/documents/{i}") for i, (category, file_id) in enumerate(wanted)]
    with database.write() as session:
        faults = claiming.claim(session, actor.user_id, ("filing", subject), claims, ALLOWED)
        if faults:
            session.rollback()
    return faults


def codes(faults: list[Fault]) -> dict[str, str]:
    return {fault.path: fault.code for fault in faults}


def test_a_document_is_kept_as_it_was_sent(receive: Receive, uploads: Uploads, database: Database) -> None:
    file, new = receive()
    assert new and file.sha256 == file.sent_sha256 == hashlib.sha256(PDF).hexdigest()
    assert (file.size, file.media_type, file.extension) == (len(PDF), "application/pdf", ".pdf")
    assert content_of(uploads, file.stored_key) == PDF and stored(uploads) == {file.stored_key}
    assert [row.id for row in rows(database)] == [file.id]


def test_a_photo_is_kept_stripped_and_without_a_thumbnail_for_now(
    receive: Receive, uploads: Uploads, database: Database
) -> None:
    photo = paperwork.jpeg(taken="2026:11:20 09:30:00", place=True)
    file, _ = receive(photo, "IMG_0001.JPG", "photo")
    kept = content_of(uploads, file.stored_key)
    assert file.sent_sha256 == hashlib.sha256(photo).hexdigest() and file.sha256 == hashlib.sha256(kept).hexdigest()
    assert file.size == len(kept) and b"Exif" not in kept
    assert file.thumbnail_key is None and stored(uploads) == {file.stored_key}
    [row] = rows(database)
    assert (row.width, row.height, row.latitude, row.longitude) == (640, 480, "31.810700", "119.974000")
    assert list(uploads.incoming.iterdir()) == []


def test_a_position_is_encrypted_at_rest(receive: Receive, database: Database) -> None:
    receive(paperwork.jpeg(place=True), "a.jpg", "photo")
    with database.read() as session:
        written = session.execute(text("SELECT latitude, longitude FROM files")).one()
    assert all(value.startswith("enc2:1:") and "31.8" not in value for value in written)


def test_what_is_refused_leaves_nothing(receive: Receive, uploads: Uploads, database: Database) -> None:
    for content, name, purpose, code in (
        (b"", "a.pdf", "self_check_report", "empty_file"),
        (b"MZ", "a.pdf", "self_check_report", "content_mismatch"),
        (paperwork.jpeg(), "a.jpg", "self_check_report", "type_not_allowed"),
        (paperwork.jpeg(), "a.pdf", "self_check_report", "content_mismatch"),
        (PDF, "a.jpg", "photo", "content_mismatch"),
        (paperwork.macro_docx(), "a.docx", "self_check_report", "macro_document"),
        (PDF, "a.pdf", "no_purpose", "unknown_purpose"),
        (paperwork.huge_png(), "a.png", "photo", "picture_too_large"),
    ):
        with pytest.raises(Problem) as refused:
            receive(content, name, purpose)
        assert refused.value.errors[0].code == code
    assert rows(database) == [] and stored(uploads) == set() and list(uploads.incoming.iterdir()) == []


def test_a_document_under_a_wrong_ending_is_taken_by_its_content(receive: Receive) -> None:
    for content, name, kept in (
        (PDF, "自查.docx", "自查.pdf"),
        (PDF, "扫描件.JPG", "扫描件.pdf"),
        (paperwork.docx(), "自查.v2.doc", "自查.v2.docx"),
        (paperwork.docx(), "自查.zip", "自查.docx"),
        (paperwork.REPORT_DOC.read_bytes(), "自查.docx", "自查.doc"),
    ):
        file, new = receive(content, name, "self_check_report")
        again, new_again = receive(content, name, "self_check_report")
        assert (file.original_name, file.extension, new) == (kept, "." + kept.rpartition(".")[2], True)
        assert (again.id, new_again) == (file.id, False)
        assert file.sha256 == hashlib.sha256(content).hexdigest()


def test_a_picture_under_the_ending_of_a_document_is_taken_by_its_content(receive: Receive) -> None:
    file, _ = receive(paperwork.jpeg(), "整改.pdf", "rectification_report")
    assert (file.original_name, file.extension, file.width) == ("整改.jpg", ".jpg", 640)


def test_a_photo_over_its_limit_is_too_large(receive: Receive) -> None:
    with pytest.raises(Problem) as refused:
        receive(bytes(10 * 1024 * 1024 + 1), "a.jpg", "photo")
    assert refused.value.status == 413 and "10M" in str(refused.value.detail)


def test_the_same_id_again_is_the_same_file(receive: Receive, uploads: Uploads) -> None:
    file_id = uuid.uuid4()
    first, _ = receive(file_id=file_id)
    again, new = receive(file_id=file_id)
    assert (again.id, new) == (file_id, False) and stored(uploads) == {first.stored_key}


def test_the_same_id_for_something_else_is_taken(receive: Receive, colleague: Actor) -> None:
    file_id = uuid.uuid4()
    receive(file_id=file_id)
    for changed in ({"content": paperwork.pdf("other")}, {"purpose": "template"}, {"actor": colleague}):
        with pytest.raises(Problem) as refused:
            receive(file_id=file_id, **changed)
        assert refused.value.code == "id_taken"


def test_the_same_bytes_under_another_id_are_another_file_with_its_own_name(
    receive: Receive, uploads: Uploads, database: Database, inspector: Actor
) -> None:
    photo, ids = paperwork.jpeg(), [uuid.uuid4(), uuid.uuid4()]
    first, second = (receive(photo, f"{file_id}.jpg", "photo", file_id=file_id) for file_id in ids)
    assert [first[1], second[1]] == [True, True] and [first[0].id, second[0].id] == ids
    assert [first[0].original_name, second[0].original_name] == [f"{file_id}.jpg" for file_id in ids]
    for file_id in ids:  # one photo documents two checks
        assert claim(database, inspector, uuid.uuid4(), ("photos", file_id)) == []
    assert receive(photo, "c.jpg", "photo", file_id=ids[0])[0].id == ids[0]  # claimed, and asked for again


def test_the_sweep_of_a_file_leaves_another_of_the_same_bytes_alone(
    receive: Receive, database: Database, uploads: Uploads, inspector: Actor, clock: time_machine.Traveller
) -> None:
    kept, swept = receive(file_id=uuid.uuid4())[0], receive(file_id=uuid.uuid4())[0]
    claim(database, inspector, uuid.uuid4(), ("report", kept.id))
    clock.shift(25 * 3600)
    assert sweep(database, uploads.storage, uploads.incoming).files == 1
    assert set(rows_by_id(database)) == {kept.id} != {swept.id} and content_of(uploads, kept.stored_key) == PDF


def test_without_an_id_the_same_bytes_and_name_again_are_the_same_file_while_nobody_claims_it(
    receive: Receive, uploads: Uploads, database: Database, inspector: Actor, colleague: Actor
) -> None:
    with_an_id, _ = receive(file_id=uuid.uuid4())
    first, new = receive()
    assert new and first.id != with_an_id.id and receive()[0].id == first.id
    renamed, new = receive(name="另一个名字.pdf")
    assert new and renamed.original_name == "另一个名字.pdf"
    assert receive(actor=colleague)[1] and receive(purpose="template")[1]
    assert claim(database, inspector, uuid.uuid4(), ("report", first.id)) == []
    another, new = receive()
    assert new and another.id != first.id


def test_eight_uploads_of_the_same_bytes_at_once_make_one_file(
    receive: Receive, uploads: Uploads, database: Database
) -> None:
    together = threading.Barrier(8)

    def upload(_number: int) -> tuple[uuid.UUID, bool]:
        together.wait(60)
        file, new = receive()
        return file.id, new

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(upload, range(8)))
    assert len({file_id for file_id, _ in answers}) == 1 and sum(new for _, new in answers) == 1
    assert len(rows(database)) == 1 and stored(uploads) == {rows(database)[0].stored_key}


def test_eight_uploads_of_the_same_bytes_at_once_under_eight_ids_make_eight_files(
    receive: Receive, uploads: Uploads, database: Database
) -> None:
    together, ids = threading.Barrier(8), [uuid.uuid4() for _ in range(8)]

    def upload(number: int) -> tuple[uuid.UUID, bool]:
        together.wait(60)
        file, new = receive(file_id=ids[number])
        return file.id, new

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(upload, range(8))) == [(file_id, True) for file_id in ids]
    assert len(stored(uploads)) == 8


def test_one_id_for_different_bytes_at_once_goes_to_one_of_them(
    receive: Receive, uploads: Uploads, database: Database
) -> None:
    together, file_id = threading.Barrier(4), uuid.uuid4()

    def upload(number: int) -> str:
        together.wait(60)
        try:
            return "new" if receive(paperwork.pdf(f"report {number}"), file_id=file_id)[1] else "again"
        except Problem as problem:
            return problem.code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(upload, range(4)))
    assert answers == ["id_taken", "id_taken", "id_taken", "new"]
    assert len(rows(database)) == 1 and stored(uploads) == {rows(database)[0].stored_key}


def test_a_storage_that_fails_leaves_no_row(
    receive: Receive, uploads: Uploads, database: Database, monkeypatch: Any
) -> None:
    def fail(_key: str, _path: Path, _seconds: float) -> None:
        raise StorageUnavailable("down")

    monkeypatch.setattr(uploads.storage, "put", fail)
    with pytest.raises(Problem) as refused:
        receive()
    assert refused.value.code == "storage_unavailable" and rows(database) == []


def test_a_database_that_fails_leaves_no_object(
    receive: Receive, uploads: Uploads, database: Database, monkeypatch: Any
) -> None:
    def fail() -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(database, "write", fail)
    with pytest.raises(RuntimeError):
        receive()
    assert stored(uploads) == set() and rows(database) == []


def test_a_user_cannot_pile_up_uploads(
    receive: Receive, database: Database, inspector: Actor, monkeypatch: Any
) -> None:
    monkeypatch.setattr(uploading, "UNCLAIMED_QUOTA", len(PDF) + 100)
    file, _ = receive()
    with pytest.raises(Problem) as refused:
        receive(paperwork.pdf("second"))
    assert refused.value.code == "upload_quota"
    assert not receive()[1]  # what is there already may be asked for again
    assert claim(database, inspector, uuid.uuid4(), ("report", file.id)) == []
    assert receive(paperwork.pdf("second"))[1]


class Scanner:
    def __init__(self, verdict: Any) -> None:
        self.verdict = verdict
        self.seconds: list[float] = []

    def scan(self, _file: Any, seconds: float) -> str | None:
        self.seconds.append(seconds)
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict  # type: ignore[no-any-return]


def test_an_infected_file_is_refused_and_without_a_verdict_nothing_is_kept(
    receive: Receive, uploads: Uploads, database: Database
) -> None:
    from core.gateways.clamd import ScannerUnavailable

    for verdict, code in (("Eicar", "invalid"), (ScannerUnavailable("down"), "scanner_unavailable")):
        watched = replace(uploads, scanner=Scanner(verdict))  # type: ignore[arg-type]
        with pytest.raises(Problem) as refused:
            receive(at=watched)
        assert refused.value.code == code
    assert rows(database) == [] and stored(uploads) == set()
    assert receive(at=replace(uploads, scanner=Scanner(None)))[1]  # type: ignore[arg-type]


def test_a_record_claims_own_uploads(receive: Receive, database: Database, inspector: Actor) -> None:
    record, file = uuid.uuid4(), receive()[0]
    assert claim(database, inspector, record, ("report", file.id)) == []
    [row] = rows(database)
    assert (row.claimed_type, row.claimed_id, row.category, row.unclaimed_since) == ("filing", record, "report", None)
    assert row.claimed_at is not None


def test_a_record_keeps_what_it_claims_whoever_saves_it(
    receive: Receive, database: Database, inspector: Actor, colleague: Actor
) -> None:
    record, file = uuid.uuid4(), receive()[0]
    claim(database, inspector, record, ("report", file.id))
    for saver in (inspector, colleague):
        assert claim(database, saver, record, ("report", file.id)) == []


def test_files_of_others_are_as_unknown_as_files_that_are_not_there(
    receive: Receive, database: Database, inspector: Actor, colleague: Actor
) -> None:
    theirs, claimed = receive(actor=colleague)[0], receive(paperwork.pdf("b"), actor=colleague)[0]
    claim(database, colleague, uuid.uuid4(), ("report", claimed.id))
    wanted = [("report", theirs.id), ("report", claimed.id), ("report", uuid.uuid4())]
    for one in wanted:
        assert codes(claim(database, inspector, uuid.uuid4(), one)) == {"/documents/0": "unknown_file"}
    assert sum(row.claimed_id is not None for row in rows(database)) == 1


def test_a_file_of_another_record_is_not_claimed(receive: Receive, database: Database, inspector: Actor) -> None:
    file = receive()[0]
    first = uuid.uuid4()
    claim(database, inspector, first, ("report", file.id))
    assert codes(claim(database, inspector, uuid.uuid4(), ("report", file.id))) == {"/documents/0": "file_claimed"}
    assert rows(database)[0].claimed_id == first


def test_every_fault_is_named_and_nothing_is_claimed(receive: Receive, database: Database, inspector: Actor) -> None:
    file = receive()[0]
    photos = [receive(paperwork.jpeg(colour=colour), "a.jpg", "photo")[0] for colour in ("blue", "green", "grey")]
    faults = claim(
        database, inspector, uuid.uuid4(), ("photos", file.id), ("unknown", photos[0].id), ("photos", photos[0].id),
        ("small", file.id), *(("photos", photo.id) for photo in photos[1:]),
    )  # fmt: skip
    found = {(fault.path, fault.code) for fault in faults}
    assert found == {
        ("/documents/0", "wrong_file_type"), ("/documents/1", "unknown_category"), ("/documents/2", "repeated_file"),
        ("/documents/3", "repeated_file"), ("/documents/4", "too_many_files"),
    }  # fmt: skip
    assert all(row.claimed_id is None for row in rows(database))


def test_a_category_narrows_what_its_purpose_allows(receive: Receive, database: Database, inspector: Actor) -> None:
    document, large = receive(paperwork.docx(), "a.docx")[0], receive()[0]
    assert codes(claim(database, inspector, uuid.uuid4(), ("small", document.id))) == {
        "/documents/0": "wrong_file_type"
    }
    assert codes(claim(database, inspector, uuid.uuid4(), ("small", large.id))) == {"/documents/0": "file_too_large"}


def test_of_two_records_that_claim_a_file_at_once_one_gets_it(
    receive: Receive, database: Database, inspector: Actor
) -> None:
    files = [receive(paperwork.pdf(f"r{number}"))[0].id for number in range(3)]
    together = threading.Barrier(6)

    def save(number: int) -> tuple[int, list[Fault]]:
        record = uuid.uuid4()
        together.wait(60)
        return number % 3, claim(database, inspector, record, ("report", files[number % 3]))

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(save, range(6)))
    for place in range(3):
        outcomes = [codes(faults) for which, faults in answers if which == place]
        assert sorted(outcomes, key=len) == [{}, {"/documents/0": "file_claimed"}]


def test_a_record_that_drops_a_file_lets_go_of_it(receive: Receive, database: Database, inspector: Actor) -> None:
    record, other = uuid.uuid4(), uuid.uuid4()
    files = [receive(paperwork.jpeg(colour=colour), "a.jpg", "photo")[0].id for colour in ("blue", "green")]
    claim(database, inspector, record, *(("photos", file_id) for file_id in files))
    with database.write() as session:
        claiming.release(session, ("filing", record), [files[0]])
        claiming.release(session, ("filing", other), [])
    claimed = {row.id: row.claimed_id for row in rows(database)}
    assert claimed == {files[0]: record, files[1]: None}
    assert claim(database, inspector, other, ("photos", files[1])) == []


def test_a_dropped_file_does_not_stand_in_the_way_of_the_same_bytes_sent_since(
    receive: Receive, database: Database, inspector: Actor
) -> None:
    record, first = uuid.uuid4(), receive()[0]
    claim(database, inspector, record, ("report", first.id))
    second, new = receive()
    assert new
    with database.write() as session:
        claiming.release(session, ("filing", record), [])
    again, new = receive()
    assert not new and again.id in {first.id, second.id}


def test_the_sweep_takes_what_nobody_claimed_for_a_day(
    receive: Receive, database: Database, uploads: Uploads, inspector: Actor, clock: time_machine.Traveller
) -> None:
    record = uuid.uuid4()
    claimed, dropped = receive(paperwork.pdf("kept"))[0], receive(paperwork.pdf("dropped"))[0]
    photo = receive(paperwork.jpeg(), "a.jpg", "photo")[0]
    claim(database, inspector, record, ("report", claimed.id))
    claim(database, inspector, uuid.uuid4(), ("report", dropped.id))
    clock.shift(23 * 3600)
    with database.write() as session:
        claiming.release(session, ("filing", rows_by_id(database)[dropped.id].claimed_id), [])
    assert sweep(database, uploads.storage, uploads.incoming).files == 0
    clock.shift(2 * 3600)
    assert sweep(database, uploads.storage, uploads.incoming).files == 1
    left = rows_by_id(database)
    assert set(left) == {claimed.id, dropped.id} and photo.id not in left
    assert stored(uploads) == {claimed.stored_key, dropped.stored_key}
    clock.shift(24 * 3600)
    sweep(database, uploads.storage, uploads.incoming)
    assert set(rows_by_id(database)) == {claimed.id} and stored(uploads) == {claimed.stored_key}


def rows_by_id(database: Database) -> dict[uuid.UUID, Any]:
    return {row.id: row for row in rows(database)}


def test_a_file_asked_for_again_is_not_swept_before_its_record_is_saved(
    receive: Receive, database: Database, uploads: Uploads, inspector: Actor, clock: time_machine.Traveller
) -> None:
    file, _ = receive()
    clock.shift(23 * 3600)
    receive()
    clock.shift(2 * 3600)
    sweep(database, uploads.storage, uploads.incoming)
    assert claim(database, inspector, uuid.uuid4(), ("report", file.id)) == []


def test_objects_without_a_row_and_half_uploads_are_swept(
    receive: Receive, database: Database, uploads: Uploads, inspector: Actor, tmp_path: Path
) -> None:
    file, _ = receive()
    photo, _ = receive(paperwork.jpeg(), "a.jpg", "photo")
    claim(database, inspector, uuid.uuid4(), ("report", file.id), ("photos", photo.id))
    lost = tmp_path / "lost"
    lost.write_bytes(b"lost")
    uploads.storage.put("uploads/00/lost", lost)
    (uploads.incoming / "upload-x").write_bytes(b"half")
    assert sweep(database, uploads.storage, uploads.incoming).objects == 0
    # Objects carry the time of the storage, which a test cannot turn back: the clock is turned on instead.
    with time_machine.travel(wall.now().replace(year=2090), tick=False):
        swept = sweep(database, uploads.storage, uploads.incoming)
    assert (swept.files, swept.objects, swept.partial_files) == (0, 1, 1)
    assert stored(uploads) == {file.stored_key, photo.stored_key}


def test_a_file_is_seen_by_its_uploader_and_then_by_who_may_read_the_record(
    receive: Receive, database: Database, inspector: Actor, colleague: Actor
) -> None:
    allowed = {inspector.user_id}
    subjects = SubjectRegistry()
    subjects.register("filing", inspector.verbs, lambda _session, actor, _subject: actor.user_id in allowed)
    file = receive()[0]

    def sees(actor: Actor) -> bool:
        with database.read() as session:
            try:
                queries.get_readable(session, actor, subjects, file.id)
            except Problem as problem:
                return problem.code != "not_found"
        return True

    assert sees(inspector) and not sees(colleague)
    claim(database, inspector, uuid.uuid4(), ("report", file.id))
    allowed.add(colleague.user_id)
    assert sees(colleague)
    allowed.clear()
    assert not sees(colleague) and not sees(inspector)


def test_a_claim_by_an_unknown_kind_of_record_shows_a_file_to_nobody(
    receive: Receive, database: Database, inspector: Actor
) -> None:
    file = receive()[0]
    claim(database, inspector, uuid.uuid4(), ("report", file.id))
    with database.read() as session, pytest.raises(Problem, match="not_found"):
        queries.get_readable(session, inspector, SubjectRegistry(), file.id)


def test_the_sweep_and_a_claim_of_the_same_file_do_not_both_get_it(
    receive: Receive, database: Database, uploads: Uploads, inspector: Actor, clock: time_machine.Traveller
) -> None:
    files = [receive(paperwork.pdf(f"r{number}"))[0].id for number in range(6)]
    clock.shift(25 * 3600)
    together = threading.Barrier(2)

    def sweeping() -> int:
        together.wait(60)
        return sweep(database, uploads.storage, uploads.incoming).files

    def claiming() -> set[uuid.UUID]:
        together.wait(60)
        return {file_id for file_id in files if not claim(database, inspector, uuid.uuid4(), ("report", file_id))}

    with ThreadPoolExecutor(2) as pool:
        swept, kept = pool.submit(sweeping), pool.submit(claiming)
        assert swept.result() + len(kept.result()) == 6
    assert set(rows_by_id(database)) == kept.result()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(File)) == len(stored(uploads))


class CountingDown(TimeLimit):
    """Each time that is asked for has a second less."""

    def left(self, most: float = math.inf) -> float:
        self._at -= 1
        return self._at - self.began

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.began = self._at - seconds


def test_all_steps_of_an_upload_share_one_time(
    receive: Receive, uploads: Uploads, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the limits of each add up, together they keep within the time of one file."""
    handed: list[Any] = []
    given: list[float] = []
    recognise, prepare, put = documents.recognise, pictures.prepare, uploads.storage.put
    monkeypatch.setattr(uploading, "TimeLimit", CountingDown)
    monkeypatch.setattr(documents, "recognise", lambda *told: (handed.append(told[-1]), recognise(*told))[1])
    monkeypatch.setattr(pictures, "prepare", lambda *told: (handed.append(told[-1]), prepare(*told))[1])
    monkeypatch.setattr(uploads.storage, "put", lambda *told: (given.append(told[-1]), put(*told))[1])
    scanner = Scanner(None)
    receive(paperwork.jpeg(), "a.jpg", "photo", at=replace(uploads, scanner=scanner))  # type: ignore[arg-type]
    assert handed[0] is handed[1] and isinstance(handed[0], CountingDown)
    times = [*scanner.seconds, *given]
    assert [round(one) for one in times] == [uploading.SECONDS - 1, uploading.SECONDS - 2]


def test_the_sweep_deletes_few_rows_a_transaction(
    receive: Receive, uploads: Uploads, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.files.sweeping._BATCH", 2)
    for colour in ("red", "blue", "green", "grey", "black"):
        receive(paperwork.jpeg(colour=colour), f"{colour}.jpg", "photo")
    deleted: list[int] = []
    monkeypatch.setattr(uploads.storage, "delete", lambda keys: deleted.append(len(list(keys))))
    with time_machine.travel(wall.now() + timedelta(days=3), tick=False):
        assert sweep(database, uploads.storage, tmp_path / "elsewhere").files == 5
    assert deleted[:3] == [2, 2, 1]  # the bytes of a transaction's rows are deleted behind it


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_file_that_is_wanted_again_while_the_sweep_waits_for_it_stays(
    receive: Receive, uploads: Uploads, database: Database, tmp_path: Path
) -> None:
    file, wanted_again = receive()[0], wall.now() + timedelta(days=3)
    with ThreadPoolExecutor(1) as pool:
        with database.write() as renewing:
            renewing.execute(update(File).where(File.id == file.id).values(unclaimed_since=wanted_again))
            with time_machine.travel(wall.now() + timedelta(days=3), tick=True):
                swept = pool.submit(sweep, database, uploads.storage, tmp_path / "elsewhere")
                with database.read() as watching:
                    until_somebody_waits(watching)
        assert swept.result(60).files == 0
    assert [row.id for row in rows(database)] == [file.id]


def until_somebody_waits(session: Any) -> None:
    """For a lock of this database."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(600):
        if session.scalar(waiting):
            return
        threading.Event().wait(0.1)
    raise AssertionError("nobody waits")
