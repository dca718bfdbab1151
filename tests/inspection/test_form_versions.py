"""A bureau puts its own wording in place: a newer form, a time for phones that were offline, old answers unchanged."""

import copy
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask

import inspection
from core.config import Settings
from core.db import Database
from core.forms.library import FormLibrary, FrozenForm
from miniapp_api.http.wiring import KEY
from tests.people import Person, SignIn, faults, new_id, production, sales
from tests.records import Json, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")

SHIPPED: Json = json.loads((Path(inspection.__path__[0]) / "forms" / "gpc-production.v3.json").read_text())
OWN = SHIPPED["version"] + 1


def our_own(accept_until: str | None = "2026-11-30") -> Json:
    """The next version, a bureau's own: another wording for 1.1, a further item 1.5, and without 6.3."""
    form = copy.deepcopy(SHIPPED)
    form["version"] = OWN
    if accept_until:
        form["accept_until"] = accept_until
    sections = {section["code"]: section for section in form["sections"]}
    sections["1"]["items"][0]["text"] = "是否依法取得证照（新措辞）"
    forged = next(item for item in sections["1"]["items"] if item["no"] == "1.2")
    sections["1"]["items"].append({**forged, "no": "1.5", "text": "是否存在借用他人证照生产"})
    sections["6"]["items"] = [item for item in sections["6"]["items"] if not item["no"].startswith("6.3")]
    return form


def answered_anew(**changes: Any) -> Json:
    body = production(**{"form_version": OWN, **changes, "answers": {"1.5": "no", **changes.get("answers", {})}})
    del body["answers"]["6.3"]
    return body


def wording(form: Json, no: str) -> str:
    return next(item["text"] for section in form["sections"] for item in section["items"] if item.get("no") == no)


@pytest.fixture
def library(application: APIFlask) -> FormLibrary:
    forms: FormLibrary = application.extensions[KEY].forms
    return forms


def test_the_older_version_is_accepted_until_its_last_day(
    library: FormLibrary, county_inspector: Person, sign_in: SignIn, clock: Any
) -> None:
    library.publish(our_own())
    assert submit(county_inspector, production())["form_version"] == 1
    clock.move_to("2026-11-30T23:59:00+08:00")
    record = submit(sign_in("county_inspector"), production(confirm_duplicate=True))
    assert record["form_version"] == 1


def test_the_older_version_is_refused_after_that_day(library: FormLibrary, sign_in: SignIn, clock: Any) -> None:
    library.publish(our_own())
    clock.move_to("2026-12-01T00:00:00+08:00")
    person = sign_in("county_inspector")
    answer = person.put(f"/inspections/{new_id()}/submission", production())
    assert faults(answer) == {"/form_version": "form_version_expired"}
    assert submit(person, answered_anew())["form_version"] == OWN


def test_a_draft_of_the_older_version_can_still_be_saved_after_that_day(
    library: FormLibrary, county_inspector: Person, sign_in: SignIn, clock: Any
) -> None:
    draft = save(county_inspector, production())
    library.publish(our_own())
    clock.move_to("2026-12-01T00:00:00+08:00")
    person = sign_in("county_inspector")
    assert save(person, production(version=1, remark="离线"), draft["id"])["form_version"] == 1
    answer = person.put(f"/inspections/{draft['id']}/submission", production(version=2))
    assert faults(answer) == {"/form_version": "form_version_expired"}
    assert submit(person, answered_anew(version=2), draft["id"])["form_version"] == OWN


def test_without_a_last_day_the_older_version_is_accepted_for_good(
    library: FormLibrary, sign_in: SignIn, clock: Any
) -> None:
    library.publish(our_own(accept_until=None))
    clock.move_to("2028-01-01T00:00:00+08:00")
    assert submit(sign_in("county_inspector"), production())["form_version"] == 1


def test_a_body_without_a_version_is_validated_by_the_newest(library: FormLibrary, county_inspector: Person) -> None:
    library.publish(our_own())
    body = production()
    del body["form_version"]
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", body)
    assert faults(answer) == {"/answers/1.5": "required", "/answers/6.3": "unknown_item"}


def without_version(**changes: Any) -> Json:
    body = production(**changes)
    del body["form_version"]
    return body


def test_a_draft_goes_on_with_the_version_it_was_begun_with(library: FormLibrary, county_inspector: Person) -> None:
    draft = save(county_inspector, production())
    library.publish(our_own())
    assert save(county_inspector, without_version(version=1, remark="续填"), draft["id"])["form_version"] == 1
    assert submit(county_inspector, without_version(version=2), draft["id"])["form_version"] == 1


def test_a_draft_of_another_kind_is_begun_anew_by_the_newest_version(
    library: FormLibrary, county_inspector: Person
) -> None:
    draft = save(county_inspector, sales())
    library.publish(our_own())
    body = answered_anew(version=1)
    del body["form_version"]
    assert save(county_inspector, body, draft["id"])["form_version"] == OWN


def test_a_correction_that_names_no_version_answers_the_one_of_the_record(
    library: FormLibrary, county_inspector: Person
) -> None:
    record = submit(county_inspector, production())
    library.publish(our_own())
    body = {**without_version(remark="更正"), "version": 1, "reason": "笔误"}
    corrected = county_inspector.put(f"/inspections/{record['id']}/correction", body)
    assert (corrected.status_code, corrected.json["form_version"]) == (200, 1)


def test_answers_are_validated_by_the_version_they_name(library: FormLibrary, county_inspector: Person) -> None:
    library.publish(our_own())
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(answers={"1.5": "no"}))
    assert faults(answer) == {"/answers/1.5": "unknown_item"}
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", answered_anew(answers={"1.5": None}))
    assert faults(answer) == {"/answers/1.5": "required"}


def test_old_answers_keep_showing_the_version_they_answered(library: FormLibrary, county_inspector: Person) -> None:
    old = submit(county_inspector, production())
    library.publish(our_own())
    shown = read(county_inspector, f"/inspections/{old['id']}")
    assert shown == old
    form = read(county_inspector, f"/forms/{shown['form_code']}/{shown['form_version']}")
    assert wording(form, "1.1") == wording(SHIPPED, "1.1")
    assert wording(read(county_inspector, "/forms/gpc-production"), "1.1") == "是否依法取得证照（新措辞）"


def test_a_correction_may_answer_the_newer_version(library: FormLibrary, county_inspector: Person) -> None:
    record = submit(county_inspector, production())
    library.publish(our_own())
    path = f"/inspections/{record['id']}"
    corrected = county_inspector.put(f"{path}/correction", {**answered_anew(), "version": 1, "reason": "按新表核对"})
    assert (corrected.status_code, corrected.json["form_version"]) == (200, OWN)
    assert read(county_inspector, f"{path}/versions/1")["form_version"] == 1
    assert "6.3" in read(county_inspector, f"{path}/versions/1")["answers"]


def test_an_old_record_may_be_corrected_by_the_version_it_answered_for_ever(
    library: FormLibrary, county_inspector: Person, sign_in: SignIn, clock: Any
) -> None:
    record = submit(county_inspector, production())
    library.publish(our_own())
    newer = submit(county_inspector, answered_anew(confirm_duplicate=True))
    clock.move_to("2026-12-24T00:00:00+08:00")
    city = sign_in("city_reviewer")
    changes = {"version": 1, "reason": "笔误", "escort": "丁"}
    corrected = city.put(f"/inspections/{record['id']}/correction", {**production(), **changes})
    assert (corrected.status_code, corrected.json["form_version"], corrected.json["escort"]) == (200, 1, "丁")
    backwards = city.put(f"/inspections/{newer['id']}/correction", {**production(), **changes})
    assert faults(backwards) == {"/form_version": "form_version_expired"}


def test_a_version_that_never_was_is_refused(county_inspector: Person) -> None:
    for version in (OWN, 0, -1, 10**18):
        answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(form_version=version))
        assert faults(answer)["/form_version"] in ("unknown_form_version", "wrong_type")
    for version in ("1", 1.5, True, []):
        answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(form_version=version))
        assert faults(answer) == {"/form_version": "wrong_type"}


def test_a_published_version_is_frozen(library: FormLibrary) -> None:
    changed = {**copy.deepcopy(SHIPPED), "title": "另一个名称"}
    with pytest.raises(FrozenForm):
        library.publish(changed)
    assert library.publish(SHIPPED) is False


def test_another_process_takes_a_new_version_up_by_itself(
    county_inspector: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(county_inspector, production())
    FormLibrary(database).publish(our_own())  # as a command does, beside the running server
    monkeypatch.setattr("core.forms.library.REFRESH_SECONDS", 0)  # as if those seconds were over
    assert submit(county_inspector, answered_anew(confirm_duplicate=True))["form_version"] == OWN


def test_a_form_is_answered_with_an_etag(county_inspector: Person, library: FormLibrary) -> None:
    first = county_inspector.get("/forms/gpc-production")
    again = county_inspector.get("/forms/gpc-production", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    library.publish(our_own())
    newer = county_inspector.get("/forms/gpc-production", headers={"If-None-Match": first.headers["ETag"]})
    assert (newer.status_code, newer.json["version"]) == (200, OWN)
    assert "immutable" in county_inspector.get("/forms/gpc-production/1").headers["Cache-Control"]
    assert {item["code"]: item["version"] for item in read(county_inspector, "/forms")["items"]} == {
        "gpc-production": OWN, "gpc-sales": 4, "gpc-spot-check": 3,
        "onsite-sales": 2, "onsite-production": 2, "ccc-production": 1,
    }  # fmt: skip
    assert county_inspector.get(f"/forms/gpc-production/{OWN + 1}").status_code == 404
    assert county_inspector.get("/forms/none").status_code == 404


def test_forms_are_looked_up_while_others_who_wait_hold_every_connection_of_the_pool(settings: Settings) -> None:
    """Whoever looks a form up within a transaction has locks, for which those others wait."""
    database = Database(settings.resolved_database_url, pool_size=1)
    with ExitStack() as held:
        held.callback(database.dispose)
        for _ in range(2):
            held.enter_context(database.engine.connect())
        assert FormLibrary(database).get(SHIPPED["code"]).form.code == SHIPPED["code"]
