"""Form definitions over HTTP: which there are, and how a phone keeps them."""

import pytest
from flask.testing import FlaskClient

from core.db import Database
from tests.newcomers import code_of, make_user
from tests.people import Person, SignIn
from tests.records import read

CODES = ["ccc-production", "gpc-production", "gpc-sales", "gpc-spot-check", "onsite-production", "onsite-sales"]


def test_the_list_names_the_newest_version_of_every_form(county_inspector: Person) -> None:
    forms = read(county_inspector, "/forms")
    assert [form["code"] for form in forms["items"]] == CODES and forms["total"] == len(CODES)
    assert all({"code", "version", "title", "kind", "accept_until"} == set(form) for form in forms["items"])


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_form_has_the_shape_of_the_contract(county_inspector: Person, code: str) -> None:
    form = read(county_inspector, f"/forms/{code}")
    assert {"code", "version", "title", "kind", "sections"} <= set(form)
    assert form == read(county_inspector, f"/forms/{code}/{form['version']}")
    for section in form["sections"]:
        assert {"code", "title", "items"} <= set(section)
        for item in section["items"]:
            assert ("no" in item) != ("field" in item) and {"text", "type"} <= set(item)


def test_a_phone_that_has_the_form_is_told_that_nothing_changed(county_inspector: Person) -> None:
    for path in ("/forms/gpc-production", "/forms/gpc-production/1"):
        first = county_inspector.get(path)
        tag = first.headers["ETag"]
        again = county_inspector.get(path, headers={"If-None-Match": tag})
        assert again.status_code == 304 and again.data == b"" and again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        changed = county_inspector.get(path, headers={"If-None-Match": '"something-else"'})
        assert changed.status_code == 200 and changed.json == first.json
    other = county_inspector.get("/forms/gpc-sales").headers["ETag"]
    assert county_inspector.get("/forms/gpc-production", headers={"If-None-Match": other}).status_code == 200


def test_one_version_may_be_kept_for_ever_and_the_newest_must_be_asked_for_again(county_inspector: Person) -> None:
    kept = county_inspector.get("/forms/gpc-production/1").headers["Cache-Control"]
    assert "immutable" in kept and "private" in kept
    newest = county_inspector.get("/forms/gpc-production").headers["Cache-Control"]
    assert "no-cache" in newest and "private" in newest


@pytest.mark.parametrize(
    "path", ["/forms/no-such", "/forms/gpc-production/9", "/forms/gpc-production/0", "/forms/GPC-SALES"]
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_form_that_is_not_there_is_not_found(county_inspector: Person, path: str) -> None:
    assert code_of(county_inspector.get(path)) == (404, "not_found")


def test_the_etag_opens_no_door_for_a_stranger(client: FlaskClient, county_inspector: Person) -> None:
    tag = county_inspector.get("/forms/gpc-sales").headers["ETag"]
    answer = client.get("/api/v1/forms/gpc-sales", headers={"If-None-Match": tag})
    assert code_of(answer) == (401, "unauthenticated")


def test_someone_who_must_change_the_password_sees_no_forms(database: Database, sign_in: SignIn) -> None:
    make_user(database, "320402", "newcomer", one_time=True)
    assert code_of(sign_in("newcomer").get("/forms")) == (403, "password_change_required")
