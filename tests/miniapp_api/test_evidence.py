"""Photos and signatures of checks and spot checks: claimed when the record is saved, seen by who may see it."""

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask

import inspection
from assets.files.sweeping import sweep
from core.config import Settings
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests.object_storage import on_s3
from tests.people import Person, faults, new_id, production, sales, spot_check, uscc, with_problem


@pytest.fixture
def settings(settings: Settings, dialect: str) -> Settings:
    return on_s3(settings) if dialect == "postgresql" else settings


def upload(person: Person, content: bytes, name: str, purpose: str) -> str:
    data = {"file": (io.BytesIO(content), name), "purpose": purpose}
    answer = person.call("POST", "/files", data=data, content_type="multipart/form-data")
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return str(answer.json["id"])  # type: ignore[index]


def photo(person: Person, colour: str = "teal") -> str:
    return upload(person, paperwork.jpeg((80, 60), colour=colour), "a.jpg", "photo")


def signature(person: Person) -> str:
    return upload(person, paperwork.png(), "a.png", "signature")


def stored(application: APIFlask) -> int:
    from datetime import UTC, datetime

    storage = application.extensions[KEY].uploads.storage
    return sum(len(batch) for batch in storage.older_than(datetime(2100, 1, 1, tzinfo=UTC)))


def test_a_check_carries_its_photos_and_signatures(
    county_inspector: Person, county_colleague: Person, city_reviewer: Person, neighbour_inspector: Person
) -> None:
    one, two, signed = photo(county_inspector), photo(county_inspector, "blue"), signature(county_inspector)
    record = new_id()
    body = production(photos=[two, one], signatures=[signed])
    answer = county_inspector.put(f"/inspections/{record}/submission", body)
    assert answer.status_code == 201, answer.json
    assert (answer.json["photos"], answer.json["signatures"]) == ([two, one], [signed])
    shown = city_reviewer.get(f"/inspections/{record}").json
    assert (shown["photos"], shown["signatures"]) == ([two, one], [signed])
    for file_id in (one, two, signed):
        for person, status in ((county_colleague, 200), (city_reviewer, 200), (neighbour_inspector, 404)):
            for part in ("", "/thumbnail", "/preview"):
                assert person.get(f"/files/{file_id}{part}").status_code == status


def test_a_spot_check_does_too(county_inspector: Person, city_reviewer: Person) -> None:
    file_id, record = photo(county_inspector), new_id()
    answer = county_inspector.put(f"/spot-checks/{record}/submission", spot_check(photos=[file_id]))
    assert answer.status_code == 201 and answer.json["photos"] == [file_id]
    assert city_reviewer.get(f"/files/{file_id}").status_code == 200


def test_the_photos_of_a_draft_are_the_owners_alone(county_inspector: Person, county_colleague: Person) -> None:
    file_id, record = photo(county_inspector), new_id()
    county_inspector.put(f"/inspections/{record}", production(photos=[file_id]))
    assert county_inspector.get(f"/files/{file_id}").status_code == 200
    for part in ("", "/thumbnail", "/preview"):
        assert county_colleague.get(f"/files/{file_id}{part}").status_code == 404


def test_a_repeated_submission_is_answered_alike(county_inspector: Person) -> None:
    body, record = production(photos=[photo(county_inspector)]), new_id()
    first = county_inspector.put(f"/inspections/{record}/submission", body)
    again = county_inspector.put(f"/inspections/{record}/submission", body)
    assert (first.status_code, again.status_code) == (201, 200) and first.json["photos"] == again.json["photos"]


@pytest.mark.parametrize(
    ("photos", "expected"),
    [("not a list", {"/photos": "wrong_type"}), ({}, {"/photos": "wrong_type"}),
     (["not an id"], {"/photos/0": "bad_file"}), ([7], {"/photos/0": "bad_file"})],
)  # fmt: skip
def test_what_is_no_list_of_ids_is_refused(county_inspector: Person, photos: Any, expected: dict[str, str]) -> None:
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(photos=photos))
    assert faults(answer) == expected


def test_files_that_do_not_fit_are_named_with_all_other_faults(
    county_inspector: Person, county_colleague: Person
) -> None:
    own, theirs, signed = photo(county_inspector), photo(county_colleague), signature(county_inspector)
    body = production(photos=[own, theirs, signed, own, new_id()], inspectors=[])
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", body)
    assert faults(answer) == {
        "/inspectors": "required", "/photos/1": "unknown_file", "/photos/2": "wrong_file_type",
        "/photos/3": "repeated_file", "/photos/4": "unknown_file",
    }  # fmt: skip
    # Nothing of the refused body was claimed.
    assert county_inspector.put(f"/inspections/{new_id()}/submission", production(photos=[own])).status_code == 201


def photos_of(person: Person, count: int) -> list[str]:
    return [photo(person, f"#{number:02x}{number * 5 % 256:02x}00") for number in range(count)]


def spot_check_of_before(**changes: Any) -> dict[str, Any]:
    return spot_check(form_version=1, **changes)


@pytest.mark.parametrize(("noun", "body"), [("inspections", production), ("spot-checks", spot_check_of_before)])
def test_a_record_takes_forty_photos_and_says_at_once_that_one_more_is_too_many(
    county_inspector: Person, noun: str, body: Any
) -> None:
    photos = photos_of(county_inspector, 41)
    record = new_id()
    answer = county_inspector.put(f"/{noun}/{record}", body(photos=photos))
    assert faults(answer) == {"/photos/40": "too_many_files"}
    assert answer.json["errors"][0]["message"] == "“照片”最多40张，现有41张，请删减后重试"
    saved = county_inspector.put(f"/{noun}/{record}", body(photos=photos[:40]))
    assert (saved.status_code, saved.json["photos"]) == (201, photos[:40])
    sent = county_inspector.put(f"/{noun}/{record}/submission", body(photos=photos[:40], version=1))
    assert (sent.status_code, sent.json["photos"]) == (200, photos[:40])


@pytest.mark.parametrize(
    ("noun", "code", "body"),
    [("inspections", "gpc-production", production), ("inspections", "gpc-sales", sales),
     ("spot-checks", "gpc-spot-check", spot_check)],
)  # fmt: skip
def test_the_newest_form_says_how_many_photos_there_may_be(
    county_inspector: Person, noun: str, code: str, body: Any
) -> None:
    form = county_inspector.get(f"/forms/{code}").json
    (item,) = (one for section in form["sections"] for one in section["items"] if one.get("field") == "photos")
    assert (item["type"], item["max_items"]) == ("photos", 40)
    version = form["version"]
    answer = county_inspector.put(
        f"/{noun}/{new_id()}", body(form_version=version, photos=[new_id() for _ in range(41)])
    )
    assert faults(answer) == {"/photos": "too_many"}
    assert answer.json["errors"][0]["message"] == "“现场照片”最多40张，请删减后重试"
    taken, record = photo(county_inspector), new_id()
    saved = county_inspector.put(f"/{noun}/{record}", body(form_version=version, photos=[taken]))
    assert (saved.status_code, saved.json["photos"]) == (201, [taken])
    emptied = county_inspector.put(f"/{noun}/{record}", body(form_version=version, photos=[], version=1))
    assert emptied.json["photos"] == []
    assert county_inspector.put(f"/inspections/{new_id()}", production(photos=[taken])).status_code == 201


def test_the_limits_stand_in_the_openapi_document(county_inspector: Person) -> None:
    schemas = county_inspector.client.get("/api/v1/openapi.json").json["components"]["schemas"]
    for name in ("RecordBody", "SubmissionBody", "CorrectionBody"):
        fields = schemas[name]["properties"]
        assert (fields["photos"]["maxItems"], fields["signatures"]["maxItems"]) == (40, 9), name


def test_a_list_of_thousands_of_photos_is_one_fault(county_inspector: Person) -> None:
    answer = county_inspector.put(f"/inspections/{new_id()}", production(photos=[new_id() for _ in range(5000)]))
    assert faults(answer) == {"/photos/40": "too_many_files"}


def with_photos_beside_items(application: APIFlask) -> None:
    """Version 9 of the form of production checks: photos of the whole record, beside 1.2, and in rows of a group."""
    path = Path(inspection.__path__[0]) / "forms" / "gpc-production.v1.json"
    definition = json.loads(path.read_text())
    definition["version"] = 9
    beside = {"no": "1.2.photos", "text": "无证生产的照片", "type": "photos", "max_items": 5,
              "visible_when": {"item": "1.2", "in": ["yes"]}}  # fmt: skip
    next(one for one in definition["sections"] if one["code"] == "1")["items"].append(beside)
    evidence = [
        {"field": "photos", "text": "现场照片", "type": "photos", "max_items": 40},
        {"field": "findings", "text": "现场发现", "type": "group", "max_items": 5, "items": [
            {"field": "what", "text": "内容", "type": "text"},
            {"field": "shown_by", "text": "照片", "type": "photos", "max_items": 3},
        ]},
    ]  # fmt: skip
    definition["sections"].append({"code": "evidence", "title": "照片", "items": evidence})
    application.extensions[KEY].forms.publish(definition)


def test_photos_stand_beside_the_items_that_a_form_wants_them_for(
    application: APIFlask, county_inspector: Person, county_colleague: Person, neighbour_inspector: Person
) -> None:
    with_photos_beside_items(application)
    one, two, three, four = photos_of(county_inspector, 4)
    body = with_problem(form_version=9, photos=[one], findings=[{"what": "线径偏小", "shown_by": [three]}])
    body["answers"]["1.2.photos"] = [two]
    record = new_id()
    draft = county_inspector.put(f"/inspections/{record}", body)
    assert draft.status_code == 201, draft.json
    body["findings"][0]["shown_by"] = [four]
    assert county_inspector.put(f"/inspections/{record}", {**body, "version": 1}).status_code == 200
    again = with_problem(form_version=9, uscc=uscc(2), photos=[three])
    assert county_inspector.put(f"/inspections/{new_id()}", again).status_code == 201, "a photo dropped is free again"
    sent = county_inspector.put(f"/inspections/{record}/submission", {**body, "version": 2})
    assert sent.status_code == 200, sent.json
    assert sent.json["answers"]["1.2.photos"] == [two] and sent.json["findings"][0]["shown_by"] == [four]
    for file_id in (one, two, four):
        assert county_colleague.get(f"/files/{file_id}").status_code == 200
        assert neighbour_inspector.get(f"/files/{file_id}").status_code == 404


def test_what_stands_beside_an_item_is_validated_like_every_photo(
    application: APIFlask, county_inspector: Person, county_colleague: Person
) -> None:
    with_photos_beside_items(application)
    theirs, signed = photo(county_colleague), signature(county_inspector)
    body = with_problem(form_version=9, findings=[{"what": "x", "shown_by": [signed]}])
    body["answers"]["1.2.photos"] = [theirs]
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", body)
    assert faults(answer) == {"/answers/1.2.photos/0": "unknown_file", "/findings/0/shown_by/0": "wrong_file_type"}
    body = with_problem(form_version=9, photos=[new_id() for _ in range(38)])
    body["answers"]["1.2.photos"] = [new_id() for _ in range(3)]
    answer = county_inspector.put(f"/inspections/{new_id()}", body)
    assert faults(answer) == {"/photos/37": "too_many_files"}
    assert answer.json["errors"][0]["message"] == "一份记录最多上传40张照片，现有41张，请删减后重试"
    body = with_problem(form_version=9)
    body["answers"]["1.2.photos"] = [new_id() for _ in range(6)]
    answer = county_inspector.put(f"/inspections/{new_id()}", body)
    assert faults(answer) == {"/answers/1.2.photos": "too_many"}
    assert answer.json["errors"][0]["message"] == "“无证生产的照片”最多5张，请删减后重试"


def test_photos_beside_an_item_that_is_hidden_are_not_kept(application: APIFlask, county_inspector: Person) -> None:
    with_photos_beside_items(application)
    hidden = photo(county_inspector)
    body = production(form_version=9)
    body["answers"]["1.2.photos"] = [hidden]
    sent = county_inspector.put(f"/inspections/{new_id()}/submission", body)
    assert sent.status_code == 201 and "1.2.photos" not in sent.json["answers"]
    assert county_inspector.put(f"/inspections/{new_id()}", production(photos=[hidden])).status_code == 201


def test_of_two_records_that_claim_one_photo_at_once_one_is_saved(
    county_inspector: Person, application: APIFlask
) -> None:
    file_id, together = photo(county_inspector), threading.Barrier(2)

    def save(_number: int) -> int:
        person = Person("county_inspector", application.test_client(), county_inspector.token)
        together.wait(60)
        return person.put(f"/inspections/{new_id()}", production(photos=[file_id])).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(save, range(2))) == [201, 422]


def test_a_photo_taken_out_of_a_draft_is_swept_and_the_others_stay(
    county_inspector: Person, application: APIFlask, clock: Any
) -> None:
    kept, dropped, record = photo(county_inspector), photo(county_inspector, "blue"), new_id()
    county_inspector.put(f"/inspections/{record}", production(photos=[kept, dropped]))
    county_inspector.put(f"/inspections/{record}", production(photos=[kept], version=1))
    services = application.extensions[KEY]
    clock.shift(25 * 3600)
    assert sweep(services.database, services.uploads.storage, services.uploads.incoming).files == 1
    again = Person("county_inspector", application.test_client(), _renewed(application))
    assert again.get(f"/files/{kept}").status_code == 200 and again.get(f"/files/{dropped}").status_code == 404
    assert stored(application) == 1


def _renewed(application: APIFlask) -> str:
    from tests.people import PASSWORD

    answer = application.test_client().post(
        "/api/v1/sessions", json={"username": "county_inspector", "password": PASSWORD}
    )
    assert answer.json is not None
    return str(answer.json["token"])


def test_the_photos_of_a_deleted_draft_are_let_go(county_inspector: Person) -> None:
    file_id, record = photo(county_inspector), new_id()
    county_inspector.put(f"/inspections/{record}", production(photos=[file_id]))
    county_inspector.delete(f"/inspections/{record}")
    assert county_inspector.put(f"/inspections/{new_id()}", production(photos=[file_id])).status_code == 201


def test_a_photo_that_a_correction_leaves_out_stays_with_the_version_that_named_it(
    county_inspector: Person, city_reviewer: Person, application: APIFlask, clock: Any
) -> None:
    old, new, record = photo(county_inspector), photo(city_reviewer, "blue"), new_id()
    county_inspector.put(f"/inspections/{record}/submission", production(photos=[old]))
    answer = city_reviewer.put(
        f"/inspections/{record}/correction", production(photos=[new], version=1, reason="换照片")
    )
    assert answer.status_code == 200 and answer.json["photos"] == [new]
    assert city_reviewer.get(f"/inspections/{record}/versions/1").json["photos"] == [old]
    services = application.extensions[KEY]
    clock.shift(60 * 60)
    assert sweep(services.database, services.uploads.storage, services.uploads.incoming).files == 0
    assert city_reviewer.get(f"/files/{old}").status_code == 200
    # Nor is it free for another record.
    answer = county_inspector.put(f"/inspections/{new_id()}", production(photos=[old]))
    assert faults(answer) == {"/photos/0": "file_claimed"}


def test_moving_a_disposal_keeps_the_photos(county_inspector: Person) -> None:
    from tests.people import with_problem

    file_id, record = photo(county_inspector), new_id()
    body = with_problem({"7.1": "in_progress"}, photos=[file_id])
    assert county_inspector.put(f"/inspections/{record}/submission", body).status_code == 201
    answer = county_inspector.put(f"/inspections/{record}/disposals", {"disposals": {"7.1": "done"}, "version": 1})
    assert answer.status_code == 200 and answer.json["photos"] == [file_id]
