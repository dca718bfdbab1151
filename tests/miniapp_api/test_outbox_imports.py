"""What a phone exported is imported by an officer of its office: as the phone would have sent it, and once."""

import hashlib
import io
import json
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyrage
import pytest
from flask.testing import FlaskClient

from accounts.verbs import Role
from core.db import Database
from inspection.models import OutboxKey
from inspection.outbox_imports import keys
from tests.newcomers import make_user
from tests.paperwork import jpeg
from tests.people import Person, new_id, production, spot_check, uscc, with_problem
from tests.problems import ONE_DATABASE
from tests.records import problem, read, submit

Json = dict[str, Any]

pytestmark = pytest.mark.usefixtures("clock")


def recipient(person: Person) -> str:
    return str(read(person, "/outbox-imports/key")["recipient"])


def packed(
    author: Person, *records: Json, files: dict[str, bytes] | None = None, key: str = "",
    compression: int = zipfile.ZIP_STORED, changed: Json | None = None,
) -> bytes:  # fmt: skip
    """An export as a phone makes it."""
    files = files or {}
    manifest = {
        "format": "gongpin-outbox", "version": 1, "export_id": new_id(), "part": 1, "parts": 1,
        "exported_at": "2026-11-21T02:00:00Z",
        "author": {"id": read(author, "/me")["id"], "username": author.username, "operator_name": "甲某"},
        "records": list(records),
        "files": [
            {"id": one, "purpose": "photo", "name": "现场.jpg", "media_type": "image/jpeg", "size": len(content),
             "sha256": hashlib.sha256(content).hexdigest()}
            for one, content in files.items()
        ],
        **(changed or {}),
    }  # fmt: skip
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w", compression) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for one, content in files.items():
            archive.writestr(f"files/{one}", content)
    to = pyrage.x25519.Recipient.from_str(key or recipient(author))
    return bytes(pyrage.encrypt(plain.getvalue(), [to]))


def waiting(path: str, body: Json, *files: str) -> Json:
    return {
        "id": new_id(), "method": "PUT", "path": path, "body": body, "created_at": "2026-11-21T01:00:00Z",
        "files": list(files),
    }  # fmt: skip


def send(person: Person, content: bytes) -> Any:
    data = {"file": (io.BytesIO(content), "gongpin-20261121-1000-county_inspector-1of1.age")}
    return person.call("POST", "/outbox-imports", data=data, content_type="multipart/form-data")


def imported(person: Person, content: bytes) -> Json:
    answer = send(person, content)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    told = dict(answer.json)
    results = [one["result"] for one in told.pop("records")]
    assert Counter(results) == Counter(
        accepted=told["accepted"], repeated=told["repeated"], refused=len(told["refused"])
    )
    return told


def contents(person: Person, content: bytes) -> Any:
    data = {"file": (io.BytesIO(content), "export.age")}
    return person.call("POST", "/outbox-imports/contents", data=data, content_type="multipart/form-data")


def test_an_officer_sees_what_comes_in_before_it_is_imported_and_what_became_of_each_record(
    county_inspector: Person, county_colleague: Person, other_city_user: Person
) -> None:
    photo, check = new_id(), production()
    good = waiting(f"/inspections/{new_id()}/submission", {**check, "photos": [photo]}, photo)
    bad = waiting(f"/spot-checks/{new_id()}/submission", {**spot_check(), "org_name": ""})
    disposal = waiting(f"/inspections/{new_id()}/disposals", {"disposals": {}, "version": 1})
    content = packed(county_inspector, good, bad, disposal, files={photo: jpeg()})
    seen = contents(county_colleague, content)
    assert seen.status_code == 200
    assert (seen.json["username"], seen.json["operator_name"], seen.json["parts"]) == ("county_inspector", "甲某", 1)
    assert [(one["what"], one["title"], one["day"], one["photos"]) for one in seen.json["records"]] == [
        ("检查", check["org_name"], check["check_date"], 1),
        ("监督抽查", None, spot_check()["sampled_on"], 0),
        ("处置情况", None, None, 0),
    ]
    assert read(county_inspector, "/inspections")["total"] == 0
    assert problem(contents(other_city_user, content)) == (422, "invalid")
    assert contents(county_colleague, b"no export").status_code == 422
    told = send(county_colleague, content).json["records"]
    assert [(one["id"], one["result"]) for one in told] == [
        (good["id"], "accepted"), (bad["id"], "refused"), (disposal["id"], "refused"),
    ]  # fmt: skip
    assert told[0]["message"] is None and told[1]["message"] and told[2]["message"]


def test_a_colleague_imports_checks_with_photos_and_the_author_stays(
    county_inspector: Person, county_colleague: Person
) -> None:
    check, sample, photo = new_id(), new_id(), new_id()
    content = packed(
        county_inspector,
        waiting(f"/inspections/{check}/submission", production(photos=[photo]), photo),
        waiting(f"/api/v1/spot-checks/{sample}/submission", spot_check()),
        files={photo: jpeg()},
    )
    assert imported(county_colleague, content) == {"accepted": 2, "repeated": 0, "refused": []}
    record = read(county_inspector, f"/inspections/{check}")
    assert (record["username"], record["operator_name"], record["photos"]) == ("county_inspector", "甲某", [photo])
    assert county_inspector.get(f"/files/{photo}").status_code == 200
    (move,) = read(county_inspector, f"/inspections/{check}/history")["items"]
    assert (move["actor"], move["imported_by"]) == ("county_inspector", "county_colleague")
    assert read(county_inspector, f"/spot-checks/{sample}")["status"] == "submitted"


def test_imported_again_and_sent_by_the_phone_as_well_it_is_one_record(
    county_inspector: Person, county_colleague: Person
) -> None:
    check, body = new_id(), production()
    content = packed(county_inspector, waiting(f"/inspections/{check}/submission", body))
    assert imported(county_colleague, content)["accepted"] == 1
    assert imported(county_colleague, content) == {"accepted": 0, "repeated": 1, "refused": []}
    assert county_inspector.put(f"/inspections/{check}/submission", body).status_code == 200
    sent = new_id()
    other = production(uscc=uscc(7), org_name="另一家厂")
    submit(county_inspector, other, sent)
    content = packed(county_inspector, waiting(f"/inspections/{sent}/submission", other))
    assert imported(county_colleague, content) == {"accepted": 0, "repeated": 1, "refused": []}
    assert read(county_inspector, "/inspections?status=submitted")["total"] == 2


def test_disposals_and_added_words_are_imported_in_their_order(
    county_inspector: Person, county_colleague: Person
) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    item = new_id()
    content = packed(
        county_inspector,
        waiting(f"/products/06/items/{item}", {"name": "海底电缆", "regulation_type": "other"}),
        waiting(f"/products/06/test-items/{new_id()}", {"name": "弯曲"}),
        waiting(f"/inspections/{record['id']}/disposals", {"disposals": {"7.1": "done"}, "version": record["version"]}),
    )
    assert imported(county_colleague, content) == {"accepted": 3, "repeated": 0, "refused": []}
    assert imported(county_colleague, content) == {"accepted": 0, "repeated": 3, "refused": []}
    assert read(county_inspector, f"/inspections/{record['id']}")["disposals"]["7.1"] == "done"
    assert read(county_inspector, f"/products/06/items/{item}")["name"] == "海底电缆"


def test_what_is_refused_is_named_with_what_to_do_and_the_rest_goes_on(
    county_inspector: Person, county_colleague: Person
) -> None:
    good, photo = new_id(), new_id()
    records = [
        waiting(f"/inspections/{new_id()}/submission", production(org_name="")),
        waiting(f"/inspections/{new_id()}/void", {"reason": "无"}),
        waiting("/users/1", {}),
        waiting(f"/inspections/{new_id()}/submission", production(photos=[photo]), photo),
        waiting(f"/inspections/{new_id()}/disposals", {"disposals": {"7.1": "done"}, "version": 1}),
        waiting(f"/inspections/{good}/submission", production()),
    ]
    damaged = {"files": [{"id": photo, "purpose": "photo", "name": "现场.jpg", "sha256": "0" * 64}]}
    content = packed(county_inspector, *records, files={photo: jpeg()}, changed=damaged)
    answer = imported(county_colleague, content)
    assert (answer["accepted"], answer["repeated"]) == (1, 0)
    refused = {one["id"]: one["code"] for one in answer["refused"]}
    assert [refused.get(one["id"]) for one in records] == [
        "invalid", "not_importable", "not_importable", "invalid", "not_found", None,
    ]  # fmt: skip
    assert all(one["message"] for one in answer["refused"])
    duplicate = packed(county_inspector, waiting(f"/inspections/{new_id()}/submission", production(remark="另一次")))
    (one,) = imported(county_colleague, duplicate)["refused"]
    assert one["code"] == "duplicate_check"


def test_another_office_imports_nothing(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    content = packed(county_inspector, waiting(f"/inspections/{new_id()}/submission", production()))
    for stranger in (neighbour_inspector, city_reviewer):
        answer = send(stranger, content)
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "other_office")
    assert read(county_inspector, "/inspections?status=submitted")["total"] == 0


@ONE_DATABASE
def test_what_is_no_export_of_this_installation_is_refused(county_inspector: Person, county_colleague: Person) -> None:
    record = waiting(f"/inspections/{new_id()}/submission", production())
    foreign = str(pyrage.x25519.Identity.generate().to_public())
    whole = packed(county_inspector, record)
    not_json = pyrage.encrypt(b"no zip", [pyrage.x25519.Recipient.from_str(recipient(county_inspector))])
    for content in (
        b"x", whole[:-20], whole[:300], bytes(not_json), packed(county_inspector, record, key=foreign),
        packed(county_inspector, record, compression=zipfile.ZIP_DEFLATED),
        packed(county_inspector, record, changed={"format": "other"}),
        packed(county_inspector, record, changed={"records": [{"id": 5}]}),
        packed(county_inspector, record, changed={"records": [record] * 201}),
    ):  # fmt: skip
        answer = send(county_colleague, content)
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "not_an_export")
    newer = send(county_colleague, packed(county_inspector, record, changed={"version": 2}))
    assert newer.json["errors"][0]["code"] == "too_new"
    nobody = {"id": str(uuid.uuid4()), "username": "nobody", "operator_name": None}
    assert send(county_colleague, packed(county_inspector, record, changed={"author": nobody})).status_code == 422
    answer = county_colleague.call("POST", "/outbox-imports", json={})
    assert problem(answer) == (415, "unsupported_media_type")


def test_who_may_not_enter_checks_neither_imports_nor_is_imported(
    database: Database, client: FlaskClient, sign_in: Callable[..., Person], county_inspector: Person
) -> None:
    make_user(database, "320402", "an_approver", Role.ACCOUNT_APPROVER)
    approver = sign_in("an_approver")
    content = packed(county_inspector, waiting(f"/inspections/{new_id()}/submission", production()))
    assert problem(send(approver, content)) == (403, "forbidden")
    theirs = packed(approver, waiting(f"/inspections/{new_id()}/submission", production()))
    assert send(county_inspector, theirs).status_code == 422


def test_the_key_stays_and_an_older_one_still_opens(
    database: Database, county_inspector: Person, county_colleague: Person
) -> None:
    first = county_inspector.get("/outbox-imports/key")
    etag = first.headers["ETag"]
    assert county_inspector.get("/outbox-imports/key", headers={"If-None-Match": etag}).status_code == 304
    content = packed(county_inspector, waiting(f"/inspections/{new_id()}/submission", production()))
    made = pyrage.x25519.Identity.generate()
    with database.write() as session:
        old = session.get_one(OutboxKey, 1)
        assert old.recipient == first.json["recipient"]  # type: ignore[index]
        session.add(OutboxKey(id=2, recipient=str(made.to_public()), identity=str(made), made_at=old.made_at))
    assert recipient(county_inspector) == str(made.to_public()) == keys.recipient(database)
    assert imported(county_colleague, content)["accepted"] == 1
