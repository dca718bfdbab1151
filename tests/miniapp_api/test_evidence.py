"""Photos and signatures of checks and spot checks: claimed when the record is saved, seen by who may see it."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from apiflask import APIFlask

from assets.sweeping import sweep
from core.config import Settings
from miniapp_api.wiring import KEY
from tests import paperwork
from tests.object_storage import on_s3
from tests.people import Person, faults, new_id, production, spot_check


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

    storage = application.extensions[KEY].desk.storage
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


def test_nine_photos_are_enough(county_inspector: Person) -> None:
    photos = [photo(county_inspector, f"#00{number * 25:02x}00") for number in range(10)]
    answer = county_inspector.put(f"/inspections/{new_id()}", production(photos=photos))
    assert faults(answer) == {"/photos/9": "too_many_files"}
    assert county_inspector.put(f"/inspections/{new_id()}", production(photos=photos[:9])).status_code == 201


def test_of_two_records_that_claim_one_photo_at_once_one_is_saved(
    county_inspector: Person, application: APIFlask
) -> None:
    file_id, together = photo(county_inspector), threading.Barrier(2)

    def save(_number: int) -> int:
        person = Person("county_inspector", application.test_client(), county_inspector.token)
        together.wait(10)
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
    assert sweep(services.database, services.desk.storage, services.desk.incoming).files == 1
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
    assert sweep(services.database, services.desk.storage, services.desk.incoming).files == 0
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
