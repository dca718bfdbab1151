"""The citizen's page as a browser without scripts uses it: filled in, refused, mended, thanked; small and closed."""

import re
import sqlite3
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from accounts.models import Office
from core.db import Database
from feedback.models import Rating
from tests.newcomers import code_of
from tests.parties import DECLARATION, WORKS, act, open_declaration, prepare
from tests.problems import ONE_DATABASE
from tests.raters import BAD, GOOD, STREET, Hall, Page, ok

pytestmark = ONE_DATABASE

TYPED: dict[str, Any] = {"level": 5, "tags5": [510, 517], "rater_name": "张某某", "mobile": "13800000001"}


def ratings_in(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Rating)) or 0


def the_only_rating(database: Database) -> Rating:
    with database.read() as session:
        return session.scalars(select(Rating)).one()


def test_a_fresh_page_preselects_nothing(hall: Hall) -> None:
    page = hall.open(hall.code())
    assert "checked" not in {name for _, name, _ in page.attributes}
    assert set(page.fields) == {"submission_id", "comment", "rater_name", "mobile"}
    assert [page.fields[name] for name in ("comment", "rater_name", "mobile")] == ["", "", ""]
    assert page.names.count("level") == 5 and page.names.count("tags1") == 8


def test_the_page_names_the_matter_the_bureau_and_the_window(hall: Hall) -> None:
    page = hall.open(hall.code(window="3号窗口"))
    for shown in ("营业执照办理", "天宁区市场监督管理局", "3号窗口", "同一手机号5天内只能填报一次", "非常不满意"):
        assert shown in page.text


def test_every_visitor_gets_a_form_of_their_own(hall: Hall) -> None:
    code = hall.code()
    assert hall.open(code).fields["submission_id"] != hall.open(code).fields["submission_id"]


def test_a_browser_without_scripts_rates_and_is_thanked_with_a_query_code(hall: Hall, database: Database) -> None:
    code = hall.code()
    answer = hall.send(code, hall.open(code), **TYPED, comment="很快\r\n很好")
    assert answer.status_code == 303
    thanks = hall.get(answer.headers["Location"])
    page = Page.of(thanks)
    assert thanks.status_code == 200 and "评价提交成功，感谢您的参与！" in page.text
    assert re.search(r"[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}", page.text)
    rating = the_only_rating(database)
    assert (rating.level, rating.tags, rating.comment, rating.real_name) == (5, [510, 517], "很快\n很好", True)
    assert (rating.channel, rating.mobile) == ("qr_once", "13800000001")


def test_tags_that_stay_ticked_under_another_level_are_not_sent(hall: Hall, database: Database) -> None:
    code = hall.code()
    answer = hall.send(code, hall.open(code), **{**TYPED, "level": 4, "tags5": [510], "tags4": [406]})
    assert answer.status_code == 303
    assert the_only_rating(database).tags == [406]


@pytest.mark.parametrize("name", [None, "", "李", "名" * 60])
def test_an_anonymous_rating_needs_no_name_and_keeps_none(hall: Hall, database: Database, name: str | None) -> None:
    code = hall.code()
    answer = hall.send(code, hall.open(code), **{**TYPED, "rater_name": name}, anonymous=1)
    assert answer.status_code == 303
    rating = the_only_rating(database)
    assert (rating.real_name, rating.rater_name) == (False, "")


def test_reloading_the_thanks_sends_nothing_again(hall: Hall, database: Database) -> None:
    code = hall.code()
    where = hall.send(code, hall.open(code), **TYPED).headers["Location"]
    assert {hall.get(where).status_code for _ in range(3)} == {200}
    assert ratings_in(database) == 1


@pytest.mark.parametrize("kind", ["per_visit", "per_matter"])
def test_the_form_posted_again_by_back_button_or_double_tap_is_one_rating_and_the_same_thanks(
    hall: Hall, database: Database, kind: str
) -> None:
    code = hall.code(kind=kind)
    page = hall.open(code)
    answers = [hall.send(code, page, **TYPED) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert ratings_in(database) == 1


def test_a_form_left_open_for_a_day_is_taken(hall: Hall, clock: time_machine.Traveller, database: Database) -> None:
    code = hall.code(kind="per_matter")
    page = hall.open(code)
    clock.shift(timedelta(days=1))
    assert hall.send(code, page, **TYPED).status_code == 303
    assert ratings_in(database) == 1


def test_a_form_left_open_until_its_code_expired_is_told_so(
    hall: Hall, clock: time_machine.Traveller, database: Database
) -> None:  # fmt: skip
    code = hall.code(kind="per_matter")
    page = hall.open(code)
    clock.shift(timedelta(days=31))
    answer = hall.send(code, page, **TYPED)
    assert answer.status_code == 410 and "二维码已过期" in Page.of(answer).text
    assert ratings_in(database) == 0


def test_a_code_that_cannot_be_rated_says_why_on_a_page(hall: Hall, clock: time_machine.Traveller) -> None:
    disabled, expired, used = hall.code(), hall.code(kind="per_matter"), hall.code(kind="per_matter")
    ok(hall.person("officer").post(f"/rating-codes/{disabled['id']}/disable", {"reason": "窗口撤销"}))
    hall.rated(used)
    fresh = hall.open(hall.code())
    clock.shift(timedelta(days=31))
    for token, status, text in (
        ("unknown", 404, "二维码无效"), (disabled["token"], 410, "二维码已停用"),
        (expired["token"], 410, "二维码已过期"), (used["token"], 409, "该事项已评价"),
    ):  # fmt: skip
        for answer in (hall.get(f"/r/{token}"), hall.send({"token": token}, fresh, **TYPED)):
            page = Page.of(answer)
            assert (answer.status_code, text in page.text) == (status, True), token
            assert "form" not in page.tags


@pytest.mark.parametrize(
    ("closing", "status", "told"),
    [("disable", 410, "二维码已停用"), ("expire", 410, "有效期至 2026-12-21"), ("use", 409, "该事项已评价")],
)
def test_a_code_that_closes_while_its_page_is_open_loses_no_word_of_what_was_typed(
    hall: Hall, clock: time_machine.Traveller, database: Database, closing: str, status: int, told: str
) -> None:
    code = hall.code(kind="per_matter")
    with database.write() as session:
        session.execute(update(Office).where(Office.name == code["org_name"]).values(hotline="0519-86660000"))
    page = hall.open(code)
    if closing == "disable":
        ok(hall.person("officer").post(f"/rating-codes/{code['id']}/disable", {"reason": "窗口撤销"}))
    elif closing == "use":
        hall.rated(code, mobile="13800000009")
    else:
        clock.shift(timedelta(days=31))
    answer = hall.send(code, page, **TYPED, comment="排队两个小时没人解释")
    shown = Page.of(answer)
    assert answer.status_code == status and told in shown.text
    assert "排队两个小时没人解释" in shown.texts["kept"] and "评价等级：非常满意" in shown.texts["kept"]
    assert {"tel:0519-86660000", "tel:12315"} <= set(shown.links)
    assert "天宁区市场监督管理局" in shown.text and "form" not in shown.tags


def test_thanks_for_praise_do_not_speak_of_a_case_that_was_closed(hall: Hall) -> None:
    code = hall.code()
    page = Page.of(hall.get(hall.send(code, hall.open(code), **TYPED).headers["Location"]))
    assert "已收到，感谢您的评价" in page.text
    assert "已办结" not in page.text and "答复；" not in page.text


@pytest.mark.parametrize(("anonymous", "told"), [(None, "会打电话向您了解情况"), (1, "不会打电话")])
def test_thanks_for_a_bad_rating_say_what_comes_next_and_until_when(
    hall: Hall, clock: time_machine.Traveller, anonymous: int | None, told: str
) -> None:
    code = hall.code()
    bad = {**TYPED, "level": 1, "tags5": None, "tags1": [115], "comment": "态度很差没人理", "anonymous": anonymous}
    page = Page.of(hall.get(hall.send(code, hall.open(code), **bad).headers["Location"]))
    # Rated on Saturday 2026-11-21: the fifth working day is the Friday after.
    assert "最迟 2026-11-27（5 个工作日内）答复" in page.text and told in page.text and "已办结" not in page.text


def test_a_day_that_was_counted_on_guessed_days_says_so_in_the_thanks(
    hall: Hall, clock: time_machine.Traveller
) -> None:  # fmt: skip
    clock.move_to("2026-12-30T10:00:00+08:00")
    code = hall.code()
    bad = {**TYPED, "level": 1, "tags5": None, "tags1": [115], "comment": "态度很差没人理"}
    page = Page.of(hall.get(hall.send(code, hall.open(code), **bad).headers["Location"]))
    assert "5 个工作日内；2027年放假安排公布前的暂定日期，公布后可能调整）答复" in page.text


def test_an_empty_form_is_told_all_that_is_missing_next_to_each_field(hall: Hall, database: Database) -> None:
    code = hall.code()
    answer = hall.send(code, hall.open(code))
    page = Page.of(answer)
    assert answer.status_code == 422
    for name, message in (
        ("level", "请选择评价等级"), ("rater_name", "请填写姓名或单位名称"), ("mobile", "请填写手机号"),
    ):  # fmt: skip
        assert message in page.texts["errors"]
        if name != "level":
            assert page.texts[f"{name}-fault"] == message
            assert ("input", "aria-invalid", "true") in page.attributes
    ids = {value for _, name, value in page.attributes if name == "id"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= ids
    assert ratings_in(database) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mobile": "12345678901"}, "手机号不正确"),
        ({"level": 2, "tags2": [], "comment": "不满意这次服务"}, "请至少选择一项不满意的原因"),
        ({"level": 2, "tags2": [207], "comment": "差"}, "请填写具体意见"),
        ({"level": 1, "tags1": [108], "comment": "字" * 10_000}, "具体意见不能超过500个字"),
        ({"level": 5, "tags5": [108]}, "不是“非常满意”的评价标签"),
        ({"level": 5, "tags5": [999]}, "没有这个评价标签"),
        ({"rater_name": "名" * 51, "anonymous": None}, "姓名或单位名称不能超过50个字"),
    ],
)
def test_errors_keep_what_was_typed_and_say_what_to_mend(
    hall: Hall, database: Database, changes: dict[str, Any], message: str
) -> None:
    code, typed = hall.code(), {**TYPED, "comment": "办得很快", "anonymous": 1, **changes}
    sent = hall.open(code)
    answer = hall.send(code, sent, **typed)
    page = Page.of(answer)
    assert answer.status_code == 422 and message in page.texts["errors"]
    for name in ("rater_name", "mobile", "comment", "level"):
        assert page.fields[name] == str(typed[name]), name
    assert ("anonymous" in page.fields) is bool(typed["anonymous"])
    assert page.fields["submission_id"] == sent.fields["submission_id"]
    ticked = [tag for tag in typed.get(f"tags{typed['level']}", []) if tag not in (108, 999) or typed["level"] == 1]
    assert page.fields.getlist(f"tags{typed['level']}") == [str(tag) for tag in ticked]
    assert ratings_in(database) == 0


def test_a_busy_database_is_told_on_the_page_and_nothing_typed_is_lost(
    hall: Hall, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_given: Any, **_more: Any) -> None:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))

    code = hall.code()
    page = hall.open(code)
    form = {"level": 5, "tags5": [510], "rater_name": "张某某", "mobile": "13800000001", "comment": "办得很快"}
    with monkeypatch.context() as patch:
        patch.setattr("feedback.ratings.submitting.submit", busy)
        answer = hall.send(code, page, **form)
    assert (answer.status_code, answer.mimetype) == (503, "text/html") and answer.headers["Retry-After"]
    kept = Page.of(answer)
    assert (kept.fields["rater_name"], kept.fields["comment"]) == ("张某某", "办得很快")
    assert hall.send(code, kept).status_code == 303 and ratings_in(database) == 1


def test_what_was_mended_is_accepted(hall: Hall, database: Database) -> None:
    code = hall.code()
    refused = hall.send(code, hall.open(code), **{**TYPED, "mobile": "1380000"})
    answer = hall.send(code, Page.of(refused), mobile="13800000001")
    assert answer.status_code == 303
    assert (the_only_rating(database).level, the_only_rating(database).tags) == (5, [510, 517])


@pytest.mark.parametrize("level", ["6", "0", "-1", "五", "5; DROP", "9" * 5000])
def test_a_level_that_is_none_is_refused(hall: Hall, database: Database, level: str) -> None:
    code = hall.code()
    answer = hall.send(code, hall.open(code), **{**TYPED, "level": level})
    assert answer.status_code == 422 and "请选择评价等级" in Page.of(answer).texts["errors"]
    assert ratings_in(database) == 0


def test_a_second_rating_of_a_number_is_refused_on_the_page_from_when_on_it_is_possible(
    hall: Hall, clock: time_machine.Traveller
) -> None:
    code = hall.code()
    hall.send(code, hall.open(code), **TYPED)
    answer = hall.send(code, hall.open(code), **{**TYPED, "mobile": "+86 138 0000 0001", "rater_name": "李某某"})
    page = Page.of(answer)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) >= 5 * 24 * 3600
    assert "同一手机号5天内只能填报一次，请于11月27日后再试" in page.texts["errors"]


def test_the_five_day_refusal_hands_the_words_back_and_offers_no_form(hall: Hall) -> None:
    code = hall.code(window="3号窗口")
    hall.send(code, hall.open(code), **TYPED)
    typed = {**TYPED, "level": 2, "tags5": None, "tags2": [207, 214], "comment": "材料交了两次"}
    page = Page.of(hall.send(code, hall.open(code), **typed))
    assert not {"form", "button"} & set(page.tags)
    assert page.texts["kept"] == "评价等级：不满意\n具体原因：没有提供材料样本；服务态度生硬\n具体意见：材料交了两次"
    for shown in ("天宁区市场监督管理局", "3号窗口", "营业执照办理", "12315"):
        assert shown in page.text
    assert "13800000001" not in page.text


def test_no_page_tells_whether_a_number_has_rated(hall: Hall) -> None:
    code = hall.code()
    hall.rated(code, mobile="13800000001")
    for typed in ({"level": None}, {"rater_name": ""}, {"level": 1, "tags1": [], "comment": ""}):
        told = []
        for mobile in ("13800000001", "13800000002"):
            answer = hall.send(code, hall.open(code), **{**TYPED, **typed, "mobile": mobile})
            told.append((answer.status_code, Page.of(answer).texts["errors"]))
        assert told[0] == told[1] and told[0][0] == 422


def test_a_query_code_that_is_none_leads_back_to_the_field(hall: Hall) -> None:
    for typed in ("AAAA-BBBB-CCCC-DDDD", "<script>", "x" * 300):
        answer = hall.get("/r/answers/" + typed.replace("<", "%3C").replace(">", "%3E"))
        page = Page.of(answer)
        assert answer.status_code == 404 and "没有找到这个查询码" in page.text
        assert page.fields["code"] == typed[:40] and "script" not in page.tags


def test_a_query_code_typed_in_its_own_way_leads_to_the_answer(hall: Hall) -> None:
    code = ok(hall.rate(hall.code()), 201)["query_code"]
    found = hall.client.get("/r/answers", query_string={"code": f" {code.lower().replace('-', ' ')} "})
    assert found.status_code == 303
    assert "营业执照办理" in Page.of(hall.get(found.headers["Location"])).text


def test_the_rater_reads_the_reply_once_it_was_reviewed_and_not_before(hall: Hall) -> None:
    rated = ok(hall.rate(hall.code(), **BAD), 201)
    where = f"/r/answers/{rated['query_code']}"
    hall.lead(rated["id"], "contact", "verify", "rectify", "reply")
    assert "已整改，感谢监督" not in Page.of(hall.get(where)).text
    hall.lead(rated["id"], "close")
    page = Page.of(hall.get(where))
    assert "已整改，感谢监督" in page.text and "13800000001" not in page.text
    assert "窗口人员重新培训" not in page.text and "已说明情况" not in page.text


def test_large_type_stays_large_through_errors_and_thanks(hall: Hall) -> None:
    code = hall.code()
    path = f"/r/{code['token']}?large=1"
    page = Page.of(hall.get(path))
    assert ("html", "class", "large") in page.attributes and ("form", "action", "?large=1") in page.attributes
    refused = hall.client.post(path, data=page.filled_in())
    assert ("html", "class", "large") in Page.of(refused).attributes
    sent = hall.client.post(path, data=page.filled_in(**TYPED))
    assert ("html", "class", "large") in Page.of(hall.get(sent.headers["Location"])).attributes


def test_the_first_page_speaks_to_people_and_has_what_developers_need_apart(hall: Hall) -> None:
    answer = hall.get("/")
    page = Page.of(answer)
    main, _, apart = page.text.partition("开发者")
    for shown in ("办事群众", "企业", "监管人员", "查询评价答复", "12315"):
        assert shown in main
    assert "接口文档" not in main and "接口文档" in apart
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_an_enterprise_rates_its_finished_filing_and_is_led_home(hall: Hall, application: APIFlask) -> None:
    parties = prepare(application, hall.sign_in)
    row = open_declaration(parties)
    body = {"data": DECLARATION, "documents": [], "version": row["version"]}
    saved = ok(parties.enterprise.put(f"/filings/{row['id']}", body))
    sent = ok(act(parties.enterprise, saved, "submit"))
    assert ok(parties.enterprise.get("/rating-codes"))["items"] == []
    ok(act(parties.reviewer, sent, "approve"))
    todo = next(one for one in ok(parties.enterprise.get("/todos"))["items"] if one["kind"] == "rate_service")
    assert "好差评" in todo["title"]
    (code,) = ok(parties.enterprise.get("/rating-codes"))["items"]
    assert ok(parties.enterprise.get(todo["link"])) == code
    assert (code["kind"], code["filing_id"]) == ("per_matter", row["id"])
    assert ok(parties.other_enterprise.get("/rating-codes"))["items"] == []
    assert parties.other_enterprise.get(f"/rating-codes/{code['id']}").status_code == 404
    code["token"] = code["url"].rpartition("/")[2]
    page = hall.open(code)
    assert page.texts["send"] == "保存"
    assert hall.send(code, page, **{**TYPED, "mobile": "bad"}).status_code == 422
    answer = hall.send(code, page, **TYPED)
    where = urlsplit(answer.headers["Location"])
    assert (answer.status_code, where.path) == (303, "/")
    home = hall.client.get(answer.headers["Location"])
    thanks = Page.of(home)
    assert home.status_code == 200 and "评价已保存，感谢您的参与！" in thanks.text and "请回到“待办”" in thanks.text
    assert not {"接口", "OpenAPI", "开发者"} & set(re.findall("接口|OpenAPI|开发者", thanks.text))
    assert hall.send(code, page, **TYPED).headers["Location"] == answer.headers["Location"]
    assert "rate_service" not in {one["kind"] for one in ok(parties.enterprise.get("/todos"))["items"]}
    again = {**GOOD, "mobile": "13800000009", "submission_id": "another"}
    signed_in = parties.enterprise.post(f"/ratings/form/{code['token']}", again)
    assert code_of(signed_in) == (409, "already_rated")
    assert WORKS not in home.get_data(as_text=True) and STREET not in home.get_data(as_text=True)


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 422),
        (b"level=5&rater_name=%FF%FE&mobile=13800000001", "application/x-www-form-urlencoded", 303),
        (b"level=5&rater_name=%00%00&mobile=%00", "application/x-www-form-urlencoded", 422),
        (b"level=1&level=5&rater_name=x&mobile=13800000001", "application/x-www-form-urlencoded", 422),
        (b"&" * 5000, "application/x-www-form-urlencoded", 422),
        (b'{"level": 5}', "application/json", 422),
        (b"level=5", "text/plain", 422),
        (b"comment=" + b"x" * 2_000_000, "application/x-www-form-urlencoded", 413),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 422),
    ],
)
def test_whatever_is_posted_to_the_page_is_answered(hall: Hall, data: bytes, media_type: str, status: int) -> None:
    answer = hall.client.post(f"/r/{hall.code()['token']}", data=data, content_type=media_type)
    assert answer.status_code == status, answer.get_data(as_text=True)[:300]
