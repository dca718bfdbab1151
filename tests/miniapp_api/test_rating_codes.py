"""Codes over HTTP: made, generated, disabled once however often; pictures only after 生成, and they can be scanned."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from apiflask import APIFlask

from assets.paper import compiling
from assets.paper.fonts import FontMissing
from core.config import Settings
from core.gateways.wechat import WeChat
from miniapp_api.http.wiring import KEY
from tests.assets.qr_pictures import decoded, opened, printed
from tests.newcomers import code_of
from tests.people import faults, new_id
from tests.problems import ONE_DATABASE
from tests.raters import Hall, ok
from tests.wechat_double import APP_KEY, APPID, CODE, PICTURE, WeChatDouble, wechat_double

pytestmark = ONE_DATABASE

HOST = "https://haoping.example.gov.cn"
PICTURES = {
    "qr.png": "image/png", "qr.svg": "image/svg+xml", "poster.png": "image/png", "poster.pdf": "application/pdf",
    "sign.png": "image/png", "sign.pdf": "application/pdf",
}  # fmt: skip
CASE = {"kind": "per_matter", "matter_name": "公司变更登记", "matter_ref": "2026-1"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": HOST + "/"})


def test_a_new_code_has_no_address_until_it_is_generated(hall: Hall) -> None:
    made = hall.code(generated=False)
    assert (made["status"], made["url"]) == ("not_generated", None)
    generated = hall.generate(made["id"])
    assert generated["status"] == "active" and generated["url"] == f"{HOST}/r/{generated['token']}"
    assert len(generated["token"]) >= 32


def test_every_picture_before_generation_is_refused_with_409(hall: Hall) -> None:
    made = hall.code(generated=False)
    for name in (*PICTURES, "wxacode.png"):
        answer = hall.person("officer").get(f"/rating-codes/{made['id']}/{name}")
        assert code_of(answer) == (409, "not_generated"), name
        assert (answer.json or {})["title"] == "请先点击生成，二维码链接生成后才能生成二维码"


def test_all_faults_of_a_code_come_at_once_and_nothing_is_made(hall: Hall) -> None:
    officer = hall.person("officer")
    assert faults(officer.post("/rating-codes", {})) == {
        "/kind": "unknown_kind", "/matter_name": "required",
    }  # fmt: skip
    long = {**CASE, "matter_name": "字" * 10_000, "org_name": 5, "matter_ref": ""}
    assert faults(officer.post("/rating-codes", long)) == {
        "/matter_name": "too_long", "/org_name": "wrong_type", "/matter_ref": "required",
    }  # fmt: skip
    assert ok(officer.get("/rating-codes"))["total"] == 0


def test_what_only_the_server_sets_is_passed_over_with_a_warning_and_what_means_nothing_is_refused(hall: Hall) -> None:
    officer = hall.person("officer")
    body = {"kind": "per_visit", "matter_name": "营业执照办理"}
    made = ok(officer.post("/rating-codes", {**body, "status": "active", "scans": 7}), 201)
    assert (made["status"], made["scans"]) == ("not_generated", 0)
    assert {(one["code"], one["path"]) for one in made["warnings"]} == {
        ("read_only", "/status"),
        ("read_only", "/scans"),
    }
    again = ok(officer.post("/rating-codes", {**body, "id": made["id"], "status": "not_generated"}), 200)
    assert again["warnings"] == []
    assert faults(officer.post("/rating-codes", {**body, "foo": 1})) == {"/foo": "unknown_field"}


def test_the_same_call_with_an_id_makes_one_code_and_another_content_is_refused(hall: Hall) -> None:
    officer, body = hall.person("officer"), {**CASE, "id": new_id()}
    first, again = officer.post("/rating-codes", body), officer.post("/rating-codes", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json and ok(officer.get("/rating-codes"))["total"] == 1
    assert code_of(officer.post("/rating-codes", {**body, "matter_name": "别的事项"})) == (409, "id_taken")
    assert code_of(hall.person("supervisor").post("/rating-codes", body)) == (409, "id_taken")


def test_generating_and_disabling_again_changes_nothing(hall: Hall) -> None:
    officer, made = hall.person("officer"), hall.code(generated=False)
    path = f"/rating-codes/{made['id']}"
    first, again = ok(officer.post(f"{path}/generate", {})), ok(officer.post(f"{path}/generate", {}))
    assert first == again and first["version"] == 2
    gone, still = (ok(officer.post(f"{path}/disable", {"reason": "窗口撤销"})) for _ in range(2))
    assert gone == still and (gone["status"], gone["version"]) == ("disabled", 3)
    assert code_of(officer.post(f"{path}/generate", {})) == (409, "wrong_status")
    assert hall.get(f"/r/{first['url'].rpartition('/')[2]}").status_code == 410


@pytest.mark.parametrize("kind", ["per_visit", "per_matter"])
def test_the_qr_code_leads_to_the_page(hall: Hall, kind: str) -> None:
    code = hall.code(kind=kind)
    assert "营业执照办理" in hall.open(code).text
    for query in ("", "?size=120", "?size=2000"):
        answer = hall.person("officer").get(f"/rating-codes/{code['id']}/qr.png{query}")
        assert decoded(opened(answer.data)) == f"{HOST}/r/{code['token']}"


def test_a_picture_has_its_type_is_kept_and_can_be_asked_about(hall: Hall) -> None:
    officer, code = hall.person("officer"), hall.code(window="1号窗口")
    beginnings = {"image/png": b"\x89PNG", "application/pdf": b"%PDF", "image/svg+xml": b"<"}
    for name, media_type in PICTURES.items():
        path = f"/rating-codes/{code['id']}/{name}"
        answer = officer.get(path)
        assert (answer.status_code, answer.mimetype) == (200, media_type), name
        assert answer.data.startswith(beginnings[media_type])
        assert (
            answer.headers["Content-Disposition"].startswith("inline") and "private" in answer.headers["Cache-Control"]
        )
        assert officer.get(path).headers["ETag"] == answer.headers["ETag"]
        asked = officer.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (asked.status_code, asked.data) == (304, b"")
        if media_type != "image/svg+xml":
            picture = printed(answer.data) if media_type == "application/pdf" else opened(answer.data)
            assert decoded(picture) == code["url"], name


def test_a_name_with_a_character_that_no_font_has_is_refused_and_its_code_comes_without_a_caption(hall: Hall) -> None:
    code, officer = hall.code(matter_name="甲\U000f1234"), hall.person("officer")
    for name in ("poster.png", "sign.pdf"):
        answer = officer.get(f"/rating-codes/{code['id']}/{name}")
        assert (answer.status_code, faults(answer)) == (422, {"/matter_name": "character_missing"})
        assert "U+F1234" in answer.text
    picture = opened(officer.get(f"/rating-codes/{code['id']}/qr.png?size=200").data)
    assert picture.size == (200, 200) and decoded(picture) == code["url"]


def test_papers_that_cannot_be_made_now_are_503(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    code, officer = hall.code(), hall.person("officer")

    def without_a_font(*_: object) -> bytes:
        raise FontMissing

    monkeypatch.setattr(compiling, "compile", without_a_font)
    assert code_of(officer.get(f"/rating-codes/{code['id']}/poster.pdf")) == (503, "font_missing")
    assert officer.get(f"/rating-codes/{code['id']}/qr.png").status_code == 200
    monkeypatch.undo()
    monkeypatch.setattr(compiling, "SECONDS", 0.001)
    answer = officer.get(f"/rating-codes/{code['id']}/sign.png")
    assert code_of(answer) == (503, "not_ready") and answer.headers["Retry-After"] == "30"


@pytest.mark.parametrize("size", ["0", "-1", "119", "2001", "99999999999999999999", "big"])
def test_a_size_that_cannot_be_is_refused(hall: Hall, size: str) -> None:
    answer = hall.person("officer").get(f"/rating-codes/{hall.code()['id']}/qr.png?size={size}")
    assert set(faults(answer)) == {"/size"}


def test_markup_in_a_matters_name_is_drawn_as_text(hall: Hall) -> None:
    code = hall.code(matter_name="<script>alert(1)</script>&amp;")
    for name in ("qr.png", "qr.svg", "poster.pdf"):
        answer = hall.person("officer").get(f"/rating-codes/{code['id']}/{name}")
        assert answer.status_code == 200 and b"<script" not in answer.data, name
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_codes_are_found_by_kind_status_and_a_fragment_of_the_name(hall: Hall) -> None:
    visit, case = hall.code(matter_name="食品经营许可100%"), hall.code(kind="per_matter", matter_name="公司变更")
    fresh = hall.code(generated=False, matter_name="公司注销")
    for query, expected in (
        ("", [fresh, case, visit]), ("kind=per_matter", [case]), ("status=not_generated", [fresh]),
        ("q=公司", [fresh, case]), ("q=%25", [visit]), ("q=_", []), ("q=公司&status=active", [case]),
    ):  # fmt: skip
        items = ok(hall.person("officer").get(f"/rating-codes?{query}"))["items"]
        assert [one["id"] for one in items] == [one["id"] for one in expected], query


@pytest.mark.parametrize("query", ["kind=other", "status=gone", "page=0", "page_size=101", "q=" + "x" * 101])
def test_a_filter_that_cannot_be_is_refused(hall: Hall, query: str) -> None:
    assert hall.person("officer").get(f"/rating-codes?{query}").status_code == 422


ROLES = ("officer", "handler", "supervisor", "inspector", "far_officer")


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed", "others"),
    [
        ("POST", "/rating-codes", CASE, {"officer": 201, "supervisor": 201, "far_officer": 201}, 403),
        ("GET", "/rating-codes", None, {"officer": 200, "handler": 200, "supervisor": 200, "far_officer": 200}, 403),
        ("GET", "/rating-codes/{id}", None, {"officer": 200, "handler": 200, "supervisor": 200,
                                              "far_officer": 404}, 403),
        ("POST", "/rating-codes/{id}/generate", {}, {"officer": 200, "supervisor": 200, "far_officer": 404}, 403),
        ("GET", "/rating-codes/{id}/qr.png", None, {"officer": 200, "handler": 200, "supervisor": 200,
                                                     "far_officer": 404}, 403),
        ("POST", "/rating-codes/{id}/disable", {}, {"officer": 200, "supervisor": 200, "far_officer": 404}, 403),
    ],
)  # fmt: skip
def test_each_role_may_do_with_codes_what_is_its_and_nothing_else(
    hall: Hall, method: str, path: str, body: Any, allowed: dict[str, int], others: int
) -> None:
    address = path.format(id=hall.code()["id"])
    for name in ROLES:
        answer = hall.person(name).call(method, address, **({} if body is None else {"json": body}))
        assert answer.status_code == allowed.get(name, others), name


def test_another_citys_officer_finds_no_code_by_any_call(hall: Hall) -> None:
    code, stranger = hall.code(), hall.person("far_officer")
    assert ok(stranger.get("/rating-codes"))["items"] == []
    assert ok(stranger.get("/rating-codes?q=营业执照"))["total"] == 0
    for name in (*PICTURES, "wxacode.png"):
        assert code_of(stranger.get(f"/rating-codes/{code['id']}/{name}")) == (404, "not_found")
    for action in ("generate", "disable"):
        assert code_of(stranger.post(f"/rating-codes/{code['id']}/{action}", {})) == (404, "not_found")
    assert ok(hall.person("officer").get(f"/rating-codes/{code['id']}"))["status"] == "active"


def test_a_form_posted_from_a_foreign_site_makes_disables_and_decides_nothing(hall: Hall) -> None:
    code = hall.code()
    rating = hall.bad(code)
    paths = ("", f"/{code['id']}/disable")
    for media_type in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        sent: dict[str, Any] = {
            "data": b'{"kind":"per_visit","matter_name":"x","org_name":"y","z":"="}', "content_type": media_type,
            "headers": {"Origin": "https://evil.example"},
        }  # fmt: skip
        for path in (*(f"/rating-codes{path}" for path in paths), f"/ratings/{rating}/actions/contact",
                     f"/rating-codes/{code['id']}/generate"):  # fmt: skip
            # What a browser sends by itself: no token stands in a cookie.
            answer = hall.client.post(f"/api/v1{path}", **sent)
            assert code_of(answer) == (401, "unauthenticated"), path
            assert "Access-Control-Allow-Origin" not in answer.headers
        for path in paths:
            assert code_of(hall.person("supervisor").call("POST", f"/rating-codes{path}", **dict(sent))) == (
                415, "unsupported_media_type",
            )  # fmt: skip
        handler = hall.person("handler").call("POST", f"/ratings/{rating}/actions/contact", **dict(sent))
        assert code_of(handler) == (415, "unsupported_media_type")
    codes = ok(hall.person("officer").get("/rating-codes"))["items"]
    assert [(one["id"], one["status"]) for one in codes] == [(code["id"], "active")]
    assert hall.rating(rating)["contacts"] == []


class TestMiniProgramCode:
    @pytest.fixture
    def double(self) -> Iterator[WeChatDouble]:
        with wechat_double() as double:
            yield double

    @pytest.fixture
    def settings(self, settings: Settings, double: WeChatDouble) -> Settings:
        return settings.model_copy(update={"wechat_rating_page": "pages/rate/index"})

    @pytest.fixture
    def application(self, application: APIFlask, double: WeChatDouble) -> APIFlask:
        wired = application.extensions[KEY]
        application.extensions[KEY] = replace(wired, wechat=WeChat(APPID, APP_KEY, double.address, timeout=2))
        return application

    def test_wechat_makes_it_for_the_token_and_the_page(self, hall: Hall, double: WeChatDouble) -> None:
        code = hall.code()
        answer = hall.person("officer").get(f"/rating-codes/{code['id']}/wxacode.png")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", PICTURE)
        body = next(request[3] for request in double.requests if request[1] == CODE)
        assert (body["scene"], body["page"]) == (code["token"], "pages/rate/index")

    def test_wechat_may_answer_with_a_jpeg_which_is_called_one(self, hall: Hall, double: WeChatDouble) -> None:
        double.garbage[CODE] = (200, "image/jpeg", b"\xff\xd8\xff\xe0 and so on")
        answer = hall.person("officer").get(f"/rating-codes/{hall.code()['id']}/wxacode.png")
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert answer.headers["Content-Disposition"].endswith('.jpeg"')

    def test_a_refusal_of_wechat_is_503_without_its_words(self, hall: Hall, double: WeChatDouble) -> None:
        double.errcodes[CODE] = 41030
        answer = hall.person("officer").get(f"/rating-codes/{hall.code()['id']}/wxacode.png")
        assert code_of(answer) == (503, "wechat_unavailable")
        assert "41030" not in answer.get_data(as_text=True) and APP_KEY not in answer.get_data(as_text=True)


def test_without_a_mini_program_its_code_is_503_with_a_way_out(hall: Hall) -> None:
    answer = hall.person("officer").get(f"/rating-codes/{hall.code()['id']}/wxacode.png")
    assert code_of(answer) == (503, "wechat_unavailable")
    assert "请使用二维码" in (answer.json or {})["detail"]


@pytest.mark.parametrize("kind", [[], {}, 5, None])
def test_a_kind_that_is_no_text_is_a_fault(hall: Hall, kind: Any) -> None:
    assert faults(hall.person("officer").post("/rating-codes", {**CASE, "kind": kind}))["/kind"] == "unknown_kind"


def test_the_id_of_another_kind_of_record_is_taken(hall: Hall) -> None:
    rating = hall.rated(hall.code())
    answer = hall.person("officer").post("/rating-codes", {**CASE, "id": rating})
    assert code_of(answer) == (409, "id_taken")


def test_a_small_picture_is_made_in_few_sizes_only(hall: Hall) -> None:
    officer, made = hall.person("officer"), hall.code()
    first = officer.get(f"/rating-codes/{made['id']}/qr.png?size=400")
    assert officer.get(f"/rating-codes/{made['id']}/qr.png?size=419").data == first.data
