"""The citizen's form as JSON: what opens it, what is refused, the five days and the brake of an address."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from app import create_app
from core.config import Settings
from core.db import Database
from feedback.models import Rating
from miniapp_api.http.wiring import KEY
from tests.newcomers import code_of, try_sign_in
from tests.people import PASSWORD, Person, faults, new_id
from tests.problems import ONE_DATABASE, problem_of
from tests.raters import BAD, GOOD, STREET, Hall, ok

pytestmark = ONE_DATABASE


def ratings_in(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Rating)) or 0


def test_the_form_tells_what_is_rated_and_the_tags_of_each_level(hall: Hall) -> None:
    code = hall.code(window="1号窗口")
    form = ok(hall.get(f"/api/v1/ratings/form/{code['token']}"))
    assert (form["matter_name"], form["org_name"], form["window"]) == (
        "营业执照办理",
        "天宁区市场监督管理局",
        "1号窗口",
    )
    assert [(level["level"], level["bad"], len(level["tags"])) for level in form["levels"]] == [
        (5, False, 8), (4, False, 8), (3, False, 8), (2, True, 8), (1, True, 8),
    ]  # fmt: skip
    assert form["sms_code_required"] is False


@pytest.mark.parametrize("token", ["unknown-token-of-some-length", "x" * 200, "二维码", "'--", "%00", "a%0Ab"])
def test_an_unknown_token_is_refused_with_404(hall: Hall, token: str) -> None:
    path = f"/api/v1/ratings/form/{token}"
    for answer in (hall.get(path), hall.client.post(path, json=GOOD)):
        assert problem_of(answer)["code"] in ("unknown_code", "not_found")
        assert answer.status_code == 404


def test_disabled_expired_and_used_codes_are_refused_each_in_its_way(
    hall: Hall, clock: time_machine.Traveller, database: Database
) -> None:
    disabled, expired, used = hall.code(), hall.code(kind="per_matter"), hall.code(kind="per_matter")
    ok(hall.person("officer").post(f"/rating-codes/{disabled['id']}/disable", {"reason": "窗口撤销"}))
    hall.rated(used)
    clock.shift(timedelta(days=31))
    for code, expected in (
        (disabled, (410, "code_disabled")), (expired, (410, "code_expired")), (used, (409, "already_rated")),
    ):  # fmt: skip
        assert code_of(hall.get(f"/api/v1/ratings/form/{code['token']}")) == expected
        assert code_of(hall.rate(code)) == expected
        assert code_of(hall.rate(code, level=None)) == expected
    assert ratings_in(database) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"level": 6}, {"/level": "unknown_level"}),
        ({"level": None, "tags": []}, {"/level": "required"}),
        ({"tags": [999]}, {"/tags/0": "unknown_tag"}),
        ({"tags": [510, 108]}, {"/tags/1": "tag_of_another_level"}),
        ({"tags": [510, 510]}, {"/tags/1": "repeated_tag"}),
        ({"tags": "510"}, {"/tags": "wrong_type"}),
        ({**BAD, "tags": [], "comment": ""}, {"/tags": "required", "/comment": "required"}),
        ({"mobile": "12345678901"}, {"/mobile": "bad_mobile"}),
        ({"mobile": "1380000000"}, {"/mobile": "bad_mobile"}),
        ({"mobile": 13800000001}, {"/mobile": "required"}),
        ({"comment": "字" * 10_000}, {"/comment": "too_long"}),
        ({"rater_name": "字" * 10_000}, {"/rater_name": "too_long"}),
        ({"submission_id": "x" * 65}, {"/submission_id": "bad_format"}),
        ({"real_name": "yes"}, {"/real_name": "wrong_type"}),
        ({"status": "closed"}, {"/status": "unknown_field"}),
    ],
)
def test_what_is_wrong_with_a_rating_is_named_by_field_and_nothing_is_stored(
    hall: Hall, database: Database, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    code = hall.code()
    answer = hall.rate(code, **changes)
    assert faults(answer) == expected
    problem_of(answer)
    assert ratings_in(database) == 0


def test_all_faults_of_an_empty_rating_come_at_once(hall: Hall) -> None:
    answer = hall.client.post(f"/api/v1/ratings/form/{hall.code()['token']}", json={})
    assert set(faults(answer)) == {"/rater_name", "/mobile", "/level"}


@pytest.mark.parametrize(
    "typed", ["13800000001", "１３８０００００００１", "+8613800000001",
              "86 138 0000 0001", " 138-0000-0001 ", "＋８６１３８０００００００１"],
)  # fmt: skip
def test_one_number_rates_once_in_five_days_however_it_is_typed(hall: Hall, typed: str) -> None:
    hall.rated(hall.code(), mobile="13800000001")
    answer = hall.rate(hall.code(), mobile=typed)
    assert code_of(answer) == (429, "rating_window")


def test_a_refusal_says_from_when_on_it_is_possible_again(hall: Hall, clock: time_machine.Traveller) -> None:
    code = hall.code()
    hall.rated(code, mobile="13800000001")
    answer = hall.rate(code, mobile="13800000001")
    told = problem_of(answer)
    assert (told["code"], told["retry_at"]) == ("rating_window", "2026-11-26T16:00:00Z")
    assert int(answer.headers["Retry-After"]) == (5 * 24 + 14) * 3600
    assert "请于11月27日后再试" in told["detail"] and ":" not in told["detail"]
    clock.shift(timedelta(days=5, seconds=-1))
    assert code_of(hall.rate(code, mobile="13800000001")) == (429, "rating_window")
    clock.shift(timedelta(seconds=1))
    hall.rated(code, mobile="13800000001")


def test_the_same_rating_with_its_submission_id_is_the_same_201(hall: Hall, database: Database) -> None:
    code, sent = hall.code(kind="per_matter"), {"mobile": "13800000001", "submission_id": new_id()}
    first = hall.rate(code, **sent)
    assert (first.status_code, set(first.json or {})) == (201, {"id", "query_code"})
    again = hall.rate(code, **sent)
    assert (again.status_code, again.json) == (201, first.json)
    assert ratings_in(database) == 1
    # Another content under the same id is another rating, which the used code refuses.
    assert code_of(hall.rate(code, **{**sent, "comment": "改了主意"})) == (409, "already_rated")


def test_without_a_submission_id_the_window_decides(hall: Hall) -> None:
    code = hall.code()
    hall.rated(code, mobile="13800000001")
    assert code_of(hall.rate(code, mobile="13800000001")) == (429, "rating_window")


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
def test_the_json_call_takes_no_form_of_a_web_page(hall: Hall, database: Database, media_type: str) -> None:
    token = hall.code()["token"]
    answer = hall.client.post(
        f"/api/v1/ratings/form/{token}", data=b'{"level": 5, "mobile": "13800000001"}', content_type=media_type
    )
    assert code_of(answer) == (415, "unsupported_media_type")
    assert ratings_in(database) == 0


@pytest.mark.parametrize("body", [b"{broken", b"[]", b"null", b'"x"', b"[" * 5000, b'{"rater_name": "\\u0000"}'])
def test_what_is_no_object_is_refused_before_anything_is_stored(hall: Hall, database: Database, body: bytes) -> None:
    token = hall.code()["token"]
    answer = hall.client.post(f"/api/v1/ratings/form/{token}", data=body, content_type="application/json")
    assert answer.status_code in (400, 422)
    problem_of(answer)
    assert ratings_in(database) == 0


def test_staff_rate_for_nobody_and_a_bad_token_is_no_citizen(hall: Hall, database: Database) -> None:
    code = hall.code()
    assert code_of(hall.rate(code, token=hall.person("officer").token)) == (403, "forbidden")
    assert code_of(hall.rate(code, token="nonsense")) == (401, "unauthenticated")
    assert ratings_in(database) == 0


def test_a_rating_from_where_staff_are_signed_in_is_marked_and_counted(hall: Hall) -> None:
    code, office = hall.code(), "203.0.113.8"
    hall.person("supervisor")
    assert try_sign_in(hall.client, "officer", PASSWORD, address=office).status_code == 201
    own, others = hall.rated(code, address=office), hall.rated(code, address=STREET)
    assert hall.rating(own)["from_staff_address"] is True
    assert hall.rating(others)["from_staff_address"] is False
    figures = ok(hall.person("supervisor").get("/statistics/ratings"))
    assert (figures["total"]["ratings"], figures["total"]["from_staff_addresses"]) == (2, 1)


def test_the_answer_is_for_whoever_has_the_query_code_only(hall: Hall) -> None:
    rated = ok(hall.rate(hall.code(), **{**BAD, "mobile": "13800000001"}), 201)
    answer = hall.get(f"/api/v1/ratings/answer/{rated['query_code'].lower()}")
    told = ok(answer)
    assert (told["level"], told["comment"], told["status"], told["reply"]) == (1, BAD["comment"], "to_verify", None)
    assert "13800000001" not in answer.get_data(as_text=True) and "张某某" not in answer.get_data(as_text=True)
    assert code_of(hall.get("/api/v1/ratings/answer/AAAA-BBBB-CCCC-DDDD")) == (404, "not_found")
    assert code_of(hall.get(f"/api/v1/ratings/answer/{rated['id']}")) == (404, "not_found")


@pytest.mark.parametrize(
    ("scope", "elsewhere", "of_another_kind"), [("global", 429, 429), ("kind", 429, 201), ("subject", 201, 201)]
)
def test_the_setting_says_what_the_five_days_are_about(
    settings: Settings, scope: str, elsewhere: int, of_another_kind: int
) -> None:
    application = create_app(settings.model_copy(update={"rating_limit_scope": scope}))
    client, database = application.test_client(), application.extensions[KEY].database

    def sign_in(username: str) -> Person:
        answer = client.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})
        return Person(username, client, str(ok(answer, 201)["token"]))

    hall = Hall(client, database, sign_in)
    first = hall.code()
    hall.rated(first, mobile="13800000001")
    assert code_of(hall.rate(first, mobile="13800000001")) == (429, "rating_window")
    assert hall.rate(hall.code(), mobile="13800000001").status_code == elsewhere
    assert hall.rate(hall.code(kind="per_matter"), mobile="13800000001").status_code == of_another_kind
    database.dispose()
